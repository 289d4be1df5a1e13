//! Compaction: merging several tables of a stack into one.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;

use super::handle::Stack;
use super::list::List;
use super::options::{LogExpiry, OnOutdated};
use super::publish::Replaced;
use super::reload::Compared;
use super::shared::{Shared, View};
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::{Backoff, LockFile};
use crate::table::Table;

/// Selection tables to compact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selection {
    All,
    /// The tables that violate the geometric rule.
    ByRule,
}

impl Stack {
    /// Compacts the tables that violate the geometric rule, if any. Skips tables that another
    /// process has locked, and all older ones.
    ///
    /// # Errors
    /// [`Error::Locked`] and [`Error::Outdated`] if another process was faster, which is
    /// harmless; errors of reading and writing tables.
    pub fn auto_compact(&self) -> Result<()> {
        self.compact(Selection::ByRule, None, OnOutdated::Fail)
            .map(|_| ())
    }

    /// Compacts all tables into one, and drops the log entries that `expiry` selects.
    ///
    /// # Errors
    /// As for [`auto_compact`](Self::auto_compact); fails if any table is locked.
    pub fn compact_all(&self, expiry: Option<&LogExpiry>) -> Result<()> {
        self.compact(Selection::All, expiry, OnOutdated::Fail)
            .map(|_| ())
    }

    /// Compacts like [`auto_compact`](Self::auto_compact) or, without `use_heuristics`, like
    /// [`compact_all`](Self::compact_all), while other processes may keep changing the stack.
    /// Returns false if there was nothing to compact.
    ///
    /// Compacts the tables that the list names once it is locked. Removes table locks of dead
    /// processes, and waits for those of others as long as for the list's lock.
    ///
    /// # Errors
    /// [`Error::Locked`] if a lock was held for all that time; errors of reading and writing
    /// tables.
    pub fn optimize(&self, use_heuristics: bool) -> Result<bool> {
        let selection = match use_heuristics {
            true => Selection::ByRule,
            false => Selection::All,
        };
        let storage = &self.shared.storage;
        let mut backoff = Backoff::new(self.shared.options.lock_timeout_ms);
        let mut is_clean = false;
        loop {
            self.reload()?;
            let done = self.compact(selection, None, OnOutdated::Reload);
            match &done {
                Err(Error::Outdated) => {}
                Err(Error::Locked { path }) if *path != self.lock_path() => {
                    // If the lock is still there, the next try fails, too.
                    if !std::mem::replace(&mut is_clean, true) && self.clean().is_ok() {
                        continue;
                    }
                }
                _ => return done,
            }
            let Some(turn) = backoff.next_turn(storage.random()) else {
                return done;
            };
            let pause = (turn.pause + turn.burst).as_micros().div_ceil(1000);
            storage.sleep_ms(u64::try_from(pause).unwrap_or(u64::MAX));
        }
    }

    /// Whether there is something to compact: by the geometric rule or, without
    /// `use_heuristics`, whenever there are two tables or more.
    #[must_use]
    pub fn compaction_required(&self, use_heuristics: bool) -> bool {
        let merged = self.merged();
        if !use_heuristics {
            return merged.tables().len() > 1;
        }
        !self.shared.segment(merged.tables(), None).is_empty()
    }

    /// The tables that [`auto_compact`](Self::auto_compact) would merge, as positions in the
    /// current view; empty if it would do nothing. Locks of other processes are not considered.
    #[must_use]
    pub fn next_compaction(&self) -> Range<usize> {
        self.shared.segment(self.merged().tables(), None)
    }

    fn compact(
        &self,
        selection: Selection,
        expiry: Option<&LogExpiry>,
        on_outdated: OnOutdated,
    ) -> Result<bool> {
        let shared = &self.shared;
        let view = shared.view();
        if shared.range(&view, selection, expiry).is_empty() {
            return Ok(false);
        }
        shared.lock_state().stats.attempts += 1;
        let done = shared.compact_tables(view, selection, expiry, on_outdated);
        if matches!(done, Err(Error::Locked { .. })) {
            shared.lock_state().stats.failures += 1;
        }
        done
    }
}

impl Shared {
    /// The tables of `view` to compact; an empty range if there are too few.
    fn range(&self, view: &View, selection: Selection, expiry: Option<&LogExpiry>) -> Range<usize> {
        let tables = view.merged.tables();
        let range = match selection {
            Selection::All => 0..tables.len(),
            Selection::ByRule => self.segment(tables, None),
        };
        let least = if expiry.is_some() { 1 } else { 2 };
        match range.len() < least {
            true => 0..0,
            false => range,
        }
    }

    /// Merges the tables of `view` in `selection`. If that is by the rule, skips tables
    /// that another process is compacting, and all older ones.
    fn compact_tables(
        &self,
        view: View,
        selection: Selection,
        expiry: Option<&LogExpiry>,
        on_outdated: OnOutdated,
    ) -> Result<bool> {
        let (list_lock, view) = self.lock_current(Some(view), on_outdated)?;
        let view = &view;
        let all = view.merged.tables();
        let inputs = all
            .get(self.range(view, selection, expiry))
            .unwrap_or_default();
        if inputs.is_empty() {
            return Ok(false);
        }
        let mut table_locks =
            self.lock_tables(&*list_lock, inputs, selection == Selection::ByRule)?;
        let inputs = inputs
            .get(inputs.len() - table_locks.len()..)
            .unwrap_or_default();
        let is_oldest = inputs.first().map(Arc::as_ptr) == all.first().map(Arc::as_ptr);
        // Other processes may add tables during the merge.
        drop(list_lock);
        for input in inputs {
            input.check_sections()?;
        }

        let range = Merged::new(inputs.to_vec(), self.options.write.hash_id)?;
        let mut renew = || table_locks.renew(self.storage.now_ms());
        let compacted = self.write_compacted(&range, is_oldest, expiry, &mut renew)?;

        // Taken after the table locks and released before them: locals drop in reverse order.
        let mut list_lock = self.lock_list()?;
        self.set_mode(&mut *list_lock)?;
        let old = match self.compare(view)? {
            Compared::Same => List::from_names(all.iter().map(|t| t.name())),
            Compared::Other(list, _) => list,
        };
        let table = match compacted {
            Some(written) => {
                let limits = (range.min_update_index(), range.max_update_index());
                Some(self.persist_table(written, limits, &old)?)
            }
            None => None,
        };
        let unflushed = self.swap(view, &old, inputs, table.as_ref(), list_lock)?;
        // After a power failure the old list may reappear, which needs these tables.
        if unflushed.is_none() {
            self.remove_tables(inputs);
        }
        drop(table_locks);
        Ok(true)
    }

    /// Publishes the list `old` with `table` in place of `inputs`; removes `table` on failure.
    /// Returns the error of flushing the directory afterwards, if any.
    fn swap(
        &self,
        view: &View,
        old: &List,
        inputs: &[Arc<Table>],
        table: Option<&Arc<Table>>,
        lock: Box<dyn LockFile>,
    ) -> Result<Option<Error>> {
        let remove = || {
            if let Some(table) = table {
                // Report the first error, not this one.
                let _ = self.storage.remove(&self.path_of(table.name()));
            }
        };
        let Some(list) = replace_names(old, inputs, table) else {
            remove();
            return Err(Error::Outdated);
        };
        let fresh = table.into_iter().map(|t| t.name());
        match self.replace_list(lock, &list, fresh, false) {
            Ok(Replaced { handle, unflushed }) => {
                let fresh = table.map_or(&[][..], std::slice::from_ref);
                self.show_written(&view.merged, fresh, &list, handle);
                Ok(unflushed)
            }
            Err(failure) => {
                if !failure.may_be_published {
                    remove();
                }
                Err(failure.error)
            }
        }
    }
}

/// The list `old` with `table` in place of `inputs`, or `None` if these are not consecutive in
/// it. They are if every process respects their locks.
fn replace_names(old: &List, inputs: &[Arc<Table>], table: Option<&Arc<Table>>) -> Option<List> {
    let first = inputs.first()?.name();
    let before = old.names().take_while(|name| *name != first);
    let mut rest = old.names().skip_while(|name| *name != first);
    for input in inputs {
        if rest.next()? != input.name() {
            return None;
        }
    }
    let table = table.into_iter().map(|t| t.name());
    Some(List::from_names(before.chain(table).chain(rest)))
}
