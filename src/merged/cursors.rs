//! Cursors over the refs and over the log entries of several tables.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::merge::Merge;
use super::Tombstones;
use crate::format::Result;
use crate::record::{log_key, LogRecord, LogValue, RefRecord, RefValue};
use crate::table::{LogCursor, RefCursor, Table};

/// The refs of several tables by name.
#[derive(Debug)]
pub struct MergedRefs {
    merge: Merge<RefCursor>,
}

impl MergedRefs {
    pub(super) fn new(tables: &[Arc<Table>], tombstones: Tombstones) -> Self {
        Self {
            merge: Merge::new(tables.iter().map(Table::refs), tombstones),
        }
    }

    /// The next record will be the first whose name is `name` or greater.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.merge.seek(name)
    }

    /// The next records will be those whose names begin with `prefix`, and no others.
    ///
    /// Unlike a caller's own look at the names, this also ends before hidden
    /// tombstones that do not begin so, however many there are.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek_prefix(&mut self, prefix: &[u8]) -> Result<()> {
        self.merge.seek_prefix(prefix)
    }

    /// The next record will be the first whose name is `name` or greater; a prefix given to
    /// [`seek_prefix`](Self::seek_prefix) still ends the walk.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub(crate) fn skip_to(&mut self, name: &[u8]) -> Result<()> {
        self.merge.skip_to(name)
    }

    /// Moves to the next ref; false at the end.
    ///
    /// # Errors
    /// A damaged table's; it comes again until the next seek.
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.merge.advance()
    }

    /// Moves to the next ref by the [fast path](crate::record::fast), if only one table has refs
    /// left, and returns the result of `visit` for it; [`record`](Self::record) is not valid then.
    /// If it returns `None`, nothing has changed, and [`advance`](Self::advance) reads the ref.
    #[inline(always)]
    pub(crate) fn advance_fast<T>(&mut self, visit: impl FnOnce(&RefRecord<'_>) -> T) -> Option<T> {
        self.merge.fast_lane()?.advance_fast(visit)
    }

    /// The current ref, after [`advance`](Self::advance) gave true; otherwise a
    /// deletion of the empty name.
    #[inline]
    #[must_use]
    pub fn record(&self) -> RefRecord<'_> {
        match self.merge.current() {
            Some(cursor) => cursor.record(),
            None => RefRecord {
                name: b"",
                update_index: 0,
                value: RefValue::Deletion,
            },
        }
    }
}

/// The log entries of several tables by name, and newest first for each name.
#[derive(Debug)]
pub struct MergedLogs {
    merge: Merge<LogCursor>,
    key: Vec<u8>,
}

impl MergedLogs {
    pub(super) fn new(tables: &[Arc<Table>], tombstones: Tombstones) -> Self {
        Self {
            merge: Merge::new(tables.iter().map(Table::logs), tombstones),
            key: Vec::new(),
        }
    }

    /// The next record will be the newest of `name`, or else the first of a greater name.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.seek_at(name, u64::MAX)
    }

    /// The next record will be the newest of `name` whose update index is at most
    /// `update_index`, or else the first of a greater name.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek_at(&mut self, name: &[u8], update_index: u64) -> Result<()> {
        log_key(&mut self.key, name, update_index);
        self.merge.seek(&self.key)
    }

    /// The next records will be the entries of `name`, newest first, and no others.
    ///
    /// Unlike a caller's own look at the names, this also ends before hidden
    /// tombstones of greater names, however many there are.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek_only(&mut self, name: &[u8]) -> Result<()> {
        self.key.clear();
        self.key.extend_from_slice(name);
        self.key.push(0);
        self.merge.seek_prefix(&self.key)
    }

    /// Moves to the next log entry; false at the end.
    ///
    /// # Errors
    /// A damaged table's; it comes again until the next seek.
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.merge.advance()
    }

    /// The table that the current log entry is in.
    #[must_use]
    pub fn table(&self) -> Option<&Arc<Table>> {
        self.merge.current().map(LogCursor::table)
    }

    /// The current log entry, after [`advance`](Self::advance) gave true; otherwise a
    /// deletion of the empty name.
    #[inline]
    #[must_use]
    pub fn record(&self) -> LogRecord<'_> {
        match self.merge.current() {
            Some(cursor) => cursor.record(),
            None => LogRecord {
                name: b"",
                update_index: 0,
                value: LogValue::Deletion,
            },
        }
    }
}
