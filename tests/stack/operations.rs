//! The file operations of a stack: how many a reload, an addition and a compaction need.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use reftable::format::{Error, HashId};
use reftable::internals::{
    Fault, FaultPlan, FaultStorage, FileId, ListFile, LockFile, Operation, StdStorage, Storage,
    TableData, TempFile,
};
use reftable::merged::Tombstones;
use reftable::record::{RefRecord, RefValue};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::table::{WriteOptions, Writer};

use crate::support::*;

/// A stack whose operations the plan counts, and that compacts by the geometric rule.
fn counted(dir: &Path, fold_small_tables: bool) -> (Stack, Arc<FaultPlan>) {
    let plan = FaultPlan::count_only();
    let storage = FaultStorage::new(Arc::new(StdStorage), Arc::clone(&plan));
    let options = StackOptions {
        disable_auto_compact: false,
        fold_small_tables,
        ..quiet()
    };
    (open_with(Arc::new(storage), dir, options).unwrap(), plan)
}

/// The operations of `work`.
fn operations_of(plan: &FaultPlan, work: impl FnOnce()) -> Vec<Operation> {
    let before = plan.seen().len();
    work();
    plan.seen()[before..].iter().map(|seen| seen.0).collect()
}

fn count(operations: &[Operation], operation: Operation) -> usize {
    operations.iter().filter(|&&o| o == operation).count()
}

#[test]
fn a_reload_without_a_change_takes_one_stat() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let (stack, plan) = counted(dir.path(), true);
    let operations = operations_of(&plan, || assert!(!stack.reload().unwrap()));
    assert_eq!(operations, [Operation::FileId]);
}

#[test]
fn a_reload_under_the_lock_takes_no_operation() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let (stack, plan) = counted(dir.path(), true);
    let addition = stack.begin(OnOutdated::Fail).unwrap();
    let operations = operations_of(&plan, || assert!(!stack.reload().unwrap()));
    assert_eq!(operations, []);
    drop(addition);
    add(&open(dir.path()), &[("b", Some(2))]).unwrap();
    assert!(stack.reload().unwrap(), "the lock is released");
}

#[test]
fn a_list_with_the_same_names_is_read_once() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let (stack, plan) = counted(dir.path(), true);
    let path = dir.path().join("tables.list");
    let copy = dir.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    let operations = operations_of(&plan, || assert!(!stack.reload().unwrap()));
    assert_eq!(operations, [Operation::FileId, Operation::ReadList]);
    let operations = operations_of(&plan, || assert!(!stack.reload().unwrap()));
    assert_eq!(operations, [Operation::FileId]);
}

#[test]
fn a_reload_opens_new_tables_only() {
    let dir = scratch();
    for id in 1..=3 {
        add(&open(dir.path()), &[("a", Some(id))]).unwrap();
    }
    let (stack, plan) = counted(dir.path(), true);
    let mut names = list(dir.path());
    names.swap(0, 2);
    put_list(dir.path(), names.join("\n") + "\n");
    let operations = operations_of(&plan, || assert!(stack.reload().unwrap()));
    assert_eq!(count(&operations, Operation::OpenTable), 0);
    add(&open(dir.path()), &[("b", Some(1))]).unwrap();
    let operations = operations_of(&plan, || assert!(stack.reload().unwrap()));
    assert_eq!(count(&operations, Operation::OpenTable), 1);
}

#[test]
fn a_table_that_does_not_fit_into_memory_is_reported_as_such() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    // The list is read first.
    let plan = FaultPlan::at(1, Fault::Fail(io::ErrorKind::OutOfMemory));
    let storage = FaultStorage::new(Arc::new(StdStorage), Arc::clone(&plan));
    let error = open_with(Arc::new(storage), dir.path(), quiet()).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    assert_eq!(plan.seen()[1].0, Operation::OpenTable);
}

#[test]
fn a_small_table_is_merged_with_older_ones_while_it_is_written() {
    for (fold_small_tables, tables_written) in [(true, 1), (false, 2)] {
        let dir = scratch();
        add(&open(dir.path()), &[("a", Some(1)), ("b", Some(1))]).unwrap();
        let (stack, plan) = counted(dir.path(), fold_small_tables);
        let operations = operations_of(&plan, || {
            add(&stack, &[("a", None), ("c", Some(2))]).unwrap();
        });
        assert_eq!(count(&operations, Operation::Persist), tables_written);
        assert_eq!(count(&operations, Operation::Commit), tables_written);
        assert_eq!(list(dir.path()).len(), 1);
        assert_eq!(stack.stats().attempts, 1);
        let refs = Snapshot::of_dir(dir.path()).refs;
        assert!(refs.iter().eq([(&"b".into(), &1), (&"c".into(), &2)]));
    }
}

#[test]
fn a_large_table_is_merged_with_older_ones_while_it_is_written() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1)), ("b", Some(1))]).unwrap();
    let (stack, plan) = counted(dir.path(), true);
    let names: Vec<_> = (0..20_000).map(|i| format!("refs/{i:05}")).collect();
    let operations = operations_of(&plan, || {
        let mut addition = stack.begin(OnOutdated::Fail).unwrap();
        let update_index = addition.next_update_index();
        addition
            .add_table_of::<Error>(20_000 * 24, |writer| {
                writer.set_limits(update_index, update_index)?;
                let deletion = std::iter::once(("a", RefValue::Deletion));
                let value = RefValue::Val1(&[3; 20]);
                for (name, value) in deletion.chain(names.iter().map(|n| (n.as_str(), value))) {
                    writer.add_ref(&RefRecord {
                        name: name.as_bytes(),
                        update_index,
                        value,
                    })?;
                }
                Ok(())
            })
            .unwrap();
        assert!(stack.commit(addition).unwrap().compaction.is_none());
    });
    assert_eq!(count(&operations, Operation::Persist), 1);
    assert_eq!(count(&operations, Operation::Commit), 1);
    let merged = stack.merged();
    assert_eq!(merged.tables().len(), 1);
    assert_eq!(merged.min_update_index(), 1);
    assert_eq!(merged.max_update_index(), 2);
    assert!(merged.tables()[0]
        .name()
        .starts_with("0x000000000001-0x000000000002-"));
    let Snapshot { refs, logs } = Snapshot::of_dir(dir.path());
    assert_eq!(refs.len(), 1 + names.len());
    let logs: Vec<_> = logs.keys().map(|(name, _)| name.as_str()).collect();
    assert_eq!(logs, ["a", "b"]);
    assert_eq!((refs.get("a"), refs["b"], refs["refs/19999"]), (None, 1, 3));
}

#[test]
fn an_addition_has_the_hash_of_its_stack() {
    let dir = scratch();
    let options = StackOptions {
        write: WriteOptions {
            hash_id: HashId::Sha256,
            ..WriteOptions::default()
        },
        ..quiet()
    };
    let stack = Stack::open(dir.path(), options).unwrap();
    let addition = stack.begin(OnOutdated::Fail).unwrap();
    assert_eq!(stack.hash_id(), HashId::Sha256);
    assert_eq!(addition.hash_id(), HashId::Sha256);
}

/// The standard storage, which creates the directories of stacks.
#[derive(Debug)]
struct Creating {
    /// Whether another process is always faster.
    is_late: bool,
}

impl Storage for Creating {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir(dir)?;
        match self.is_late {
            true => Err(io::ErrorKind::AlreadyExists.into()),
            false => Ok(()),
        }
    }
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        StdStorage.read_list(path)
    }
    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        StdStorage.file_id(path)
    }
    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        StdStorage.open_table(path)
    }
    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        StdStorage.lock(target, timeout_ms)
    }
    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        StdStorage.temp_file(prefix)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        StdStorage.remove(path)
    }
    fn list_dir(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        StdStorage.list_dir(dir)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        StdStorage.sync_dir(dir)
    }
    fn random(&self) -> u32 {
        StdStorage.random()
    }
    fn now_ms(&self) -> u64 {
        StdStorage.now_ms()
    }
    fn sleep_ms(&self, ms: u64) {
        StdStorage.sleep_ms(ms);
    }
}

#[test]
fn a_removed_directory_is_created_again() {
    for is_late in [false, true] {
        let root = scratch();
        let dir = root.path().join("reftable");
        let stack = open_with(Arc::new(Creating { is_late }), &dir, quiet()).unwrap();
        add(&stack, &[("a", Some(1))]).unwrap();
        assert_eq!(Snapshot::of_dir(&dir).refs["a"], 1);

        // The standard storage leaves that to its caller.
        let missing = root.path().join("missing");
        let stack = open(&missing);
        let error = add(&stack, &[("a", Some(1))]).unwrap_err();
        assert!(matches!(error, Error::Io(_)), "{error}");
        assert!(!missing.exists());

        // A missing parent directory is an error, too.
        let deeper = missing.join("reftable");
        let stack = open_with(Arc::new(Creating { is_late }), &deeper, quiet()).unwrap();
        let error = add(&stack, &[("a", Some(1))]).unwrap_err();
        assert!(error.to_string().contains("create directory"), "{error}");
    }
}

#[test]
fn compactions_are_counted() {
    let dir = scratch();
    for id in 1..=3 {
        add(&open(dir.path()), &[("a", Some(id))]).unwrap();
    }
    let stack = open(dir.path());
    let bytes: u64 = (stack.merged().tables().iter())
        .map(|table| table.size_without_footer())
        .sum();
    stack.compact_all(None).unwrap();
    let stats = stack.stats();
    assert_eq!((stats.attempts, stats.failures), (1, 0));
    // One ref and three log entries.
    assert_eq!((stats.bytes, stats.entries_written), (bytes, 4));
    stack.compact_all(None).unwrap();
    assert_eq!(stack.stats(), stats, "one table is not compacted");

    let two = |id| add(&stack, &[("b", Some(id))]).unwrap();
    two(1);
    two(2);
    let lock = stack.lock_path();
    fs::write(&lock, "").unwrap();
    let impatient = StackOptions {
        lock_timeout_ms: 0,
        ..quiet()
    };
    let impatient = stack.with_options(impatient).unwrap();
    let error = impatient.compact_all(None).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert_eq!((stack.stats().attempts, stack.stats().failures), (2, 1));
}

#[test]
fn cleaning_a_tidy_directory_takes_no_lock() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let (stack, plan) = counted(dir.path(), true);
    let operations = operations_of(&plan, || stack.clean().unwrap());
    assert_eq!(operations, [Operation::ListDir]);
    fs::write(dir.path().join("other"), "").unwrap();
    let operations = operations_of(&plan, || stack.clean().unwrap());
    assert_eq!(count(&operations, Operation::Lock), 1);
    assert!(dir.path().join("other").exists());
}

#[test]
fn automatic_compaction_skips_tables_that_are_locked() {
    for (locked, is_compacted) in [(0, true), (1, false)] {
        let dir = scratch();
        for id in 1..=3 {
            add(&open(dir.path()), &[("a", Some(id))]).unwrap();
        }
        let before = list(dir.path());
        let lock = dir.path().join(format!("{}.lock", before[locked]));
        fs::write(&lock, "").unwrap();
        let done = open(dir.path()).auto_compact();
        let after = list(dir.path());
        if is_compacted {
            done.unwrap();
            assert_eq!((after.len(), &after[0]), (2, &before[0]));
        } else {
            assert!(matches!(done, Err(Error::Locked { path }) if path == lock));
            assert_eq!(after, before);
        }
        assert_eq!(Snapshot::of_dir(dir.path()).refs["a"], 3);
    }
}

#[test]
fn tombstones_are_kept_unless_all_older_tables_are_merged() {
    for (older_tables, kept) in [(1, 0), (2, 1)] {
        let dir = scratch();
        let names: Vec<_> = (0..400).map(|i| format!("refs/{i:03}")).collect();
        let many: Vec<Change<'_>> = names.iter().map(|n| (n.as_str(), Some(1))).collect();
        if older_tables == 2 {
            add(&open(dir.path()), &many).unwrap();
        }
        add(&open(dir.path()), &[("a", Some(1)), ("refs/000", Some(1))]).unwrap();
        let (stack, _) = counted(dir.path(), true);
        add(&stack, &[("refs/000", None)]).unwrap();
        assert_eq!(list(dir.path()).len(), older_tables);
        assert_eq!(Snapshot::of_dir(dir.path()).refs.get("refs/000"), None);
        let mut refs = stack.merged().refs(Tombstones::Show);
        let mut tombstones = 0;
        while refs.advance().unwrap() {
            tombstones += usize::from(refs.record().is_deletion());
        }
        assert_eq!(tombstones, kept);
    }
}

fn compacting(dir: &Path) -> Stack {
    let options = StackOptions {
        disable_auto_compact: false,
        fold_small_tables: true,
        ..quiet()
    };
    open_with(Arc::new(StdStorage), dir, options).unwrap()
}

/// Otherwise old records would hide those of the first table.
#[test]
fn only_the_first_table_of_an_addition_is_merged_with_older_ones() {
    let dir = scratch();
    add(&open(dir.path()), &[("refs/heads/a", Some(1))]).unwrap();
    let names: Vec<_> = (0..3000).map(|n| format!("refs/heads/a{n:04}")).collect();
    let mut large: Vec<_> = names.iter().map(|name| (name.as_str(), Some(2))).collect();
    large.push(("refs/heads/a", Some(2)));
    let stack = compacting(dir.path());
    let mut addition = stack.begin(OnOutdated::Reload).unwrap();
    for changes in [&large[..], &[("refs/heads/b", Some(3))]] {
        let index = addition.next_update_index();
        addition
            .add_table::<Error>(|w| write(w, index, changes))
            .unwrap();
    }
    assert!(stack.commit(addition).unwrap().published);
    assert_eq!(Snapshot::of_dir(dir.path()).refs["refs/heads/a"], 2);
}

#[test]
fn a_merge_while_writing_that_leaves_no_record_empties_the_stack() {
    let dir = scratch();
    let stack = compacting(dir.path());
    let names: Vec<_> = (0..100).map(|n| format!("refs/heads/{n:04}")).collect();
    for (value, tables) in [(RefValue::Val1(&[1; 20]), 1), (RefValue::Deletion, 0)] {
        let mut addition = stack.begin(OnOutdated::Reload).unwrap();
        let update_index = addition.next_update_index();
        let refs = |writer: &mut Writer<'_>| {
            writer.set_limits(update_index, update_index)?;
            names.iter().try_for_each(|name| {
                writer.add_ref(&RefRecord {
                    name: name.as_bytes(),
                    update_index,
                    value,
                })
            })
        };
        addition.add_table_of::<Error>(1 << 20, refs).unwrap();
        assert!(stack.commit(addition).unwrap().published);
        assert_eq!(list(dir.path()).len(), tables);
    }
    assert!(Snapshot::of_dir(dir.path()).refs.is_empty());
}
