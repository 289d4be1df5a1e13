//! Other processes change references during migrations: no change that git has reported is lost.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::kinds::repository;
use super::{brief_state, files};
use crate::sandbox::{Outcome, Sandbox};

/// The values of the refs that a writer has set.
type Values = BTreeMap<String, String>;

/// Sets refs below `prefix`, a few again and again and others once, until `stop`.
fn update(sandbox: &Sandbox, prefix: &str, ids: &[String], stop: &AtomicBool) -> Values {
    let mut values = Values::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = match number % 2 {
            0 => format!("{prefix}/{}", number % 6),
            _ => format!("{prefix}/new/{number}"),
        };
        let id = &ids[number % ids.len()];
        let args = ["update-ref", "-m", "x", &name, id];
        if sandbox.run_git("r", &args, "").status == 0 {
            values.insert(name.clone(), id.clone());
        }
        if number % 16 == 0
            && sandbox
                .run_git("r", &["update-ref", "-d", &name], "")
                .status
                == 0
        {
            values.remove(&name);
        }
    }
    values
}

/// Commits in the worktree `w`, until `stop`. Returns how many commits git has reported.
fn commit(sandbox: &Sandbox, stop: &AtomicBool) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let args = ["commit", "-q", "--allow-empty", "-m", "more"];
        count += usize::from(sandbox.run_git("w", &args, "").status == 0);
    }
    count
}

/// Moves the references, however often that is refused because of other processes.
fn migrate(sandbox: &Sandbox, to: &str) -> Outcome {
    loop {
        let outcome = sandbox.reftable("r", &["migrate", "--to", to]);
        let is_refused = ["exists: another process", "meanwhile", "keep changing"]
            .iter()
            .any(|text| outcome.stderr.contains(text));
        if !is_refused {
            return outcome;
        }
    }
}

#[test]
fn no_update_is_lost() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let ids = ["HEAD", "HEAD^"].map(|name| sandbox.git("r", &["rev-parse", name]));
    let ids: Vec<String> = ids.iter().map(|id| id.trim_end().to_owned()).collect();
    for to in ["reftable", "files"] {
        let count = |sandbox: &Sandbox| -> usize {
            let count = sandbox.git("w", &["rev-list", "--count", "HEAD"]);
            count.trim_end().parse().unwrap()
        };
        let before = count(&sandbox);
        let stop = AtomicBool::new(false);
        let (outcome, values, commits) = thread::scope(|scope| {
            let prefixes = ["refs/heads/race", "refs/tags/race"];
            let writers = prefixes.map(|prefix| {
                let (sandbox, ids, stop) = (&sandbox, &ids, &stop);
                scope.spawn(move || update(sandbox, prefix, ids, stop))
            });
            let committer = scope.spawn(|| commit(&sandbox, &stop));
            let outcome = migrate(&sandbox, to);
            stop.store(true, Ordering::Relaxed);
            let values = writers.map(|writer| writer.join().unwrap());
            (outcome, values, committer.join().unwrap())
        });
        assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{outcome:?}");
        let format = sandbox.git("r", &["rev-parse", "--show-ref-format"]);
        assert_eq!(format.trim_end(), to);
        let format = "--format=%(refname) %(objectname)";
        let list = sandbox.git("r", &["for-each-ref", format]);
        let found: Values = list
            .lines()
            .filter(|line| line.contains("/race/"))
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, id)| (name.to_owned(), id.to_owned()))
            .collect();
        let expected: Values = values.into_iter().flatten().collect();
        assert_eq!(found, expected, "to {to}");
        assert_eq!(count(&sandbox), before + commits, "to {to}");
        for name in list.lines().filter(|line| line.contains("/race/")) {
            let name = name.split_once(' ').unwrap().0;
            sandbox.git("r", &["update-ref", "-d", name]);
        }
        sandbox.git("r", &["refs", "verify"]);
    }
}

#[test]
fn an_interrupted_migration_leaves_nothing() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    let many: String = (0..20_000)
        .map(|n| format!("{} refs/z/{n:05}\n", head.trim_end()))
        .collect();
    let packed = sandbox.path("r/.git/packed-refs");
    std::fs::write(&packed, std::fs::read_to_string(&packed).unwrap() + &many).unwrap();
    let dirs = ["w", "x"];
    for to in ["reftable", "files"] {
        let expected = (brief_state(&sandbox, &dirs), files(&sandbox, "r/.git"));
        let mut command = sandbox.command("r", &["migrate", "--to", to, "--grace", "0"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let staging = sandbox.path("r/.git/ref-migration");
        while !staging.exists() && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &pid]).output();
        assert!(kill.is_ok());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        // It may have been done already.
        if output.status.code() != Some(0) {
            assert_eq!(output.status.code(), Some(130), "to {to}: {stderr}");
            assert!(stderr.starts_with("reftable: interrupted"), "{stderr}");
            let found = (brief_state(&sandbox, &dirs), files(&sandbox, "r/.git"));
            assert_eq!(found, expected, "to {to}");
            sandbox.output("r", &["migrate", "--to", to, "--grace", "0"]);
        }
    }
}
