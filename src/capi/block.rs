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

/// A zlib stream. This library does not use it.
#[derive(Debug)]
pub struct z_stream_s {
    _private: (),
}

/// One block of a table. A zero-filled block is empty. Callers may read the members.
#[repr(C)]
#[derive(Debug)]
pub struct reftable_block {
    /// Offset of the block's header in its bytes: after the file header in the first block
    /// of a table, 0 in others.
    pub header_off: u32,
    /// The bytes of the block, and possibly more. For logs, the inflated bytes.
    pub block_data: reftable_block_data,
    /// Size of an object id in bytes.
    pub hash_size: u32,
    /// Always NULL.
    pub zstream: *mut z_stream_s,
    /// The inflated bytes of a log block, otherwise NULL.
    pub uncompressed_data: *mut u8,
    /// Bytes allocated for `uncompressed_data`.
    pub uncompressed_cap: usize,
    /// Number of restarts, the records whose key is stored in full.
    pub restart_count: u16,
    /// Offset of the restart table, which is the end of the records.
    pub restart_off: u32,
    /// Size of the block in the file: deflated for logs, and including padding.
    pub full_block_size: u32,
    /// Type of the block: one of `REFTABLE_BLOCK_TYPE_*`.
    pub block_type: u8,
}

/// Reads the block at `offset` of `source` into `b`, which must be zero-filled or hold a
/// block. That block is released first.
///
/// `header_size` is the size of the file header (24 or 28) for a block at offset 0,
/// otherwise 0. `table_block_size` is the block size in the file header, or 0. `hash_size`
/// is the size of an object id. `want_type` is the required block type, or
/// `REFTABLE_BLOCK_TYPE_ANY`.
///
/// Returns 0; 1 if the block has another type; `REFTABLE_FORMAT_ERROR` if the bytes are not
/// a block; `REFTABLE_ZLIB_ERROR` if the block cannot be inflated; the result of the
/// source's `read_data` if that is negative; `REFTABLE_OUT_OF_MEMORY_ERROR`;
/// `REFTABLE_API_ERROR` for NULL. After 0 or 1 the block must be released; after an error
/// there is nothing to release.
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

/// Releases the resources of a block and zero-fills it. Does nothing for NULL or a
/// zero-filled block. Must not be called for a block returned by a table iterator.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_release(b: *mut reftable_block) {
    // SAFETY: the caller's promise.
    unsafe {
        if !b.is_null() {
            load::release(ptr::replace(b, reftable_block::EMPTY));
        }
    }
}

/// Initialises an iterator over the records of a block, positioned before the first one.
/// The block must not change while the iterator is used.
///
/// Read refs with `reftable_iterator_next_ref()` and logs with
/// `reftable_iterator_next_log()`. Records of other block types cannot be read. Update
/// indexes of refs are relative to the least one of the table, which a block does not
/// contain.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL, a zero-filled
/// block, or an iterator in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_init_iterator(
    b: *const reftable_block,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { iterator::start(it, || reader::BlockReader::new(b)) })
}

/// Returns the type of a block, one of `REFTABLE_BLOCK_TYPE_*`; 0 for NULL or a zero-filled
/// block.
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

/// Replaces the content of `key` by the key of the block's first record. The key of a ref
/// is its name; that of a log entry is the name, a NUL, and the bitwise complement of the
/// update index in 8 bytes, big-endian. The caller frees `key->buf`; see
/// `struct reftable_buf`.
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
    /// A zero-filled block.
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
