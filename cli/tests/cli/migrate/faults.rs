//! The command is killed at each of its calls to the system: git must then read the references, and
//! the command must be able to finish.
#![cfg(target_os = "linux")]

use std::fs;

use super::kinds::repository;
use super::{brief_state, files};
use crate::faults::{chosen, Call, Faults};
use crate::sandbox::{copy_all, Outcome, Sandbox};

/// The worktrees of the repository.
const DIRS: [&str; 3] = ["r", "w", "x"];

/// About how many calls are tried in each direction.
const SOME: usize = 8;

/// Migrates with a fault at the call with this number.
fn strike(
    sandbox: &Sandbox,
    faults: &Faults,
    to: &str,
    fault: Option<(usize, &str)>,
) -> (Outcome, Vec<Call>) {
    let command = sandbox.command("r", &["migrate", "--to", to, "--grace", "0"]);
    faults.run(command, &sandbox.path("r"), fault)
}

/// Sets the repository back to its first state.
fn restore(sandbox: &Sandbox) {
    fs::remove_dir_all(sandbox.path("r")).unwrap();
    copy_all(&sandbox.path("template"), &sandbox.path("r"));
}

fn format(sandbox: &Sandbox) -> String {
    let format = sandbox.git("r", &["rev-parse", "--show-ref-format"]);
    format.trim_end().to_owned()
}

/// The references as git shows them.
fn shown(sandbox: &Sandbox) -> String {
    brief_state(sandbox, &DIRS)
}

/// Kills a migration at calls, and checks what it has left.
fn kill_everywhere(sandbox: &Sandbox, faults: &Faults, to: &str) {
    let from = format(sandbox);
    copy_all(&sandbox.path("r"), &sandbox.path("template"));
    let expected = shown(sandbox);
    restore(sandbox);
    let (outcome, calls) = strike(sandbox, faults, to, None);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let clean = files(sandbox, "r/.git");
    let mut formats = Vec::new();
    for at in chosen(&calls, SOME) {
        // After a call is before the next one.
        for kind in ["kill-before", "kill-after"] {
            if kind == "kill-after" && at < calls.len() {
                continue;
            }
            restore(sandbox);
            let context = format!("{from} to {to}, {kind} {at} of {}", calls.len());
            let (outcome, _) = strike(sandbox, faults, to, Some((at, kind)));
            if outcome.status == 0 {
                // Fewer files have been changed lately than in the first run, so there are fewer
                // calls, and none of this number.
                continue;
            }
            assert_eq!(outcome.status, -1, "{context}: {outcome:?}");
            assert_eq!(shown(sandbox), expected, "{context}");
            formats.push(format(sandbox));
            let again = sandbox.reftable("r", &["migrate", "--to", to, "--grace", "0"]);
            let is_done = again.stderr.contains("already in");
            assert!(again.status == 0 || is_done, "{context}: {again:?}");
            assert_eq!(format(sandbox), to, "{context}");
            assert_eq!(shown(sandbox), expected, "{context}");
            assert_eq!(names(&files(sandbox, "r/.git")), names(&clean), "{context}");
            sandbox.git("w", &["update-ref", "refs/bisect/good", "HEAD"]);
            sandbox.git("r", &["update-ref", "refs/heads/new", "HEAD"]);
        }
    }
    assert!(formats.contains(&from), "{from} to {to}");
    assert!(formats.contains(&to.to_owned()), "{from} to {to}");
    println!(
        "{from} to {to}: {} kills at {} calls, 0 states lost",
        formats.len(),
        calls.len()
    );
    restore(sandbox);
    sandbox.output("r", &["migrate", "--to", to, "--grace", "0"]);
    fs::remove_dir_all(sandbox.path("template")).unwrap();
}

/// Without the names of tables, which have a random part.
fn names(files: &[String]) -> Vec<String> {
    let is_table = |name: &&String| name.ends_with(".ref");
    let tables = files.iter().filter(is_table);
    let dirs = tables.map(|name| name.rsplit_once('/').unwrap().0.to_owned());
    let others = files.iter().filter(|name| !is_table(name)).cloned();
    others.chain(dirs).collect()
}

#[test]
fn a_kill_leaves_the_old_repository_or_the_new_one() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let Some(faults) = Faults::new() else {
        return;
    };
    kill_everywhere(&sandbox, &faults, "reftable");
    kill_everywhere(&sandbox, &faults, "files");
}

#[test]
fn a_failing_call_leaves_the_old_repository_or_the_new_one() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let Some(faults) = Faults::new() else {
        return;
    };
    for to in ["reftable", "files"] {
        let from = format(&sandbox);
        copy_all(&sandbox.path("r"), &sandbox.path("template"));
        let expected = shown(&sandbox);
        let (_, calls) = strike(&sandbox, &faults, to, None);
        for at in chosen(&calls, SOME) {
            // EIO, ENOSPC.
            let error = ["5", "28"][at % 2];
            restore(&sandbox);
            let context = format!("{from} to {to}, error {error} at {at} of {}", calls.len());
            let (outcome, _) = strike(&sandbox, &faults, to, Some((at, error)));
            let now = format(&sandbox);
            assert_eq!(shown(&sandbox), expected, "{context}: {outcome:?}");
            if outcome.status == 0 {
                assert_eq!(now, to, "{context}");
            } else {
                assert_eq!(outcome.stderr.lines().count(), 1, "{context}: {outcome:?}");
                let again = sandbox.reftable("r", &["migrate", "--to", to, "--grace", "0"]);
                let is_done = again.stderr.contains("already in");
                assert!(again.status == 0 || is_done, "{context}: {again:?}");
            }
            assert_eq!(format(&sandbox), to, "{context}");
            assert_eq!(shown(&sandbox), expected, "{context}");
        }
        restore(&sandbox);
        sandbox.output("r", &["migrate", "--to", to, "--grace", "0"]);
        fs::remove_dir_all(sandbox.path("template")).unwrap();
    }
}

/// Kills a migration to reftables just after the switch.
fn kill_after_switch(sandbox: &Sandbox, faults: &Faults) {
    let (_, calls) = strike(sandbox, faults, "reftable", None);
    let is_switch = |(name, path): &Call| name == "rename" && path.ends_with("r/.git/config");
    let at = calls.iter().position(is_switch).unwrap() + 1;
    restore(sandbox);
    strike(sandbox, faults, "reftable", Some((at, "kill-after")));
    assert_eq!(format(sandbox), "reftable");
}

#[test]
fn what_old_programs_write_after_the_switch_is_added() {
    let Some(sandbox) = repository("plain", "sha1") else {
        return;
    };
    let Some(faults) = Faults::new() else {
        return;
    };
    copy_all(&sandbox.path("r"), &sandbox.path("template"));
    let id = |name: &str| sandbox.git("r", &["rev-parse", name]);
    let (new, old) = (id("HEAD^"), id("HEAD"));
    let log = fs::read_to_string(sandbox.path("r/.git/logs/HEAD")).unwrap();
    for is_locked in [true, false] {
        restore(&sandbox);
        kill_after_switch(&sandbox, &faults);
        let git_dir = sandbox.path("r/.git");
        // One that is new, and one that has been copied.
        for name in ["late", "light"] {
            fs::write(git_dir.join("refs/tags").join(name), &new).unwrap();
            fs::create_dir_all(git_dir.join("logs/refs/tags")).unwrap();
            fs::write(git_dir.join("logs/refs/tags").join(name), &log).unwrap();
        }
        if !is_locked {
            // Others may have changed the new store, too.
            fs::remove_file(git_dir.join("reftable/tables.list.lock")).unwrap();
        }
        let args = ["migrate", "--to", "reftable", "--grace", "0"];
        let outcome = sandbox.reftable("r", &args);
        assert_eq!(id("refs/tags/late"), new);
        let logs = sandbox.git("r", &["reflog", "refs/tags/late"]);
        assert_eq!(logs.lines().count(), log.lines().count());
        let kept = git_dir.join("ref-migration-kept-1");
        assert_eq!(kept.exists(), !is_locked);
        if is_locked {
            assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{outcome:?}");
            assert_eq!(id("refs/tags/light"), new);
        } else {
            assert_eq!(outcome.status, 1, "{outcome:?}");
            assert_eq!(id("refs/tags/light"), old);
            let text = format!(
                "refs/tags/light: a program that was started before the switch wrote {new}"
            );
            assert!(outcome.stdout.ends_with(&text), "{outcome:?}");
            fs::remove_dir_all(kept).unwrap();
        }
        sandbox.git("r", &["refs", "verify"]);
    }
}
