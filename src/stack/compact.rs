//! Making many tables one.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;

use super::addition::Replaced;
use super::list::List;
use super::reload::Compared;
use super::sink::{TableSink, Written};
use super::{LogExpiry, Shared, Stack, View};
use crate::format::{Error, Result};
use crate::merged::{Merged, Tombstones};
use crate::record::LogValue;
use crate::sys::LockFile;
use crate::table::{Table, Writer};

/// What a stack's compactions have done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionStats {
    /// Bytes of the tables that were merged.
    pub bytes: u64,
    /// Records that were written, also by compactions that failed afterwards.
    pub entries_written: u64,
    /// How many compactions were tried.
    pub attempts: u64,
    /// How many of them gave up because of a lock.
    pub failures: u64,
}

/// So many records are written before the clock is looked at.
const RECORDS_PER_RENEWAL: u64 = 4096;

impl Stack {
    /// Compacts the tables that violate the geometric rule, if there are any. Tables that
    /// another process has locked, and those older than they, are left as they are.
    ///
    /// # Errors
    /// [`Error::Locked`] and [`Error::Outdated`] when another process was faster, which
    /// does no harm; those of reading and writing tables.
    pub fn auto_compact(&self) -> Result<()> {
        let view = self.shared.view();
        let range = self.shared.segment(view.merged.tables(), None);
        if range.is_empty() {
            return Ok(());
        }
        self.compact(&view, range, None, true)
    }

    /// Compacts all tables into one, without the log entries that `expiry` names.
    ///
    /// # Errors
    /// Those of [`auto_compact`](Self::auto_compact); one locked table is enough to fail.
    pub fn compact_all(&self, expiry: Option<&LogExpiry>) -> Result<()> {
        let view = self.shared.view();
        let range = 0..view.merged.tables().len();
        self.compact(&view, range, expiry, false)
    }

    /// Whether there is something to compact: by the geometric rule, or else whenever
    /// there are two tables or more.
    ///
    /// # Errors
    /// None at present.
    pub fn compaction_required(&self, use_heuristics: bool) -> Result<bool> {
        let merged = self.merged();
        if !use_heuristics {
            return Ok(merged.tables().len() > 1);
        }
        Ok(!self.shared.segment(merged.tables(), None).is_empty())
    }

    /// What compactions have done so far.
    #[must_use]
    pub fn stats(&self) -> CompactionStats {
        self.shared.lock_state().stats
    }

    fn compact(
        &self,
        view: &View,
        range: Range<usize>,
        expiry: Option<&LogExpiry>,
        best_effort: bool,
    ) -> Result<()> {
        let least = if expiry.is_some() { 1 } else { 2 };
        if range.len() < least {
            return Ok(());
        }
        let shared = &self.shared;
        shared.lock_state().stats.attempts += 1;
        let done = shared.compact_range(view, range, expiry, best_effort);
        if matches!(done, Err(Error::Locked { .. })) {
            shared.lock_state().stats.failures += 1;
        }
        done
    }
}

impl Shared {
    /// Replaces the tables `range` of `view` by one. With `best_effort`, those that
    /// another process compacts right now are left out, and all that are older.
    fn compact_range(
        &self,
        view: &View,
        range: Range<usize>,
        expiry: Option<&LogExpiry>,
        best_effort: bool,
    ) -> Result<()> {
        let all = view.merged.tables();
        let list_lock = self.lock_list()?;
        if let Compared::Other(..) = self.compare(view)? {
            return Err(Error::Outdated);
        }
        let inputs = all.get(range).unwrap_or_default();
        let mut table_locks = self.lock_tables(&*list_lock, inputs, best_effort)?;
        let inputs = inputs
            .get(inputs.len() - table_locks.len()..)
            .unwrap_or_default();
        let is_oldest = inputs.first().map(Arc::as_ptr) == all.first().map(Arc::as_ptr);
        // Others may add tables while these are merged.
        drop(list_lock);
        for input in inputs {
            input.check_sections()?;
        }

        let range = Merged::new(inputs.to_vec(), self.options.write.hash_id)?;
        let mut renew = || table_locks.renew(self.storage.now_ms());
        let compacted = self.write_compacted(&range, is_oldest, expiry, &mut renew)?;

        // From here to the end in this order: locals are dropped in reverse.
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
        // A power failure may bring back the old list, and then its tables are needed.
        if unflushed.is_none() {
            self.remove_replaced(inputs);
        }
        drop(table_locks);
        Ok(())
    }

    /// Removes tables that no list names any more.
    pub(super) fn remove_replaced(&self, tables: &[Arc<Table>]) {
        for table in tables {
            // Readers may still use them, which on some systems keeps them there.
            let _ = self.storage.remove(&self.path_of(table.name()));
        }
    }

    /// Writes the records of `range` into a new table; nothing when none is left. Calls `renew`
    /// every few thousand records.
    pub(super) fn write_compacted(
        &self,
        range: &Merged,
        is_oldest: bool,
        expiry: Option<&LogExpiry>,
        renew: &mut dyn FnMut(),
    ) -> Result<Option<Written>> {
        let (min, max) = (range.min_update_index(), range.max_update_index());
        let mut sink = TableSink::new(self, (min, max));
        {
            let mut writer = Writer::new(&mut sink, &self.options.write)?;
            writer.set_limits(min, max)?;
            let mut entries = 0;
            let mut count = || {
                entries += 1;
                if entries % RECORDS_PER_RENEWAL == 0 {
                    renew();
                }
            };
            let copied = copy_records(range, is_oldest, expiry, &mut writer, &mut count);
            let bytes: u64 = range.tables().iter().map(|t| t.size_without_footer()).sum();
            let mut state = self.lock_state();
            state.stats.entries_written += entries;
            state.stats.bytes += bytes;
            drop(state);
            copied?;
            match writer.finish() {
                Err(Error::EmptyTable) => return Ok(None),
                done => done?,
            };
        }
        sink.into_file().map(Some)
    }

    /// Writes `old` with `table` in the place of `inputs`; on failure removes `table`.
    /// Answers why the folder could not be flushed behind it.
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
                // The first error is the one to tell.
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
                if !failure.may_have_landed {
                    remove();
                }
                Err(failure.error)
            }
        }
    }
}

/// The list `old` with `table` in the place of `inputs`, which must be in it one after
/// another. As they are locked, they always are, if every process keeps the rules.
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

/// Streams all records of `range` to `writer`. Tombstones hide records of older tables:
/// where there are none, they go.
fn copy_records(
    range: &Merged,
    is_oldest: bool,
    expiry: Option<&LogExpiry>,
    writer: &mut Writer<'_>,
    count: &mut dyn FnMut(),
) -> Result<()> {
    let tombstones = if is_oldest {
        Tombstones::Hide
    } else {
        Tombstones::Show
    };
    let mut refs = range.refs(tombstones);
    while refs.advance()? {
        writer.add_ref(&refs.record())?;
        count();
    }
    let expiry = expiry.copied().unwrap_or_default();
    let mut logs = range.logs(tombstones);
    while logs.advance()? {
        let log = logs.record();
        let too_old = match log.value {
            LogValue::Update(update) => update.time < expiry.time,
            LogValue::Deletion => false,
        };
        if too_old || log.update_index < expiry.min_update_index {
            continue;
        }
        if writer.repeats_last_log(log.name, log.update_index) {
            continue;
        }
        writer.add_log(&log)?;
        count();
    }
    Ok(())
}
