//! Iterating over all blocks of a table, of any type.
#![forbid(unsafe_code)]

use super::Table;
use crate::block::{Block, Inflater};
use crate::format::error::wide;
use crate::format::{BlockType, Result};

/// Properties of one block, for dumps and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Position in the file.
    pub offset: u64,
    /// Type of its records.
    pub block_type: BlockType,
    /// Position of the restart offsets in the inflated block.
    pub restart_offset: u32,
    /// Number of restarts.
    pub restart_count: u16,
    /// Bytes in the file, deflated and with padding. The last block of an aligned table counts as
    /// padded, although its padding is not written.
    pub full_size: u32,
}

/// Iterator over the blocks of a table in file order. Ends after the first error.
#[derive(Debug)]
pub struct Blocks<'t> {
    table: &'t Table,
    next: usize,
    inflater: Inflater,
}

impl<'t> Blocks<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        let empty = table.end <= table.header.len();
        Self {
            table,
            next: if empty {
                table.end
            } else {
                table.first_block()
            },
            inflater: Inflater::default(),
        }
    }

    fn read(&mut self) -> Result<BlockInfo> {
        let block_type = self.table.type_at(self.next)?;
        let block: Block = self
            .table
            .open_block(self.next, block_type, &mut self.inflater)?;
        self.next = block.next_offset();
        // Always fits: blocks are shorter than 2^24 bytes, and deflating and padding at most
        // double that.
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(BlockInfo {
            offset: wide(block.offset),
            block_type,
            restart_offset: small(block.records_end - block.base),
            restart_count: block.restart_count,
            full_size: small(block.full_size),
        })
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<BlockInfo>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.table.end {
            return None;
        }
        let info = self.read();
        if info.is_err() {
            self.next = self.table.end;
        }
        Some(info)
    }
}
