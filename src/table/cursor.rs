//! Walking and searching one section of a table.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Section, Table};
use crate::block::{Block, BlockCursor, Inflater};
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Damage, Error, Expected, Result};
use crate::record::{IndexRecords, Records};

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
    /// The index record that led to the block; its key is the last one of the block.
    index: BlockCursor,
    /// Whether `index` still belongs to `block`.
    index_is_current: bool,
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
            index: BlockCursor::default(),
            index_is_current: false,
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

    /// Goes to the next record; `false` at the end of the section.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<bool> {
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
            (Place::Start, Some(section)) => section.start,
            (Place::Inside, _) => self.block.next_offset(),
            _ => return Ok(false),
        };
        let frame = self.table.frame();
        let another = offset < frame.data.len()
            && (self.place == Place::Start || self.table.type_at(offset)? == R::TYPE);
        if !another {
            self.leave();
            return Ok(false);
        }
        self.enter(offset)?;
        Ok(true)
    }

    /// Stands behind the last record.
    fn leave(&mut self) {
        self.place = Place::End;
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
        match section.index {
            Some(index) => self.seek_by_index(index, want),
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
                Ok(inside && self.seek_in_block(want, true)?)
            }
        }
    }

    /// Searches the current block; `false` when all its keys are less than `want`.
    fn seek_in_block(&mut self, want: &[u8], ahead: bool) -> Result<bool> {
        let buffer = buffer::<R>(&self.table, &self.inflater);
        let context = &self.table.context;
        self.found = false;
        self.found = self
            .records
            .seek::<R>(&self.block, buffer, context, want, ahead, &mut self.span)
            .map_err(|damage| self.table.damaged(damage))?;
        Ok(self.found)
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

    /// Goes down from the root of the index to the block that holds the first key not less than
    /// `want`.
    ///
    /// A child stands before its parent in the file, which makes cycles impossible.
    fn seek_by_index(&mut self, root: usize, want: &[u8]) -> Result<()> {
        self.leave();
        let Some((mut parent, mut child)) = self.search_root(root, want)? else {
            return Ok(());
        };
        loop {
            let offset = self.child_offset(&parent, child)?;
            let block_type = self.table.type_at(offset)?;
            if block_type == R::TYPE {
                self.records.key.forget();
                self.enter(offset)?;
                self.index_is_current = true;
                if self.seek_in_block(want, false)? {
                    return Ok(());
                }
                return Err(self.table.damaged(short_block(offset)));
            }
            parent = self
                .table
                .open_block(offset, BlockType::Index, &mut self.inflater)?;
            child = match self.search_index(&parent, want)? {
                Some(child) => child,
                None => return Err(self.table.damaged(short_block(offset))),
            };
        }
    }

    /// The first index record of the topmost level whose key is not less than `want`, and its
    /// block. That level may have several blocks; `None` when all keys of the section are less.
    fn search_root(&mut self, root: usize, want: &[u8]) -> Result<Option<(Block, u64)>> {
        let mut offset = root;
        loop {
            let block = self
                .table
                .open_block(offset, BlockType::Index, &mut self.inflater)?;
            if let Some(child) = self.search_index(&block, want)? {
                return Ok(Some((block, child)));
            }
            offset = block.next_offset();
            let end = self.table.frame().data.len();
            if offset >= end || self.table.type_at(offset)? != BlockType::Index {
                return Ok(None);
            }
        }
    }

    fn search_index(&mut self, block: &Block, want: &[u8]) -> Result<Option<u64>> {
        let context = &self.table.context;
        let mut child = 0;
        let found = self.index.seek::<IndexRecords>(
            block,
            &self.table.data,
            context,
            want,
            false,
            &mut child,
        );
        match found {
            Ok(found) => Ok(found.then_some(child)),
            Err(damage) => Err(self.table.damaged(damage)),
        }
    }

    fn child_offset(&self, parent: &Block, child: u64) -> Result<usize> {
        match usize::try_from(child) {
            Ok(offset) if offset < parent.offset => Ok(offset),
            _ => Err(self.table.damaged(Corruption::new(
                wide(parent.offset),
                "position in an index record",
                child,
                Expected::AtMost(wide(parent.offset).saturating_sub(1)),
            ))),
        }
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

/// A block ends before the key that the index above it gives as its last one.
#[cold]
fn short_block(offset: usize) -> Damage {
    Corruption::new(
        wide(offset),
        "block ends before the last key that its index names, fitting records",
        0,
        Expected::AtLeast(1),
    )
}

impl Table {
    /// Opens the block at `offset`, which must be of this type.
    pub(super) fn open_block(
        &self,
        offset: usize,
        block_type: BlockType,
        inflater: &mut Inflater,
    ) -> Result<Block> {
        Block::open(&self.frame(), offset, Some(block_type), inflater)
            .map_err(|damage| self.damaged(damage))
    }

    pub(super) fn type_at(&self, offset: usize) -> Result<BlockType> {
        Block::type_at(&self.frame(), offset).map_err(|damage| self.damaged(damage))
    }

    #[cold]
    pub(super) fn damaged(&self, damage: Damage) -> Error {
        damage.in_file(self.name())
    }
}
