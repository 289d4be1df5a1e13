//! Every operation of a transaction, a compaction and a cleaning fails in turn, or kills the
//! process: the directory then shows the stack before or after, and can be changed.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use reftable::format::{Error, Result};
use reftable::internals::{Fault, FaultPlan, FaultStorage, Operation, StdStorage};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{LogExpiry, OnOutdated, Stack, StackOptions};
use reftable::table::{Table, Writer};

use crate::support::*;

type Work = fn(&Stack) -> Result<()>;

fn options() -> StackOptions {
    StackOptions {
        disable_auto_compact: false,
        default_permissions: 0o644,
        lock_timeout_ms: 0,
        ..quiet()
    }
}

const SEED_TABLES: usize = 5;

/// Five tables, one of which is larger than the limit for tables kept in memory.
fn seed(dir: &Path) {
    let stack = open(dir);
    let noise = |i: usize| format!("{:02x}", i.wrapping_mul(0x9e37_79b9) >> 13 & 0xff);
    let long = |i: usize| (i * 100..i * 100 + 100).map(noise).collect::<String>();
    let names: Vec<_> = (0..180)
        .map(|i| format!("refs/heads/{i:05}-{}", long(i)))
        .collect();
    let many: Vec<Change<'_>> = names.iter().map(|n| (n.as_str(), Some(7))).collect();
    add(&stack, &many).unwrap();
    for i in 1..u8::try_from(SEED_TABLES).unwrap() {
        let gone = &names[usize::from(i)];
        add(&stack, &[("refs/heads/main", Some(i)), (gone, None)]).unwrap();
    }
    let view = stack.merged();
    let large = &view.tables()[0];
    assert!(large.size() > 32 << 10, "only {} bytes", large.size());
}

/// Error numbers of Linux.
const ERRORS: [(&str, i32); 5] = [
    ("EINTR", 4),
    ("EIO", 5),
    ("EACCES", 13),
    ("EMFILE", 24),
    ("ENOSPC", 28),
];

fn faults() -> Vec<(String, Fault)> {
    let once = ERRORS.map(|(name, number)| (name.into(), Fault::Errno(number)));
    let lasting =
        ERRORS.map(|(name, number)| (format!("{name} ever after"), Fault::Broken(number)));
    let others = [
        ("done, but fails", Fault::FailAfter(io::ErrorKind::TimedOut)),
        ("killed before", Fault::Kill),
        ("killed after", Fault::KillAfter),
    ];
    let others = others.map(|(name, fault)| (name.to_owned(), fault));
    once.into_iter().chain(lasting).chain(others).collect()
}

/// The stack can be read, changed, compacted and cleaned by a process without faults.
fn assert_usable(dir: &Path, context: &str) {
    let stack = open(dir);
    let mut after = Snapshot::of(&stack.merged());
    // So many that all leftovers are older than the stack, and are recognised as leftovers.
    for id in 1..=3 {
        let changes = [("refs/heads/later", Some(id))];
        let index = add(&stack, &changes).unwrap();
        after.apply(&changes, index);
    }
    stack.compact_all(None).unwrap();
    stack.clean().unwrap();
    assert_eq!(locks(dir), [""; 0], "{context}");
    make_old(dir);
    stack.clean().unwrap();
    assert_eq!(Snapshot::of_dir(dir), after, "{context}");
    let mut expected = list(dir);
    expected.push("tables.list".into());
    assert_eq!(files(dir), expected, "{context}");
}

/// A case: an operation and the stack that it runs on.
struct Case<'a> {
    name: &'a str,
    seed: fn(&Path),
    work: Work,
    /// Names that belong to the seed and are not leftovers.
    known: &'a [&'a str],
}

impl<'a> Case<'a> {
    fn new(name: &'a str, work: Work) -> Self {
        Self {
            name,
            seed,
            work,
            known: &[],
        }
    }
}

fn ref_record<'a>(name: &'a str, update_index: u64, value: RefValue<'a>) -> RefRecord<'a> {
    RefRecord {
        name: name.as_bytes(),
        update_index,
        value,
    }
}

fn log_record<'a>(name: &'a str, update_index: u64, value: LogValue<'a>) -> LogRecord<'a> {
    LogRecord {
        name: name.as_bytes(),
        update_index,
        value,
    }
}

/// What was tried.
#[derive(Default)]
struct Tally {
    failures: u64,
    kills: u64,
}

/// Runs the case once for every operation and fault. `expected` is the result for the seed.
fn strike_everywhere(case: &Case<'_>, expected: impl Fn(&mut Snapshot)) {
    let seeded = scratch();
    (case.seed)(seeded.path());
    let before = Snapshot::of_dir(seeded.path());
    let mut after = before.clone();
    expected(&mut after);
    let mut tally = Tally::default();
    // Directories that differ only in random names are checked once.
    let mut known = HashMap::new();

    for (fault_name, fault) in faults() {
        let mut n = 0;
        loop {
            let dir = scratch();
            link(seeded.path(), dir.path());
            let plan = FaultPlan::at(n, fault.clone());
            let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
            let done = open_with(Arc::new(storage), dir.path(), options())
                .and_then(|stack| (case.work)(&stack));
            let seen = plan.seen();
            let struck = usize::try_from(n).ok().and_then(|n| seen.get(n));
            let context = format!("{}: {fault_name} at {n}, {struck:?}: {done:?}", case.name);

            let locks = locks(dir.path());
            remove_list_lock(dir.path());
            // A lock remains if its removal failed or its owner died.
            let may_remain = plan.is_dead()
                || matches!(struck, Some((Operation::Discard, _)))
                || matches!(fault, Fault::Broken(_));
            assert!(
                locks.is_empty() || may_remain,
                "{context}: {locks:?} is left"
            );
            let now = known.entry(fingerprint(dir.path())).or_insert_with(|| {
                let now = Snapshot::of_dir(dir.path());
                assert_few_leftovers(dir.path(), case.known, &context);
                assert_usable(dir.path(), &context);
                now
            });
            let (is_old, is_new) = (*now == before, *now == after);
            match &done {
                _ if plan.is_dead() => assert!(is_old || is_new, "{context}: neither old nor new"),
                Ok(_) => assert!(is_new, "{context}: not new"),
                Err(_) => assert!(is_old, "{context}: not old"),
            }
            if struck.is_none() {
                done.unwrap();
                assert!(n > 5, "only {n} operations");
                break;
            }
            match plan.is_dead() {
                true => tally.kills += 1,
                false => tally.failures += 1,
            }
            n += 1;
        }
    }
    println!(
        "{}: {} failing operations, {} kills, {} different directories, 0 states lost",
        case.name,
        tally.failures,
        tally.kills,
        known.len()
    );
}

/// One process leaves at most a temporary file, a table, and a lock for each table.
fn assert_few_leftovers(dir: &Path, known: &[&str], context: &str) {
    let listed = list(dir);
    let unlisted = files(dir).into_iter().filter(|name| {
        !listed.contains(name) && name != "tables.list" && !known.contains(&name.as_str())
    });
    let (locks, others): (Vec<_>, Vec<_>) = unlisted.partition(|n| n.ends_with(".lock"));
    let others = others.into_iter();
    let (temporary, tables): (Vec<_>, Vec<_>) = others.partition(|n| n.contains(".temp."));
    let most = 3 + SEED_TABLES;
    assert!(
        temporary.len() <= 1 && tables.len() <= most && locks.len() <= most,
        "{context}: {temporary:?}, {tables:?} and {locks:?} are left"
    );
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
    // The transaction is committed, even if the compaction that follows fails.
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
    let case = Case::new("transaction with auto-compaction", transaction);
    strike_everywhere(&case, |s| s.apply(&CHANGES, 6));
}

#[test]
fn transaction_of_several_tables() {
    let case = Case::new("transaction of three tables", two_tables);
    strike_everywhere(&case, |s| {
        for (index, change) in (6..).zip(CHANGES) {
            s.apply(&[change], index);
        }
    });
}

/// What `reftable repair --apply` writes: one table instead of all.
#[test]
fn replacement_of_a_stack() {
    fn replace(stack: &Stack) -> Result<()> {
        let mut replacement = stack.begin_replacement()?;
        let written =
            replacement.write_table::<Error>(&options().write, |w| write(w, 6, &CHANGES))?;
        assert_eq!(written.map(Table::max_update_index), Some(6));
        replacement.commit().map(drop)
    }
    strike_everywhere(&Case::new("replacement", replace), |s| {
        *s = Snapshot::default();
        s.apply(&CHANGES, 6);
    });
}

/// The first transaction of a new repository.
#[test]
fn first_transaction() {
    let case = Case {
        seed: |_| (),
        ..Case::new("first transaction", transaction)
    };
    strike_everywhere(&case, |s| s.apply(&CHANGES, 1));
}

/// What `git branch -m` writes: a tombstone, a ref, and the log under the new name.
#[test]
fn renaming() {
    const OLD: &str = "refs/heads/main";
    const NEW: &str = "refs/heads/renamed";
    fn rename(stack: &Stack) -> Result<()> {
        let now = Snapshot::of(&stack.merged());
        let id = [now.refs[OLD]; 20];
        let added = stack.add::<Error>(OnOutdated::Reload, |writer| {
            let index = stack.next_update_index();
            writer.set_limits(index, index)?;
            writer.add_ref(&ref_record(OLD, index, RefValue::Deletion))?;
            writer.add_ref(&ref_record(NEW, index, RefValue::Val1(&id)))?;
            write_log(writer, OLD, &now, false)?;
            write_log(writer, NEW, &now, true)
        });
        added.map(drop)
    }
    /// The entries of `OLD` under `name`, or tombstones for them.
    fn write_log(writer: &mut Writer<'_>, name: &str, of: &Snapshot, keep: bool) -> Result<()> {
        for ((_, index), id) in of.logs.iter().filter(|((name, _), _)| name == OLD) {
            let update = LogUpdate {
                old_hash: &[0; 20],
                new_hash: &[*id; 20],
                name: b"A U Thor",
                email: b"author@example.com",
                time: 1_700_000_000,
                tz_offset: Zone::from_stored(100),
                message: b"renamed\n",
            };
            let value = match keep {
                true => LogValue::Update(update),
                false => LogValue::Deletion,
            };
            writer.add_log(&log_record(name, index.0, value))?;
        }
        Ok(())
    }
    strike_everywhere(&Case::new("renaming", rename), |s| {
        let id = s.refs.remove(OLD).unwrap();
        s.refs.insert(NEW.into(), id);
        let renamed = |name: String| if name == OLD { NEW.into() } else { name };
        let logs = std::mem::take(&mut s.logs).into_iter();
        s.logs = logs
            .map(|((name, index), id)| ((renamed(name), index), id))
            .collect();
    });
}

/// What `git reflog expire` writes: a tombstone for each entry of one log.
#[test]
fn expiry_of_one_log() {
    const NAME: &str = "refs/heads/main";
    fn expire(stack: &Stack) -> Result<()> {
        let mut addition = stack.begin(OnOutdated::Reload)?;
        let logs = Snapshot::of(&stack.merged()).logs;
        let now = addition.next_update_index();
        addition.add_table::<Error>(|writer| {
            writer.set_limits(now, now)?;
            for (_, index) in logs.keys().filter(|(name, _)| name == NAME) {
                writer.add_log(&log_record(NAME, index.0, LogValue::Deletion))?;
            }
            Ok(())
        })?;
        stack.commit(addition).map(drop)
    }
    let case = Case::new("expiry of one log", expire);
    strike_everywhere(&case, |s| s.logs.retain(|(name, _), _| name != NAME));
}

#[test]
fn full_compaction() {
    let case = Case::new("full compaction", |stack| stack.compact_all(None));
    strike_everywhere(&case, |_| ());
}

#[test]
fn full_compaction_with_expiry() {
    const EXPIRY: LogExpiry = LogExpiry {
        time: 0,
        min_update_index: 3,
        max_entries: 0,
    };
    let case = Case::new("full compaction with expiry", |stack| {
        stack.compact_all(Some(&EXPIRY))
    });
    strike_everywhere(&case, |s| s.logs.retain(|(_, index), _| index.0 >= 3));
}

/// No leftovers remain, and the new list is empty.
#[test]
fn full_compaction_to_nothing() {
    fn deleted(dir: &Path) {
        let stack = open(dir);
        for value in [RefValue::Val1(&[1; 20]), RefValue::Deletion] {
            let write = |writer: &mut Writer<'_>| {
                let update_index = stack.next_update_index();
                writer.set_limits(update_index, update_index)?;
                writer.add_ref(&ref_record("refs/heads/gone", update_index, value))
            };
            assert!(
                stack
                    .add::<Error>(OnOutdated::Fail, write)
                    .unwrap()
                    .published
            );
        }
    }
    let case = Case {
        seed: deleted,
        ..Case::new("full compaction to nothing", |stack| {
            stack.compact_all(None)
        })
    };
    strike_everywhere(&case, |_| ());
}

#[test]
fn auto_compaction() {
    strike_everywhere(&Case::new("auto-compaction", Stack::auto_compact), |_| ());
}

#[test]
fn reload() {
    let case = Case::new("reload", |stack| stack.reload().map(drop));
    strike_everywhere(&case, |_| ());
}

#[test]
fn cleaning() {
    const STALE: [&str; 3] = [
        "0x000000000001-0x000000000001-ffffffff.ref",
        "0x000000000001-0x000000000001-fffffffe.ref",
        "0x000000000001-0x000000000001-fffffffd.temp.abcdef",
    ];
    fn littered(dir: &Path) {
        seed(dir);
        let [.., newest] = &list(dir)[..] else {
            panic!("the seed has tables")
        };
        std::fs::copy(dir.join(newest), dir.join(STALE[0])).unwrap();
        for name in &STALE[1..] {
            std::fs::write(dir.join(name), "").unwrap();
        }
        make_old(dir);
    }
    let case = Case {
        seed: littered,
        known: &STALE,
        ..Case::new("cleaning", Stack::clean)
    };
    strike_everywhere(&case, |_| ());
}

#[test]
fn a_small_transaction_makes_few_system_calls() {
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

/// A table that does not fit into memory is written piece by piece.
#[test]
fn a_large_table_is_flushed_once_after_its_last_byte() {
    let dir = scratch();
    let plan = FaultPlan::count_only();
    let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
    let stack = open_with(Arc::new(storage), dir.path(), quiet()).unwrap();
    let names: Vec<_> = (0..5000).map(|n| format!("refs/heads/{n:04}")).collect();
    let changes: Vec<_> = names.iter().map(|name| (name.as_str(), Some(1))).collect();
    add(&stack, &changes).unwrap();
    let seen = plan.seen();
    let is_temp = |path: &Path| path.to_string_lossy().contains(".temp.");
    let mut operations: Vec<_> = seen
        .iter()
        .filter(|(_, path)| is_temp(path))
        .map(|(op, _)| *op)
        .collect();
    operations.dedup();
    assert_eq!(
        operations,
        [Operation::Write, Operation::Sync, Operation::Persist]
    );
}

#[test]
fn reload_makes_no_system_call_while_the_stack_holds_the_lock() {
    let dir = scratch();
    let plan = FaultPlan::count_only();
    let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
    let stack = open_with(Arc::new(storage), dir.path(), quiet()).unwrap();
    let other = open(dir.path());
    let reload = || {
        let before = plan.operations();
        let changed = stack.reload().unwrap();
        (plan.operations() - before > 0, changed)
    };
    for publish in [false, true] {
        let mut addition = stack.begin(OnOutdated::Reload).unwrap();
        assert_eq!(reload(), (false, false));
        let index = addition.next_update_index();
        addition
            .add_table::<Error>(|w| write(w, index, &CHANGES))
            .unwrap();
        assert_eq!(reload(), (false, false));
        match publish {
            true => assert!(stack.commit(addition).unwrap().published),
            false => drop(addition),
        }
        assert_eq!(reload(), (true, false));
        add(&other, &[("refs/heads/other", Some(1))]).unwrap();
        assert_eq!(reload(), (true, true));
    }
}
