//! Walking and searching one section of a table.
#![forbid(unsafe_code)]

mod index;

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Section, Table};
use crate::block::{Block, BlockCursor, Inflater};
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Error, Expected, Result};
use crate::record::Records;

/// Where a cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first block.
    Start,
    /// In `SectionCursor::block`.
    Inside,
    /// Behind the last record.
    End,
}

/// A cursor over the records of one section.
///
/// The order of keys is checked while walking, from block to block too, and the position in the
/// file only grows, so that every walk ends.
#[derive(Debug)]
pub(super) struct SectionCursor<R: Records> {
    table: Arc<Table>,
    section: Option<Section>,
    place: Place,
    block: Block,
    records: BlockCursor,
    span: R::Span,
    /// A search has read the record that the next `advance` is to give.
    found: bool,
    /// The block in `inflater`, if the section is deflated.
    inflated: Option<Block>,
    inflater: Inflater,
    /// Whether the inflated block was released though records of it are left to read.
    is_parked: bool,
    /// The index record that led to the block; its key is the last one of the block.
    index: BlockCursor,
    /// The key of the index record above that one.
    above: Vec<u8>,
    /// Whether `index` still belongs to `block`.
    index_is_current: bool,
    /// Whether the index is known to lead to blocks of the section.
    root_is_checked: bool,
}

impl<R: Records> SectionCursor<R> {
    pub(super) fn new(table: Arc<Table>, section: Option<Section>) -> Self {
        Self {
            table,
            section,
            place: if section.is_some() {
                Place::Start
            } else {
                Place::End
            },
            block: Block::nowhere(),
            records: BlockCursor::default(),
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
        self.records.key.bytes()
    }

    /// Value of the current record; its positions are those of [`buffer`](Self::buffer).
    #[inline]
    pub(super) fn span(&self) -> &R::Span {
        &self.span
    }

    /// What is read: the file, or an inflated block.
    #[inline]
    pub(super) fn buffer(&self) -> &[u8] {
        buffer::<R>(&self.table, &self.inflater)
    }

    /// Bytes of memory that the inflated block takes.
    #[inline(always)]
    pub(super) fn held(&self) -> usize {
        self.inflater.held()
    }

    /// Releases the inflated block. The key stays, and so does the place: the block is inflated
    /// again when something else of it is needed. [`span`](Self::span) has no meaning until
    /// [`unpark`](Self::unpark).
    #[cold]
    pub(super) fn park(&mut self) {
        self.is_parked = self.place == Place::Inside;
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

    /// Goes to the next record; `false` at the end of the section.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Result<bool> {
        match self.advance_usual_to(|_| true) {
            Some(_) => Ok(true),
            None => self.advance_carefully(),
        }
    }

    /// Goes to the next record, if it is a usual one in the current block, and says whether its
    /// id is wanted; of one that is not, [`span`](Self::span) does not know. Otherwise nothing has
    /// changed, and [`advance`](Self::advance) must look at it.
    #[inline(always)]
    pub(super) fn advance_usual_to(
        &mut self,
        is_wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Option<bool> {
        let wanted = self.advance_usual(|_, span, id| is_wanted(id).then(|| span.clone()))?;
        Some(wanted.map(|span| self.span = span).is_some())
    }

    /// Goes to the next record, if it is a usual one in the current block, and gives `then` its
    /// key, where its value stands, and its id; [`span`](Self::span) does not know of it.
    /// Otherwise nothing has changed, and [`advance`](Self::advance) must look at it.
    #[inline(always)]
    pub(super) fn advance_usual<T>(
        &mut self,
        then: impl FnOnce(&[u8], &R::Span, &[u8]) -> T,
    ) -> Option<T> {
        if self.found {
            return None;
        }
        let buffer = buffer::<R>(&self.table, &self.inflater);
        let context = &self.table.context;
        let (key, usual) = self.records.step_usual::<R>(&self.block, buffer, context)?;
        Some(then(key, &usual.span, usual.id))
    }

    /// What [`advance`](Self::advance) does when [`advance_usual`](Self::advance_usual) has given
    /// nothing.
    #[inline(never)]
    pub(super) fn advance_carefully(&mut self) -> Result<bool> {
        if self.advance_in_block()? {
            return Ok(true);
        }
        self.advance_to_next_block()
    }

    /// Goes to the next record of the current block; `false` at its end.
    #[inline]
    pub(super) fn advance_in_block(&mut self) -> Result<bool> {
        if self.found {
            self.found = false;
            return Ok(true);
        }
        if self.is_parked {
            // For the end of the block it need not be inflated.
            if self.records.is_at_end(&self.block) {
                return Ok(false);
            }
            self.inflate_again()?;
        }
        let buffer = buffer::<R>(&self.table, &self.inflater);
        let context = &self.table.context;
        self.records
            .step::<R>(&self.block, buffer, context, &mut self.span)
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

    /// Enters the block after the current one; `false` when the section ends here.
    fn enter_next_block(&mut self) -> Result<bool> {
        let offset = match (self.place, self.section) {
            (Place::Start, Some(section)) => {
                let start = self.first_block(section)?;
                return self.enter(start).map(|()| true);
            }
            (Place::Inside, _) => self.block.next_offset(),
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

    /// Whether the section may end at `offset`, behind the current block: where the next one
    /// begins, and at the key that its index ends with. Otherwise a damaged block would cut it
    /// short.
    fn check_end(&mut self, offset: usize) -> Result<()> {
        let Some(section) = self.section.filter(|_| self.place == Place::Inside) else {
            return Ok(());
        };
        let mut end = offset;
        let root = match section.index {
            // Lower levels of the index come before its root.
            Some(root) if offset <= root && self.is_index(offset)? => Some(root),
            Some(root) => return Err(self.ends_elsewhere(offset, root)),
            None => self.last_index_block(&mut end)?,
        };
        if section.index.is_none() && !self.may_end_at(end, section) {
            return Err(self.ends_elsewhere(end, section.end));
        }
        match root {
            Some(root) if self.records.key.is_current() => self.check_last_key(root),
            _ => Ok(()),
        }
    }

    /// Whether a section without index may end at `end`: where the next one begins according to
    /// the footer, or at a log block, whose checksum tells that it is one.
    fn may_end_at(&mut self, end: usize, section: Section) -> bool {
        // The padding of the last block of a file is not written.
        let at_footer = end > section.end && section.end == self.table.end;
        end == section.end
            || at_footer
            || (R::TYPE != BlockType::Log
                && self
                    .table
                    .open_block(end, BlockType::Log, &mut self.inflater)
                    .is_ok())
    }

    /// The last of the index blocks that follow at `offset`, which goes behind them. The footer
    /// may name no index though there is one.
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
        let place = wide(self.block.offset);
        self.table
            .damaged(Corruption::new(place, what, wide(found), expected))
    }

    /// Whether the index at `root` ends with the current key.
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
            "last key of a section, not that of its index, length",
            wide(last.len()),
            Expected::Exactly(wide(self.index.key.len())),
        )))
    }

    /// Whether an index block is at `offset`.
    fn is_index(&self, offset: usize) -> Result<bool> {
        let end = self.table.frame().data.len();
        Ok(offset < end && self.table.type_at(offset)? == BlockType::Index)
    }

    /// Stands behind the last record.
    fn leave(&mut self) {
        self.place = Place::End;
        self.is_parked = false;
        self.block = Block::nowhere();
        self.records.start(&self.block);
        self.found = false;
        self.index_is_current = false;
    }

    /// Stands before the first record of the block at `offset`.
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
        self.place = Place::Inside;
        self.is_parked = false;
        self.records.start(&self.block);
        Ok(())
    }

    /// The next [`advance`](Self::advance) gives the first record whose key is not less than
    /// `want`.
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

    /// Tries to answer a search ahead of the current record from the current block.
    fn seek_from_here(&mut self, want: &[u8]) -> Result<bool> {
        if self.place != Place::Inside || !self.records.key.is_current() {
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

    /// Searches the current block; `false` when all its keys are less than `want`.
    fn seek_in_block(&mut self, want: &[u8], ahead: bool) -> Result<bool> {
        self.unpark()?;
        let buffer = buffer::<R>(&self.table, &self.inflater);
        let context = &self.table.context;
        self.found = false;
        self.found = self
            .records
            .seek::<R>(&self.block, buffer, context, want, ahead, &mut self.span)
            .map_err(|damage| self.table.damaged(damage))?;
        Ok(self.found)
    }

    /// The same, in the block that the current index record is about.
    fn seek_in_indexed_block(&mut self, want: &[u8], ahead: bool) -> Result<bool> {
        let found = self.seek_in_block(want, ahead)?;
        if found && self.key() > self.index.key.bytes() {
            return Err(self.not_as_indexed());
        }
        Ok(found)
    }

    /// A record whose key is greater than the index says that its block ends with: the block may
    /// be another one, or the key damaged.
    #[cold]
    fn not_as_indexed(&mut self) -> Error {
        let place = wide(self.block.offset);
        self.leave();
        self.table.damaged(Corruption::new(
            place,
            "block with greater keys than its index names, such records",
            1,
            Expected::Exactly(0),
        ))
    }

    /// Searches block after block; sections without index have few of them.
    fn seek_by_scan(&mut self, start: usize, want: &[u8]) -> Result<()> {
        let mut ahead =
            self.place == Place::Inside && self.records.key.is_current() && want > self.key();
        if !ahead {
            self.records.key.forget();
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

/// The bytes in which the positions of a block count.
#[inline]
fn buffer<'a, R: Records>(table: &'a Table, inflater: &'a Inflater) -> &'a [u8] {
    if R::TYPE == BlockType::Log {
        inflater.block()
    } else {
        &table.data
    }
}
