//! The command is killed at each of its calls to the system: git must then read the references, and
//! the command must be able to finish.
//!
//! A run tries some of the calls that change something; `REFTABLE_FAULTS=all` tries
//! all of them.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::kinds::repository;
use super::{brief_state, files};
use crate::sandbox::{run, Outcome, Sandbox};
use crate::saving::copy_all;

/// The worktrees of the repository.
const DIRS: [&str; 3] = ["r", "w", "x"];

/// About how many calls are tried in each direction.
const SOME: usize = 8;

/// The library of `tests/c/faults.c`, which kills a program at a call.
struct Killer {
    library: PathBuf,
    dir: tempfile::TempDir,
}

impl Killer {
    fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("faults.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/c/faults.c");
        let mut compile = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compile.args(["-shared", "-fPIC", "-O1", "-o"]);
        compile.arg(&library).arg(source).arg("-ldl");
        assert!(compile.status().unwrap().success());
        Self { library, dir }
    }

    /// Runs the program, with a fault at the call with this number. Returns the names and paths of
    /// its calls.
    fn run(
        &self,
        sandbox: &Sandbox,
        to: &str,
        strike: Option<(usize, &str)>,
    ) -> (Outcome, Vec<Call>) {
        let file = |name: &str| self.dir.path().join(name);
        for name in ["count", "log"] {
            // They do not exist before the first run.
            let _ = fs::remove_file(file(name));
        }
        let mut command = sandbox.command("r", &["migrate", "--to", to, "--grace", "0"]);
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAULTS_ROOT", sandbox.path("r"))
            .env("FAULTS_EVERY_FILE", "1")
            .env("FAULTS_COUNT", file("count"))
            .env("FAULTS_LOG", file("log"));
        if let Some((at, kind)) = strike {
            command.env("FAULTS_AT", at.to_string());
            command.env("FAULTS_KIND", kind);
        }
        let outcome = run(command, "");
        // Number, name and path.
        let log = fs::read_to_string(file("log")).unwrap();
        let call = |line: &str| {
            let (_, call) = line.split_once(' ').unwrap();
            let (name, path) = call.split_once(' ').unwrap();
            (name.to_owned(), path.to_owned())
        };
        (outcome, log.lines().map(call).collect())
    }
}

/// The name and the path of a call.
type Call = (String, String);

/// Sets the repository back to its first state.
fn restore(sandbox: &Sandbox) {
    fs::remove_dir_all(sandbox.path("r")).unwrap();
    copy_all(&sandbox.path("template"), &sandbox.path("r"));
}

fn format(sandbox: &Sandbox) -> String {
    let format = sandbox.git("r", &["rev-parse", "--show-ref-format"]);
    format.trim_end().to_owned()
}

/// The numbers of the calls at which there are faults: all that may change something, or some of
/// them. A kill at another call leaves what a kill at the next one leaves.
fn chosen(calls: &[Call]) -> Vec<usize> {
    let reads = [
        "stat", "lstat", "statx", "fstat", "read", "readdir", "close", "opendir", "mmap",
    ];
    let is_read = |name: &str| reads.contains(&name.trim_end_matches("64"));
    let changes = (1..).zip(calls).filter(|(_, (name, _))| !is_read(name));
    let changes: Vec<usize> = changes.map(|(number, _)| number).collect();
    let step = if is_whole() {
        1
    } else {
        changes.len() / SOME + 1
    };
    changes.into_iter().step_by(step).collect()
}

/// The references as git shows them.
fn shown(sandbox: &Sandbox) -> String {
    brief_state(sandbox, &DIRS)
}

fn is_whole() -> bool {
    env::var_os("REFTABLE_FAULTS").is_some_and(|value| value == "all")
}

/// Kills a migration at calls, and checks what it has left.
fn kill_everywhere(sandbox: &Sandbox, killer: &Killer, to: &str) {
    let from = format(sandbox);
    copy_all(&sandbox.path("r"), &sandbox.path("template"));
    let expected = shown(sandbox);
    restore(sandbox);
    let (outcome, calls) = killer.run(sandbox, to, None);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let clean = files(sandbox, "r/.git");
    let mut formats = Vec::new();
    for at in chosen(&calls) {
        // After a call is before the next one.
        for kind in ["kill-before", "kill-after"] {
            if kind == "kill-after" && at < calls.len() {
                continue;
            }
            restore(sandbox);
            let context = format!("{from} to {to}, {kind} {at} of {}", calls.len());
            let (outcome, _) = killer.run(sandbox, to, Some((at, kind)));
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
    let killer = Killer::build();
    kill_everywhere(&sandbox, &killer, "reftable");
    kill_everywhere(&sandbox, &killer, "files");
}

#[test]
fn a_failing_call_leaves_the_old_repository_or_the_new_one() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let killer = Killer::build();
    for to in ["reftable", "files"] {
        let from = format(&sandbox);
        copy_all(&sandbox.path("r"), &sandbox.path("template"));
        let expected = shown(&sandbox);
        let (_, calls) = killer.run(&sandbox, to, None);
        for at in chosen(&calls) {
            // EIO, ENOSPC.
            let error = ["5", "28"][at % 2];
            restore(&sandbox);
            let context = format!("{from} to {to}, error {error} at {at} of {}", calls.len());
            let (outcome, _) = killer.run(&sandbox, to, Some((at, error)));
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
fn kill_after_switch(sandbox: &Sandbox, killer: &Killer) {
    let (_, calls) = killer.run(sandbox, "reftable", None);
    let is_switch = |(name, path): &Call| name == "rename" && path.ends_with("r/.git/config");
    let at = calls.iter().position(is_switch).unwrap() + 1;
    restore(sandbox);
    killer.run(sandbox, "reftable", Some((at, "kill-after")));
    assert_eq!(format(sandbox), "reftable");
}

#[test]
fn what_old_programs_write_after_the_switch_is_added() {
    let Some(sandbox) = repository("plain", "sha1") else {
        return;
    };
    let killer = Killer::build();
    copy_all(&sandbox.path("r"), &sandbox.path("template"));
    let id = |name: &str| sandbox.git("r", &["rev-parse", name]);
    let (new, old) = (id("HEAD^"), id("HEAD"));
    let log = fs::read_to_string(sandbox.path("r/.git/logs/HEAD")).unwrap();
    for is_locked in [true, false] {
        restore(&sandbox);
        kill_after_switch(&sandbox, &killer);
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
