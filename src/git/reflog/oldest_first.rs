//! The entries of one log, oldest first.
//!
//! Cursors return the newest entry first, so all entries are read before the oldest. The newest
//! entries, up to some megabytes, are kept in memory. Of the older ones only the table and the
//! update index are kept, and they are read a second time: messages may have any length, and a
//! damaged table of a few kilobytes may contain many.
#![forbid(unsafe_code)]

use super::entry::{Entry, Who};
use crate::format::{Error, Expected, HashId};
use crate::git::failure::{Failure, Outcome};
use crate::merged::MergedLogs;
use crate::record::LogValue;
use crate::table::{LogCursor, Table};
use std::ffi::CStr;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

/// Maximal size of the kept entries in bytes.
const KEPT: usize = 4 << 20;

/// The entries of a log, oldest first, including markers.
pub struct OldestFirst<'n> {
    name: &'n CStr,
    hash: HashId,
    /// The kept entries, newest first.
    kept: Vec<Entry>,
    /// Update indexes of the older entries, newest first.
    older: Vec<u64>,
    /// The tables of the older entries, and the number of consecutive entries in each.
    runs: Vec<(Arc<Table>, usize)>,
    /// A cursor over the table read last.
    cursor: Option<LogCursor>,
    who: Option<Rc<Who>>,
}

impl<'n> OldestFirst<'n> {
    /// Reads the log of `name`.
    pub fn read(logs: &mut MergedLogs, name: &'n CStr, hash: HashId) -> Outcome<Self> {
        let mut all = Self {
            name,
            hash,
            kept: Vec::new(),
            older: Vec::new(),
            runs: Vec::new(),
            cursor: None,
            who: None,
        };
        let mut left = KEPT;
        logs.seek_only(name.to_bytes())?;
        while logs.advance()? {
            let record = logs.record();
            let LogValue::Update(update) = &record.value else {
                continue;
            };
            let size = mem::size_of::<Entry>() + update.message.len();
            match (left.checked_sub(size), logs.table()) {
                (None, Some(table)) => {
                    left = 0;
                    all.add_older(record.update_index, table);
                }
                (rest, _) => {
                    left = rest.unwrap_or(0);
                    let last = all.kept.last().map(|entry| &entry.who);
                    let entry = Entry::new(record.update_index, update, hash, last);
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
    pub fn all(&mut self) -> &mut [Entry] {
        match self.older.is_empty() {
            true => &mut self.kept,
            false => &mut [],
        }
    }

    /// The next entry, or `None` after the newest.
    pub fn next(&mut self) -> Outcome<Option<Entry>> {
        match self.older.pop() {
            Some(update_index) => self.read_again(update_index).map(Some),
            None => {
                self.cursor = None;
                Ok(self.kept.pop())
            }
        }
    }

    fn read_again(&mut self, update_index: u64) -> Outcome<Entry> {
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
        cursor.seek_at(self.name.to_bytes(), update_index)?;
        for _ in 0..same {
            cursor.advance()?;
        }
        let found = match cursor.advance()? {
            true => cursor.record(),
            false => return Err(changed(&table, 0, update_index)),
        };
        match &found.value {
            LogValue::Update(update) if found.update_index == update_index => {
                let entry = Entry::new(update_index, update, self.hash, self.who.as_ref());
                self.who = Some(entry.who.clone());
                Ok(entry)
            }
            _ => Err(changed(&table, found.update_index, update_index)),
        }
    }
}

/// The error if a second read does not find the entry at `update_index`.
fn changed(table: &Table, found: u64, update_index: u64) -> Failure {
    let what = "update index of a log entry that is read again";
    Error::corrupt(
        table.name(),
        0,
        what,
        found,
        Expected::Exactly(update_index),
    )
    .into()
}
