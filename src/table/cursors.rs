//! The public cursors over refs and reflog entries.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::cursor::SectionCursor;
use super::Table;
use crate::format::Result;
use crate::record::{log_key, log_record, LogRecord, LogRecords, RefRecord, RefRecords};

/// A cursor over records in ascending order of keys, as a merge needs it.
pub(crate) trait Cursor {
    /// Moves to the next record; returns `false` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt),
    /// [`Error::Compression`](crate::format::Error::Compression).
    fn advance(&mut self) -> Result<bool>;

    /// Key of the current record, valid after `advance` has returned `true`. For a ref it is the
    /// name; for a reflog entry the name, a NUL and the inverted update index, 8 bytes, big-endian.
    fn key(&self) -> &[u8];

    /// Whether the current record is a tombstone.
    fn is_deletion(&self) -> bool;

    /// Whether this cursor inflates blocks, which use memory.
    const INFLATES: bool = false;

    /// Bytes of memory that the inflated block uses.
    #[inline(always)]
    fn held(&self) -> usize {
        0
    }

    /// Releases that memory. The key of the current record stays; its value is available again
    /// after [`unpark`](Self::unpark). The cursor can still be moved.
    fn park(&mut self) {}

    /// Inflates the current block again.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    fn unpark(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A [`Cursor`] that can be moved to a key.
pub(crate) trait SeekCursor: Cursor {
    /// Makes the next [`advance`](Cursor::advance) move to the first record whose key is not less
    /// than `key`.
    ///
    /// # Errors
    /// As for [`advance`](Cursor::advance).
    fn seek_key(&mut self, key: &[u8]) -> Result<()>;
}

/// A cursor over the refs of a table. A new cursor is before the first ref.
#[derive(Debug)]
pub struct RefCursor(SectionCursor<RefRecords>);

impl RefCursor {
    pub(super) fn new(table: &Arc<Table>) -> Self {
        Self(SectionCursor::new(Arc::clone(table), table.refs))
    }

    /// Makes the next [`advance`](Self::advance) move to the first ref whose name is not less than
    /// `name`.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.0.seek(name)
    }

    /// Moves to the next ref; returns `false` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.0.advance()
    }

    /// Moves to the next ref by the [fast path](crate::record::fast) and returns the result of
    /// `visit` for it; [`record`](Self::record) is not valid then. If it returns `None`, nothing
    /// has changed, and [`advance_careful`](Self::advance_careful) reads the ref.
    #[inline(always)]
    pub(crate) fn advance_fast<T>(&mut self, visit: impl FnOnce(&RefRecord<'_>) -> T) -> Option<T> {
        self.0.advance_fast(|record| {
            visit(&RefRecord {
                name: record.key,
                update_index: record.span.update_index,
                value: crate::record::RefValue::Val1(record.id),
            })
        })
    }

    /// Moves to the next ref by the careful path; returns `false` at the end.
    pub(crate) fn advance_careful(&mut self) -> Result<bool> {
        self.0.advance_careful()
    }

    /// The current ref, if its value is one object id.
    #[inline(always)]
    pub(crate) fn fast_record(&self) -> Option<RefRecord<'_>> {
        let span = self.0.span();
        let id = span.fast_id(self.0.buffer())?;
        Some(RefRecord {
            name: self.0.key(),
            update_index: span.update_index,
            value: crate::record::RefValue::Val1(id),
        })
    }

    /// The current ref, valid after `advance` has returned `true`; borrowed from the table.
    #[inline(always)]
    #[must_use]
    pub fn record(&self) -> RefRecord<'_> {
        let span = self.0.span();
        RefRecord {
            name: self.0.key(),
            update_index: span.update_index,
            value: span.value(self.0.buffer()),
        }
    }

    /// Name of the current ref.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.0.key()
    }

    /// Whether the current ref is a tombstone.
    #[inline]
    #[must_use]
    pub(crate) fn is_deletion(&self) -> bool {
        self.0.span().is_deletion()
    }

    /// The table of this cursor.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        self.0.table()
    }

    /// Moves by the [fast path](crate::record::fast) to the next ref whose value is `oid`. Returns
    /// `false` before the first ref that the fast path cannot read.
    pub(super) fn advance_fast_to(&mut self, oid: &[u8]) -> bool {
        // Most ids differ in the first bytes; comparing these needs no call.
        let first = oid.first_chunk::<8>();
        self.advance_fast_until(|_, id| id.first_chunk() == first && id == oid)
    }

    /// Moves by the [fast path](crate::record::fast) to the next ref for whose name and object id
    /// `is_wanted` returns `true`. Returns `false` before the first ref that the fast path cannot
    /// read.
    #[inline(always)]
    pub(crate) fn advance_fast_until(&mut self, is_wanted: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        loop {
            let span = self
                .0
                .advance_fast(|record| is_wanted(record.key, record.id).then_some(record.span));
            match span {
                Some(Some(span)) => {
                    self.0.keep(span);
                    return true;
                }
                Some(None) => {}
                None => return false,
            }
        }
    }

    /// Moves before the first ref of the ref block at `offset`.
    pub(super) fn enter(&mut self, offset: usize) -> Result<()> {
        self.0.enter(offset)
    }

    /// Moves to the next ref of the same block.
    pub(super) fn advance_in_block(&mut self) -> Result<bool> {
        self.0.advance_in_block()
    }
}

impl SeekCursor for RefCursor {
    fn seek_key(&mut self, key: &[u8]) -> Result<()> {
        self.seek(key)
    }
}

impl Cursor for RefCursor {
    #[inline(always)]
    fn advance(&mut self) -> Result<bool> {
        self.0.advance()
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.0.key()
    }

    #[inline]
    fn is_deletion(&self) -> bool {
        self.0.span().is_deletion()
    }
}

/// A cursor over the reflog entries of a table, by name, and newest first for each name.
#[derive(Debug)]
pub struct LogCursor {
    section: SectionCursor<LogRecords>,
    want: Vec<u8>,
}

impl LogCursor {
    pub(super) fn new(table: &Arc<Table>) -> Self {
        Self {
            section: SectionCursor::new(Arc::clone(table), table.logs),
            want: Vec::new(),
        }
    }

    /// Makes the next [`advance`](Self::advance) move to the newest entry of `name`, or to the first
    /// entry of a greater name if there is none.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt),
    /// [`Error::Compression`](crate::format::Error::Compression).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.seek_at(name, u64::MAX)
    }

    /// Makes the next [`advance`](Self::advance) move to the newest entry of `name` with at most
    /// this update index, or to the first entry of a greater name if there is none.
    ///
    /// # Errors
    /// As for [`seek`](Self::seek).
    pub fn seek_at(&mut self, name: &[u8], update_index: u64) -> Result<()> {
        log_key(&mut self.want, name, update_index);
        self.section.seek(&self.want)
    }

    /// Moves to the next entry; returns `false` at the end.
    ///
    /// # Errors
    /// As for [`seek`](Self::seek).
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.section.advance()
    }

    /// The current entry, valid after `advance` has returned `true`; borrowed from the cursor.
    #[inline]
    #[must_use]
    pub fn record(&self) -> LogRecord<'_> {
        log_record(
            self.section.key(),
            self.section.span(),
            self.section.buffer(),
        )
    }

    /// Key of the current entry: the name, a NUL, and the inverted update index in 8 bytes,
    /// big-endian.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.section.key()
    }

    /// The table of this cursor.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        self.section.table()
    }
}

impl SeekCursor for LogCursor {
    fn seek_key(&mut self, key: &[u8]) -> Result<()> {
        self.section.seek(key)
    }
}

impl Cursor for LogCursor {
    #[inline]
    fn advance(&mut self) -> Result<bool> {
        self.section.advance()
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.section.key()
    }

    #[inline]
    fn is_deletion(&self) -> bool {
        self.section.span().is_deletion()
    }

    const INFLATES: bool = true;

    #[inline(always)]
    fn held(&self) -> usize {
        self.section.held()
    }

    fn park(&mut self) {
        self.section.park();
    }

    fn unpark(&mut self) -> Result<()> {
        self.section.unpark()
    }
}
