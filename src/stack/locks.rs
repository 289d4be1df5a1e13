//! Per-table locks, held by a compaction while it merges.
//!
//! As in git's C code and in JGit, a table is locked while `TABLE.ref.lock` exists, regardless of
//! its content, and only a process that holds `tables.list.lock` takes such a lock. A process that
//! is killed leaves its locks. To let others detect that, the locks of one compaction are hard
//! links to one file, its mark. The mark names the running system of its owner, and the owner
//! holds an advisory lock on it, which ends with the process. The mark is written and locked
//! before the first link is made, so that a lock of a live process never looks abandoned.
//!
//! Anyone who can read the mark can take an advisory lock on it, so the advisory lock alone is
//! not proof of a live owner. The owner of a long compaction therefore updates the mark's
//! modification time ([`TableLocks::renew`]), and a mark older than a day is inconclusive.
//!
//! A process that holds `tables.list.lock` may remove a lock whose owner is dead: no other
//! process removes it at the same time or replaces it by a new one. A lock is respected if its
//! owner is unknown: if it has no mark, or is of another host, of a time before the system was
//! started, or on another device than the mark says, as when a file system is mounted twice.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::shared::Shared;
use crate::format::{Error, Result};
use crate::sys::{lock_path, Hold, LinkedLock, LockFile, TempFile};
use crate::table::Table;

/// Age from which a temporary file or a table's lock of an unknown owner counts as abandoned, in
/// milliseconds: a day. (Holding `tables.list.lock` excludes additions, but not a compaction that
/// is still merging.)
pub(super) const STALE_MS: u64 = 24 * 60 * 60 * 1000;

/// Whether the process that took a lock is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOwner {
    /// It is running.
    Alive,
    /// It has ended.
    Dead,
    /// That cannot be told: the lock is of another program or of another host, or is old.
    Unknown,
}

/// Locks of tables, released when dropped.
#[derive(Debug)]
pub(super) struct TableLocks {
    locks: Vec<TableLock>,
    /// After `locks`, so that they are removed before the hold ends.
    hold: Option<Hold>,
    /// When the hold was last renewed, by the storage's clock.
    renewed_ms: u64,
}

/// Interval between renewals of a hold, in milliseconds: well below [`STALE_MS`].
const RENEWAL_MS: u64 = STALE_MS / 48;

impl TableLocks {
    pub(super) fn len(&self) -> usize {
        self.locks.len()
    }

    /// Renews the hold if the last renewal is long past; `now_ms` is the storage's clock.
    pub(super) fn renew(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.renewed_ms) < RENEWAL_MS {
            return;
        }
        self.renewed_ms = now_ms;
        if let Some(hold) = &self.hold {
            hold.renew();
        }
    }
}

/// A lock of one table.
#[derive(Debug)]
#[expect(dead_code, reason = "held to be dropped")]
enum TableLock {
    Marked(Box<dyn LinkedLock>),
    /// Without a mark, where the platform does not support one.
    Plain(Box<dyn LockFile>),
}

/// The file that the locks of one compaction are links to.
#[derive(Debug)]
struct Mark {
    temp: Box<dyn TempFile>,
    hold: Hold,
}

impl Shared {
    /// Locks `tables` from the newest to the oldest, so that a process can compact new tables
    /// while another still merges old ones. With `best_effort`, stops at a locked table if it
    /// has locked two or more.
    pub(super) fn lock_tables(
        &self,
        list_lock: &dyn LockFile,
        tables: &[Arc<Table>],
        best_effort: bool,
    ) -> Result<TableLocks> {
        let mark = self.mark(tables);
        let mut locks = Vec::with_capacity(tables.len());
        for table in tables.iter().rev() {
            match self.lock_table(list_lock, table, mark.as_ref()) {
                Ok(lock) => locks.push(lock),
                Err(Error::Locked { .. }) if best_effort && locks.len() >= 2 => break,
                Err(error) => {
                    // Before the mark, which proves that their owner is alive.
                    drop(locks);
                    return Err(error);
                }
            }
        }
        // Dropping the temporary file removes the mark's first name.
        let hold = mark.map(|mark| mark.hold);
        Ok(TableLocks {
            locks,
            hold,
            renewed_ms: self.storage.now_ms(),
        })
    }

    /// Locks one table, and first removes the lock of a dead process. That takes the list's lock,
    /// hence the parameter.
    fn lock_table(
        &self,
        _list_lock: &dyn LockFile,
        table: &Table,
        mark: Option<&Mark>,
    ) -> Result<TableLock> {
        let path = self.path_of(table.name());
        match self.try_lock_table(&path, mark) {
            Err(Error::Locked { path: lock }) if self.owner_of(&lock) == LockOwner::Dead => {
                // If this fails, so does the next attempt.
                let _ = self.storage.remove(&lock);
                self.try_lock_table(&path, mark)
            }
            done => done,
        }
    }

    fn try_lock_table(&self, path: &Path, mark: Option<&Mark>) -> Result<TableLock> {
        if let Some(mark) = mark {
            match self.storage.lock_by_link(mark.temp.path(), path) {
                Ok(lock) => return Ok(TableLock::Marked(lock)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(Error::Locked {
                        path: lock_path(path),
                    })
                }
                // Without hard links, or with too many: use a lock without a mark.
                Err(_) => {}
            }
        }
        let mut lock = self.lock_file(path, 0)?;
        // Keep no descriptor per table.
        lock.close()
            .map_err(|e| Error::io("close", lock_path(path), e))?;
        Ok(TableLock::Plain(lock))
    }

    /// Creates a mark for locks of `tables`; `None` if the platform does not support it.
    fn mark(&self, tables: &[Arc<Table>]) -> Option<Mark> {
        let system = self.storage.system_id()?;
        let limits = |table: &Arc<Table>| (table.min_update_index(), table.max_update_index());
        let mut temp = self.temp_table(limits(tables.last()?)).ok()?;
        // The list is in the same directory, and its device is usually known.
        let dev = match self.view().list.handle() {
            Some(list) => list.id().dev,
            None => self.storage.file_id(temp.path()).ok()?.dev,
        };
        temp.write_all(text_of_mark(&system, dev).as_bytes()).ok()?;
        let hold = temp.hold().ok()?;
        Some(Mark { temp, hold })
    }

    /// Determines the state of the owner of `path`, a lock or its mark.
    pub(super) fn owner_of(&self, path: &Path) -> LockOwner {
        let Some(system) = self.storage.system_id() else {
            return LockOwner::Unknown;
        };
        match self.storage.inspect_lock(path) {
            Ok(state) => match state.dev {
                Some(dev) if state.bytes != text_of_mark(&system, dev).as_bytes() => {
                    LockOwner::Unknown
                }
                None => LockOwner::Unknown,
                Some(_) if state.is_held && self.is_old(path) => LockOwner::Unknown,
                Some(_) if state.is_held => LockOwner::Alive,
                Some(_) => LockOwner::Dead,
            },
            Err(_) => LockOwner::Unknown,
        }
    }

    /// Whether the file was last modified more than a day ago.
    pub(super) fn is_old(&self, path: &Path) -> bool {
        let age = self.storage.age_ms(path);
        matches!(age, Ok(Some(ms)) if ms > STALE_MS)
    }
}

/// The content of a mark: the system and device on which its advisory lock is visible.
fn text_of_mark(system: &str, dev: u64) -> String {
    format!("reftable lock: system {system}, device {dev}\n")
}
