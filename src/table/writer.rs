//! Writing a table: refs, then objects, then logs, each section followed by its index.
//!
//! For the same records and options, the file equals that of git's C writer byte for byte, provided
//! that the deflaters produce the same log blocks. There are two exceptions, which
//! [`WriteOptions::git_layout`] describes and turns off.
#![forbid(unsafe_code)]

mod index;
mod logs;

use self::index::IndexEntries;
use super::header::Header;
use super::objects::ObjectIndex;
use super::older::Older;
use super::options::{BlockStats, Sink, Stats, WriteOptions};
use super::output::Output;
use crate::block::{BlockWriter, RecordKey};
use crate::format::error::wide;
use crate::format::words::{common_prefix, has_byte};
use crate::format::{
    BlockType, Error, Result, DEFAULT_BLOCK_SIZE, DEFAULT_RESTART_INTERVAL, MAX_BLOCK_SIZE,
};
use crate::record::{encode_ref, RefRecord, RefValue};

/// Whether a record may exceed the block size, in a separate block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// The record must fit into the block size.
    Block,
    /// The record may be larger.
    Any,
}

/// Writes one table to a sink.
///
/// Refs are added first, by ascending names; then reflog entries, by ascending names and newest
/// first for each name. [`finish`](Self::finish) must be called at the end.
///
/// ```
/// use std::sync::Arc;
///
/// use reftable::record::{RefRecord, RefValue};
/// use reftable::table::{Table, WriteOptions, Writer};
///
/// # fn main() -> reftable::format::Result<()> {
/// let mut bytes = Vec::new();
/// let mut writer = Writer::new(&mut bytes, &WriteOptions::default())?;
/// writer.set_limits(1, 1)?;
/// writer.add_ref(&RefRecord {
///     name: b"refs/heads/main",
///     update_index: 1,
///     value: RefValue::Val1(&[0x11; 20]),
/// })?;
/// writer.finish()?;
/// drop(writer);
///
/// let table = Arc::new(Table::new("example", bytes.into())?);
/// let mut refs = table.refs();
/// refs.seek(b"refs/heads/")?;
/// assert!(refs.advance()?);
/// assert_eq!(refs.record().name, b"refs/heads/main");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Writer<'s> {
    output: Output<'s>,
    options: WriteOptions,
    header: Header,
    /// Least and greatest update index of the records added by the caller.
    limits: (u64, u64),
    /// Older records that are merged with those of the caller.
    older: Option<Box<dyn Older>>,
    /// Number of records added by the caller.
    added: u64,
    block: BlockWriter,
    /// Key of the last record of the current section; empty at its start.
    last_key: Vec<u8>,
    /// Key of the last reflog entry.
    log_key: Vec<u8>,
    /// Buffer for a message to which an LF is added.
    message: Vec<u8>,
    index: IndexEntries,
    objects: ObjectIndex,
    stats: Stats,
    /// Position of the block under construction.
    next: u64,
    /// Padding of the last block, which is written only if a block other than a log block follows.
    pending_padding: usize,
    begun: bool,
    finished: bool,
    /// Whether the second record of a block may be out of order.
    lenient: bool,
    /// Whether the next record may be out of order.
    any_order: bool,
}

impl<'s> Writer<'s> {
    /// A writer of a table whose update indexes are all 0 unless [`set_limits`](Self::set_limits)
    /// is called.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the block size is above 16,777,215.
    pub fn new(sink: &'s mut dyn Sink, options: &WriteOptions) -> Result<Self> {
        let mut options = *options;
        if options.block_size == 0 {
            options.block_size = DEFAULT_BLOCK_SIZE;
        }
        if options.restart_interval == 0 {
            options.restart_interval = DEFAULT_RESTART_INTERVAL;
        }
        if options.block_size > MAX_BLOCK_SIZE {
            return Err(Error::Misuse("block size above 16777215"));
        }
        let header = Header::new(options.hash_id, options.block_size);
        let mut block = BlockWriter::new(options.block_size, options.restart_interval);
        block.start(BlockType::Ref, header.len());
        Ok(Self {
            output: Output::new(sink),
            objects: ObjectIndex::new(options.hash_id),
            options,
            header,
            limits: (0, 0),
            older: None,
            added: 0,
            block,
            last_key: Vec::new(),
            log_key: Vec::new(),
            message: Vec::new(),
            index: IndexEntries::default(),
            stats: Stats::default(),
            next: 0,
            pending_padding: 0,
            begun: false,
            finished: false,
            lenient: false,
            any_order: false,
        })
    }

    /// Merges all records of `older` with those that will be added; of two records with the same
    /// key the added one is written. The least update index of the table becomes that of `older`.
    /// Must be called before anything else.
    #[must_use]
    pub(crate) fn with_older(mut self, older: Box<dyn Older>) -> Self {
        self.older = Some(older);
        self
    }

    /// Accepts the second record of a block out of order, as git's C writer does: for logs in every
    /// block, for refs in all blocks but the first. Readers that check the order report such a
    /// table as damaged.
    #[must_use]
    pub(crate) fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Sets the least and the greatest update index of the records to be added, both inclusive.
    ///
    /// # Errors
    /// [`Error::Misuse`] after a record has been written, or if `min` is above `max`.
    pub fn set_limits(&mut self, min: u64, max: u64) -> Result<()> {
        if min > max {
            return Err(Error::Misuse("least update index above the greatest"));
        }
        self.set_any_limits(min, max)
    }

    /// Sets the limits without checking their order, as git's C library does. If `min` is above
    /// `max`, every ref is refused, but reflog entries up to `max` are accepted.
    ///
    /// # Errors
    /// [`Error::Misuse`] after a record has been written.
    pub(crate) fn set_any_limits(&mut self, min: u64, max: u64) -> Result<()> {
        if self.begun || self.finished {
            return Err(Error::Misuse("update index limits set after writing began"));
        }
        self.limits = (min, max);
        let older = self.older.as_ref().map(|older| older.min_update_index());
        self.header.min_update_index = older.map_or(min, |least| least.min(min));
        self.header.max_update_index = max;
        Ok(())
    }

    /// The least and the greatest update index that were set.
    #[must_use]
    pub fn limits(&self) -> (u64, u64) {
        self.limits
    }

    /// Size of the blocks written so far, in bytes.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Number of records added, including dropped tombstones, but not older records.
    #[must_use]
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// Statistics of the blocks written so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Adds a ref. Names must ascend.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the record is out of order, logs have been written, the name is empty
    /// or contains a NUL, an id has the wrong length, or the update index is outside the limits;
    /// [`Error::EntryTooBig`] if the record does not fit into a block.
    pub fn add_ref(&mut self, record: &RefRecord<'_>) -> Result<()> {
        if let RefValue::Symref(target) = record.value {
            if target.contains(&0) {
                return Err(Error::Misuse("NUL in the target of a symbolic ref"));
            }
        }
        self.copy_ref(record)
    }

    /// Adds a ref that was read from a table, like [`add_ref`](Self::add_ref), but without checking
    /// the target of a symbolic ref.
    ///
    /// # Errors
    /// Those of [`add_ref`](Self::add_ref).
    pub(crate) fn copy_ref(&mut self, record: &RefRecord<'_>) -> Result<()> {
        self.check_open()?;
        let (min, max) = self.limits();
        if record.update_index < min || record.update_index > max {
            return Err(Error::Misuse("update index of a ref outside the limits"));
        }
        let ids = [record.value.id(), record.value.peeled()];
        self.check_ids(ids.into_iter().flatten())?;
        self.added += 1;
        if let Some(mut older) = self.older.take() {
            self.add_older_refs(&mut *older, Some(record.name))?;
            let drop = older.drops_tombstones() && record.is_deletion();
            self.older = Some(older);
            if drop {
                return Ok(());
            }
        }
        self.put_ref(record)
    }

    /// Writes a checked ref.
    pub(super) fn put_ref(&mut self, record: &RefRecord<'_>) -> Result<()> {
        let min = self.header.min_update_index;
        self.add_record(
            BlockType::Ref,
            record.name,
            record.value.value_type(),
            |out| encode_ref(out, record.update_index.wrapping_sub(min), &record.value),
        )?;
        if !self.options.skip_index_objects {
            let ids = [record.value.id(), record.value.peeled()];
            for id in ids.into_iter().flatten() {
                self.objects.add(id, self.next);
            }
        }
        Ok(())
    }

    /// Ends the last section, writes the footer and makes the file durable.
    ///
    /// # Errors
    /// [`Error::EmptyTable`] if there are no records; header and footer are written nevertheless.
    /// [`Error::Misuse`] if called twice. Errors of the sink.
    pub fn finish(&mut self) -> Result<Stats> {
        if self.finished {
            return Err(Error::Misuse("table finished twice"));
        }
        self.finished = true;
        if !matches!(self.block.block_type(), BlockType::Ref | BlockType::Log) {
            return Err(Error::Misuse("table finished after a failed write"));
        }
        if let Some(mut older) = self.older.take().filter(|_| self.added > 0) {
            self.add_older_refs(&mut *older, None)?;
            self.add_older_logs(&mut *older, None)?;
        }
        self.finish_public_section()?;
        self.pending_padding = 0;
        let empty = self.stats.blocks == 0;
        if empty {
            self.output.write(&self.header.encode())?;
        }
        self.output.write(&self.header.footer(&self.stats))?;
        self.output.finish()?;
        if empty {
            // The caller discards such a file, so it need not be durable.
            return Err(Error::EmptyTable);
        }
        // git's C writer syncs before it writes the footer, so that after a crash a listed table
        // may lack its end. Here the footer is synced too.
        self.output.sync()?;
        Ok(self.stats)
    }

    /// Adds a record to the current section, and begins a new block if the current one is full.
    #[inline(always)]
    fn add_record(
        &mut self,
        section: BlockType,
        key: &[u8],
        extra: u8,
        encode: impl Fn(&mut Vec<u8>),
    ) -> Result<()> {
        self.add_record_of(Size::Block, section, key, extra, encode)
    }

    /// Adds a record like [`add_record`](Self::add_record), of which `size` says whether it may
    /// exceed the block size.
    #[inline(always)]
    fn add_record_of(
        &mut self,
        size: Size,
        section: BlockType,
        key: &[u8],
        extra: u8,
        encode: impl Fn(&mut Vec<u8>),
    ) -> Result<()> {
        if self.block.block_type() != section {
            return Err(Error::Misuse("record of another section"));
        }
        let shared = common_prefix(&self.last_key, key);
        let suffix = key.get(shared..).unwrap_or_default();
        if suffix.first() <= self.last_key.get(shared) && (key.is_empty() || !self.any_order) {
            return Err(out_of_order(key));
        }
        // The shared bytes were checked with the previous record.
        if section == BlockType::Ref && has_byte(suffix, 0) {
            return Err(Error::Misuse("NUL in a ref name"));
        }
        self.begun = true;
        let record_key = RecordKey {
            bytes: key,
            shared,
            extra,
        };
        self.any_order = self.lenient && section == BlockType::Log && self.block.entries() == 0;
        if !self.block.add(&record_key, &encode) {
            self.flush_block()?;
            let fits = self.block.add(&record_key, &encode)
                || size == Size::Any && self.block.add_oversized(&record_key, &encode);
            if !fits {
                return Err(self.too_big(key, encode));
            }
            self.any_order = self.lenient;
        }
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(suffix);
        Ok(())
    }

    /// Checks the lengths of object ids.
    fn check_ids<'a>(&self, mut ids: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let hash_len = self.options.hash_id.len();
        if ids.any(|id| id.len() != hash_len) {
            return Err(Error::Misuse("object id of the wrong length"));
        }
        Ok(())
    }

    fn check_open(&self) -> Result<()> {
        if self.finished {
            return Err(Error::Misuse("record added to a finished table"));
        }
        Ok(())
    }

    #[cold]
    fn too_big(&self, key: &[u8], encode: impl Fn(&mut Vec<u8>)) -> Error {
        let mut bytes = Vec::new();
        crate::format::key::put(&mut bytes, key, 0, 0);
        encode(&mut bytes);
        Error::EntryTooBig {
            size: wide(bytes.len()),
            limit: self.block.capacity(),
        }
    }

    fn start_block(&mut self, block_type: BlockType) {
        let header_len = match block_type {
            BlockType::Log if self.log_header_apart() => 0,
            _ if self.next == 0 => self.header.len(),
            _ => 0,
        };
        self.block.start(block_type, header_len);
    }

    /// Whether a log block that is the first block does not include the file header. According to
    /// the format's document it begins after the header. If it included the header, its position in
    /// the footer would be 0, which JGit takes to mean that there are no logs.
    fn log_header_apart(&self) -> bool {
        !self.options.git_layout
    }

    fn section_stats(&mut self, block_type: BlockType) -> &mut BlockStats {
        match block_type {
            BlockType::Ref => &mut self.stats.ref_stats,
            BlockType::Log => &mut self.stats.log_stats,
            BlockType::Obj => &mut self.stats.obj_stats,
            BlockType::Index => &mut self.stats.idx_stats,
        }
    }

    /// Writes the current block, if it has records, and adds it to the index.
    fn flush_block(&mut self) -> Result<()> {
        let entries = wide(self.block.entries());
        if entries == 0 {
            return Ok(());
        }
        let block_type = self.block.block_type();
        if self.next == 0 && block_type == BlockType::Log && self.log_header_apart() {
            self.output.write(&self.header.encode())?;
            self.next = wide(self.header.len());
        }
        let next = self.next;
        let restarts = wide(self.block.restarts());
        let stats = self.section_stats(block_type);
        if stats.blocks == 0 {
            // 0 for a first block that includes the header: its section needs no position.
            stats.offset = next;
        }
        stats.entries += entries;
        stats.restarts += restarts;
        stats.blocks += 1;
        self.stats.blocks += 1;

        let block = self.block.finish()?;
        if next == 0 {
            let header = self.header.encode();
            for (target, byte) in block.head.iter_mut().zip(&header) {
                *target = *byte;
            }
        }
        self.output.pad(self.pending_padding)?;
        self.output.write_block(block.head, block.deflated)?;
        let len = block.head.len() + block.deflated.len();
        self.pending_padding = if self.options.unpadded || block_type == BlockType::Log {
            0
        } else {
            let block_size = usize::try_from(self.options.block_size).unwrap_or(len);
            block_size.saturating_sub(len)
        };
        self.index.push(&self.last_key, next);
        self.next += wide(len + self.pending_padding);
        self.start_block(block_type);
        Ok(())
    }
}

#[cold]
fn out_of_order(key: &[u8]) -> Error {
    Error::Misuse(if key.is_empty() {
        "empty ref name"
    } else {
        "records not in ascending order"
    })
}

#[cfg(test)]
mod tests;
