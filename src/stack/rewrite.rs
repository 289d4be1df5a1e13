//! Writing the records of several tables into one.
#![forbid(unsafe_code)]

use std::io;
use std::sync::atomic::Ordering;

use super::options::LogExpiry;
use super::shared::Shared;
use super::sink::{TableSink, Written};
use crate::format::{Error, Result, DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE};
use crate::merged::{Merged, Tombstones};
use crate::record::{LogRecord, LogValue};
use crate::table::{WriteOptions, Writer};

/// Number of records between two checks of the clock and of the flag that interrupts.
const RECORDS_PER_RENEWAL: u64 = 4096;

/// The size of a record up to which a larger block size is tried, in bytes. Longer names and
/// targets occur only in damaged tables.
const LARGEST_RECORD: u64 = 1 << 20;

impl Shared {
    /// Writes the records of `range` into a new table; returns `None` if no record remains.
    /// Calls `renew` every few thousand records.
    ///
    /// If a ref is too large for the block size, as when its table was written with a larger
    /// one, the new table gets a larger block size.
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
            let mut counted = 0;
            let mut count = |position: u64| {
                entries += 1;
                if entries % RECORDS_PER_RENEWAL == 0 {
                    renew();
                    self.check_interrupt()?;
                    if let Some(progress) = &self.options.progress {
                        progress.add(RECORDS_PER_RENEWAL, position - counted);
                        counted = position;
                    }
                }
                Ok(())
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

    /// Fails if the options' flag is set.
    fn check_interrupt(&self) -> Result<()> {
        match &self.options.interrupt {
            Some(flag) if flag.load(Ordering::Relaxed) => {
                let error = io::Error::from(io::ErrorKind::Interrupted);
                Err(Error::io("compact", &self.dir, error))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a larger block size may be tried. A size below the default was chosen by the user,
/// and git reports an error if it is too small.
fn may_grow(block_size: u32) -> bool {
    block_size == 0 || (DEFAULT_BLOCK_SIZE..MAX_BLOCK_SIZE).contains(&block_size)
}

/// A block size of at least `size + missing` bytes, up to the limit of the format.
fn larger(size: u32, missing: u64) -> u32 {
    let size = if size == 0 { DEFAULT_BLOCK_SIZE } else { size };
    let missing = u32::try_from(missing).unwrap_or(u32::MAX).max(1);
    let wanted = size.saturating_add(missing).checked_next_power_of_two();
    wanted.map_or(MAX_BLOCK_SIZE, |wanted| wanted.min(MAX_BLOCK_SIZE))
}

/// Copies the records of `range` to `writer`. Tombstones are kept if there are older tables,
/// whose records they hide. Calls `count` after each with the position of the writer.
fn copy_records(
    range: &Merged,
    is_oldest: bool,
    expiry: Option<&LogExpiry>,
    writer: &mut Writer<'_>,
    count: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let tombstones = if is_oldest {
        Tombstones::Hide
    } else {
        Tombstones::Show
    };
    let mut refs = range.refs(tombstones);
    while refs.advance()? {
        writer.copy_ref(&refs.record())?;
        count(writer.position())?;
    }
    let expiry = expiry.copied().unwrap_or_default();
    let mut newest = Newest::default();
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
        if expiry.max_entries > 0 && !newest.has_room_for(&log, expiry.max_entries) {
            continue;
        }
        if writer.repeats_last_log(log.name, log.update_index) {
            continue;
        }
        writer.copy_log(&log)?;
        count(writer.position())?;
    }
    Ok(())
}

/// Counts the entries of the current ref. They come newest first.
#[derive(Default)]
struct Newest {
    name: Vec<u8>,
    count: u64,
}

impl Newest {
    /// Counts an entry, and returns whether at most `limit` have been counted.
    fn has_room_for(&mut self, log: &LogRecord<'_>, limit: u64) -> bool {
        if self.name != log.name {
            self.name.clear();
            self.name.extend_from_slice(log.name);
            self.count = 0;
        }
        if matches!(log.value, LogValue::Update(_)) {
            self.count += 1;
        }
        self.count <= limit
    }
}
