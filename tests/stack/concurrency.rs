//! Several stacks in one directory: locks, outdated views, and threads.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use reftable::format::Error;
use reftable::internals::{Fault, FaultPlan, FaultStorage, StdStorage};
use reftable::stack::{OnOutdated, StackOptions};

use crate::support::*;

fn with_timeout(lock_timeout_ms: i64) -> StackOptions {
    StackOptions {
        lock_timeout_ms,
        ..quiet()
    }
}

#[test]
fn a_held_lock_is_an_error_after_the_timeout() {
    let dir = scratch();
    let holder = open(dir.path());
    let held = holder.begin(OnOutdated::Fail).unwrap();
    for timeout in [0, 50] {
        let stack = open_with(Arc::new(StdStorage), dir.path(), with_timeout(timeout)).unwrap();
        let before = Instant::now();
        let error = stack.begin(OnOutdated::Fail).unwrap_err();
        let lock = dir.path().join("tables.list.lock");
        assert!(
            matches!(&error, Error::Locked { path } if *path == lock),
            "{error}"
        );
        let waited = before.elapsed();
        assert!(waited >= Duration::from_millis(timeout.unsigned_abs() / 2));
    }
    let late = open(dir.path());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| add(&late, &[("a", Some(1))]));
        std::thread::sleep(Duration::from_millis(20));
        drop(held);
        assert_eq!(waiting.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn an_outdated_stack_fails_or_reloads() {
    let dir = scratch();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    add(&theirs, &[("a", Some(1))]).unwrap();
    let error = ours.begin(OnOutdated::Fail).unwrap_err();
    assert!(matches!(error, Error::Outdated), "{error}");
    assert!(ours.merged().tables().is_empty());
    assert!(!dir.path().join("tables.list.lock").exists());

    let error = ours.add::<Error>(OnOutdated::Fail, |w| write(w, 1, &[("b", Some(1))]));
    assert!(matches!(error, Err(Error::Outdated)));
    assert_eq!(ours.merged().tables().len(), 1, "reloaded for the next try");

    add(&theirs, &[("c", Some(1))]).unwrap();
    let addition = ours.begin(OnOutdated::Reload).unwrap();
    assert_eq!(addition.next_update_index(), 3);
    assert_eq!(ours.merged().tables().len(), 2);
}

#[test]
fn compaction_of_an_outdated_view_is_refused() {
    let dir = scratch();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    add(&ours, &[("a", Some(1))]).unwrap();
    add(&ours, &[("b", Some(1))]).unwrap();
    theirs.reload().unwrap();
    add(&ours, &[("c", Some(1))]).unwrap();
    assert!(matches!(theirs.compact_all(None), Err(Error::Outdated)));
    assert_tidy(dir.path());
    theirs.reload().unwrap();
    theirs.compact_all(None).unwrap();
    assert_tidy(dir.path());
    // A reader that has the old tables open can still read them.
    assert_eq!(Snapshot::of(&ours.merged()).refs.len(), 3);
    ours.reload().unwrap();
    assert_eq!(ours.merged().tables().len(), 1);
}

fn lock_table(dir: &Path, index: usize) -> std::path::PathBuf {
    let lock = dir.join(format!("{}.lock", list(dir)[index]));
    fs::write(&lock, "").unwrap();
    lock
}

#[test]
fn locked_tables_stop_a_full_compaction() {
    let dir = scratch();
    let stack = open(dir.path());
    for name in ["a", "b", "c"] {
        add(&stack, &[(name, Some(1))]).unwrap();
    }
    let before = list(dir.path());
    let lock = lock_table(dir.path(), 1);
    assert!(matches!(stack.compact_all(None), Err(Error::Locked { path }) if path == lock));
    assert_eq!(list(dir.path()), before);
    assert_eq!(stack.stats().failures, 1);
    fs::remove_file(lock).unwrap();
    assert_tidy(dir.path());
}

#[test]
fn auto_compaction_leaves_locked_tables_out() {
    let dir = scratch();
    let stack = open(dir.path());
    for name in ["a", "b", "c", "d", "e"] {
        add(&stack, &[(name, Some(1))]).unwrap();
    }
    let before = list(dir.path());
    let lock = lock_table(dir.path(), 2);
    stack.auto_compact().unwrap();
    let after = list(dir.path());
    assert_eq!(after.len(), 4);
    assert_eq!(
        after[..3],
        before[..3],
        "all but the two newest tables stay"
    );
    fs::remove_file(lock).unwrap();
    assert_tidy(dir.path());

    // With the last but one locked, no two adjacent tables can be compacted.
    let lock = lock_table(dir.path(), 2);
    assert!(matches!(stack.auto_compact(), Err(Error::Locked { .. })));
    fs::remove_file(lock).unwrap();
    assert_tidy(dir.path());
    assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 5);
}

#[test]
fn a_commit_ignores_locks_that_stop_its_compaction() {
    let dir = scratch();
    let options = StackOptions {
        disable_auto_compact: false,
        ..quiet()
    };
    let quiet_stack = open(dir.path());
    add(&quiet_stack, &[("a", Some(1))]).unwrap();
    add(&quiet_stack, &[("b", Some(1))]).unwrap();
    let lock = lock_table(dir.path(), 1);
    let stack = open_with(Arc::new(StdStorage), dir.path(), options).unwrap();
    let outcome = stack
        .add::<Error>(OnOutdated::Fail, |w| write(w, 3, &[("c", Some(1))]))
        .unwrap();
    assert!(outcome.published && outcome.compaction.is_none());
    assert_eq!(stack.stats().failures, 1);
    fs::remove_file(lock).unwrap();
    assert_tidy(dir.path());
}

#[test]
fn damage_that_stops_a_compaction_does_not_fail_the_commit() {
    let dir = scratch();
    let names: Vec<_> = (0..200).map(|i| format!("refs/heads/{i:04}")).collect();
    let changes: Vec<Change<'_>> = names.iter().map(|n| (n.as_str(), Some(1))).collect();
    add(&open(dir.path()), &changes).unwrap();
    let path = dir.path().join(list(dir.path()).pop().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    // The second ref block: header and footer stay valid, so the table can be opened.
    bytes[4096] = b'?';
    fs::write(&path, bytes).unwrap();
    let options = StackOptions {
        disable_auto_compact: false,
        auto_compaction_factor: 255,
        ..quiet()
    };
    let stack = open_with(Arc::new(StdStorage), dir.path(), options).unwrap();
    let outcome = stack
        .add::<Error>(OnOutdated::Fail, |w| {
            write(w, 2, &[("refs/heads/new", Some(2))])
        })
        .unwrap();
    assert!(outcome.published);
    assert!(matches!(outcome.compaction, Some(Error::Corrupt(_))));
    assert_eq!(list(dir.path()).len(), 2);
    assert_tidy(dir.path());
    let mut finder = stack.merged().finder();
    assert!(finder.find(b"refs/heads/new").unwrap().is_some());
}

#[test]
fn views_are_read_while_they_are_replaced() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1)), ("b", Some(1))]).unwrap();
    let view = stack.merged();
    let mut refs = view.refs(reftable::merged::Tombstones::Hide);
    assert!(refs.advance().unwrap());
    add(&stack, &[("b", None)]).unwrap();
    stack.compact_all(None).unwrap();
    assert!(refs.advance().unwrap());
    assert_eq!(refs.record().name, b"b");
    assert!(!refs.advance().unwrap());
}

#[test]
fn threads_and_stacks_lose_nothing() {
    const THREADS: usize = 8;
    const EACH: usize = 50;
    for shared in [false, true] {
        let dir = scratch();
        let options = StackOptions {
            disable_auto_compact: false,
            lock_timeout_ms: -1,
            ..quiet()
        };
        let open = || open_with(Arc::new(StdStorage), dir.path(), options.clone()).unwrap();
        let one = open();
        let start = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (one, start, open) = (&one, &start, &open);
                scope.spawn(move || {
                    let own = (!shared).then(open);
                    let stack = own.as_ref().unwrap_or(one);
                    start.wait();
                    for i in 0..EACH {
                        let name = format!("refs/heads/{thread}-{i}");
                        add(stack, &[(&name, Some(1)), ("refs/heads/all", Some(2))]).unwrap();
                        let mut finder = stack.merged().finder();
                        assert!(finder.find(name.as_bytes()).unwrap().is_some());
                        if i % 16 == 0 {
                            stack.reload().unwrap();
                        }
                    }
                });
            }
        });
        let snapshot = Snapshot::of_dir(dir.path());
        assert_eq!(snapshot.refs.len(), THREADS * EACH + 1);
        assert_eq!(snapshot.logs.len(), 2 * THREADS * EACH);
        one.reload().unwrap();
        assert_eq!(Snapshot::of(&one.merged()), snapshot);
        assert_eq!(one.next_update_index(), (THREADS * EACH) as u64 + 1);
        assert_tidy(dir.path());
    }
}

/// What another process does meanwhile, and which of its changes must persist.
type Other = fn(&Path) -> bool;

fn other_adds(dir: &Path) -> bool {
    let stack = open_with(Arc::new(StdStorage), dir, with_timeout(0)).unwrap();
    match add(&stack, &[("other", Some(9))]) {
        Ok(_) => true,
        Err(Error::Locked { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

fn other_compacts(dir: &Path) -> bool {
    let stack = open_with(Arc::new(StdStorage), dir, with_timeout(0)).unwrap();
    match stack.compact_all(None) {
        Ok(()) | Err(Error::Locked { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    false
}

fn other_adds_and_compacts(dir: &Path) -> bool {
    let added = other_adds(dir);
    other_compacts(dir);
    added
}

fn other_cleans(dir: &Path) -> bool {
    let stack = open_with(Arc::new(StdStorage), dir, with_timeout(0)).unwrap();
    match stack.clean() {
        Ok(()) | Err(Error::Locked { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    false
}

/// Our own work; true if `mine` must exist afterwards.
type Work = fn(&reftable::stack::Stack) -> Result<bool, Error>;

/// Lets another process act at every operation of `work`, and checks the result.
fn interleave(work: Work, other: Other) {
    let seed = scratch();
    let stack = open(seed.path());
    for i in 0..4u8 {
        let name = format!("seed-{i}");
        add(&stack, &[(&name, Some(i)), ("seed", Some(i))]).unwrap();
    }
    add(&stack, &[("seed-0", None)]).unwrap();
    let seeded = Snapshot::of_dir(seed.path());
    drop(stack);

    let mut n = 0;
    loop {
        let dir = scratch();
        copy(seed.path(), dir.path());
        let path = dir.path().to_owned();
        let others = Arc::new(Mutex::new(false));
        let result = others.clone();
        let call = move || *result.lock().unwrap() = other(&path);
        let plan = FaultPlan::at(n, Fault::Call(Arc::new(call)));
        let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
        let options = StackOptions {
            disable_auto_compact: false,
            lock_timeout_ms: 0,
            ..quiet()
        };
        let stack = open_with(Arc::new(storage), dir.path(), options).unwrap();
        let mine = match work(&stack) {
            Ok(mine) => mine,
            Err(Error::Locked { .. } | Error::Outdated) => false,
            Err(error) => panic!("operation {n}: {error}\n{:?}", plan.seen()),
        };
        stack.reload().unwrap();
        let struck = plan.operations() > n;
        let ours = Snapshot::of(&stack.merged());
        drop(stack);
        let mut snapshot = Snapshot::of_dir(dir.path());
        assert_eq!(ours, snapshot, "operation {n}");
        for (name, there) in [("mine", mine), ("other", *others.lock().unwrap())] {
            let found = snapshot.refs.remove(name).is_some();
            assert_eq!(found, there, "operation {n}: {name}\n{:?}", plan.seen());
            snapshot.logs.retain(|(ref_name, _), _| ref_name != name);
        }
        assert_eq!(snapshot, seeded, "operation {n}");
        assert_eq!(
            remove_locks(dir.path()),
            [""; 0].map(std::path::PathBuf::from)
        );
        open(dir.path()).clean().unwrap();
        assert_tidy(dir.path());
        if !struck {
            assert!(n > 10, "only {n} operations");
            return;
        }
        n += 1;
    }
}

const OTHERS: [Other; 4] = [
    other_adds,
    other_compacts,
    other_adds_and_compacts,
    other_cleans,
];

#[test]
fn transactions_persist_whatever_happens_meanwhile() {
    for other in OTHERS {
        interleave(
            |stack| add(stack, &[("mine", Some(1))]).map(|_| true),
            other,
        );
    }
}

#[test]
fn full_compactions_persist_whatever_happens_meanwhile() {
    for other in OTHERS {
        interleave(|stack| stack.compact_all(None).map(|()| false), other);
    }
}

#[test]
fn auto_compactions_persist_whatever_happens_meanwhile() {
    for other in OTHERS {
        interleave(|stack| stack.auto_compact().map(|()| false), other);
    }
}

#[test]
fn cleaning_removes_nothing_in_use() {
    for other in OTHERS {
        interleave(
            |stack| stack.clean_if(OnOutdated::Reload).map(|()| false),
            other,
        );
    }
}
