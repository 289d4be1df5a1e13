//! Searching a section by its index, and what the index tells of where the section begins.
#![forbid(unsafe_code)]

use super::{Section, SectionCursor};
use crate::block::{touch, Block};
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Damage, Expected, Result};
use crate::record::{IndexRecords, Records};

impl<R: Records> SectionCursor<R> {
    /// Goes down from the root of the index to the block that holds the first key not less than
    /// `want`.
    ///
    /// A child stands before its parent in the file, which makes cycles impossible. It has no
    /// greater key than its parent says, and the first way down leads to the section's first
    /// block: otherwise records would be missed without a word.
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
            touch::restarts_like(&last, &self.table.data, offset);
        }
        self.records.key.forget();
        self.enter(offset)?;
        self.index_is_current = true;
        if self.seek_in_indexed_block(want, false)? {
            return Ok(());
        }
        Err(self.table.damaged(short_block(offset)))
    }

    /// Goes down from an index record of the topmost level to the block of the section.
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
            touch::end_of_block(frame.data, offset, frame.block_size);
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

    /// The index and the footer do not agree about the first block of the section. When there is
    /// none where the footer says, or when the one there comes after that of the index, the
    /// footer is wrong. Otherwise the index has left out blocks. (Of refs, the footer does not
    /// give the first block.)
    fn check_first(&mut self, section: Section, first: usize) -> Result<()> {
        let start = section.start;
        let is_there = R::TYPE == BlockType::Ref
            || (start < first
                && self
                    .table
                    .open_block(start, R::TYPE, &mut self.inflater)
                    .is_ok());
        // What the inflater held of this section is lost.
        self.inflated = None;
        if is_there {
            let root = section.index.unwrap_or(0);
            return Err(self.table.damaged(not_the_first(root, first, start)));
        }
        Ok(())
    }

    /// The first index record of the topmost level whose key is not less than `want`, and its
    /// block. That level may have several blocks; `None` when all keys of the section are less.
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

    /// Position of the first block. That of refs begins the file; for other sections the footer
    /// gives it, and their index again.
    pub(super) fn first_block(&mut self, section: Section) -> Result<usize> {
        self.table.check_start(section)?;
        match section.index {
            Some(root) if R::TYPE != BlockType::Ref => self.first_indexed(section, root),
            _ => Ok(section.start),
        }
    }

    /// Position of the first block that an index leads to.
    #[inline(never)]
    fn first_indexed(&mut self, section: Section, root: usize) -> Result<usize> {
        match self.search_root(root, &[])? {
            Some((parent, child)) => self.descend(section, parent, child, &[]),
            None => Ok(section.start),
        }
    }

    /// Checks, once for each cursor, that an index in which no key was found is that of the
    /// section.
    #[cold]
    fn check_root(&mut self, section: Section, root: usize) -> Result<()> {
        if !self.root_is_checked {
            self.first_indexed(section, root)?;
            self.root_is_checked = true;
        }
        Ok(())
    }
}

/// The first records of an index, from the root down, lead to another block than the first.
#[cold]
fn not_the_first(root: usize, found: usize, start: usize) -> Damage {
    let what = "position of the first block that an index leads to";
    Corruption::new(
        wide(root),
        what,
        wide(found),
        Expected::Exactly(wide(start)),
    )
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
