//! Writing reflog entries.
#![forbid(unsafe_code)]

use super::{Size, Writer};
use crate::format::error::wide;
use crate::format::words::has_byte;
use crate::format::{BlockType, Error, Result};
use crate::record::{encode_log, is_log_key, log_key, LogRecord, LogValue};

/// The longest message that is copied from another table, in bytes, unless blocks are larger.
/// JGit's longest are below 8 KiB; damaged tables may have some of many megabytes.
const LONGEST_COPIED: u64 = 1 << 20;

impl Writer<'_> {
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

    /// Adds a reflog entry that was read from a table, as it is: whatever a reader accepts is
    /// written, so that entries of other implementations are not lost when they are moved. One
    /// that outgrows the block size gets a block of its own; log blocks are not aligned, and
    /// readers take the length from the block.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the order is broken, the name is empty or holds a NUL, or an id
    /// has the wrong length; [`Error::EntryTooBig`] when the message exceeds both 1 MiB and the block size.
    pub(crate) fn copy_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        self.check_log_name(record)?;
        if let LogValue::Update(update) = &record.value {
            self.check_ids([update.old_hash, update.new_hash].into_iter())?;
            return self.add_checked_log(record, update.message, Size::Any);
        }
        self.add_checked_log(record, &[], Size::Any)
    }

    /// Whether this would repeat the key of the reflog entry added last. A table that git's C
    /// writer made may hold two entries with one key; no further one can.
    #[must_use]
    pub(crate) fn repeats_last_log(&self, name: &[u8], update_index: u64) -> bool {
        is_log_key(&self.log_key, name, update_index)
    }

    fn add_log_with(&mut self, record: &LogRecord<'_>, exact_message: bool) -> Result<()> {
        self.check_log_name(record)?;
        let mut buffer = std::mem::take(&mut self.message);
        let added = self
            .checked_message(record, exact_message, &mut buffer)
            .and_then(|message| self.add_checked_log(record, message, Size::Usual));
        self.message = buffer;
        added
    }

    fn check_log_name(&self, record: &LogRecord<'_>) -> Result<()> {
        self.check_open()?;
        if record.name.is_empty() {
            return Err(Error::Misuse("empty ref name"));
        }
        if has_byte(record.name, 0) {
            return Err(Error::Misuse("NUL in a ref name"));
        }
        Ok(())
    }

    /// Adds a checked entry of the caller's, and the older ones before it.
    fn add_checked_log(
        &mut self,
        record: &LogRecord<'_>,
        message: &[u8],
        size: Size,
    ) -> Result<()> {
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
        self.put_log_with(record, message, size)
    }

    /// Writes an entry of another table as it is.
    pub(in super::super) fn put_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        let message = match record.value {
            LogValue::Update(update) => update.message,
            LogValue::Deletion => &[],
        };
        self.put_log_with(record, message, Size::Any)
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
        self.check_ids([update.old_hash, update.new_hash].into_iter())?;
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

    fn put_log_with(&mut self, record: &LogRecord<'_>, message: &[u8], size: Size) -> Result<()> {
        if self.block.block_type() == BlockType::Ref {
            self.finish_public_section()?;
            // Logs follow at once: the padding of the block before is never written.
            self.next -= wide(self.pending_padding);
            self.pending_padding = 0;
            self.start_block(BlockType::Log);
        }
        // Found out without encoding it: that would take twice the memory of a huge message.
        let limit = match size {
            Size::Usual => u64::from(self.options.block_size),
            Size::Any => u64::from(self.options.block_size).max(LONGEST_COPIED),
        };
        if wide(message.len()) > limit {
            return Err(Error::EntryTooBig {
                size: wide(message.len()),
                limit,
            });
        }
        let mut key = std::mem::take(&mut self.log_key);
        log_key(&mut key, record.name, record.update_index);
        let value_type = record.value.value_type();
        let added = self.add_record_of(size, BlockType::Log, &key, value_type, |out| {
            encode_log(out, &record.value, message)
        });
        self.log_key = key;
        added
    }
}
