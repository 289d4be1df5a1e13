//! Listing the locks of a stack.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::locks::LockOwner;
use super::names::{self, LIST_NAME};
use super::options::StackOptions;
use super::shared::Shared;
use crate::format::{Error, Result};
use crate::sys::{lock_path, remove_if, StdStorage, Storage as _};

/// A lock or a temporary file in a stack's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lock {
    /// The file.
    pub path: PathBuf,
    /// What it is for.
    pub kind: LockKind,
    /// Whether its owner is alive.
    pub owner: LockOwner,
    /// Milliseconds since it was last modified, if the platform can tell.
    pub age_ms: Option<u64>,
}

/// What a lock is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockKind {
    /// `tables.list.lock`: a transaction, or the beginning or the end of a compaction. Nothing tells
    /// its owner.
    List,
    /// `TABLE.ref.lock`: a compaction.
    Table,
    /// A table that is being written.
    TempTable,
}

impl Lock {
    /// Removes the lock of a list if `is_stale` says so of its present state. Returns whether it has.
    ///
    /// Programs that remove such locks only by this function never remove one that a process has
    /// taken meanwhile: of several, one removes the stale lock.
    ///
    /// # Errors
    /// [`Error::Misuse`] for the lock of a table, which may be removed only while the list is locked;
    /// [`Error::Io`] if the file cannot be read, removed, or locked on this platform.
    pub fn remove_if(&self, is_stale: impl FnOnce(&Self) -> bool) -> Result<bool> {
        if self.kind != LockKind::List {
            return Err(Error::Misuse("not the lock of a list"));
        }
        let is_stale = || {
            let now = Self {
                age_ms: StdStorage.age_ms(&self.path).ok().flatten(),
                ..self.clone()
            };
            is_stale(&now)
        };
        remove_if(&self.path, is_stale).map_err(|e| Error::io("remove", &self.path, e))
    }
}

/// The locks and the temporary files in the directory of a stack, by name. The stack need not be
/// readable.
///
/// [`Stack::clean`](super::Stack::clean) removes those of tables that are abandoned.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read.
pub fn locks(dir: &Path) -> Result<Vec<Lock>> {
    let shared = Shared::new(Arc::new(StdStorage), dir, StackOptions::default())?;
    let entries = shared
        .storage
        .list_dir(dir)
        .map_err(|e| Error::io("open directory", dir, e))?;
    let list_lock = lock_path(Path::new(LIST_NAME));
    let mut all = Vec::new();
    for entry in entries {
        let Some(name) = entry.to_str() else {
            continue;
        };
        let path = dir.join(name);
        let kind = if Path::new(name) == list_lock {
            LockKind::List
        } else if names::table_of_lock(name).is_some_and(names::is_valid) {
            LockKind::Table
        } else if names::is_temp_table(name) {
            LockKind::TempTable
        } else {
            continue;
        };
        all.push(Lock {
            owner: match kind {
                LockKind::List => LockOwner::Unknown,
                _ => shared.owner_of(&path),
            },
            age_ms: shared.storage.age_ms(&path).ok().flatten(),
            path,
            kind,
        });
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn locks_are_listed_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let table = "0x000000000001-0x000000000001-01234567";
        for name in [
            "tables.list".to_owned(),
            "tables.list.lock".to_owned(),
            format!("{table}.ref"),
            format!("{table}.ref.lock"),
            format!("{table}.temp.abcdef"),
            "other.lock".to_owned(),
        ] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = locks(dir.path()).unwrap();
        let kinds: Vec<LockKind> = found.iter().map(|lock| lock.kind).collect();
        let expected = [LockKind::Table, LockKind::TempTable, LockKind::List];
        assert_eq!(kinds, expected);
        for lock in found {
            assert_eq!(lock.owner, LockOwner::Unknown);
            assert!(lock.age_ms.is_some_and(|age| age < 60_000));
        }
        assert!(locks(&dir.path().join("none")).is_err());
    }

    #[test]
    fn a_lock_is_removed_by_one_process_and_only_if_it_is_stale() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tables.list.lock");
        std::fs::write(&path, "").unwrap();
        let lock = locks(dir.path()).unwrap().remove(0);
        assert!(!lock.remove_if(|lock| lock.age_ms > Some(60_000)).unwrap());
        // While one is about to remove it, another one does not.
        let removed = lock.remove_if(|_| {
            assert!(!lock.remove_if(|_| true).unwrap());
            true
        });
        assert!(removed.unwrap() && !path.exists());
        assert!(lock.remove_if(|_| true).is_err());
        std::fs::create_dir(&path).unwrap();
        assert!(!lock.remove_if(|_| true).unwrap());

        let table = Lock {
            kind: LockKind::Table,
            ..lock
        };
        assert!(table.remove_if(|_| true).is_err());
    }
}
