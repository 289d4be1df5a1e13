//! `reftable-table.h`: reading single tables.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::basics::hash_number;
use super::block::reftable_block;
use super::blocksource::reftable_block_source;
use super::iterator::{self, reftable_iterator};
use super::writer::number_of;
use crate::ffi::code::{number, number_found, Code};
use crate::ffi::object;

mod blocks;
mod cursors;
mod open;
mod refs_for;

#[cfg(feature = "capi-internals")]
pub(super) use open::show_core;
pub(super) use open::TableHold;

/// Position of a section of a table.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct reftable_table_offsets {
    /// 1 if the table has the section, otherwise 0.
    pub is_present: c_int,
    /// Offset of its first block; 0 for the section at the start of the file.
    pub offset: u64,
    /// Offset of its index; 0 if it has none.
    pub index_offset: u64,
}

/// An open table. Callers may read the members.
#[repr(C)]
#[derive(Debug)]
pub struct reftable_table {
    /// The name passed when the table was opened.
    pub name: *mut c_char,
    /// The source of its bytes.
    pub source: reftable_block_source,
    /// Size of the file in bytes, without the footer.
    pub size: u64,
    /// Hash function of the object ids.
    pub hash_id: hash_number,
    /// Block size in the file header; 0 if blocks are not aligned.
    pub block_size: u32,
    /// Least update index.
    pub min_update_index: u64,
    /// Greatest update index.
    pub max_update_index: u64,
    /// Size of the abbreviated ids in the object section, in bytes.
    pub object_id_len: c_int,
    /// Format version: 1 or 2.
    pub version: c_int,
    /// The ref section.
    pub ref_offsets: reftable_table_offsets,
    /// The object section.
    pub obj_offsets: reftable_table_offsets,
    /// The log section.
    pub log_offsets: reftable_table_offsets,
    /// Number of references to the table. It is closed when this becomes 0.
    pub refcount: u64,
}

/// Opens the table in `src` and stores it in `*out`. `name`, usually the name of the file,
/// is copied.
///
/// The table takes over the source and closes it when it is itself closed. If opening
/// fails, the source is closed at once. This function reads the whole source.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` if the content is not a table; `REFTABLE_IO_ERROR` if
/// the source cannot be read; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_new(
    out: *mut *mut reftable_table,
    src: *mut reftable_block_source,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { open::new(out, src, name) })
}

/// Adds a reference to a table. It stays open until all references are dropped.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_incref(table: *mut reftable_table) {
    // SAFETY: the caller's promise.
    unsafe { open::count(table) };
}

/// Drops a reference to a table. Dropping the last one closes and frees the table. Does
/// nothing for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_decref(table: *mut reftable_table) {
    // SAFETY: the caller's promise.
    unsafe { open::give_back(table) };
}

/// Initialises an iterator over the refs of a table, including deletions. It must be
/// positioned before it is read.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
/// in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_init_ref_iterator(
    t: *mut reftable_table,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        match object::borrow(t) {
            Ok(table) if table.ref_offsets.is_present == 0 => iterator::start_empty(it),
            _ => iterator::start(it, || cursors::TableRefs::new(t)),
        }
    })
}

/// Initialises an iterator over the reflog entries of a table, including deletions. It must
/// be positioned before it is read.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
/// in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_init_log_iterator(
    t: *mut reftable_table,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        match object::borrow(t) {
            Ok(table) if table.log_offsets.is_present == 0 => iterator::start_empty(it),
            _ => iterator::start(it, || cursors::TableLogs::new(t)),
        }
    })
}

/// Returns the hash function of the object ids; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_hash_id(t: *mut reftable_table) -> hash_number {
    // SAFETY: the caller's promise.
    unsafe { t.as_ref() }.map_or(0, |table| table.hash_id)
}

/// Initialises an iterator over the refs whose value or peeled value is the object `oid`, in
/// order of their names. `oid` has the size of the table's hash. The iterator is positioned
/// before the first ref.
///
/// If the table has an object section, it is used to find the ref blocks. Then update
/// indexes of the refs are relative to the least one of the table, and the iterator cannot
/// be positioned.
///
/// Returns 0, even if there is no such ref; 1 if the object section has an index and ends
/// before the object, leaving the iterator empty; `REFTABLE_FORMAT_ERROR`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_refs_for(
    t: *mut reftable_table,
    it: *mut reftable_iterator,
    oid: *mut u8,
) -> c_int {
    // SAFETY: the caller's promise.
    number_found(unsafe { refs_for::start(t, it, oid) })
}

/// Returns the greatest update index of a table; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_max_update_index(t: *mut reftable_table) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { t.as_ref() }.map_or(0, |table| table.max_update_index)
}

/// Returns the least update index of a table; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_min_update_index(t: *mut reftable_table) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { t.as_ref() }.map_or(0, |table| table.min_update_index)
}

/// An iterator over the blocks of a table.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_table_iterator {
    /// Internal; NULL if there is no iterator.
    pub iter_arg: *mut c_void,
}

/// Initialises an iterator over all blocks of a table, in file order. `it` need not be
/// zero-filled. The table stays open until the iterator is released.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_iterator_init(
    it: *mut reftable_table_iterator,
    t: *mut reftable_table,
) -> c_int {
    // SAFETY: the caller's promise. The old content of `it` is not read.
    number(unsafe {
        blocks::new(t).and_then(|blocks| {
            let iter_arg = blocks.cast();
            object::put(it, reftable_table_iterator { iter_arg })
                .inspect_err(|_| object::dismiss(blocks))
        })
    })
}

/// Frees the resources of an iterator, including the block it returned last. Does nothing
/// for NULL or a zero-filled iterator.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_iterator_release(it: *mut reftable_table_iterator) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(it) = it.as_mut() {
            let blocks = std::mem::replace(&mut it.iter_arg, ptr::null_mut());
            object::dismiss(blocks.cast::<blocks::BlockWalkObject>());
        }
    }
}

/// Reads the next block and stores it in `*out`. It is valid until the next call.
///
/// Returns 0; 1 at the end; the errors of `reftable_block_init()`; `REFTABLE_API_ERROR` for
/// NULL or a zero-filled iterator. Unless it returns 0, `*out` holds no block.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_iterator_next(
    it: *mut reftable_table_iterator,
    out: *mut *const reftable_block,
) -> c_int {
    // SAFETY: the caller's promise.
    number_found(unsafe {
        match (object::borrow(it), object::borrow(out)) {
            (Ok(it), Ok(_)) => blocks::next(it.iter_arg.cast(), out),
            _ => Err(Code::MISUSE),
        }
    })
}

#[cfg(test)]
mod tests;
