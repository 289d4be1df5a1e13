//! Walking and searching one section of a table.
#![forbid(unsafe_code)]

mod index;

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Section, Table};
use crate::block::{Block, BlockCursor, BlockRecords, Inflater};
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Error, Expected, Result};
use crate::record::{FastRecord, Records};

/// Where in its section a cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Before the first block.
    NotStarted,
    /// In `SectionCursor::block`.
    InBlock,
    /// After the last record.
    AtEnd,
}

/// A cursor over the records of one section.
///
/// A walk checks that keys ascend, also from block to block. Its position in the file only grows,
/// so that every walk ends.
#[derive(Debug)]
pub(super) struct SectionCursor<R: Records> {
    table: Arc<Table>,
    section: Option<Section>,
    progress: Progress,
    block: Block,
    cursor: BlockCursor,
    span: R::Span,
    /// Whether a search has already read the record to which the next `advance` moves.
    found: bool,
    /// The block in `inflater`, if the section is deflated.
    inflated: Option<Block>,
    inflater: Inflater,
    /// Whether the inflated block was released before all of its records were read.
    is_parked: bool,
    /// The index record that led to the block; its key is the last key of the block.
    index: BlockCursor,
    /// The key of the index record one level up.
    above: Vec<u8>,
    /// Whether `index` still refers to `block`.
    index_is_current: bool,
    /// Whether the index has been checked to lead to blocks of the section.
    root_is_checked: bool,
}

impl<R: Records> SectionCursor<R> {
    pub(super) fn new(table: Arc<Table>, section: Option<Section>) -> Self {
        Self {
            table,
            section,
            progress: if section.is_some() {
                Progress::NotStarted
            } else {
                Progress::AtEnd
            },
            block: Block::nowhere(),
            cursor: BlockCursor::default(),
            span: R::Span::default(),
            found: false,
            inflated: None,
            inflater: Inflater::default(),
            is_parked: false,
            index: BlockCursor::default(),
            above: Vec::new(),
            index_is_current: false,
            root_is_checked: false,
        }
    }

    pub(super) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Key of the current record.
    #[inline]
    pub(super) fn key(&self) -> &[u8] {
        self.cursor.key.bytes()
    }

    /// Value of the current record, as positions in [`buffer`](Self::buffer).
    #[inline]
    pub(super) fn span(&self) -> &R::Span {
        &self.span
    }

    /// The bytes being read: the file or the inflated block.
    #[inline]
    pub(super) fn buffer(&self) -> &[u8] {
        buffer::<R>(&self.table, &self.inflater)
    }

    /// Bytes of memory that the inflated block uses.
    #[inline(always)]
    pub(super) fn held(&self) -> usize {
        self.inflater.held()
    }

    /// Releases the inflated block. Key and position stay; the block is inflated again when more
    /// of it is needed. [`span`](Self::span) is meaningless until [`unpark`](Self::unpark).
    #[cold]
    pub(super) fn park(&mut self) {
        self.is_parked = self.progress == Progress::InBlock;
        self.inflated = None;
        self.inflater.release();
    }

    /// Inflates the current block again after [`park`](Self::park).
    #[inline]
    pub(super) fn unpark(&mut self) -> Result<()> {
        match self.is_parked {
            true => self.inflate_again(),
            false => Ok(()),
        }
    }

    #[cold]
    #[inline(never)]
    fn inflate_again(&mut self) -> Result<()> {
        let offset = self.block.offset;
        self.block = self.table.open_block(offset, R::TYPE, &mut self.inflater)?;
        self.inflated = Some(self.block);
        self.is_parked = false;
        Ok(())
    }

    /// Moves to the next record; returns `false` at the end of the section.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Result<bool> {
        match self.advance_fast(|record| record.span) {
            Some(span) => {
                self.span = span;
                Ok(true)
            }
            None => self.advance_careful(),
        }
    }

    /// Moves to the next record by the [fast path](crate::record::fast), and returns the result
    /// of `visit` for it. [`span`](Self::span) is not updated; see [`keep`](Self::keep).
    ///
    /// If it returns `None`, nothing has changed, and [`advance_careful`](Self::advance_careful)
    /// reads the record.
    #[inline(always)]
    pub(super) fn advance_fast<T>(
        &mut self,
        visit: impl FnOnce(FastRecord<'_, R::Span>) -> T,
    ) -> Option<T> {
        if self.found {
            return None;
        }
        let records = records::<R>(&self.block, &self.table, &self.inflater);
        self.cursor.step_fast::<R>(&records).map(visit)
    }

    /// Stores the span of the record to which [`advance_fast`](Self::advance_fast) has moved.
    #[inline(always)]
    pub(super) fn keep(&mut self, span: R::Span) {
        self.span = span;
    }

    /// Moves to the next record by the careful path; returns `false` at the end of the section.
    #[inline(never)]
    pub(super) fn advance_careful(&mut self) -> Result<bool> {
        if self.advance_in_block()? {
            return Ok(true);
        }
        self.advance_to_next_block()
    }

    /// Moves to the next record of the current block; returns `false` at its end.
    #[inline]
    pub(super) fn advance_in_block(&mut self) -> Result<bool> {
        if self.found {
            self.found = false;
            return Ok(true);
        }
        if self.is_parked {
            // The end of the block is known without inflating it.
            if self.cursor.is_at_end(&self.block) {
                return Ok(false);
            }
            self.inflate_again()?;
        }
        let records = records::<R>(&self.block, &self.table, &self.inflater);
        self.cursor
            .step::<R>(&records, &mut self.span)
            .map_err(|damage| self.table.damaged(damage))
    }

    #[inline(never)]
    fn advance_to_next_block(&mut self) -> Result<bool> {
        while self.enter_next_block()? {
            if self.advance_in_block()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Enters the next block; returns `false` at the end of the section.
    fn enter_next_block(&mut self) -> Result<bool> {
        let offset = match (self.progress, self.section) {
            (Progress::NotStarted, Some(section)) => {
                let start = self.first_block(section)?;
                return self.enter(start).map(|()| true);
            }
            (Progress::InBlock, _) => self.block.next_offset(),
            _ => return Ok(false),
        };
        if offset >= self.table.end || self.table.type_at(offset)? != R::TYPE {
            let checked = self.check_end(offset);
            self.leave();
            return checked.map(|()| false);
        }
        self.enter(offset)?;
        Ok(true)
    }

    /// Checks that the section may end at `offset`, after the current block: the next section must
    /// begin there, and the current key must be the last one of the section's index. Otherwise a
    /// damaged block would silently cut the section short.
    fn check_end(&mut self, offset: usize) -> Result<()> {
        let Some(section) = self.section.filter(|_| self.progress == Progress::InBlock) else {
            return Ok(());
        };
        let mut end = offset;
        let root = match section.index {
            // The lower levels of the index precede its root.
            Some(root) if offset <= root && self.is_index(offset)? => Some(root),
            Some(root) => return Err(self.ends_elsewhere(offset, root)),
            None => self.last_index_block(&mut end)?,
        };
        if section.index.is_none() && !self.may_end_at(end, section) {
            return Err(self.ends_elsewhere(end, section.end));
        }
        match root {
            Some(root) if self.cursor.key.is_current() => self.check_last_key(root),
            _ => Ok(()),
        }
    }

    /// Whether a section without index may end at `end`: the next section begins there according
    /// to the footer, or a log block does, whose checksum proves that it is one.
    fn may_end_at(&mut self, end: usize, section: Section) -> bool {
        // The last block of a file is not padded.
        let at_footer = end > section.end && section.end == self.table.end;
        end == section.end
            || at_footer
            || (R::TYPE != BlockType::Log
                && self
                    .table
                    .open_block(end, BlockType::Log, &mut self.inflater)
                    .is_ok())
    }

    /// The last of the index blocks at `offset`, which is moved after them. A footer may lack the
    /// position of an existing index.
    fn last_index_block(&mut self, offset: &mut usize) -> Result<Option<usize>> {
        let mut last = None;
        while self.is_index(*offset)? {
            last = Some(*offset);
            *offset = self
                .table
                .open_block(*offset, BlockType::Index, &mut self.inflater)?
                .next_offset();
        }
        Ok(last)
    }

    #[cold]
    fn ends_elsewhere(&self, found: usize, expected: usize) -> Error {
        let (what, expected) = ("end of a section", Expected::Exactly(wide(expected)));
        let offset = wide(self.block.offset);
        self.table
            .damaged(Corruption::new(offset, what, wide(found), expected))
    }

    /// Checks that the index at `root` ends with the current key.
    fn check_last_key(&mut self, root: usize) -> Result<()> {
        let last = self.key().to_vec();
        let found = self.search_root(root, &last)?;
        let ends_there = match &found {
            Some((block, _)) => {
                self.index.key.bytes() == last
                    && self.index.is_at_end(block)
                    && !self.is_index(block.next_offset())?
            }
            None => false,
        };
        if ends_there {
            return Ok(());
        }
        Err(self.table.damaged(Corruption::new(
            wide(root),
            "last key of a section differs from that of its index, length",
            wide(last.len()),
            Expected::Exactly(wide(self.index.key.len())),
        )))
    }

    /// Whether there is an index block at `offset`.
    fn is_index(&self, offset: usize) -> Result<bool> {
        let end = self.table.frame().data.len();
        Ok(offset < end && self.table.type_at(offset)? == BlockType::Index)
    }

    /// Moves after the last record.
    fn leave(&mut self) {
        self.progress = Progress::AtEnd;
        self.is_parked = false;
        self.block = Block::nowhere();
        self.cursor.start(&self.block);
        self.found = false;
        self.index_is_current = false;
    }

    /// Moves before the first record of the block at `offset`.
    pub(super) fn enter(&mut self, offset: usize) -> Result<()> {
        self.found = false;
        self.index_is_current = false;
        let block = match self.inflated {
            Some(block) if block.offset == offset => block,
            _ => {
                self.inflated = None;
                self.table.open_block(offset, R::TYPE, &mut self.inflater)?
            }
        };
        if R::TYPE == BlockType::Log {
            self.inflated = Some(block);
        }
        self.block = block;
        self.progress = Progress::InBlock;
        self.is_parked = false;
        self.cursor.start(&self.block);
        Ok(())
    }

    /// Makes the next [`advance`](Self::advance) move to the first record whose key is not less
    /// than `want`.
    pub(super) fn seek(&mut self, want: &[u8]) -> Result<()> {
        let Some(section) = self.section else {
            return Ok(());
        };
        if self.seek_from_here(want)? {
            return Ok(());
        }
        self.table.check_start(section)?;
        match section.index {
            Some(root) => self.seek_by_index(section, root, want),
            None => self.seek_by_scan(section.start, want),
        }
    }

    /// Searches the current block from the current record on, if the wanted record must be there.
    fn seek_from_here(&mut self, want: &[u8]) -> Result<bool> {
        if self.progress != Progress::InBlock || !self.cursor.key.is_current() {
            return Ok(false);
        }
        match want.cmp(self.key()) {
            Ordering::Less => Ok(false),
            Ordering::Equal => {
                self.found = true;
                Ok(true)
            }
            Ordering::Greater => {
                let inside = self.index_is_current && want <= self.index.key.bytes();
                Ok(inside && self.seek_in_indexed_block(want, true)?)
            }
        }
    }

    /// Searches the current block; returns `false` if all its keys are less than `want`.
    fn seek_in_block(&mut self, want: &[u8], ahead: bool) -> Result<bool> {
        self.unpark()?;
        let records = records::<R>(&self.block, &self.table, &self.inflater);
        self.found = false;
        self.found = self
            .cursor
            .seek::<R>(&records, want, ahead, &mut self.span)
            .map_err(|damage| self.table.damaged(damage))?;
        Ok(self.found)
    }

    /// Searches the current block, to which the current index record refers.
    fn seek_in_indexed_block(&mut self, want: &[u8], ahead: bool) -> Result<bool> {
        let found = self.seek_in_block(want, ahead)?;
        if found && self.key() > self.index.key.bytes() {
            return Err(self.not_as_indexed());
        }
        Ok(found)
    }

    /// The error for a key greater than the block's last key according to the index. The block may
    /// be the wrong one, or the key damaged.
    #[cold]
    fn not_as_indexed(&mut self) -> Error {
        let offset = wide(self.block.offset);
        self.leave();
        self.table.damaged(Corruption::new(
            offset,
            "records of a block with keys greater than its key in the index",
            1,
            Expected::Exactly(0),
        ))
    }

    /// Searches block after block; sections without an index have few blocks.
    fn seek_by_scan(&mut self, start: usize, want: &[u8]) -> Result<()> {
        let mut ahead =
            self.progress == Progress::InBlock && self.cursor.key.is_current() && want > self.key();
        if !ahead {
            self.cursor.key.forget();
            self.enter(start)?;
        }
        while !self.seek_in_block(want, ahead)? {
            ahead = false;
            if !self.enter_next_block()? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The records of `block`, which is in the table or the inflater.
#[inline(always)]
fn records<'a, R: Records>(
    block: &'a Block,
    table: &'a Table,
    inflater: &'a Inflater,
) -> BlockRecords<'a> {
    BlockRecords {
        block,
        buffer: buffer::<R>(table, inflater),
        context: &table.context,
    }
}

/// The bytes to which the positions of blocks of this type refer.
#[inline]
fn buffer<'a, R: Records>(table: &'a Table, inflater: &'a Inflater) -> &'a [u8] {
    if R::TYPE == BlockType::Log {
        inflater.block()
    } else {
        &table.data
    }
}
