//! Access to the records of a C block.

use super::{reftable_block, Code};
use crate::block::{Block, BlockRecords};
use crate::capi::basics::reftable_buf;
use crate::ffi::code::CResult;
use crate::ffi::{object, string};
use crate::format::layout::{BLOCK_HEADER_LEN, RESTART_COUNT_LEN, RESTART_LEN};
use crate::format::{key, Input};
use crate::record::Context;

/// Geometry and bytes of a block, and the context of its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockView<'a> {
    pub(super) block: Block,
    pub(super) bytes: &'a [u8],
    pub(super) context: Context,
    pub(super) block_type: u8,
}

impl<'a> BlockView<'a> {
    /// Checks a block, whose members the C program may have changed.
    ///
    /// # Errors
    /// Misuse for NULL or a block that is zero-filled; damage when it does not fit its bytes.
    ///
    /// # Safety
    /// `b` is NULL or a block, and its bytes do not change for `'a`.
    pub(super) unsafe fn new(b: *const reftable_block) -> CResult<Self> {
        // SAFETY: the caller's promise.
        let (b, bytes) = unsafe {
            let b = object::borrow(b)?;
            (b, b.block_data.bytes())
        };
        if bytes.is_empty() {
            return Err(Code::MISUSE);
        }
        let place = |n: u32| usize::try_from(n).map_err(|_| Code::FORMAT);
        let first = place(b.header_off)?.saturating_add(BLOCK_HEADER_LEN);
        let records_end = place(b.restart_off)?;
        let tail = RESTART_LEN * usize::from(b.restart_count) + RESTART_COUNT_LEN;
        if first > records_end || records_end.saturating_add(tail) > bytes.len() {
            return Err(Code::FORMAT);
        }
        Ok(Self {
            block: Block {
                offset: 0,
                base: 0,
                first,
                records_end,
                restart_count: b.restart_count,
                full_size: bytes.len(),
            },
            bytes,
            // A block does not contain the least update index: refs have the stored difference.
            context: Context::new(place(b.hash_size)?, 0, u64::MAX),
            block_type: b.block_type,
        })
    }

    /// The records of the block.
    pub(super) fn records(&self) -> BlockRecords<'_> {
        BlockRecords {
            block: &self.block,
            buffer: self.bytes,
            context: &self.context,
        }
    }
}

/// Stores the key of the first record in `to`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn first_key(b: *const reftable_block, to: *mut reftable_buf) -> CResult {
    // SAFETY: the caller's promise.
    let view = unsafe {
        object::borrow(to)?;
        BlockView::new(b)
    }?;
    let (first, end) = (view.block.first, view.block.records_end);
    let records = view.bytes.get(first..end).unwrap_or_default();
    let found = key::at_restart(&mut Input::new(records, end))
        .map_err(|damage| Code::from(damage.in_file("")))
        .and_then(|key| match key {
            [] => Err(Code::FORMAT),
            key => Ok(key),
        });
    // SAFETY: the caller's promise: the buffer is the caller's, with memory of the allocator.
    unsafe {
        let to = &mut *to;
        to.len = 0;
        if to.alloc > 0 && !to.buf.is_null() {
            *to.buf = 0;
        }
        let key = found?;
        string::store(&mut to.buf, &mut to.alloc, key)?;
        to.len = key.len();
    }
    Ok(())
}
