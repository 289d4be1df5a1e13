//! Iterating over the blocks of a table.

use std::ptr;

use super::open::TableHold;
use super::reftable_table;
use crate::block::Inflater;
use crate::capi::block::{self, reftable_block, BlockRequest};
use crate::ffi::code::{CResult, Code};
use crate::ffi::object::{self, Exclusive};
use crate::format::error::wide;
use crate::format::layout::header_len;

/// The object that the iterator's argument points to.
pub(super) type BlockWalkObject = Exclusive<BlockWalk>;

/// The blocks of a table, read from its source in order.
#[derive(Debug)]
pub(super) struct BlockWalk {
    /// The current block, which C may read; zero-filled before the first and after the last.
    block: reftable_block,
    /// Position of the block to read next.
    next: u64,
    /// The error that ended the iteration.
    failed: Option<Code>,
    inflater: Inflater,
    table: TableHold,
}

impl Drop for BlockWalk {
    /// Releases the block before the table is closed.
    fn drop(&mut self) {
        // SAFETY: `load` made the block, and C no longer uses it.
        unsafe { block::reftable_block_release(&mut self.block) };
    }
}

/// Creates an iterator before the first block.
///
/// # Safety
/// `table` is NULL, or a table that is open.
pub(super) unsafe fn new(table: *mut reftable_table) -> CResult<*mut BlockWalkObject> {
    let memory = object::reserve::<BlockWalkObject>()?;
    // SAFETY: the caller's promise.
    let table = unsafe { TableHold::new(table) }?;
    let first = table.table().map_or(0, |table| table.first_block());
    Ok(memory.fill(BlockWalkObject::new(BlockWalk {
        block: reftable_block::EMPTY,
        next: wide(first),
        failed: None,
        inflater: Inflater::default(),
        table,
    })))
}

/// Reads the next block and stores its address in `*out`. Returns false at the end.
///
/// # Safety
/// `object` is NULL or comes from `new`; `out` may be written.
pub(super) unsafe fn next(
    object: *mut BlockWalkObject,
    out: *mut *const reftable_block,
) -> CResult<bool> {
    // SAFETY: the caller's promise.
    unsafe {
        object::with(object, |blocks| {
            let more = blocks.advance()?;
            if more {
                object::put(out, ptr::from_ref(&blocks.block))?;
            }
            Ok(more)
        })
    }
}

impl BlockWalk {
    fn advance(&mut self) -> CResult<bool> {
        if let Some(code) = self.failed {
            return Err(code);
        }
        if self.next >= self.table.shown().size {
            return Ok(false);
        }
        self.load().inspect_err(|code| self.failed = Some(*code))
    }

    fn load(&mut self) -> CResult<bool> {
        let table = self.table.table()?;
        let header_size = match self.next {
            0 => header_len(table.version()).unwrap_or_default(),
            _ => 0,
        };
        let request = BlockRequest {
            offset: self.next,
            header_size: u32::try_from(header_size).unwrap_or(0),
            table_block_size: table.block_size(),
            hash_size: u32::try_from(table.hash_id().len()).unwrap_or(0),
            want_type: 0,
        };
        let source = self.table.shown().source;
        // SAFETY: the source is the table's, which is held open.
        unsafe { block::load(&mut self.block, &source, &request, &mut self.inflater) }?;
        // At least one byte, so that the iteration ends.
        self.next = self
            .next
            .saturating_add(u64::from(self.block.full_block_size.max(1)));
        Ok(true)
    }
}
