//! Reflogs in the form of files, whichever format they are in.
#![forbid(unsafe_code)]

use bstr::ByteSlice as _;
use reftable::merged::{Merged, MergedLogs, Tombstones};
use reftable::record::{LogRecord, LogUpdate, LogValue, Zone};
use reftable::table::Writer;
use reftable::HashId;

use super::tables::Trouble;
use crate::failure::Result;
use crate::files::log_line::LogLine;
use crate::files::store::LogFile;
use crate::files::walk::content;

/// The entries of a log as lines of a file, the oldest first.
#[derive(Debug, Default)]
pub struct LogText {
    pub lines: Vec<u8>,
    pub entries: u64,
    /// Lines of a file that git does not show either.
    pub skipped: u64,
}

impl LogText {
    /// The log in a file. `None` if there is no such file.
    pub fn of_file(log: &LogFile, hash: HashId) -> Result<Option<Self>> {
        let Some(bytes) = content(&log.path)? else {
            return Ok(None);
        };
        let mut text = Self::default();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            match LogLine::parse(line, hash) {
                Some(line) => {
                    line.put(&mut text.lines);
                    text.entries += 1;
                }
                None => text.skipped += 1,
            }
        }
        Ok(Some(text))
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        u64::try_from(self.lines.len()).unwrap_or(u64::MAX)
    }

    /// Adds the log to a table, in which the oldest entry has the update index `first`.
    pub fn write(
        &self,
        writer: &mut Writer<'_>,
        name: &[u8],
        first: u64,
        hash: HashId,
    ) -> Result<(), Trouble> {
        if self.entries == 0 {
            writer.add_log_verbatim(&marker(name, first, hash))?;
            return Ok(());
        }
        let mut end = self.lines.len();
        let mut message = Vec::new();
        for index in (first..first + self.entries).rev() {
            // All but the newline at the end.
            let before = self.lines.get(..end.saturating_sub(1)).unwrap_or_default();
            let start = before.rfind_byte(b'\n').map_or(0, |at| at + 1);
            let line = self.lines.get(start..end).unwrap_or_default();
            end = start;
            if let Some(line) = LogLine::parse(line, hash) {
                writer.add_log(&LogRecord {
                    name,
                    update_index: index,
                    value: LogValue::Update(line.to_update(&mut message)),
                })?;
            }
        }
        Ok(())
    }
}

/// The record that makes a log exist that has no entries, as git writes it.
fn marker(name: &[u8], update_index: u64, hash: HashId) -> LogRecord<'_> {
    LogRecord {
        name,
        update_index,
        value: LogValue::Update(LogUpdate {
            old_hash: hash.zero_id(),
            new_hash: hash.zero_id(),
            name: b"",
            email: b"",
            time: 0,
            tz_offset: Zone::default(),
            message: b"",
        }),
    }
}

/// The logs of a stack, by name.
#[derive(Debug)]
pub struct TableLogs {
    logs: MergedLogs,
    has_record: bool,
    /// The log that was read last.
    pub name: Vec<u8>,
    pub text: LogText,
    /// Its update indexes, the greatest first.
    pub indexes: Vec<u64>,
    /// Why a file cannot hold its entries.
    pub flaw: Option<&'static str>,
    /// The lines of the log, the newest first, and where they begin.
    reversed: Vec<u8>,
    starts: Vec<usize>,
}

impl TableLogs {
    pub fn new(view: &Merged) -> Result<Self> {
        let mut logs = view.logs(Tombstones::Hide);
        let has_record = logs.advance()?;
        Ok(Self {
            logs,
            has_record,
            name: Vec::new(),
            text: LogText::default(),
            indexes: Vec::new(),
            flaw: None,
            reversed: Vec::new(),
            starts: Vec::new(),
        })
    }

    /// Reads the next log. Returns whether there is one.
    pub fn advance(&mut self) -> Result<bool> {
        if !self.has_record {
            return Ok(false);
        }
        self.name.clear();
        self.name.extend_from_slice(self.logs.record().name);
        self.indexes.clear();
        self.reversed.clear();
        self.starts.clear();
        self.flaw = None;
        while self.has_record && self.logs.record().name == self.name {
            let record = self.logs.record();
            // Tables of git's C code may have an entry twice.
            if self.indexes.last() != Some(&record.update_index) {
                self.indexes.push(record.update_index);
                if let LogValue::Update(update) = record.value {
                    if let Some(line) = LogLine::of_record(&update) {
                        self.flaw = self.flaw.or(line.flaw());
                        self.starts.push(self.reversed.len());
                        line.put(&mut self.reversed);
                    }
                }
            }
            self.has_record = self.logs.advance()?;
        }
        self.text.lines.clear();
        let mut end = self.reversed.len();
        for &start in self.starts.iter().rev() {
            let line = self.reversed.get(start..end).unwrap_or_default();
            self.text.lines.extend_from_slice(line);
            end = start;
        }
        self.text.entries = u64::try_from(self.starts.len()).unwrap_or(u64::MAX);
        Ok(true)
    }
}
