//! Writing a table: refs, then objects, then logs, each section with its index.
//!
//! Given the same records and options, the file is the one that git's C writer makes, byte for
//! byte, but for what log blocks are deflated to.
#![forbid(unsafe_code)]

use super::header::Header;
use super::objects::ObjectIndex;
use super::older::Older;
use super::options::{BlockStats, Sink, Stats, WriteOptions};
use super::output::Output;
use crate::block::{BlockWriter, Entry};
use crate::format::error::wide;
use crate::format::layout::MAX_OBJECT_ID_LEN;
use crate::format::words::{common_prefix, has_byte};
use crate::format::{
    varint, BlockType, Error, Result, DEFAULT_BLOCK_SIZE, DEFAULT_RESTART_INTERVAL, MAX_BLOCK_SIZE,
};
use crate::record::{
    encode_log, encode_obj, encode_ref, is_log_key, log_key, obj_value_type, LogRecord, LogValue,
    RefRecord, RefValue,
};

/// Last keys and positions of the blocks of one level, for the level above.
#[derive(Debug, Default)]
struct IndexEntries {
    keys: Vec<u8>,
    /// End of the key in `keys`, and position of the block.
    blocks: Vec<(usize, u64)>,
}

impl IndexEntries {
    fn push(&mut self, key: &[u8], offset: u64) {
        self.keys.extend_from_slice(key);
        self.blocks.push((self.keys.len(), offset));
    }

    fn len(&self) -> usize {
        self.blocks.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let mut start = 0;
        self.blocks.iter().map(move |&(end, offset)| {
            let key = self.keys.get(start..end).unwrap_or_default();
            start = end;
            (key, offset)
        })
    }
}

/// Writes one table to a sink.
///
/// Refs come first, in ascending order of names; then logs, in ascending order of names and, for
/// a name, the newest first. [`finish`](Self::finish) must be called at the end.
#[derive(Debug)]
pub struct Writer<'s> {
    output: Output<'s>,
    options: WriteOptions,
    header: Header,
    /// Least and greatest update index of the records that the caller adds.
    limits: (u64, u64),
    /// What is written along with the caller's records.
    older: Option<Box<dyn Older>>,
    /// How many records the caller has added.
    added: u64,
    block: BlockWriter,
    /// Key of the last record of the current section; empty at its start.
    last_key: Vec<u8>,
    /// The key of a log record, made here.
    log_key: Vec<u8>,
    message: Vec<u8>,
    index: IndexEntries,
    objects: ObjectIndex,
    stats: Stats,
    /// Position of the block under construction.
    next: u64,
    /// NUL bytes owed to the last block, unless logs follow.
    pending_padding: usize,
    begun: bool,
    finished: bool,
    /// Whether the second record of a block may come in any order.
    lenient: bool,
    /// Whether the next record may.
    any_order: bool,
}

impl<'s> Writer<'s> {
    /// A writer of a table with update indexes 0 to 0; see [`set_limits`](Self::set_limits).
    ///
    /// # Errors
    /// [`Error::Misuse`] when the block size is above 16,777,215.
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

    /// Has all records of `older` written along with those that will be added, in their
    /// order; of two with one key the added one. They count as one table: its least update
    /// index is that of `older`. To be called before anything else.
    #[must_use]
    pub fn with_older(mut self, older: Box<dyn Older>) -> Self {
        self.older = Some(older);
        self
    }

    /// Lets the second record of a block come in any order after the first, as git's C writer
    /// does (of logs of every block, of refs of all but the first). Readers that check the
    /// order call a table damaged where it is broken.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Sets the least and the greatest update index of the records to come, both included.
    ///
    /// # Errors
    /// [`Error::Misuse`] once a record has been written, or when `min` is above `max`.
    pub fn set_limits(&mut self, min: u64, max: u64) -> Result<()> {
        if min > max {
            return Err(Error::Misuse("least update index above the greatest"));
        }
        self.set_any_limits(min, max)
    }

    /// Sets the limits in whatever order they are, as git's C library does. When `min` is above
    /// `max` no ref fits, but logs up to `max` do.
    ///
    /// # Errors
    /// [`Error::Misuse`] once a record has been written.
    pub fn set_any_limits(&mut self, min: u64, max: u64) -> Result<()> {
        if self.begun || self.finished {
            return Err(Error::Misuse("update index limits set after writing began"));
        }
        self.limits = (min, max);
        let older = self.older.as_ref().map(|older| older.min_update_index());
        self.header.min_update_index = older.map_or(min, |least| least.min(min));
        self.header.max_update_index = max;
        Ok(())
    }

    /// The least and the greatest update index, as they were set.
    #[must_use]
    pub fn limits(&self) -> (u64, u64) {
        self.limits
    }

    /// How many records were added, dropped tombstones included and older records not.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Numbers about what has been written so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Adds a ref. Names must ascend.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the order is broken, logs were written already, the name is empty
    /// or holds a NUL, an id has the wrong length, or the update index is outside the limits;
    /// [`Error::EntryTooBig`] when the record does not fit into a block.
    pub fn add_ref(&mut self, record: &RefRecord<'_>) -> Result<()> {
        self.check_open()?;
        let (min, max) = self.limits();
        if record.update_index < min || record.update_index > max {
            return Err(Error::Misuse("update index of a ref outside the limits"));
        }
        let hash_len = self.options.hash_id.len();
        let ids = [record.value.id(), record.value.peeled()];
        if ids.iter().flatten().any(|id| id.len() != hash_len) {
            return Err(Error::Misuse("object id of the wrong length"));
        }
        if let RefValue::Symref(target) = record.value {
            if target.contains(&0) {
                return Err(Error::Misuse("NUL in the target of a symbolic ref"));
            }
        }
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

    /// Adds a reflog entry. Names must ascend, and the entries of a name come newest first.
    ///
    /// Unless the options ask for exact messages, a message must be one line; it is written with
    /// exactly one LF at its end.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the order is broken, the name is empty or holds a NUL, an id has
    /// the wrong length, the message has several lines, or the update index is above the greatest
    /// one (it may be less than the least: an entry can replace an old one);
    /// [`Error::EntryTooBig`] when the record does not fit into a block.
    pub fn add_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        self.add_log_with(record, self.options.exact_log_message)
    }

    /// Adds a reflog entry like [`add_log`](Self::add_log), its message as it is. This is how an
    /// entry without a message is written (`NULL` in git's C library), which an empty one, made
    /// an empty line, is not.
    ///
    /// # Errors
    /// Those of [`add_log`](Self::add_log), but for the message.
    pub fn add_log_verbatim(&mut self, record: &LogRecord<'_>) -> Result<()> {
        self.add_log_with(record, true)
    }

    /// Whether this would repeat the key of the reflog entry added last. A table that git's C
    /// writer made may hold two entries with one key; no further one can.
    #[must_use]
    pub fn repeats_last_log(&self, name: &[u8], update_index: u64) -> bool {
        is_log_key(&self.log_key, name, update_index)
    }

    fn add_log_with(&mut self, record: &LogRecord<'_>, exact_message: bool) -> Result<()> {
        self.check_open()?;
        if record.name.is_empty() {
            return Err(Error::Misuse("empty ref name"));
        }
        if has_byte(record.name, 0) {
            return Err(Error::Misuse("NUL in a ref name"));
        }
        let mut buffer = std::mem::take(&mut self.message);
        let added = self
            .checked_message(record, exact_message, &mut buffer)
            .and_then(|message| self.add_checked_log(record, message));
        self.message = buffer;
        added
    }

    /// Adds a checked entry of the caller's, and the older ones before it.
    fn add_checked_log(&mut self, record: &LogRecord<'_>, message: &[u8]) -> Result<()> {
        self.added += 1;
        if let Some(mut older) = self.older.take() {
            self.add_older_refs(&mut *older, None)?;
            self.add_older_logs(&mut *older, Some(record))?;
            let drop = older.drops_tombstones() && record.is_deletion();
            self.older = Some(older);
            if drop {
                return Ok(());
            }
        }
        self.put_log_with(record, message)
    }

    /// Writes an entry with its message as it is.
    pub(super) fn put_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        let message = match record.value {
            LogValue::Update(update) => update.message,
            LogValue::Deletion => &[],
        };
        self.put_log_with(record, message)
    }

    /// Checks an update and gives its message as it is to be written, which is made in `buffer`
    /// unless it is so already.
    fn checked_message<'m>(
        &self,
        record: &LogRecord<'m>,
        exact_message: bool,
        buffer: &'m mut Vec<u8>,
    ) -> Result<&'m [u8]> {
        let LogValue::Update(update) = &record.value else {
            return Ok(&[]);
        };
        if record.update_index > self.limits.1 {
            return Err(Error::Misuse("update index of a log above the limit"));
        }
        let hash_len = self.options.hash_id.len();
        if update.old_hash.len() != hash_len || update.new_hash.len() != hash_len {
            return Err(Error::Misuse("object id of the wrong length"));
        }
        if exact_message {
            return Ok(update.message);
        }
        let mut line = update.message;
        while let Some(rest) = line.strip_suffix(b"\n") {
            line = rest;
        }
        if has_byte(line, b'\n') {
            return Err(Error::Misuse("log message of several lines"));
        }
        if update.message.len() == line.len() + 1 {
            return Ok(update.message);
        }
        buffer.clear();
        buffer.extend_from_slice(line);
        buffer.push(b'\n');
        Ok(buffer)
    }

    fn put_log_with(&mut self, record: &LogRecord<'_>, message: &[u8]) -> Result<()> {
        if self.block.block_type() == BlockType::Ref {
            self.finish_public_section()?;
            // Logs follow at once: the padding of the block before is never written.
            self.next -= wide(self.pending_padding);
            self.pending_padding = 0;
            self.start_block(BlockType::Log);
        }
        let mut key = std::mem::take(&mut self.log_key);
        log_key(&mut key, record.name, record.update_index);
        let added = self.add_record(BlockType::Log, &key, record.value.value_type(), |out| {
            encode_log(out, &record.value, message)
        });
        self.log_key = key;
        added
    }

    /// Ends the last section, writes the footer and makes the file durable.
    ///
    /// # Errors
    /// [`Error::EmptyTable`] when there are no records; header and footer are written all the
    /// same. [`Error::Misuse`] when called twice. Errors of the sink.
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
        let empty = self.next == 0;
        if empty {
            self.output.write(&self.header.encode())?;
        }
        self.output.write(&self.header.footer(&self.stats))?;
        self.output.finish()?;
        if empty {
            // Nobody keeps such a file, so there is nothing to make durable.
            return Err(Error::EmptyTable);
        }
        // git's C writer syncs before it writes the footer, and a crash can then leave a listed
        // table without its end. Here the footer is part of what is made durable.
        self.output.sync()?;
        Ok(self.stats)
    }

    /// Adds a record to the current section, beginning a new block when the last one is full.
    #[inline(always)]
    fn add_record(
        &mut self,
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
        // What is shared was checked with the record before.
        if section == BlockType::Ref && has_byte(suffix, 0) {
            return Err(Error::Misuse("NUL in a ref name"));
        }
        self.begun = true;
        let entry = Entry { key, shared, extra };
        self.any_order = self.lenient && section == BlockType::Log && self.block.entries() == 0;
        if !self.block.add(&entry, &encode) {
            self.flush_block()?;
            if !self.block.add(&entry, &encode) {
                return Err(self.too_big(key, encode));
            }
            self.any_order = self.lenient;
        }
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(suffix);
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
        let header_len = if self.next == 0 { self.header.len() } else { 0 };
        self.block.start(block_type, header_len);
    }

    fn section_stats(&mut self, block_type: BlockType) -> &mut BlockStats {
        match block_type {
            BlockType::Ref => &mut self.stats.ref_stats,
            BlockType::Log => &mut self.stats.log_stats,
            BlockType::Obj => &mut self.stats.obj_stats,
            BlockType::Index => &mut self.stats.idx_stats,
        }
    }

    /// Writes the current block, if it has records, and notes it for the index.
    fn flush_block(&mut self) -> Result<()> {
        let entries = wide(self.block.entries());
        if entries == 0 {
            return Ok(());
        }
        let block_type = self.block.block_type();
        let next = self.next;
        let restarts = wide(self.block.restarts());
        let stats = self.section_stats(block_type);
        if stats.blocks == 0 {
            // Stays 0 for the first block of the file, whose section needs no position.
            stats.offset = next;
        }
        stats.entries += entries;
        stats.restarts += restarts;
        stats.blocks += 1;
        self.stats.blocks += 1;

        let block = self.block.finish()?;
        if next == 0 {
            let header = self.header.encode();
            for (place, byte) in block.head.iter_mut().zip(&header) {
                *place = *byte;
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

    /// Ends the current section and writes its index.
    ///
    /// An index of more blocks than the threshold gets an index of its own, and so on. The
    /// topmost level comes last, and its position is that of the index.
    fn finish_section(&mut self) -> Result<()> {
        let section = self.block.block_type();
        self.flush_block()?;
        let threshold = if self.options.unpadded { 1 } else { 3 };
        let blocks_before = self.stats.idx_stats.blocks;
        let mut index_offset = 0;
        let mut levels = 0;
        while self.index.len() > threshold {
            levels += 1;
            index_offset = self.next;
            let level = std::mem::take(&mut self.index);
            self.start_block(BlockType::Index);
            self.last_key.clear();
            for (key, offset) in level.iter() {
                self.add_record(BlockType::Index, key, 0, |out| varint::put(out, offset))?;
            }
            self.flush_block()?;
            if self.index.len() >= level.len() {
                // One record a block: no level above would ever be shorter.
                return Err(Error::EntryTooBig {
                    size: wide(self.last_key.len()),
                    limit: self.block.capacity() / 2,
                });
            }
        }
        self.index = IndexEntries::default();
        self.last_key.clear();
        let index_blocks = self.stats.idx_stats.blocks - blocks_before;
        let stats = self.section_stats(section);
        stats.index_blocks = index_blocks;
        stats.index_offset = index_offset;
        stats.max_index_level = levels;
        Ok(())
    }

    /// Ends refs, with the objects they mention, or logs.
    fn finish_public_section(&mut self) -> Result<()> {
        let section = self.block.block_type();
        self.finish_section()?;
        let objects = std::mem::replace(&mut self.objects, ObjectIndex::new(self.options.hash_id));
        // Without an index the refs fill so few blocks that looking at all of them is cheap.
        if section == BlockType::Ref
            && !self.options.skip_index_objects
            && self.stats.ref_stats.index_blocks > 0
        {
            self.write_objects(objects)?;
        }
        Ok(())
    }

    fn write_objects(&mut self, mut objects: ObjectIndex) -> Result<()> {
        let id_len = objects.sort();
        if id_len > MAX_OBJECT_ID_LEN {
            // The footer has no room for the length. The section is optional, so leave it out.
            return Ok(());
        }
        self.stats.object_id_len = u8::try_from(id_len).unwrap_or(0);
        self.start_block(BlockType::Obj);
        objects.for_each(|id, blocks| self.add_object(id.get(..id_len).unwrap_or(id), blocks))?;
        self.finish_section()
    }

    /// Adds an object; without the positions of its refs when they do not fit into a block.
    fn add_object(&mut self, id: &[u8], blocks: &[u64]) -> Result<()> {
        let encode = |out: &mut Vec<u8>| encode_obj(out, blocks.len(), blocks.iter().copied());
        match self.add_record(BlockType::Obj, id, obj_value_type(blocks.len()), encode) {
            Err(Error::EntryTooBig { .. }) => {
                let encode = |out: &mut Vec<u8>| encode_obj(out, 0, std::iter::empty());
                self.add_record(BlockType::Obj, id, obj_value_type(0), encode)
            }
            other => other,
        }
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
#[path = "writer_tests.rs"]
mod tests;
