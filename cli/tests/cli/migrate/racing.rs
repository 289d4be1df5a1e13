//! Other processes change references during migrations: no change that git has reported is lost.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::kinds::repository;
use super::{brief_state, files};
use crate::sandbox::{Outcome, Sandbox};

/// The values of refs.
type Values = BTreeMap<String, String>;

/// What each ref of a writer may have as its value: what git has reported last as done, and what it
/// has tried without success since then. A change whose failure git reports may have been made: after
/// it, git's C backend reads the stack again, which may have been removed meanwhile.
type Expected = BTreeMap<String, Vec<Option<String>>>;

/// Notes a change of a ref.
fn note(expected: &mut Expected, name: &str, value: Option<&String>, is_done: bool) {
    let values = expected.entry(name.to_owned()).or_insert(vec![None]);
    if is_done {
        values.clear();
    }
    values.push(value.cloned());
}

/// Sets refs below `prefix`, a few again and again and others once, until `stop`.
fn update(sandbox: &Sandbox, prefix: &str, ids: &[String], stop: &AtomicBool) -> Expected {
    let mut expected = Expected::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = match number % 2 {
            0 => format!("{prefix}/{}", number % 6),
            _ => format!("{prefix}/new/{number}"),
        };
        let id = &ids[number % ids.len()];
        let is_done = |args: &[&str]| sandbox.run_git("r", args, "").status == 0;
        let is_set = is_done(&["update-ref", "-m", "x", &name, id]);
        note(&mut expected, &name, Some(id), is_set);
        if number % 16 == 0 {
            let is_deleted = is_done(&["update-ref", "-d", &name]);
            note(&mut expected, &name, None, is_deleted);
        }
    }
    expected
}

/// Commits in the worktree `w`, until `stop`. Returns how many commits git has reported, and how
/// many it has tried.
fn commit(sandbox: &Sandbox, stop: &AtomicBool) -> (usize, usize) {
    let (mut done, mut tried) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let args = ["commit", "-q", "--allow-empty", "-m", "more"];
        done += usize::from(sandbox.run_git("w", &args, "").status == 0);
        tried += 1;
    }
    (done, tried)
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
        let expected: Expected = values.into_iter().flatten().collect();
        for (name, values) in &expected {
            let found = found.get(name).cloned();
            assert!(
                values.contains(&found),
                "to {to}: {name}: {found:?}, {values:?}"
            );
        }
        assert!(found.keys().all(|name| expected.contains_key(name)));
        let (done, tried) = commits;
        let made = count(&sandbox) - before;
        assert!(
            (done..=tried).contains(&made),
            "to {to}: {made}, {done}, {tried}"
        );
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
    let many: String = (0..5_000)
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
