//! Shared by the tests of the stack: directories, small transactions, and snapshots.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use reftable::format::{Error, Result};
use reftable::internals::{StdStorage, Storage};
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::table::Writer;

/// A change to a ref: it gets the id that repeats this byte, or is deleted.
pub type Change<'a> = (&'a str, Option<u8>);

/// A directory that is removed when dropped; in memory if possible, because the tests write and
/// sync many files.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    dir.unwrap()
}

/// Everything in a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Ref and first byte of its id.
    pub refs: BTreeMap<String, u8>,
    /// Log entries, and the first byte of the new id.
    pub logs: BTreeMap<(String, Reverse<u64>), u8>,
}

impl Snapshot {
    /// Everything in `merged`; point lookups must return the same.
    pub fn of(merged: &Merged) -> Self {
        let mut snapshot = Self::default();
        let mut refs = merged.refs(Tombstones::Hide);
        let mut finder = merged.finder();
        while refs.advance().unwrap() {
            let record = refs.record();
            if snapshot.refs.len() % 7 == 0 {
                assert_eq!(finder.find(record.name).unwrap(), Some(record));
            }
            let RefValue::Val1(id) = record.value else {
                panic!("unexpected {record:?}");
            };
            let old = snapshot.refs.insert(text(record.name), id[0]);
            assert_eq!(old, None, "{record:?} came twice");
        }
        let mut logs = merged.logs(Tombstones::Hide);
        while logs.advance().unwrap() {
            let record = logs.record();
            let LogValue::Update(update) = record.value else {
                panic!("unexpected {record:?}");
            };
            let key = (text(record.name), Reverse(record.update_index));
            let old = snapshot.logs.insert(key, update.new_hash[0]);
            assert_eq!(old, None, "{record:?} came twice");
        }
        snapshot
    }

    /// The snapshot of a newly opened stack.
    pub fn of_dir(dir: &Path) -> Self {
        Self::of(&open(dir).merged())
    }

    /// The effect of [`add`] at `update_index`.
    pub fn apply(&mut self, changes: &[Change<'_>], update_index: u64) {
        for &(name, id) in changes {
            match id {
                Some(id) => self.refs.insert(name.into(), id),
                None => self.refs.remove(name),
            };
            let key = (name.to_owned(), Reverse(update_index));
            self.logs.insert(key, id.unwrap_or(0));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Waits a long time for locks and never compacts on its own.
pub fn quiet() -> StackOptions {
    StackOptions {
        disable_auto_compact: true,
        lock_timeout_ms: 20_000,
        ..StackOptions::default()
    }
}

pub fn open(dir: &Path) -> Stack {
    open_with(Arc::new(StdStorage), dir, quiet()).unwrap()
}

pub fn open_with(storage: Arc<dyn Storage>, dir: &Path, options: StackOptions) -> Result<Stack> {
    Stack::open_in(storage, dir, options)
}

/// Writes the changes as one table: refs, and a log entry for each.
pub fn write(writer: &mut Writer<'_>, update_index: u64, changes: &[Change<'_>]) -> Result<()> {
    let mut changes = changes.to_vec();
    changes.sort();
    changes.dedup_by_key(|change| change.0);
    writer.set_limits(update_index, update_index)?;
    for (name, id) in &changes {
        let id = id.map(|byte| [byte; 20]);
        let value = match &id {
            Some(id) => RefValue::Val1(id),
            None => RefValue::Deletion,
        };
        writer.add_ref(&RefRecord {
            name: name.as_bytes(),
            update_index,
            value,
        })?;
    }
    for (name, id) in &changes {
        writer.add_log(&LogRecord {
            name: name.as_bytes(),
            update_index,
            value: LogValue::Update(LogUpdate {
                old_hash: &[0; 20],
                new_hash: &[id.unwrap_or(0); 20],
                name: b"A U Thor",
                email: b"author@example.com",
                time: 1_700_000_000 + update_index % 1000,
                tz_offset: Zone::from_stored(100),
                message: b"update\n",
            }),
        })?;
    }
    Ok(())
}

/// One transaction at the next update index, which is returned.
pub fn add(stack: &Stack, changes: &[Change<'_>]) -> Result<u64> {
    let mut addition = stack.begin(OnOutdated::Reload)?;
    let index = addition.next_update_index();
    addition.add_table::<Error>(|w| write(w, index, changes))?;
    let outcome = stack.commit(addition)?;
    match outcome.compaction {
        Some(error) => Err(error),
        None => Ok(index),
    }
}

/// The names in a directory, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The names in the list, oldest first.
pub fn list(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("tables.list")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Replaces the list as writers do: by a rename, never in place.
pub fn put_list(dir: &Path, content: impl AsRef<[u8]>) {
    let new = dir.join("tables.list.new");
    fs::write(&new, content).unwrap();
    fs::rename(new, dir.join("tables.list")).unwrap();
}

/// The directory contains the list, if there is one, its tables, and nothing else.
pub fn assert_tidy(dir: &Path) {
    let mut expected = list(dir);
    if dir.join("tables.list").exists() {
        expected.push("tables.list".to_owned());
    }
    expected.sort();
    assert_eq!(files(dir), expected);
}

/// Copies a directory of regular files.
pub fn copy(from: &Path, to: &Path) {
    for name in files(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Makes another directory with hard links to the same files.
pub fn link(from: &Path, to: &Path) {
    for name in files(from) {
        fs::hard_link(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Makes the files that the list does not name older than a day.
pub fn make_old(dir: &Path) {
    let listed = list(dir);
    for name in files(dir).into_iter().filter(|name| !listed.contains(name)) {
        let file = fs::File::options().write(true).open(dir.join(name));
        file.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
}

/// Equal for directories that differ only in the random parts of names: the contents of the listed
/// tables, then kind and contents of all other files.
pub fn fingerprint(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let listed = list(dir);
    let content = |name: &String| fs::read(dir.join(name)).unwrap_or_default();
    let tables = listed.iter().map(|name| ("listed".into(), content(name)));
    let others = files(dir).into_iter().filter(|name| !listed.contains(name));
    let mut others: Vec<_> = others
        .map(|name| {
            let kind = name.split_once('.').map_or("", |(_, end)| end);
            let kind = kind.split_once("temp.").map_or(kind, |_| "temp");
            // A list in a lock contains random names.
            let bytes = content(&name);
            let is_list = name.starts_with("tables.list");
            (kind.to_owned(), if is_list { Vec::new() } else { bytes })
        })
        .collect();
    others.sort();
    tables.chain(others).collect()
}

/// Removes the list's lock, as a user would, if it exists.
pub fn remove_list_lock(dir: &Path) {
    // There may be none.
    let _ = fs::remove_file(dir.join("tables.list.lock"));
}

/// The locks in a directory.
pub fn locks(dir: &Path) -> Vec<String> {
    let mut names = files(dir);
    names.retain(|name| name.ends_with(".lock"));
    names
}

/// Removes the locks of a killed process.
pub fn remove_locks(dir: &Path) -> Vec<PathBuf> {
    let locks = files(dir).into_iter().filter(|n| n.ends_with(".lock"));
    let locks: Vec<_> = locks.map(|name| dir.join(name)).collect();
    for lock in &locks {
        fs::remove_file(lock).unwrap();
    }
    locks
}
