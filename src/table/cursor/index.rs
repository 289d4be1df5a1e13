//! Searching a section by its index, and checking that the index covers the section's start.
#![forbid(unsafe_code)]

use super::{Section, SectionCursor};
use crate::block::{prefetch, Block, BlockRecords};
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Damage, Expected, Result};
use crate::record::{IndexRecords, Records};

impl<R: Records> SectionCursor<R> {
    /// Descends from the root of the index to the block that contains the first key not less than
    /// `want`.
    ///
    /// Two checks prevent records from being missed silently: no key of a child is greater than
    /// the child's key in its parent, and the first records of all levels lead to the first block
    /// of the section. A child precedes its parent in the file, so that there are no cycles.
    pub(super) fn seek_by_index(
        &mut self,
        section: Section,
        root: usize,
        want: &[u8],
    ) -> Result<()> {
        let last = self.block;
        self.leave();
        let Some((parent, child)) = self.search_root(root, want)? else {
            return self.check_root(section, root);
        };
        let offset = self.descend(section, parent, child, want)?;
        if R::TYPE == BlockType::Ref {
            prefetch::restarts_like(&last, &self.table.data, offset);
        }
        self.cursor.key.forget();
        self.enter(offset)?;
        self.index_is_current = true;
        if self.seek_in_indexed_block(want, false)? {
            return Ok(());
        }
        Err(self.table.damaged(short_block(offset)))
    }

    /// Descends from an index record of the topmost level to a block of the section; returns its
    /// position.
    #[inline(always)]
    fn descend(
        &mut self,
        section: Section,
        mut parent: Block,
        mut child: u64,
        want: &[u8],
    ) -> Result<usize> {
        let mut first = Some(parent.offset) == section.index && self.index.is_at_first();
        loop {
            let offset = self.child_offset(&parent, child)?;
            let frame = self.table.frame();
            prefetch::end_of_block(frame.data, offset, frame.block_size);
            if self.table.type_at(offset)? == R::TYPE {
                if first && offset != section.start {
                    self.check_first(section, offset)?;
                }
                return Ok(offset);
            }
            parent = self
                .table
                .open_block(offset, BlockType::Index, &mut self.inflater)?;
            self.above.clear();
            self.above.extend_from_slice(self.index.key.bytes());
            child = match self.search_index(&parent, want)? {
                Some(child) => child,
                None => return Err(self.table.damaged(short_block(offset))),
            };
            if self.index.key.bytes() > &self.above[..] {
                return Err(self.not_as_indexed());
            }
            first &= self.index.is_at_first();
        }
    }

    /// Handles an index whose first block is not at the position in the footer. If there is a block
    /// at that position, and before `first`, then the index has left out blocks, which is an error.
    /// Otherwise the footer is wrong, and the index is followed. (For refs the footer has no
    /// position: they begin the file.)
    fn check_first(&mut self, section: Section, first: usize) -> Result<()> {
        let start = section.start;
        let is_there = R::TYPE == BlockType::Ref
            || (start < first
                && self
                    .table
                    .open_block(start, R::TYPE, &mut self.inflater)
                    .is_ok());
        // The inflater may now hold another block.
        self.inflated = None;
        if is_there {
            let root = section.index.unwrap_or(0);
            return Err(self.table.damaged(not_the_first(root, first, start)));
        }
        Ok(())
    }

    /// The first index record of the topmost level whose key is not less than `want`, and its
    /// block; `None` if all keys of the section are less. That level may have several blocks.
    pub(super) fn search_root(&mut self, root: usize, want: &[u8]) -> Result<Option<(Block, u64)>> {
        let mut offset = root;
        loop {
            let block = self
                .table
                .open_block(offset, BlockType::Index, &mut self.inflater)?;
            if let Some(child) = self.search_index(&block, want)? {
                return Ok(Some((block, child)));
            }
            offset = block.next_offset();
            if !self.is_index(offset)? {
                return Ok(None);
            }
        }
    }

    fn search_index(&mut self, block: &Block, want: &[u8]) -> Result<Option<u64>> {
        let records = BlockRecords {
            block,
            buffer: &self.table.data,
            context: &self.table.context,
        };
        let mut child = 0;
        match self
            .index
            .seek::<IndexRecords>(&records, want, false, &mut child)
        {
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

    /// Position of the section's first block: 0 for refs; for other sections, it is in the footer
    /// and can be found by the index.
    pub(super) fn first_block(&mut self, section: Section) -> Result<usize> {
        self.table.check_start(section)?;
        match section.index {
            Some(root) if R::TYPE != BlockType::Ref => self.first_indexed(section, root),
            _ => Ok(section.start),
        }
    }

    /// Position of the first block to which the index leads.
    #[inline(never)]
    fn first_indexed(&mut self, section: Section, root: usize) -> Result<usize> {
        match self.search_root(root, &[])? {
            Some((parent, child)) => self.descend(section, parent, child, &[]),
            None => Ok(section.start),
        }
    }

    /// Checks that an index in which a key was not found belongs to the section. Done once per
    /// cursor.
    #[cold]
    fn check_root(&mut self, section: Section, root: usize) -> Result<()> {
        if !self.root_is_checked {
            self.first_indexed(section, root)?;
            self.root_is_checked = true;
        }
        Ok(())
    }
}

/// Damage for an index whose first records, from the root down, do not lead to the first block.
#[cold]
fn not_the_first(root: usize, found: usize, start: usize) -> Damage {
    let what = "position of the first block to which an index leads";
    Corruption::new(
        wide(root),
        what,
        wide(found),
        Expected::Exactly(wide(start)),
    )
}

/// Damage for a block without keys as great as its key in the index.
#[cold]
fn short_block(offset: usize) -> Damage {
    Corruption::new(
        wide(offset),
        "records of a block with keys not less than its key in the index",
        0,
        Expected::AtLeast(1),
    )
}
