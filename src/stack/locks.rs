//! Locks of tables, which a compaction holds while it merges them.
//!
//! As in git's C code and in JGit, a table is locked while `TABLE.ref.lock` exists, whatever
//! is in it, and such locks are taken only by who holds `tables.list.lock`. A process that is
//! killed leaves them. So that others can tell, the locks of one compaction are names of one
//! file, its mark: it says in which system its owner runs, and its owner has an advisory lock
//! on it, which vanishes with the process. The file is written and locked before it gets the
//! first of these names; there is no moment at which a lock of a living process looks like
//! that of a dead one.
//!
//! Anybody who may read the mark can take an advisory lock on it, so that alone proves no living
//! owner for ever: the owner of a long compaction sets the mark's time to now once in a while
//! ([`TableLocks::renew`]), and a mark that has not been touched for a day tells nothing.
//!
//! Who holds `tables.list.lock` may remove a lock whose owner is dead: nobody else does so
//! at the same time, and nobody can have put a new lock in its place. What cannot be told is
//! respected: locks without a mark, of other hosts, of times before the system was started,
//! on another device than they say, as when one file system is mounted in two ways.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::clean::STALE_MS;
use super::Shared;
use crate::format::{Error, Result};
use crate::sys::{lock_path, Hold, LinkedLock, LockFile, TempFile};
use crate::table::Table;

/// What is known of a lock's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Lives,
    Died,
    Unknown,
}

/// Locks of tables; dropping them gives them up.
#[derive(Debug)]
pub(super) struct TableLocks {
    locks: Vec<TableLock>,
    /// Below the locks, so that they are gone before their owner seems to be.
    hold: Option<Hold>,
    /// When the hold was renewed, by the storage's clock.
    renewed_ms: u64,
}

/// How long a hold is not renewed, in milliseconds: much less than it is respected.
const RENEWAL_MS: u64 = STALE_MS / 48;

impl TableLocks {
    pub(super) fn len(&self) -> usize {
        self.locks.len()
    }

    /// Shows that the owner is still at work, which at `now_ms` by the storage's clock may have
    /// taken long.
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

/// One lock, there to be dropped.
#[derive(Debug)]
#[expect(dead_code)]
enum TableLock {
    Marked(Box<dyn LinkedLock>),
    /// Where there can be no mark.
    Plain(Box<dyn LockFile>),
}

/// The file that the locks of one compaction are names of.
#[derive(Debug)]
struct Mark {
    temp: Box<dyn TempFile>,
    hold: Hold,
}

impl Shared {
    /// Locks `tables` from the newest to the oldest: a process may so compact its own
    /// new tables while another still merges old ones. With `best_effort`, a busy table
    /// ends the locking if two or more are locked by then.
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
                    // The locks before what shows that their owner lives.
                    drop(locks);
                    return Err(error);
                }
            }
        }
        // The mark's first name goes.
        let hold = mark.map(|mark| mark.hold);
        Ok(TableLocks {
            locks,
            hold,
            renewed_ms: self.storage.now_ms(),
        })
    }

    /// Locks one table, also when a dead process has it locked; that lock may be removed only
    /// under the list's.
    fn lock_table(
        &self,
        _list_lock: &dyn LockFile,
        table: &Table,
        mark: Option<&Mark>,
    ) -> Result<TableLock> {
        let path = self.path_of(table.name());
        match self.try_lock_table(&path, mark) {
            Err(Error::Locked { path: lock }) if self.owner_of(&lock) == Owner::Died => {
                // If that fails the next try tells.
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
                // Where a file cannot have so many names, a lock without a mark has to do.
                Err(_) => {}
            }
        }
        let mut lock = self.lock_file(path, 0)?;
        // Many tables would need many descriptors.
        lock.close()
            .map_err(|e| Error::io("close", lock_path(path), e))?;
        Ok(TableLock::Plain(lock))
    }

    /// A mark for locks of `tables`, where that is possible.
    fn mark(&self, tables: &[Arc<Table>]) -> Option<Mark> {
        let system = self.storage.system_id()?;
        let limits = |table: &Arc<Table>| (table.min_update_index(), table.max_update_index());
        let mut temp = self.temp_table(limits(tables.last()?)).ok()?;
        // The list lies in the same folder, and is known mostly.
        let dev = match self.view().list {
            Some(list) => list.id().dev,
            None => self.storage.file_id(temp.path()).ok()?.dev,
        };
        temp.write_all(text_of_mark(&system, dev).as_bytes()).ok()?;
        let hold = temp.hold().ok()?;
        Some(Mark { temp, hold })
    }

    /// What the file `path`, a lock or its mark, tells of its owner.
    pub(super) fn owner_of(&self, path: &Path) -> Owner {
        let Some(system) = self.storage.system_id() else {
            return Owner::Unknown;
        };
        match self.storage.look_at_lock(path) {
            Ok(look) => match look.dev {
                Some(dev) if look.bytes != text_of_mark(&system, dev).as_bytes() => Owner::Unknown,
                None => Owner::Unknown,
                Some(_) if look.is_held && self.is_old(path) => Owner::Unknown,
                Some(_) if look.is_held => Owner::Lives,
                Some(_) => Owner::Died,
            },
            Err(_) => Owner::Unknown,
        }
    }
}

/// What a mark consists of: where the advisory lock on it can be seen.
fn text_of_mark(system: &str, dev: u64) -> String {
    format!("reftable lock: system {system}, device {dev}\n")
}
