//! Making many tables one.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;

use super::addition::Replaced;
use super::list::List;
use super::reload::Compared;
use super::sink::{TableSink, Written};
use super::{LogExpiry, OnOutdated, Shared, Stack, View};
use crate::format::{Error, Result, DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE};
use crate::merged::{Merged, Tombstones};
use crate::record::LogValue;
use crate::sys::{Backoff, LockFile};
use crate::table::{Table, WriteOptions, Writer};

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

/// Which tables are compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    /// Those that violate the geometric rule.
    ByRule,
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
        self.compact(Which::ByRule, None, OnOutdated::Fail)
            .map(|_| ())
    }

    /// Compacts all tables into one, without the log entries that `expiry` names.
    ///
    /// # Errors
    /// Those of [`auto_compact`](Self::auto_compact); one locked table is enough to fail.
    pub fn compact_all(&self, expiry: Option<&LogExpiry>) -> Result<()> {
        self.compact(Which::All, expiry, OnOutdated::Fail)
            .map(|_| ())
    }

    /// Compacts like [`auto_compact`](Self::auto_compact) or, without `use_heuristics`, like
    /// [`compact_all`](Self::compact_all) beside processes that keep changing the stack: what is
    /// compacted is what the list names once it is locked, locks of tables that dead processes
    /// left are removed, and others are waited for as long as the options say for the list's.
    /// False when there was nothing to compact.
    ///
    /// # Errors
    /// [`Error::Locked`] when a lock is not to be had in that time; those of reading and writing
    /// tables.
    pub fn optimize(&self, use_heuristics: bool) -> Result<bool> {
        let which = match use_heuristics {
            true => Which::ByRule,
            false => Which::All,
        };
        let storage = &self.shared.storage;
        let mut backoff = Backoff::new(self.shared.options.lock_timeout_ms);
        let mut is_clean = false;
        loop {
            self.reload()?;
            let done = self.compact(which, None, OnOutdated::Reload);
            match &done {
                Err(Error::Outdated) => {}
                Err(Error::Locked { path }) if *path != self.lock_path() => {
                    // The next try tells if that did not help.
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
        which: Which,
        expiry: Option<&LogExpiry>,
        on_outdated: OnOutdated,
    ) -> Result<bool> {
        let shared = &self.shared;
        let view = shared.view();
        if shared.range(&view, which, expiry).is_empty() {
            return Ok(false);
        }
        shared.lock_state().stats.attempts += 1;
        let done = shared.compact_tables(view, which, expiry, on_outdated);
        if matches!(done, Err(Error::Locked { .. })) {
            shared.lock_state().stats.failures += 1;
        }
        done
    }
}

impl Shared {
    /// The tables of `view` that are to be compacted; none when there are too few for that.
    fn range(&self, view: &View, which: Which, expiry: Option<&LogExpiry>) -> Range<usize> {
        let tables = view.merged.tables();
        let range = match which {
            Which::All => 0..tables.len(),
            Which::ByRule => self.segment(tables, None),
        };
        let least = if expiry.is_some() { 1 } else { 2 };
        match range.len() < least {
            true => 0..0,
            false => range,
        }
    }

    /// Makes one table of those of `view` that `which` chooses. By the rule, those that
    /// another process compacts right now are left out, and all that are older.
    fn compact_tables(
        &self,
        mut view: View,
        which: Which,
        expiry: Option<&LogExpiry>,
        on_outdated: OnOutdated,
    ) -> Result<bool> {
        let list_lock = self.lock_list()?;
        if let Compared::Other(..) = self.compare(&view)? {
            if on_outdated == OnOutdated::Fail {
                return Err(Error::Outdated);
            }
            self.reload()?;
            view = self.view();
        }
        let view = &view;
        let all = view.merged.tables();
        let inputs = all.get(self.range(view, which, expiry)).unwrap_or_default();
        if inputs.is_empty() {
            return Ok(false);
        }
        let mut table_locks = self.lock_tables(&*list_lock, inputs, which == Which::ByRule)?;
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
        Ok(true)
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
    ///
    /// A ref that outgrows the block size, as when the tables were written with a larger one, is
    /// no reason to fail: the new table then has blocks that are large enough.
    pub(super) fn write_compacted(
        &self,
        range: &Merged,
        is_oldest: bool,
        expiry: Option<&LogExpiry>,
        renew: &mut dyn FnMut(),
    ) -> Result<Option<Written>> {
        let mut options = self.options.write;
        loop {
            match self.write_with(&options, range, is_oldest, expiry, renew) {
                Err(Error::EntryTooBig { size, limit })
                    if size <= LARGEST_RECORD && may_grow(options.block_size) =>
                {
                    options.block_size = larger(options.block_size, size.saturating_sub(limit));
                }
                done => return done,
            }
        }
    }

    fn write_with(
        &self,
        options: &WriteOptions,
        range: &Merged,
        is_oldest: bool,
        expiry: Option<&LogExpiry>,
        renew: &mut dyn FnMut(),
    ) -> Result<Option<Written>> {
        let (min, max) = (range.min_update_index(), range.max_update_index());
        let mut sink = TableSink::new(self, (min, max));
        {
            let mut writer = Writer::new(&mut sink, options)?;
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

/// The size of a record for which a larger block size is tried, in bytes. Names and targets are
/// never so long, unless a table is damaged.
const LARGEST_RECORD: u64 = 1 << 20;

/// Whether a larger block size may be tried. One below the default was chosen by the user, whom
/// git tells when it is too small for what there is.
fn may_grow(block_size: u32) -> bool {
    block_size == 0 || (DEFAULT_BLOCK_SIZE..MAX_BLOCK_SIZE).contains(&block_size)
}

/// A block size that is larger than `size` by `missing` bytes or more, if there is one.
fn larger(size: u32, missing: u64) -> u32 {
    let size = if size == 0 { DEFAULT_BLOCK_SIZE } else { size };
    let missing = u32::try_from(missing).unwrap_or(u32::MAX).max(1);
    let wanted = size.saturating_add(missing).checked_next_power_of_two();
    wanted.map_or(MAX_BLOCK_SIZE, |wanted| wanted.min(MAX_BLOCK_SIZE))
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
        writer.copy_ref(&refs.record())?;
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
        writer.copy_log(&log)?;
        count();
    }
    Ok(())
}
