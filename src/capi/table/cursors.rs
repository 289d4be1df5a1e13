//! Iterating over the refs and over the logs of a table.

use std::ffi::c_int;

use super::open::TableHold;
use super::{reftable_table, Code};
use crate::capi::iterator::Reader;
use crate::capi::record::{reftable_log_record, reftable_ref_record, RecordOut};
use crate::ffi::code::{answer, number_found, CResult};
use crate::record::log_key;
use crate::table::{LogCursor, RefCursor, SeekCursor};

/// The position of a walk.
#[derive(Clone, Copy, Debug)]
enum Position {
    /// Not positioned yet.
    Nowhere,
    /// Before the next record.
    Before,
    /// On the next record, if there is one.
    Looked(bool),
}

/// A cursor that must be positioned before it is read.
#[derive(Debug)]
pub(super) struct Walk<C> {
    cursor: C,
    position: Position,
}

impl<C: SeekCursor> Walk<C> {
    pub(super) fn new(cursor: C) -> Self {
        Self {
            cursor,
            position: Position::Nowhere,
        }
    }

    /// A walk that begins before the first record.
    pub(super) fn from_start(cursor: C) -> Self {
        Self {
            cursor,
            position: Position::Before,
        }
    }

    pub(super) fn cursor(&self) -> &C {
        &self.cursor
    }

    /// Moves to before the first record whose key is not less than `key`. In a section with
    /// an index, returns false if there is no such record.
    pub(super) fn seek(&mut self, key: &[u8], has_index: bool) -> CResult<bool> {
        self.position = Position::Nowhere;
        self.cursor.seek_key(key)?;
        if !has_index {
            self.position = Position::Before;
            return Ok(true);
        }
        let found = self.cursor.advance()?;
        self.position = Position::Looked(found);
        Ok(found)
    }

    /// Moves to the next record and returns the cursor, or `None` at the end.
    pub(super) fn next(&mut self) -> CResult<Option<&C>> {
        let more = match self.position {
            Position::Nowhere => return Err(Code::MISUSE),
            Position::Looked(found) => {
                self.position = Position::Before;
                found
            }
            Position::Before => self.cursor.advance()?,
        };
        Ok(more.then_some(&self.cursor))
    }
}

/// The refs of a table. The cursor comes first, so that it is dropped before the table.
#[derive(Debug)]
pub(super) struct TableRefs {
    walk: Walk<RefCursor>,
    table: TableHold,
}

impl TableRefs {
    /// # Safety
    /// `table` is NULL, or a table that is open.
    pub(super) unsafe fn new(table: *mut reftable_table) -> CResult<Self> {
        // SAFETY: the caller's promise.
        let table = unsafe { TableHold::new(table) }?;
        Ok(Self {
            walk: Walk::new(table.table()?.refs()),
            table,
        })
    }

    /// Moves to the next ref by the careful path and copies it to `to`.
    #[inline(never)]
    fn next_ref_careful(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        answer(|| {
            let more = match self.walk.position {
                Position::Before => self.walk.cursor.advance_careful()?,
                _ => self.walk.next()?.is_some(),
            };
            if !more {
                return Ok(false);
            }
            to.fill(&self.walk.cursor.record())
        })
    }
}

impl Reader for TableRefs {
    fn seek_ref(&mut self, name: &[u8]) -> CResult<bool> {
        let has_index = self.table.shown().ref_offsets.index_offset != 0;
        self.walk.seek(name, has_index)
    }

    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        if matches!(self.walk.position, Position::Before) {
            let filled = self.walk.cursor.advance_fast(|record| to.fill(record));
            if let Some(filled) = filled {
                return number_found(filled);
            }
        }
        self.next_ref_careful(to)
    }
}

/// The logs of a table. The cursor comes first, so that it is dropped before the table.
#[derive(Debug)]
pub(super) struct TableLogs {
    walk: Walk<LogCursor>,
    key: Vec<u8>,
    table: TableHold,
}

impl TableLogs {
    /// # Safety
    /// `table` is NULL, or a table that is open.
    pub(super) unsafe fn new(table: *mut reftable_table) -> CResult<Self> {
        // SAFETY: the caller's promise.
        let table = unsafe { TableHold::new(table) }?;
        Ok(Self {
            walk: Walk::new(table.table()?.logs()),
            key: Vec::new(),
            table,
        })
    }
}

impl Reader for TableLogs {
    fn seek_log(&mut self, name: &[u8], update_index: u64) -> CResult<bool> {
        log_key(&mut self.key, name, update_index);
        let has_index = self.table.shown().log_offsets.index_offset != 0;
        self.walk.seek(&self.key, has_index)
    }

    fn next_log(&mut self, to: RecordOut<reftable_log_record>) -> c_int {
        answer(|| match self.walk.next()? {
            Some(cursor) => to.fill(&cursor.record()),
            None => Ok(false),
        })
    }
}
