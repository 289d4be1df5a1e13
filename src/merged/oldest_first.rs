//! The entries of one log, oldest first.
//!
//! Cursors return the newest entry first, so all entries are read before the oldest. The newest
//! entries, up to some megabytes, are kept in memory. Of the older ones only the table and the
//! update index are kept, and they are read a second time: messages may have any length, and a
//! damaged table of a few kilobytes may contain many.
#![forbid(unsafe_code)]

use std::mem;
use std::sync::Arc;

use super::MergedLogs;
use crate::format::{Error, Expected, Result};
use crate::record::{LogUpdate, LogValue};
use crate::table::{LogCursor, Table};

/// Maximal size of the kept entries in bytes.
const KEPT: usize = 4 << 20;

/// Makes the entries that outlive their cursor.
pub(crate) trait LogKeeper {
    /// An entry with copies of its texts.
    type Entry;

    /// Copies an update.
    fn keep(&mut self, update_index: u64, update: &LogUpdate<'_>) -> Self::Entry;
}

/// The entries of a log, oldest first, including markers.
#[derive(Debug)]
pub(crate) struct OldestFirst<K: LogKeeper> {
    name: Vec<u8>,
    keeper: K,
    /// The kept entries, newest first.
    kept: Vec<K::Entry>,
    /// Update indexes of the older entries, newest first.
    older: Vec<u64>,
    /// The tables of the older entries, and the number of consecutive entries in each.
    runs: Vec<(Arc<Table>, usize)>,
    /// A cursor over the table read last.
    cursor: Option<LogCursor>,
}

impl<K: LogKeeper> OldestFirst<K> {
    /// Reads the log of `name`.
    pub(crate) fn read(logs: &mut MergedLogs, name: &[u8], keeper: K) -> Result<Self> {
        let mut all = Self {
            name: name.to_vec(),
            keeper,
            kept: Vec::new(),
            older: Vec::new(),
            runs: Vec::new(),
            cursor: None,
        };
        let mut left = KEPT;
        logs.seek_only(name)?;
        while logs.advance()? {
            let record = logs.record();
            let LogValue::Update(update) = &record.value else {
                continue;
            };
            match (left.checked_sub(size::<K>(update)), logs.table()) {
                (None, Some(table)) => {
                    left = 0;
                    all.add_older(record.update_index, table);
                }
                (rest, _) => {
                    left = rest.unwrap_or(0);
                    let entry = all.keeper.keep(record.update_index, update);
                    all.kept.push(entry);
                }
            }
        }
        Ok(all)
    }

    fn add_older(&mut self, update_index: u64, table: &Arc<Table>) {
        self.older.push(update_index);
        match self.runs.last_mut() {
            Some((last, count)) if Arc::ptr_eq(last, table) => *count += 1,
            _ => self.runs.push((Arc::clone(table), 1)),
        }
    }

    /// All entries, newest first, if all are kept; otherwise an empty slice.
    pub(crate) fn all(&mut self) -> &mut [K::Entry] {
        match self.older.is_empty() {
            true => &mut self.kept,
            false => &mut [],
        }
    }

    /// The next entry, or `None` after the newest.
    pub(crate) fn next(&mut self) -> Result<Option<K::Entry>> {
        match self.older.pop() {
            Some(update_index) => self.read_again(update_index).map(Some),
            None => {
                self.cursor = None;
                Ok(self.kept.pop())
            }
        }
    }

    fn read_again(&mut self, update_index: u64) -> Result<K::Entry> {
        let (table, count) = self
            .runs
            .last_mut()
            .ok_or(Error::Misuse("no table is left for the older log entries"))?;
        let table = Arc::clone(table);
        *count -= 1;
        // Tables of git's C writer may contain a key twice; the newer record comes first.
        let before = self.older.iter().rev().take(*count);
        let same = before.take_while(|&&index| index == update_index).count();
        let kept = self.cursor.take();
        let kept = kept.filter(|cursor| Arc::ptr_eq(cursor.table(), &table));
        let cursor = self.cursor.insert(kept.unwrap_or_else(|| table.logs()));
        if *count == 0 {
            self.runs.pop();
        }
        cursor.seek_at(&self.name, update_index)?;
        for _ in 0..same {
            cursor.advance()?;
        }
        let found = match cursor.advance()? {
            true => cursor.record(),
            false => return Err(changed(&table, 0, update_index)),
        };
        match &found.value {
            LogValue::Update(update) if found.update_index == update_index => {
                Ok(self.keeper.keep(update_index, update))
            }
            _ => Err(changed(&table, found.update_index, update_index)),
        }
    }
}

/// The error if a second read does not find the entry at `update_index`.
fn changed(table: &Table, found: u64, update_index: u64) -> Error {
    let what = "update index of a log entry that is read again";
    Error::corrupt(
        table.name(),
        0,
        what,
        found,
        Expected::Exactly(update_index),
    )
}

/// About the bytes of a kept entry.
fn size<K: LogKeeper>(update: &LogUpdate<'_>) -> usize {
    let texts = [update.message, update.name, update.email];
    let texts = texts.map(<[u8]>::len).into_iter();
    texts.fold(mem::size_of::<K::Entry>(), usize::saturating_add)
}
