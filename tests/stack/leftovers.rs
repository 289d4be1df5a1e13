//! Table locks left by a killed process: they are taken over at once, and no others.
#![cfg(target_os = "linux")] // elsewhere locks do not identify their owner

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use reftable::format::{Error, Result};
use reftable::internals::{
    Fault, FaultPlan, FaultStorage, FileId, LinkedLock, ListFile, LockFile, Operation, StdStorage,
    Storage, TableData, TempFile,
};
use reftable::stack::{OnOutdated, Stack, StackOptions};

use crate::support::*;

type Work = fn(&Stack) -> Result<()>;

fn options() -> StackOptions {
    StackOptions {
        lock_timeout_ms: 0,
        ..quiet()
    }
}

fn impatient(dir: &Path) -> Stack {
    open_with(Arc::new(StdStorage), dir, options()).unwrap()
}

/// Tables of one ref each.
fn seed(dir: &Path, tables: u8) {
    let stack = open(dir);
    for id in 1..=tables {
        add(&stack, &[("refs/heads/main", Some(id))]).unwrap();
    }
}

fn compact_all(stack: &Stack) -> Result<()> {
    stack.compact_all(None)
}

/// Injects a fault at the first operation of this kind for which `is_it` holds.
fn strike(
    dir: &Path,
    work: Work,
    is_it: impl Fn(&(Operation, PathBuf)) -> bool,
    fault: Fault,
) -> Result<()> {
    let run = |dir: &Path, plan: &Arc<FaultPlan>| {
        let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
        open_with(Arc::new(storage), dir, options()).and_then(|stack| work(&stack))
    };
    let trial = scratch();
    link(dir, trial.path());
    let plan = FaultPlan::count_only();
    run(trial.path(), &plan).unwrap();
    let at = plan.seen().iter().position(is_it).unwrap();
    run(dir, &FaultPlan::at(u64::try_from(at).unwrap(), fault))
}

/// Writing begins when all inputs are locked and the list is unlocked again.
fn merges((operation, path): &(Operation, PathBuf)) -> bool {
    *operation == Operation::Persist && path.to_string_lossy().contains(".temp.")
}

/// Compacts everything in a process that dies during the merge.
fn die_in_compaction(dir: &Path) {
    strike(dir, compact_all, merges, Fault::Kill).unwrap_err();
    remove_list_lock(dir);
    assert_eq!(locks(dir).len(), list(dir).len(), "{:?}", files(dir));
}

fn is_locked(done: Result<()>, by: &str) -> bool {
    matches!(done, Err(Error::Locked { path }) if path.to_string_lossy().ends_with(by))
}

#[test]
fn a_dead_owners_locks_are_taken_over_at_once() {
    let auto: Work = Stack::auto_compact;
    for (name, work, tables) in [("full", compact_all as Work, 1), ("auto", auto, 1)] {
        let dir = scratch();
        seed(dir.path(), 4);
        die_in_compaction(dir.path());
        work(&impatient(dir.path())).unwrap();
        assert_eq!(list(dir.path()).len(), tables, "{name}");
        assert_eq!(locks(dir.path()), [""; 0], "{name}");
        let stack = impatient(dir.path());
        stack.clean().unwrap();
    }
}

#[test]
fn a_commit_compacts_in_spite_of_them() {
    let dir = scratch();
    seed(dir.path(), 4);
    die_in_compaction(dir.path());
    let options = StackOptions {
        disable_auto_compact: false,
        ..options()
    };
    let stack = open_with(Arc::new(StdStorage), dir.path(), options).unwrap();
    add(&stack, &[("refs/heads/main", Some(9))]).unwrap();
    assert_eq!(list(dir.path()).len(), 1);
    assert_eq!(locks(dir.path()), [""; 0]);
}

#[test]
fn cleaning_removes_them_and_their_mark() {
    let dir = scratch();
    seed(dir.path(), 3);
    // The mark has its own name until all tables are locked.
    let is_second = |(operation, path): &(Operation, PathBuf)| {
        *operation == Operation::LockByLink && path.to_string_lossy().contains("000002-")
    };
    strike(dir.path(), compact_all, is_second, Fault::KillAfter).unwrap_err();
    remove_list_lock(dir.path());
    let left = files(dir.path());
    assert_eq!(left.iter().filter(|n| n.contains(".temp.")).count(), 1);
    assert_eq!(locks(dir.path()).len(), 2);
    impatient(dir.path()).clean().unwrap();
    assert_tidy(dir.path());
}

/// What another process finds during a merge of tables that were locked `age` ago.
fn meet_owner(age: Duration) -> (Result<()>, Vec<String>, Vec<String>) {
    let dir = scratch();
    seed(dir.path(), 3);
    let path = dir.path().to_owned();
    let seen = Arc::new(Mutex::new(None));
    let saw = Arc::clone(&seen);
    let other = move || {
        let before = locks(&path);
        // The list's lock is held as well when the merged table is renamed.
        fs::rename(path.join("tables.list.lock"), path.join("aside")).unwrap();
        for lock in locks(&path) {
            age_file(&path.join(lock), age);
        }
        let stack = impatient(&path);
        let done = compact_all(&stack);
        stack.clean().unwrap();
        fs::rename(path.join("aside"), path.join("tables.list.lock")).unwrap();
        *saw.lock().unwrap() = Some((done, before, locks(&path)));
    };
    strike(
        dir.path(),
        compact_all,
        merges,
        Fault::Call(Arc::new(other)),
    )
    .unwrap();
    assert_eq!(locks(dir.path()), [""; 0]);
    assert_eq!(list(dir.path()).len(), 1);
    assert_tidy(dir.path());
    let found = seen.lock().unwrap().take();
    found.unwrap()
}

const HOUR: Duration = Duration::from_secs(60 * 60);

fn age_file(path: &Path, age: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn a_live_owners_locks_are_respected_for_a_day() {
    let (done, before, after) = meet_owner(23 * HOUR);
    assert!(is_locked(done, ".ref.lock"));
    assert_eq!(before.len(), 4);
    assert_eq!(before, after);
}

/// A live owner renews its mark (see the next test). One that does not is considered dead; if it is
/// alive nonetheless, it loses nothing.
#[test]
fn a_mark_that_is_not_renewed_for_a_day_is_ignored() {
    let (done, before, after) = meet_owner(25 * HOUR);
    assert!(is_locked(done, ".ref.lock"));
    assert_eq!(before.len(), 4);
    assert_eq!(after, ["tables.list.lock"]);
}

/// Any process that can read the mark of a dead process can lock it as the owner did.
#[test]
fn a_reader_keeps_the_locks_of_a_dead_owner_no_longer_than_a_day() {
    let dir = scratch();
    seed(dir.path(), 3);
    die_in_compaction(dir.path());
    let lock = dir.path().join(format!("{}.lock", list(dir.path())[0]));
    let reader = fs::File::open(&lock).unwrap();
    rustix::fs::flock(
        &reader,
        rustix::fs::FlockOperation::NonBlockingLockExclusive,
    )
    .unwrap();
    let stack = impatient(dir.path());
    for age in [HOUR, 23 * HOUR] {
        age_file(&lock, age);
        assert!(is_locked(compact_all(&stack), ".ref.lock"));
        stack.clean().unwrap();
        assert_eq!(locks(dir.path()).len(), 3, "{age:?}");
    }
    age_file(&lock, 25 * HOUR);
    stack.clean().unwrap();
    assert_eq!(locks(dir.path()), [""; 0]);
    compact_all(&stack).unwrap();
    assert_eq!(list(dir.path()).len(), 1);
}

/// The standard storage with a clock that advances by hours at every reading.
#[derive(Debug, Default)]
struct Slow(AtomicU64);

impl Storage for Slow {
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
    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        let lock = StdStorage.lock_by_link(mark, target);
        age_file(mark, 23 * HOUR);
        lock
    }
    fn system_id(&self) -> Option<String> {
        StdStorage.system_id()
    }
    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        StdStorage.temp_file(prefix)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        if path.extension().is_some_and(|extension| extension == "ref") {
            let lock = path.with_extension("ref.lock");
            let modified = fs::metadata(lock).unwrap().modified().unwrap();
            assert!(modified.elapsed().unwrap() < HOUR, "not renewed");
        }
        StdStorage.remove(path)
    }
    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        StdStorage.list_dir(dir)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        StdStorage.sync_dir(dir)
    }
    fn random(&self) -> u32 {
        StdStorage.random()
    }
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(4 * 60 * 60 * 1000, Ordering::SeqCst)
    }
    fn sleep_ms(&self, ms: u64) {
        StdStorage.sleep_ms(ms);
    }
}

#[test]
fn a_long_compaction_renews_its_mark() {
    let dir = scratch();
    let stack = open(dir.path());
    let names: Vec<String> = (0..5000).map(|i| format!("refs/heads/{i:04}")).collect();
    for id in 1..=2 {
        let changes: Vec<_> = names.iter().map(|n| (n.as_str(), Some(id))).collect();
        add(&stack, &changes).unwrap();
    }
    let slow = open_with(Arc::new(Slow::default()), dir.path(), options()).unwrap();
    compact_all(&slow).unwrap();
    assert_eq!(list(dir.path()).len(), 1);
}

#[test]
fn other_locks_are_respected_for_a_day() {
    let system = StdStorage.system_id().unwrap();
    let dir = scratch();
    seed(dir.path(), 3);
    let dev = StdStorage.file_id(dir.path()).unwrap().dev;
    let mark = |system: &str, dev| format!("reftable lock: system {system}, device {dev}\n");
    let lock = dir.path().join(format!("{}.lock", list(dir.path())[1]));
    let stack = impatient(dir.path());
    let others = [
        String::new(),
        "1234\n".to_owned(),
        mark("another", dev),
        mark(&system, dev + 1),
        mark(&system, dev) + "and more",
    ];
    for content in others {
        fs::write(&lock, &content).unwrap();
        assert!(is_locked(compact_all(&stack), ".ref.lock"), "{content}");
        stack.clean().unwrap();
        assert!(lock.exists(), "{content}");
        let file = fs::File::options().write(true).open(&lock).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(is_locked(compact_all(&stack), ".ref.lock"), "{content}");
        stack.clean().unwrap();
        assert!(!lock.exists(), "{content}");
    }
    // The contents of those locks distinguish them from this one.
    fs::write(&lock, mark(&system, dev)).unwrap();
    compact_all(&stack).unwrap();
    assert_tidy(dir.path());
}

/// While a process takes over a lock, no other can start to do so; afterwards the others find the
/// lock of a live process.
#[test]
fn one_of_two_takers_becomes_the_owner() {
    let removes = |(operation, path): &(Operation, PathBuf)| {
        *operation == Operation::Remove && path.to_string_lossy().ends_with(".ref.lock")
    };
    let writes_list = |(operation, path): &(Operation, PathBuf)| {
        *operation == Operation::Write && path.ends_with("tables.list.lock")
    };
    for (number, by) in [(0, "tables.list.lock"), (1, ".ref.lock")] {
        let dir = scratch();
        seed(dir.path(), 3);
        die_in_compaction(dir.path());
        let path = dir.path().to_owned();
        let seen = Arc::new(Mutex::new(None));
        let saw = Arc::clone(&seen);
        let other = move || {
            let lock = path.join("tables.list.lock");
            // From here on the list's lock is not the reason.
            let aside = path.join("aside");
            if number == 1 {
                fs::rename(&lock, &aside).unwrap();
            }
            let done = compact_all(&impatient(&path));
            if number == 1 {
                fs::rename(&aside, &lock).unwrap();
            }
            *saw.lock().unwrap() = Some((done, locks(&path).len()));
        };
        let call = Fault::Call(Arc::new(other));
        match number {
            0 => strike(dir.path(), compact_all, removes, call).unwrap(),
            _ => strike(dir.path(), compact_all, writes_list, call).unwrap(),
        }
        let (done, locked) = seen.lock().unwrap().take().unwrap();
        assert!(is_locked(done, by), "{by}");
        assert_eq!(locked, 4, "{by}");
        // The temporary table does not identify its owner.
        make_old(dir.path());
        impatient(dir.path()).clean().unwrap();
        assert_tidy(dir.path());
        assert_eq!(list(dir.path()).len(), 1);
    }
}

/// Threads compete repeatedly for the locks of a dead process: exactly what they have written
/// remains.
#[test]
fn many_takers_at_once_lose_nothing() {
    for round in 0..20 {
        let dir = scratch();
        seed(dir.path(), 4);
        die_in_compaction(dir.path());
        std::thread::scope(|scope| {
            for taker in 0..4 {
                let path = dir.path();
                scope.spawn(move || {
                    let stack = open(path);
                    let name = format!("refs/heads/{taker}");
                    let mut addition = stack.begin(OnOutdated::Reload).unwrap();
                    let index = addition.next_update_index();
                    let changes = [(name.as_str(), Some(1))];
                    addition
                        .add_table::<Error>(|w| write(w, index, &changes))
                        .unwrap();
                    assert!(stack.commit(addition).unwrap().compaction.is_none());
                    match compact_all(&stack) {
                        Ok(()) | Err(Error::Locked { .. } | Error::Outdated) => {}
                        Err(error) => panic!("{error}"),
                    }
                });
            }
        });
        let stack = impatient(dir.path());
        compact_all(&stack).unwrap();
        assert_eq!(locks(dir.path()), [""; 0]);
        make_old(dir.path());
        stack.clean().unwrap();
        assert_tidy(dir.path());
        let refs = Snapshot::of_dir(dir.path()).refs;
        assert_eq!(refs.len(), 5, "round {round}: {refs:?}");
        assert_eq!(refs["refs/heads/main"], 4);
    }
}

#[test]
fn a_mark_is_not_needed_where_hard_links_are_not_supported() {
    let dir = scratch();
    seed(dir.path(), 3);
    let is_link = |&(operation, _): &(Operation, PathBuf)| operation == Operation::LockByLink;
    let fault = Fault::Fail(io::ErrorKind::Unsupported);
    strike(dir.path(), compact_all, is_link, fault).unwrap();
    assert_eq!(list(dir.path()).len(), 1);
    assert_tidy(dir.path());
}

#[test]
fn optimizing_removes_old_locks_of_tables_and_reports_new_ones() {
    let dir = scratch();
    seed(dir.path(), 3);
    let stack = impatient(dir.path());
    let lock = dir.path().join(format!("{}.lock", list(dir.path())[1]));
    fs::write(&lock, "").unwrap();
    let error = stack.optimize(false).unwrap_err();
    assert!(
        matches!(&error, Error::Locked { path } if *path == lock),
        "{error}"
    );
    assert_eq!(list(dir.path()).len(), 3);

    age_file(&lock, Duration::from_secs(25 * 60 * 60));
    assert!(stack.optimize(false).unwrap());
    assert_eq!(list(dir.path()).len(), 1);
    assert_tidy(dir.path());
    assert!(!stack.optimize(false).unwrap());
}

/// A process that dies between naming its table and listing it leaves one that is newer than the
/// stack. It cannot be told from a table that a lost list named, so its age does not matter.
#[test]
fn cleaning_keeps_a_table_that_is_newer_than_the_stack_until_updates_pass_it() {
    let commits = |(operation, path): &(Operation, PathBuf)| {
        *operation == Operation::Commit && path.ends_with("tables.list.lock")
    };
    let update: Work = |stack| add(stack, &[("refs/heads/main", Some(9))]).map(drop);
    let dir = scratch();
    seed(dir.path(), 2);
    strike(dir.path(), update, commits, Fault::Kill).unwrap_err();
    remove_list_lock(dir.path());
    let left = files(dir.path());
    assert_eq!(left.len(), list(dir.path()).len() + 2, "{left:?}");

    make_old(dir.path());
    impatient(dir.path()).clean().unwrap();
    assert_eq!(files(dir.path()), left);
    let stack = impatient(dir.path());
    update(&stack).unwrap();
    stack.clean().unwrap();
    assert_tidy(dir.path());
}

/// The tables are what `reftable repair` makes a new list from.
#[test]
fn cleaning_keeps_all_tables_if_the_list_is_lost() {
    for content in [None, Some("")] {
        let dir = scratch();
        seed(dir.path(), 3);
        let tables = list(dir.path());
        let path = dir.path().join("tables.list");
        match content {
            None => fs::remove_file(&path).unwrap(),
            Some(content) => fs::write(&path, content).unwrap(),
        }
        for table in &tables {
            age_file(&dir.path().join(table), Duration::from_secs(25 * 60 * 60));
        }
        let stack = impatient(dir.path());
        stack.optimize(false).unwrap();
        stack.clean().unwrap();
        for table in &tables {
            assert!(dir.path().join(table).exists(), "{content:?}: {table}");
        }
    }
}

#[test]
fn cleaning_removes_a_replaced_table_and_keeps_the_locks_of_a_new_one() {
    let dir = scratch();
    seed(dir.path(), 2);
    let first = dir.path().join(&list(dir.path())[0]);
    // As the newest table of the stack, but not listed: replaced by it.
    let newest = dir.path().join(&list(dir.path())[1]);
    let replaced = dir
        .path()
        .join("0x000000000002-0x000000000002-00000000.ref");
    fs::copy(&newest, &replaced).unwrap();
    // Newer than the stack: about to be published, and possibly compacted at once.
    let other = scratch();
    seed(other.path(), 3);
    let new = "0x000000000003-0x000000000003-00000000.ref";
    fs::copy(
        other.path().join(&list(other.path())[2]),
        dir.path().join(new),
    )
    .unwrap();
    let lock = dir.path().join(format!("{new}.lock"));
    fs::write(&lock, "").unwrap();
    // The lock of no table.
    let odd = dir.path().join("odd.ref.lock");
    fs::write(&odd, "").unwrap();

    impatient(dir.path()).clean().unwrap();
    assert!(first.exists() && newest.exists());
    assert!(!replaced.exists());
    assert!(dir.path().join(new).exists() && lock.exists());
    assert!(odd.exists());
}
