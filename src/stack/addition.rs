//! Adding tables to the top of a stack.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::fold::Fold;
use super::list::List;
use super::reload::Compared;
use super::sink::{TableSink, Written};
use super::{names, next_update_index, OnOutdated, Shared, Stack};
use crate::format::{Error, HashId, Result};
use crate::merged::Merged;
use crate::sys::{ListHandle, LockFile, TableData, TempFile, TEMP_INFIX};
use crate::table::{Table, Writer};

/// What a commit did.
#[derive(Debug, Default)]
#[must_use]
pub struct CommitOutcome {
    /// Whether there was a table to publish.
    pub published: bool,
    /// Why the compaction that followed failed. The transaction has landed all the same:
    /// this is worth a warning, no more. Locks of other processes, and changes that they
    /// made first, do not count as failures.
    pub compaction: Option<Error>,
    /// Why the change may not survive a power failure: it has landed, but the folder could
    /// not be flushed afterwards. Worth a warning, too.
    pub unflushed: Option<Error>,
}

/// A change in the making: holds `tables.list.lock` until it is committed or dropped.
/// Dropping it removes its tables.
#[derive(Debug)]
#[must_use]
pub struct Addition {
    pub(super) shared: Arc<Shared>,
    /// The tables that the list names, which nobody else can change now.
    pub(super) base: Arc<Merged>,
    pub(super) tables: Vec<Arc<Table>>,
    /// What the first of `tables` has taken in; it takes the place of those tables. When
    /// nothing remained of them and of what was added, there is no such table.
    pub(super) fold: Option<Fold>,
    next_update_index: Option<u64>,
    /// Whether that stays as it is.
    shares_update_indexes: bool,
    /// Below `tables`, so that they are gone before the lock is.
    lock: Option<Box<dyn LockFile>>,
}

impl Stack {
    /// Takes the lock for a change, waiting for it as long as the options say.
    ///
    /// # Errors
    /// [`Error::Locked`] when it is not to be had in that time; [`Error::Outdated`] when
    /// the list has changed since it was read and `on_outdated` says to fail; those of
    /// [`reload`](Self::reload); [`Error::Io`].
    pub fn begin(&self, on_outdated: OnOutdated) -> Result<Addition> {
        let shared = &self.shared;
        let mut lock = shared.lock_list()?;
        shared.set_mode(&mut *lock)?;
        let mut view = shared.view();
        if let Compared::Other(..) = shared.compare(&view)? {
            if on_outdated == OnOutdated::Fail {
                return Err(Error::Outdated);
            }
            shared.reload()?;
            view = shared.view();
        }
        shared.holds_lock.store(true, Ordering::Release);
        Ok(Addition {
            shared: Arc::clone(shared),
            next_update_index: next_update_index(&view.merged),
            base: view.merged,
            tables: Vec::new(),
            fold: None,
            shares_update_indexes: false,
            lock: Some(lock),
        })
    }

    /// Publishes the addition's tables and, unless the options forbid it, compacts the
    /// stack where the geometric rule asks for it. Without tables nothing happens.
    ///
    /// # Errors
    /// When the list could not be replaced; nothing has changed then.
    pub fn commit(&self, mut addition: Addition) -> Result<CommitOutcome> {
        if !Arc::ptr_eq(&self.shared.state, &addition.shared.state) {
            return Err(Error::Misuse("the addition is of another stack"));
        }
        if addition.tables.is_empty() && addition.fold.is_none() {
            return Ok(CommitOutcome::default());
        }
        let unflushed = addition.publish()?;
        let is_compacted = addition.fold.as_ref().is_some_and(|fold| fold.is_final);
        drop(addition);
        let compaction = if self.shared.options.disable_auto_compact || is_compacted {
            None
        } else {
            match self.auto_compact() {
                Ok(()) | Err(Error::Locked { .. } | Error::Outdated) => None,
                Err(error) => Some(error),
            }
        };
        Ok(CommitOutcome {
            published: true,
            compaction,
            unflushed,
        })
    }

    /// Adds one table: [`begin`](Self::begin), [`Addition::add_table`],
    /// [`commit`](Self::commit). When the stack was outdated it is reloaded before the
    /// error is returned, so that a second try is made with the new view.
    ///
    /// # Errors
    /// Those of the three steps, and those of `write`.
    pub fn add<E: From<Error>>(
        &self,
        on_outdated: OnOutdated,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<CommitOutcome, E> {
        let mut addition = self.begin(on_outdated).inspect_err(|error| {
            if matches!(error, Error::Outdated) {
                // The caller learns that it is outdated; its next call tells if this failed.
                let _ = self.reload();
            }
        })?;
        addition.add_table(write)?;
        Ok(self.commit(addition)?)
    }
}

impl Addition {
    /// The least update index that the next table may use; see
    /// [`Stack::next_update_index`]. Unlike in git, where it stays the same for all
    /// tables of an addition, it grows with each of them: two tables never share one.
    #[must_use]
    pub fn next_update_index(&self) -> u64 {
        self.next_update_index.unwrap_or(u64::MAX)
    }

    /// The hash of all object ids in the stack.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.shared.options.write.hash_id
    }

    /// Lets tables of this addition have the same update indexes, as git's library does: the
    /// least that they may use is that of the first one. The last table is the newest.
    pub fn share_update_indexes(&mut self) {
        self.shares_update_indexes = true;
    }

    /// Writes a table by `write`, which must set the limits before it adds records. A
    /// table without records is left out.
    ///
    /// # Errors
    /// Those of `write`; [`Error::Misuse`] when the table's least update index is below
    /// [`next_update_index`](Self::next_update_index) or none is left; [`Error::Io`]. The
    /// addition may go on or be committed without that table.
    pub fn add_table<E: From<Error>>(
        &mut self,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.add_table_of(0, write)
    }

    /// As [`add_table`](Self::add_table), for a table that is known to take at least
    /// `least` bytes: when they are many, the records of small elders that the commit would
    /// compact with it at once are written along.
    ///
    /// # Errors
    /// Those of [`add_table`](Self::add_table).
    pub fn add_table_of<E: From<Error>>(
        &mut self,
        least: u64,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let next = self
            .next_update_index
            .ok_or(Error::Misuse("no update index is left in this stack"))?;
        let shared = Arc::clone(&self.shared);
        let fold = self.fold_ahead(least);
        let mut sink = TableSink::new(&shared, (next, next));
        let mut writer = Writer::new(&mut sink, &shared.options.write)?;
        if let Some(fold) = &fold {
            writer = writer.with_older(fold.older()?);
        }
        write(&mut writer)?;
        let is_empty = match writer.finish() {
            Err(Error::EmptyTable) if writer.added() == 0 => return Ok(()),
            Err(Error::EmptyTable) => true,
            done => done.map(|_| false)?,
        };
        let (min, max) = writer.limits();
        drop(writer);
        if min < next {
            let what = "a table's update indexes must be above those of the stack";
            return Err(Error::Misuse(what).into());
        }
        let (fold, written) = match fold {
            Some(fold) if is_empty => (Some(fold), None),
            Some(fold) => (Some(fold), Some(sink.into_file()?)),
            None => self.fold_or_keep(sink)?,
        };
        let least = fold.as_ref().map(|fold| fold.elders.min_update_index());
        if let Some(written) = written {
            let limits = (least.map_or(min, |least| least.min(min)), max);
            let known = List::from_names(self.names(self.base.tables()));
            self.tables
                .push(shared.persist_table(written, limits, &known)?);
        }
        self.fold = self.fold.take().or(fold);
        if !self.shares_update_indexes {
            self.next_update_index = max.checked_add(1);
        }
        Ok(())
    }

    /// The names of these older tables and those of the addition's own.
    fn names<'a>(&'a self, older: &'a [Arc<Table>]) -> impl Iterator<Item = &'a str> {
        older.iter().chain(&self.tables).map(|table| table.name())
    }

    /// Writes the new list into the lock and puts it in the list's place. Answers why the
    /// folder could not be flushed behind it.
    fn publish(&mut self) -> Result<Option<Error>> {
        let lock = self
            .lock
            .take()
            .ok_or(Error::Misuse("the addition is over"))?;
        self.shared.holds_lock.store(false, Ordering::Release);
        let all = self.base.tables();
        let kept = self.fold.as_ref().map_or(all.len(), |fold| fold.kept);
        let (kept, folded) = all.split_at_checked(kept).unwrap_or((all, &[]));
        let list = List::from_names(self.names(kept));
        let fresh = self.tables.iter().map(|t| t.name());
        let for_fold = self.fold.is_some();
        match self.shared.replace_list(lock, &list, fresh, for_fold) {
            Ok(Replaced { handle, unflushed }) => {
                self.shared
                    .show_written(&self.base, &self.tables, &list, handle);
                // A power failure may bring back the old list, and then its tables are needed.
                if unflushed.is_none() {
                    self.shared.remove_replaced(folded);
                }
                self.tables.clear();
                Ok(unflushed)
            }
            Err(failure) => {
                if failure.may_have_landed {
                    // A list may name them: better a leftover than a missing table.
                    self.tables.clear();
                }
                Err(failure.error)
            }
        }
    }
}

impl Drop for Addition {
    fn drop(&mut self) {
        if self.lock.is_some() {
            self.shared.holds_lock.store(false, Ordering::Release);
        }
        for table in self.tables.drain(..) {
            let path = self.shared.path_of(table.name());
            drop(table);
            // Nobody is left to tell; `Stack::clean` removes leftovers.
            let _ = self.shared.storage.remove(&path);
        }
    }
}

/// A list that was replaced.
pub(super) struct Replaced {
    /// The new list's file.
    pub(super) handle: Option<ListHandle>,
    /// Why the folder could not be flushed afterwards.
    pub(super) unflushed: Option<Error>,
}

/// Why a list was not replaced.
pub(super) struct ReplaceFailure {
    pub(super) error: Error,
    /// The rename failed, and what the list is now cannot be told.
    pub(super) may_have_landed: bool,
}

impl Shared {
    /// Sets the permissions that the options ask for.
    pub(super) fn set_mode<F: crate::sys::WriteFile + ?Sized>(&self, file: &mut F) -> Result<()> {
        match self.options.default_permissions {
            0 => Ok(()),
            mode => file
                .set_mode(mode)
                .map_err(|e| Error::io("chmod", file.path(), e)),
        }
    }

    /// A temporary file for a table of these update indexes.
    pub(super) fn temp_table(&self, (min, max): (u64, u64)) -> Result<Box<dyn TempFile>> {
        let prefix = self.path_of(&names::stem(min, max, self.storage.random()));
        let mut temp = self.storage.temp_file(&prefix).map_err(|e| {
            let mut pattern = prefix.into_os_string();
            pattern.push(TEMP_INFIX);
            pattern.push("XXXXXX");
            Error::io("create", pattern, e)
        })?;
        self.set_mode(&mut *temp)?;
        Ok(temp)
    }

    /// Gives a finished table its name, which is none of `known`, and opens it: from
    /// the copy if its writer kept one.
    pub(super) fn persist_table(
        &self,
        Written { temp, copy }: Written,
        (min, max): (u64, u64),
        known: &List,
    ) -> Result<Arc<Table>> {
        let name = loop {
            let name = names::stem(min, max, self.storage.random()) + names::TABLE_SUFFIX;
            if known.names().all(|other| other != name) {
                break name;
            }
        };
        let path = self.path_of(&name);
        let renamed = temp
            .persist(&path)
            .map_err(|e| Error::io("rename", &path, e));
        let table = renamed.and_then(|()| match copy {
            Some(bytes) => Table::new(&name, TableData::from(bytes)).map(Arc::new),
            None => self.open_table(&name),
        });
        table.inspect_err(|_| {
            // Even a rename that failed may have happened. The first error is the one to tell.
            let _ = self.storage.remove(&path);
        })
    }

    /// Replaces the list by way of its lock. `fresh` are the names that are new in it;
    /// `for_fold` tells that the change spares a compaction.
    ///
    /// The folder is flushed twice: before, so that the list reaches the disk after the
    /// tables that it names; and afterwards, so that it has reached it when this returns
    /// and tables that it does not name may be removed.
    pub(super) fn replace_list<'a>(
        &self,
        mut lock: Box<dyn LockFile>,
        list: &List,
        fresh: impl Iterator<Item = &'a str>,
        for_fold: bool,
    ) -> Result<Replaced, ReplaceFailure> {
        let written = lock
            .write_all(list.bytes())
            .map_err(|e| Error::io("write", lock.path(), e))
            .and_then(|()| lock.sync().map_err(|e| Error::io("sync", lock.path(), e)))
            .and_then(|()| self.sync_dir(for_fold));
        if let Err(error) = written {
            return Err(ReplaceFailure {
                error,
                may_have_landed: false,
            });
        }
        let handle = match lock.commit_keeping_handle() {
            Ok(handle) => handle,
            Err(e) => self.look_again(list, fresh, Error::io("rename", &self.list_path, e))?,
        };
        let unflushed = self.sync_dir(for_fold).err();
        Ok(Replaced { handle, unflushed })
    }

    /// Looks what became of a rename that has reported `error`: on network file systems it
    /// may have happened.
    fn look_again<'a>(
        &self,
        list: &List,
        mut fresh: impl Iterator<Item = &'a str>,
        error: Error,
    ) -> Result<Option<ListHandle>, ReplaceFailure> {
        let may_have_landed = match self.read_list() {
            Ok((now, handle)) if now == *list => return Ok(handle),
            Ok((now, _)) => fresh.any(|name| now.names().any(|other| other == name)),
            Err(_) => true,
        };
        Err(ReplaceFailure {
            error,
            may_have_landed,
        })
    }

    fn sync_dir(&self, for_fold: bool) -> Result<()> {
        let synced = match for_fold {
            true => self.storage.sync_dir_for_fold(&self.dir),
            false => self.storage.sync_dir(&self.dir),
        };
        synced.map_err(|e| Error::io("sync", &self.dir, e))
    }
}
