//! Writing reflog entries.
#![forbid(unsafe_code)]

use super::{Size, Writer};
use crate::format::error::wide;
use crate::format::words::has_byte;
use crate::format::{BlockType, Error, Result};
use crate::record::{encode_log, is_log_key, log_key, LogRecord, LogUpdate, LogValue};

/// Maximum length of a message copied from another table, in bytes, unless blocks are larger.
/// JGit's longest messages are below 8 KiB; damaged tables may have messages of many megabytes.
const LONGEST_COPIED: u64 = 1 << 20;

impl Writer<'_> {
    /// Adds a reflog entry. Names must ascend, and the entries of a name are added newest first.
    ///
    /// A message must be one line, and is written with exactly one LF at its end, unless
    /// [`exact_log_message`](super::WriteOptions::exact_log_message) is set.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the entry is out of order, the name is empty or contains a NUL, an id
    /// has the wrong length, the message has several lines, or the update index is above the upper
    /// limit (it may be below the lower one, to replace an older entry); [`Error::EntryTooBig`] if
    /// the record does not fit into a block.
    pub fn add_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        self.add_log_with(record, self.options.exact_log_message)
    }

    /// Adds a reflog entry like [`add_log`](Self::add_log), but with its message unchanged. This
    /// is the way to write an entry without a message (`NULL` in git's C library): `add_log` would
    /// write an empty line.
    ///
    /// # Errors
    /// Those of [`add_log`](Self::add_log), except for the message.
    pub fn add_log_verbatim(&mut self, record: &LogRecord<'_>) -> Result<()> {
        self.add_log_with(record, true)
    }

    /// Adds a reflog entry that was read from a table. It is unchanged but for an empty message,
    /// which becomes an empty line unless
    /// [`exact_log_message`](super::WriteOptions::exact_log_message) is set.
    ///
    /// Everything that a reader accepts is accepted, so that entries of other implementations are
    /// not lost when they are moved. An entry larger than the block size is stored in a separate
    /// block; log blocks are not aligned, and readers take the length from the block.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the entry is out of order, the name is empty or contains a NUL, or an
    /// id has the wrong length; [`Error::EntryTooBig`] if the message exceeds both 1 MiB and the
    /// block size.
    pub(crate) fn copy_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        self.check_log_name(record)?;
        if let LogValue::Update(update) = &record.value {
            self.check_ids([update.old_hash, update.new_hash].into_iter())?;
            return self.add_checked_log(record, self.copied_message(update), Size::Any);
        }
        self.add_checked_log(record, &[], Size::Any)
    }

    /// Whether an entry would have the same key as the last one. Tables of git's C writer may
    /// contain two entries with the same key; only the first one can be added.
    #[must_use]
    pub(crate) fn repeats_last_log(&self, name: &[u8], update_index: u64) -> bool {
        is_log_key(&self.log_key, name, update_index)
    }

    fn add_log_with(&mut self, record: &LogRecord<'_>, exact_message: bool) -> Result<()> {
        self.check_log_name(record)?;
        let mut buffer = std::mem::take(&mut self.message);
        let added = self
            .checked_message(record, exact_message, &mut buffer)
            .and_then(|message| self.add_checked_log(record, message, Size::Block));
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

    /// Adds a checked entry of the caller, after the older entries that precede it.
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

    /// Writes an entry of another table, as [`copy_log`](Self::copy_log) does.
    pub(in super::super) fn put_log(&mut self, record: &LogRecord<'_>) -> Result<()> {
        let message = match &record.value {
            LogValue::Update(update) => self.copied_message(update),
            LogValue::Deletion => &[],
        };
        self.put_log_with(record, message, Size::Any)
    }

    /// The message of an entry of another table. One without a message gets an empty line, as when
    /// git's C library compacts: libgit2 releases an empty message, and then the record with it.
    fn copied_message<'m>(&self, update: &LogUpdate<'m>) -> &'m [u8] {
        if update.message.is_empty() && !self.options.exact_log_message {
            return b"\n";
        }
        update.message
    }

    /// Checks an update and returns its message in the form to be written, which is built in
    /// `buffer` if it differs.
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
            // The last block before logs is not padded.
            self.next -= wide(self.pending_padding);
            self.pending_padding = 0;
            self.start_block(BlockType::Log);
        }
        // Checked before encoding, which would use twice the memory of a huge message.
        let limit = match size {
            Size::Block => u64::from(self.options.block_size),
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
