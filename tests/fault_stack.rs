//! Every operation of a transaction, a compaction and a cleaning fails in turn, or kills
//! the process: the folder then shows the stack before or after, and can be changed.
#![forbid(unsafe_code)]

mod stack_support;

use std::io;
use std::path::Path;
use std::sync::Arc;

use reftable::format::{Error, Result};
use reftable::stack::{LogExpiry, OnOutdated, Stack, StackOptions};
use reftable::sys::{Fault, FaultPlan, FaultStorage, Operation, StdStorage};

use stack_support::*;

type Work = fn(&Stack) -> Result<()>;

fn options() -> StackOptions {
    StackOptions {
        disable_auto_compact: false,
        default_permissions: 0o644,
        lock_timeout_ms: 0,
        ..quiet()
    }
}

/// Five tables, one of which has more bytes than are kept in memory.
fn seed(dir: &Path) {
    let stack = open(dir);
    let noise = |i: usize| format!("{:02x}", i.wrapping_mul(0x9e37_79b9) >> 13 & 0xff);
    let long = |i: usize| (i * 100..i * 100 + 100).map(noise).collect::<String>();
    let names: Vec<_> = (0..180)
        .map(|i| format!("refs/heads/{i:05}-{}", long(i)))
        .collect();
    let many: Vec<Change<'_>> = names.iter().map(|n| (n.as_str(), Some(7))).collect();
    add(&stack, &many).unwrap();
    for i in 1..5u8 {
        let gone = &names[usize::from(i)];
        add(&stack, &[("refs/heads/main", Some(i)), (gone, None)]).unwrap();
    }
    let view = stack.merged();
    let large = &view.tables()[0];
    assert!(large.size() > 32 << 10, "only {} bytes", large.size());
}

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("fails", Fault::Fail(io::ErrorKind::PermissionDenied)),
        ("disk full", Fault::Errno(28)),
        ("done, but fails", Fault::FailAfter(io::ErrorKind::TimedOut)),
        ("killed", Fault::Kill),
    ]
}

/// The stack can be read, changed, compacted and cleaned by a process without faults.
fn assert_usable(dir: &Path, context: &str) {
    let stack = open(dir);
    let mut after = Snapshot::of(&stack.merged());
    // So many that no leftover is newer than the stack, and can be told to be one.
    for id in 1..=3 {
        let changes = [("refs/heads/later", Some(id))];
        let index = add(&stack, &changes).unwrap();
        after.apply(&changes, index);
    }
    stack.compact_all(None).unwrap();
    stack.clean().unwrap();
    assert_eq!(Snapshot::of_dir(dir), after, "{context}");
    let named = list(dir);
    for name in files(dir) {
        let known = named.contains(&name) || name == "tables.list" || name.contains(".temp.");
        assert!(known, "{context}: {name} is left");
    }
}

/// Runs `work` once for every operation and fault. `expected` is what it makes of the seed.
fn strike_everywhere(work: Work, expected: impl Fn(&mut Snapshot)) {
    let seeded = scratch();
    seed(seeded.path());
    let before = Snapshot::of_dir(seeded.path());
    let mut after = before.clone();
    expected(&mut after);

    for (fault_name, fault) in faults() {
        let mut n = 0;
        loop {
            let dir = scratch();
            copy(seeded.path(), dir.path());
            let plan = FaultPlan::at(n, fault.clone());
            let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
            let done =
                open_with(Arc::new(storage), dir.path(), options()).and_then(|stack| work(&stack));
            let seen = plan.seen();
            let struck = usize::try_from(n).ok().and_then(|n| seen.get(n));
            let context = format!("{fault_name} at {n}, {struck:?}: {done:?}");

            // A lock stays behind when its removal failed or its owner died.
            let locks = remove_locks(dir.path());
            let discard_failed = matches!(struck, Some((Operation::Discard, _)));
            assert!(
                locks.is_empty() || plan.is_dead() || discard_failed,
                "{context}: {locks:?} is left"
            );
            let now = Snapshot::of_dir(dir.path());
            if plan.is_dead() {
                assert!(
                    now == before || now == after,
                    "{context}: neither old nor new"
                );
            } else if done.is_ok() {
                assert!(now == after, "{context}: not new");
            } else {
                assert!(now == before, "{context}: not old");
            }
            assert_usable(dir.path(), &context);
            if struck.is_none() {
                done.unwrap();
                assert!(n > 5, "only {n} operations");
                break;
            }
            n += 1;
        }
    }
}

const CHANGES: [Change<'static>; 3] = [
    ("refs/heads/0", None),
    ("refs/heads/main", Some(42)),
    ("refs/heads/new", Some(43)),
];

fn transaction(stack: &Stack) -> Result<()> {
    let mut addition = stack.begin(OnOutdated::Fail)?;
    let index = addition.next_update_index();
    addition.add_table::<Error>(|w| write(w, index, &CHANGES))?;
    // Whatever becomes of the compaction that follows, the transaction has landed.
    stack.commit(addition).map(drop)
}

fn two_tables(stack: &Stack) -> Result<()> {
    let mut addition = stack.begin(OnOutdated::Fail)?;
    for change in &CHANGES {
        let index = addition.next_update_index();
        addition.add_table::<Error>(|w| write(w, index, &[*change]))?;
    }
    stack.commit(addition).map(drop)
}

#[test]
fn transaction_and_its_compaction() {
    strike_everywhere(transaction, |s| s.apply(&CHANGES, 6));
}

#[test]
fn transaction_of_several_tables() {
    strike_everywhere(two_tables, |s| {
        for (index, change) in (6..).zip(CHANGES) {
            s.apply(&[change], index);
        }
    });
}

#[test]
fn full_compaction() {
    strike_everywhere(|stack| stack.compact_all(None), |_| ());
}

#[test]
fn full_compaction_with_expiry() {
    const EXPIRY: LogExpiry = LogExpiry {
        time: 0,
        min_update_index: 3,
    };
    strike_everywhere(
        |stack| stack.compact_all(Some(&EXPIRY)),
        |s| s.logs.retain(|(_, index), _| index.0 >= 3),
    );
}

#[test]
fn auto_compaction() {
    strike_everywhere(Stack::auto_compact, |_| ());
}

#[test]
fn reload() {
    strike_everywhere(|stack| stack.reload().map(drop), |_| ());
}

#[test]
fn cleaning() {
    fn clean(stack: &Stack) -> Result<()> {
        let [.., newest] = &list(stack.dir())[..] else {
            panic!("the seed has tables")
        };
        let stale = "0x000000000001-0x000000000001-ffffffff.ref";
        std::fs::copy(stack.dir().join(newest), stack.dir().join(stale)).unwrap();
        stack.clean()
    }
    strike_everywhere(clean, |_| ());
}

#[test]
fn a_small_transaction_asks_little_of_the_system() {
    let dir = scratch();
    add(&open(dir.path()), &[("refs/heads/main", Some(1))]).unwrap();
    let plan = FaultPlan::count_only();
    let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
    let stack = open_with(Arc::new(storage), dir.path(), quiet()).unwrap();
    let opened = plan.seen().len();
    add(&stack, &[("refs/heads/other", Some(2))]).unwrap();
    let operations: Vec<_> = plan.seen()[opened..].iter().map(|(op, _)| *op).collect();
    assert_eq!(
        operations,
        [
            Operation::Lock,
            Operation::FileId,
            Operation::TempFile,
            Operation::Write,
            Operation::Sync,
            Operation::Persist,
            Operation::Write,
            Operation::Sync,
            Operation::SyncDir,
            Operation::Commit,
            Operation::SyncDir,
        ]
    );
}
