//! The public cursors over refs and reflog entries.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::cursor::SectionCursor;
use super::Table;
use crate::format::Result;
use crate::record::{log_key, log_record, LogRecord, LogRecords, RefRecord, RefRecords};

/// What a merge needs of a cursor: keys in ascending order.
pub(crate) trait Cursor {
    /// The next [`advance`](Self::advance) gives the first record whose key is not less than
    /// `key`.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt),
    /// [`Error::Compression`](crate::format::Error::Compression).
    fn seek_key(&mut self, key: &[u8]) -> Result<()>;

    /// Goes to the next record; `false` at the end.
    ///
    /// # Errors
    /// As for [`seek_key`](Self::seek_key).
    fn advance(&mut self) -> Result<bool>;

    /// Key of the current record, valid after `advance` gave `true`: the name of a ref; for a log
    /// the name, a NUL and the inverted update index, 8 bytes, big-endian.
    fn key(&self) -> &[u8];

    /// Whether the current record is a tombstone.
    fn is_deletion(&self) -> bool;

    /// Whether it inflates blocks, which take memory.
    const INFLATES: bool = false;

    /// Bytes of memory that its inflated block takes.
    #[inline(always)]
    fn held(&self) -> usize {
        0
    }

    /// Releases that memory. The key of the current record stays, its value is back after
    /// [`unpark`](Self::unpark), and the cursor can be moved in any case.
    fn park(&mut self) {}

    /// Inflates the current block again.
    ///
    /// # Errors
    /// As for [`seek_key`](Self::seek_key).
    fn unpark(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A cursor over the refs of a table. A new one stands before the first ref.
#[derive(Debug)]
pub struct RefCursor(SectionCursor<RefRecords>);

impl RefCursor {
    pub(super) fn new(table: &Arc<Table>) -> Self {
        Self(SectionCursor::new(Arc::clone(table), table.refs))
    }

    /// The next [`advance`](Self::advance) gives the first ref whose name is not less than
    /// `name`.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.0.seek(name)
    }

    /// Goes to the next ref; `false` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.0.advance()
    }

    /// Goes to the next ref, if that is easily read and its value is a single id, and gives `then`
    /// the ref; [`record`](Self::record) does not know of it. Otherwise nothing has changed, and
    /// [`advance`](Self::advance) must look at it.
    #[inline(always)]
    pub(crate) fn advance_usual<T>(&mut self, then: impl FnOnce(&RefRecord<'_>) -> T) -> Option<T> {
        self.0.advance_usual(|name, span, id| {
            then(&RefRecord {
                name,
                update_index: span.update_index,
                value: crate::record::RefValue::Val1(id),
            })
        })
    }

    /// What [`advance`](Self::advance) does when [`advance_usual`](Self::advance_usual) has given
    /// nothing.
    pub(crate) fn advance_carefully(&mut self) -> Result<bool> {
        self.0.advance_carefully()
    }

    /// The current ref, if its value is a single id.
    #[inline(always)]
    pub(crate) fn single(&self) -> Option<RefRecord<'_>> {
        let span = self.0.span();
        let id = span.single_id(self.0.buffer())?;
        Some(RefRecord {
            name: self.0.key(),
            update_index: span.update_index,
            value: crate::record::RefValue::Val1(id),
        })
    }

    /// The current ref, valid after `advance` gave `true`; borrowed from the table.
    #[inline]
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

    /// The table that is read.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        self.0.table()
    }

    /// Passes refs of the current block as long as they are easily read and their value is a
    /// single id, another one than `oid`; `true` on a ref with that id. After that
    /// [`advance_in_block`](Self::advance_in_block) must look at what follows.
    pub(super) fn advance_usual_to(&mut self, oid: &[u8]) -> bool {
        // The first bytes of ids mostly differ, which spares a call.
        let first = oid.first_chunk::<8>();
        let is_wanted = |id: &[u8]| id.first_chunk() == first && id == oid;
        loop {
            match self.0.advance_usual_to(is_wanted) {
                Some(false) => {}
                found => return found.is_some(),
            }
        }
    }

    /// Stands before the first ref of the ref block at `offset`.
    pub(super) fn enter(&mut self, offset: usize) -> Result<()> {
        self.0.enter(offset)
    }

    /// Goes to the next ref of the same block.
    pub(super) fn advance_in_block(&mut self) -> Result<bool> {
        self.0.advance_in_block()
    }
}

impl Cursor for RefCursor {
    fn seek_key(&mut self, key: &[u8]) -> Result<()> {
        self.seek(key)
    }

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

/// A cursor over the reflog entries of a table, by name and for a name the newest first.
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

    /// The next [`advance`](Self::advance) gives the newest entry of `name`, or what follows.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt),
    /// [`Error::Compression`](crate::format::Error::Compression).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.seek_at(name, u64::MAX)
    }

    /// The next [`advance`](Self::advance) gives the newest entry of `name` with at most this
    /// update index, or what follows.
    ///
    /// # Errors
    /// As for [`seek`](Self::seek).
    pub fn seek_at(&mut self, name: &[u8], update_index: u64) -> Result<()> {
        log_key(&mut self.want, name, update_index);
        self.section.seek(&self.want)
    }

    /// Goes to the next entry; `false` at the end.
    ///
    /// # Errors
    /// As for [`seek`](Self::seek).
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.section.advance()
    }

    /// The current entry, valid after `advance` gave `true`; borrowed from the cursor.
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

    /// Whether the current entry is a tombstone.
    #[inline]
    #[must_use]
    pub(crate) fn is_deletion(&self) -> bool {
        self.section.span().is_deletion()
    }

    /// The table that is read.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        self.section.table()
    }
}

impl Cursor for LogCursor {
    fn seek_key(&mut self, key: &[u8]) -> Result<()> {
        self.section.seek(key)
    }

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
