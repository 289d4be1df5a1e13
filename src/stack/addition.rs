//! Additions: transactions that add tables to a stack.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::fold::Fold;
use super::handle::Stack;
use super::list::List;
use super::options::OnOutdated;
use super::publish::Replaced;
use super::shared::Shared;
use super::sink::TableSink;
use crate::format::{Error, HashId, Result};
use crate::merged::Merged;
use crate::sys::LockFile;
use crate::table::{Table, Writer};

/// The outcome of a commit that did not fail.
#[derive(Debug, Default)]
#[must_use]
pub struct CommitOutcome {
    /// Whether a table was published.
    pub published: bool,
    /// The error of the compaction that followed. The transaction is committed regardless,
    /// and this deserves a warning. Locks and changes of other processes do not count as errors.
    pub compaction: Option<Error>,
    /// The error of flushing the directory. The transaction is committed, but may not survive a
    /// power failure; this deserves a warning, too.
    pub unflushed: Option<Error>,
}

/// A transaction that adds tables to a stack.
///
/// Holds `tables.list.lock` until it is committed or dropped. Dropping it removes its tables.
#[derive(Debug)]
#[must_use]
pub struct Addition {
    shared: Arc<Shared>,
    /// The tables that the list names, which cannot change while it is locked.
    base: Arc<Merged>,
    tables: Vec<Arc<Table>>,
    /// The older tables that the first of `tables` replaces. If no record remained of them and
    /// of the added ones, `tables` has no such table.
    fold: Option<Fold>,
    next_update_index: Option<u64>,
    /// Whether `next_update_index` stays the same for all tables.
    shares_update_indexes: bool,
    /// After `tables`, so that they are removed before the lock is.
    lock: Option<Box<dyn LockFile>>,
}

impl Stack {
    /// Locks the list for an addition, and waits for the lock as long as the options say.
    ///
    /// # Errors
    /// [`Error::Locked`] if the lock was held for all that time; [`Error::Outdated`] if the list
    /// has changed since it was read and `on_outdated` says to fail; as for
    /// [`reload`](Self::reload).
    pub fn begin(&self, on_outdated: OnOutdated) -> Result<Addition> {
        let shared = &self.shared;
        let (mut lock, view) = shared.lock_current(None, on_outdated)?;
        shared.set_mode(&mut *lock)?;
        shared.holds_lock.store(true, Ordering::Release);
        Ok(Addition {
            shared: Arc::clone(shared),
            next_update_index: view.next_update_index(),
            base: view.merged,
            tables: Vec::new(),
            fold: None,
            shares_update_indexes: false,
            lock: Some(lock),
        })
    }

    /// Publishes the addition's tables, and compacts the stack by the geometric rule unless the
    /// options disable that. Does nothing if the addition has no table.
    ///
    /// # Errors
    /// If the list could not be replaced. The stack is then unchanged.
    pub fn commit(&self, mut addition: Addition) -> Result<CommitOutcome> {
        if !self.shared.is_same_stack(&addition.shared) {
            return Err(Error::Misuse("the addition belongs to another stack"));
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
    /// [`commit`](Self::commit). If the stack is outdated, reloads it before returning the error,
    /// so that a second call succeeds.
    ///
    /// # Errors
    /// Those of the three steps and of `write`.
    pub fn add<E: From<Error>>(
        &self,
        on_outdated: OnOutdated,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<CommitOutcome, E> {
        let mut addition = self.begin(on_outdated).inspect_err(|error| {
            if matches!(error, Error::Outdated) {
                // If this fails, so does the next call.
                let _ = self.reload();
            }
        })?;
        addition.add_table(write)?;
        Ok(self.commit(addition)?)
    }
}

impl Addition {
    /// The least update index that the next table may use; see [`Stack::next_update_index`].
    /// It grows with each table, so that no two tables share an update index. (In git's library
    /// it stays the same for all tables of an addition.)
    #[must_use]
    pub fn next_update_index(&self) -> u64 {
        self.next_update_index.unwrap_or(u64::MAX)
    }

    /// The hash function of all object IDs in the stack.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.shared.options.write.hash_id
    }

    /// Lets tables of this addition have the same update indexes, as in git's library:
    /// [`next_update_index`](Self::next_update_index) no longer grows. A later table is newer.
    #[doc(hidden)]
    pub fn share_update_indexes(&mut self) {
        self.shares_update_indexes = true;
    }

    /// Writes a table by calling `write`, which must set the limits before it adds records. A
    /// table without records is discarded.
    ///
    /// # Errors
    /// Those of `write`; [`Error::Misuse`] if the table's least update index is below
    /// [`next_update_index`](Self::next_update_index) or no update index is left;
    /// [`Error::Io`]. The addition stays usable and does not contain that table.
    pub fn add_table<E: From<Error>>(
        &mut self,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.add_table_of(0, write)
    }

    /// As [`add_table`](Self::add_table), for a table that will have at least `least` bytes. If
    /// these are many, small older tables that the commit would compact with it are merged into
    /// it while it is written.
    ///
    /// # Errors
    /// As for [`add_table`](Self::add_table).
    #[doc(hidden)]
    pub fn add_table_of<E: From<Error>>(
        &mut self,
        least: u64,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let next = self
            .next_update_index
            .ok_or(Error::Misuse("no update index is left in this stack"))?;
        let shared = Arc::clone(&self.shared);
        let fold = self
            .foldable()
            .and_then(|base| shared.fold_ahead(base, least));
        let mut sink = TableSink::new(&shared, (next, next));
        let mut writer = Writer::new(&mut sink, &shared.options.write)?;
        if let Some(fold) = &fold {
            writer = writer.with_older(fold.records()?);
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
            None => shared.fold_or_keep(self.foldable(), sink)?,
        };
        let least = fold.as_ref().map(|fold| fold.older.min_update_index());
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

    /// The tables with which a table may be merged: none unless it is the addition's first.
    fn foldable(&self) -> Option<&Merged> {
        (self.tables.is_empty() && self.fold.is_none()).then_some(&*self.base)
    }

    /// The names of `older` and of the addition's tables.
    fn names<'a>(&'a self, older: &'a [Arc<Table>]) -> impl Iterator<Item = &'a str> {
        older.iter().chain(&self.tables).map(|table| table.name())
    }

    /// Publishes the new list. Returns the error of flushing the directory afterwards, if any.
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
                // After a power failure the old list may reappear, which needs these tables.
                if unflushed.is_none() {
                    self.shared.remove_tables(folded);
                }
                self.tables.clear();
                Ok(unflushed)
            }
            Err(failure) => {
                if failure.may_be_published {
                    // The list may name them: keep them from being removed.
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
            // On failure the table is a leftover, which `Stack::clean` removes.
            let _ = self.shared.storage.remove(&path);
        }
    }
}
