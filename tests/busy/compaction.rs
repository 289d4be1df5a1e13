//! Explicit compaction while others lock and change the stack: it waits for busy tables, and
//! reloads an outdated view.
//!
//! Tests of git's commands run if `REFTABLE_GIT` names a built git.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Git;
use reftable::format::{Error, Result};
use reftable::internals::StdStorage;
use reftable::record::{RefRecord, RefValue};
use reftable::stack::{OnOutdated, Stack, StackOptions};

use crate::support::{add, assert_tidy, list, make_old, open, open_with, scratch, Snapshot};

const NAMES: [&str; 3] = ["a", "b", "c"];

fn stack_of_three(dir: &Path) -> Stack {
    let stack = open(dir);
    for name in NAMES {
        add(&stack, &[(name, Some(1))]).unwrap();
    }
    stack
}

fn impatient(dir: &Path, lock_timeout_ms: i64) -> Stack {
    let options = StackOptions {
        lock_timeout_ms,
        ..StackOptions::default()
    };
    open_with(Arc::new(StdStorage), dir, options).unwrap()
}

#[test]
fn an_outdated_view_is_reloaded() {
    for use_heuristics in [false, true] {
        let dir = scratch();
        let ours = impatient(dir.path(), 100);
        stack_of_three(dir.path());
        assert!(ours.optimize(use_heuristics).unwrap());
        assert_eq!(list(dir.path()).len(), 1);
        assert_eq!(Snapshot::of(&ours.merged()).refs.len(), NAMES.len());
        assert!(!ours.optimize(use_heuristics).unwrap());
        assert_tidy(dir.path());
    }
}

#[test]
fn compaction_waits_for_a_busy_table() {
    for use_heuristics in [false, true] {
        let dir = scratch();
        stack_of_three(dir.path());
        let lock = dir.path().join(format!("{}.lock", list(dir.path())[2]));
        fs::write(&lock, "").unwrap();
        let ours = impatient(dir.path(), 10_000);
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(60));
            fs::remove_file(lock).unwrap();
        });
        ours.optimize(use_heuristics).unwrap();
        other.join().unwrap();
        assert_eq!(list(dir.path()).len(), 1);
        assert_tidy(dir.path());
    }
}

#[test]
fn waiting_for_a_table_ends_in_time() {
    let dir = scratch();
    stack_of_three(dir.path());
    let path = dir.path().join(format!("{}.lock", list(dir.path())[1]));
    fs::write(&path, "").unwrap();
    let start = Instant::now();
    let error = impatient(dir.path(), 150).optimize(false).unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert!(matches!(error, Error::Locked { path: lock } if lock == path));
    // A lock that has not been touched for a day is stale.
    make_old(dir.path());
    impatient(dir.path(), 0).optimize(false).unwrap();
    assert_tidy(dir.path());
}

/// Adds tables without a pause until it is stopped.
fn write_tightly(dir: &Path, stop: &AtomicBool) {
    let stack = impatient(dir, 100);
    while !stop.load(Ordering::Relaxed) {
        let added = stack.add(OnOutdated::Reload, |writer| -> Result<()> {
            let update_index = stack.next_update_index();
            writer.set_limits(update_index, update_index)?;
            writer.add_ref(&RefRecord {
                name: b"refs/heads/tight",
                update_index,
                value: RefValue::Symref(b"refs/heads/main"),
            })
        });
        assert!(
            matches!(added, Ok(_) | Err(Error::Locked { .. })),
            "{added:?}"
        );
    }
}

/// Runs `work` while such a writer runs.
fn beside_a_writer(dir: &Path, work: impl FnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, at) = (Arc::clone(&stop), dir.to_owned());
    let writer = thread::spawn(move || write_tightly(&at, &flag));
    work();
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn compaction_succeeds_beside_a_tight_writer() {
    let dir = scratch();
    stack_of_three(dir.path());
    beside_a_writer(dir.path(), || {
        let stack = impatient(dir.path(), 10_000);
        for i in 0..100 {
            stack.optimize(i % 2 == 0).unwrap();
            stack.clean().unwrap();
        }
    });
    impatient(dir.path(), 10_000).optimize(false).unwrap();
    assert_tidy(dir.path());
}

#[test]
fn pack_refs_succeeds_beside_a_tight_writer() {
    let Some(git) = Git::patched() else { return };
    let root = scratch();
    git.run(root.path(), &["init", "-q", "-b", "main", "repo"], "");
    let repo = root.path().join("repo");
    git.run(&repo, &["commit", "-q", "--allow-empty", "-m", "one"], "");
    git.run(&repo, &["config", "reftable.lockTimeout", "10000"], "");
    beside_a_writer(&repo.join(".git/reftable"), || {
        let mut failed = Vec::new();
        for _ in 0..60 {
            let output = crate::common::run(git.command(&repo, &["pack-refs", "--all"]), b"");
            if output.status != 0 || !output.stderr.is_empty() {
                failed.push(output.stderr);
            }
        }
        assert!(failed.is_empty(), "{} of 60: {failed:?}", failed.len());
    });
    git.run(&repo, &["refs", "verify"], "");
}
