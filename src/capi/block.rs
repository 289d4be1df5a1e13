//! `reftable-block.h`: single blocks of a table.

use std::ffi::c_int;
use std::ptr;

use super::basics::reftable_buf;
use super::blocksource::{reftable_block_data, reftable_block_source};
use super::iterator::{self, reftable_iterator};
use crate::block::Inflater;
use crate::ffi::code::{number, number_found, Code};
use crate::ffi::object;

mod load;
mod reader;
mod view;

pub(super) use load::{load, BlockRequest};

/// A state of zlib's; this library never makes one.
#[derive(Debug)]
pub struct z_stream_s {
    _private: (),
}

/// One block, which is part of a table. Zero-filled, it is none. The members may be read.
#[repr(C)]
#[derive(Debug)]
pub struct reftable_block {
    /// Where the block's own header begins in its bytes: behind the file's header in the
    /// first block of a table, 0 in others.
    pub header_off: u32,
    /// The bytes of the block and perhaps of what follows it; inflated for logs.
    pub block_data: reftable_block_data,
    /// Bytes of an object id.
    pub hash_size: u32,
    /// NULL.
    pub zstream: *mut z_stream_s,
    /// The inflated bytes of a block of logs, else NULL.
    pub uncompressed_data: *mut u8,
    /// Bytes that were allocated for them.
    pub uncompressed_cap: usize,
    /// How many restarts there are: records whose key is written in full.
    pub restart_count: u16,
    /// Where the positions of the restarts begin, which is where the records end.
    pub restart_off: u32,
    /// Bytes of the block in the file: deflated, if it is, and with its padding.
    pub full_block_size: u32,
    /// What it holds: one of `REFTABLE_BLOCK_TYPE_*`.
    pub block_type: u8,
}

/// Reads the block at `offset` of `source` into `b`, which is zero-filled or holds a
/// block that is released first.
///
/// `header_size` is the length of the file's header for a block at offset 0 (24 or 28),
/// else 0. `table_block_size` is the block size that the file's header names, or 0;
/// `hash_size` the length of object ids; `want_type` the type that the block must have, or
/// `REFTABLE_BLOCK_TYPE_ANY`.
///
/// Returns 0; 1 when the block is of another type; `REFTABLE_FORMAT_ERROR` for bytes that
/// are no block; `REFTABLE_ZLIB_ERROR` when it cannot be inflated; what the source's
/// `read_data` returned, when that is negative; `REFTABLE_OUT_OF_MEMORY_ERROR`;
/// `REFTABLE_API_ERROR` for NULL. After an error nothing is left to be released; after
/// 0 or 1 the block must be.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_init(
    b: *mut reftable_block,
    source: *mut reftable_block_source,
    offset: u32,
    header_size: u32,
    table_block_size: u32,
    hash_size: u32,
    want_type: u8,
) -> c_int {
    let request = BlockRequest {
        offset: offset.into(),
        header_size,
        table_block_size,
        hash_size,
        want_type,
    };
    let mut inflater = Inflater::default();
    // SAFETY: the caller's promise.
    number_found(unsafe {
        match object::borrow(source) {
            Ok(source) => load(b, source, &request, &mut inflater),
            Err(code) => Err(code),
        }
    })
}

/// Gives back what a block holds and fills it with zeros. NULL, and a zero-filled block,
/// are fine. Not for blocks that a table iterator gave.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_release(b: *mut reftable_block) {
    // SAFETY: the caller's promise.
    unsafe {
        if !b.is_null() {
            load::release(ptr::replace(b, reftable_block::EMPTY));
        }
    }
}

/// Makes an iterator over the records of a block, which stands before the first of them.
/// The block must stay as it is for as long as the iterator is used.
///
/// Refs are read with `reftable_iterator_next_ref()`, logs with
/// `reftable_iterator_next_log()`; records of other blocks cannot be read. Update indexes
/// of refs count from the least one of the table, which a block does not know.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL, a block that
/// is zero-filled, or an iterator that is in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_init_iterator(
    b: *const reftable_block,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { iterator::start(it, || reader::BlockReader::new(b)) })
}

/// What the block holds: one of `REFTABLE_BLOCK_TYPE_*`; 0 for NULL or a zero-filled block.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_type(b: *const reftable_block) -> u8 {
    // SAFETY: the caller's promise.
    let found = unsafe {
        object::borrow(b).ok().and_then(|b| {
            let place = usize::try_from(b.header_off).ok()?;
            b.block_data.bytes().get(place).copied()
        })
    };
    found.unwrap_or(0)
}

/// Puts the key of the block's first record into `key`, in place of what is in it. Keys
/// are names for refs; for logs a name, a NUL and the inverted update index, 8 bytes,
/// big-endian. The caller frees `key->buf`; see `struct reftable_buf`.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR`; `REFTABLE_OUT_OF_MEMORY_ERROR`;
/// `REFTABLE_API_ERROR` for NULL or a zero-filled block.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_first_key(
    b: *const reftable_block,
    key: *mut reftable_buf,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { view::first_key(b, key) })
}

impl reftable_block {
    /// A block filled with zeros.
    pub(super) const EMPTY: Self = Self {
        header_off: 0,
        block_data: reftable_block_data::NONE,
        hash_size: 0,
        zstream: ptr::null_mut(),
        uncompressed_data: ptr::null_mut(),
        uncompressed_cap: 0,
        restart_count: 0,
        restart_off: 0,
        full_block_size: 0,
        block_type: 0,
    };
}

#[cfg(test)]
mod tests;
