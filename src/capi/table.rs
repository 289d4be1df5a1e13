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

/// Where a section of a table stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct reftable_table_offsets {
    /// 1 if the table has the section, else 0.
    pub is_present: c_int,
    /// Position of its first block; 0 for the section at the beginning of the file.
    pub offset: u64,
    /// Position of its index; 0 when it has none.
    pub index_offset: u64,
}

/// An open table. The members may be read.
#[repr(C)]
#[derive(Debug)]
pub struct reftable_table {
    /// The name that was given when it was opened.
    pub name: *mut c_char,
    /// Where its bytes come from.
    pub source: reftable_block_source,
    /// Bytes of the file, without its footer.
    pub size: u64,
    /// Hash function of the object ids.
    pub hash_id: hash_number,
    /// Block size that the header names; 0 when blocks are not aligned.
    pub block_size: u32,
    /// Least update index of the table.
    pub min_update_index: u64,
    /// Greatest update index of the table.
    pub max_update_index: u64,
    /// Bytes of the abbreviated ids in the object section.
    pub object_id_len: c_int,
    /// Version of the format: 1 or 2.
    pub version: c_int,
    /// The refs.
    pub ref_offsets: reftable_table_offsets,
    /// The objects that refs point at.
    pub obj_offsets: reftable_table_offsets,
    /// The reflog entries.
    pub log_offsets: reftable_table_offsets,
    /// How many times the table must be given back until it is closed.
    pub refcount: u64,
}

/// Opens the table in `src` and stores it in `*out`. `name` is what the table is called,
/// the name of its file usually; it is copied.
///
/// The source goes over to the table, which closes it in the end; if opening fails it is
/// closed at once. The whole content is read now.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` when it is no table; `REFTABLE_IO_ERROR` when the
/// source fails to read; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_new(
    out: *mut *mut reftable_table,
    src: *mut reftable_block_source,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { open::new(out, src, name) })
}

/// Counts one more user of a table: it stays open until all have given it back.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_incref(table: *mut reftable_table) {
    // SAFETY: the caller's promise.
    unsafe { open::count(table) };
}

/// Gives a table back. When nobody else uses it, it is closed and freed. NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_decref(table: *mut reftable_table) {
    // SAFETY: the caller's promise.
    unsafe { open::give_back(table) };
}

/// Makes an iterator over the refs of a table, deletions included. It must be positioned
/// before it is read.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// iterator that is in use.
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

/// Makes an iterator over the reflog entries of a table, deletions included. It must be
/// positioned before it is read.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// iterator that is in use.
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

/// The hash function of the object ids; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_hash_id(t: *mut reftable_table) -> hash_number {
    // SAFETY: the caller's promise.
    unsafe { t.as_ref() }.map_or(0, |table| table.hash_id)
}

/// Makes an iterator over the refs that point at the object `oid`, directly or peeled, in
/// order of their names. `oid` has as many bytes as the table's hash. It is read without
/// being positioned.
///
/// When the table has an object section, that is asked which blocks to look at; update
/// indexes of the refs then count from the least one of the table, and the iterator cannot
/// be positioned.
///
/// Returns 0, also when there is no such ref; 1 when the object section has an index and
/// ends before the object, and the iterator is empty; `REFTABLE_FORMAT_ERROR`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator that is in
/// use.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_refs_for(
    t: *mut reftable_table,
    it: *mut reftable_iterator,
    oid: *mut u8,
) -> c_int {
    // SAFETY: the caller's promise.
    number_found(unsafe { refs_for::start(t, it, oid) })
}

/// The greatest update index of a table; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_max_update_index(t: *mut reftable_table) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { t.as_ref() }.map_or(0, |table| table.max_update_index)
}

/// The least update index of a table; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_min_update_index(t: *mut reftable_table) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { t.as_ref() }.map_or(0, |table| table.min_update_index)
}

/// An iterator over the blocks of a table.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_table_iterator {
    /// For the library; NULL when there is no iterator.
    pub iter_arg: *mut c_void,
}

/// Makes an iterator over all blocks of a table, in the order of the file. `it` need not
/// be zero-filled. The table stays open until the iterator is released.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_iterator_init(
    it: *mut reftable_table_iterator,
    t: *mut reftable_table,
) -> c_int {
    // SAFETY: the caller's promise. What was in `it` before is not looked at.
    number(unsafe {
        blocks::new(t).and_then(|blocks| {
            let iter_arg = blocks.cast();
            object::put(it, reftable_table_iterator { iter_arg })
                .inspect_err(|_| object::dismiss(blocks))
        })
    })
}

/// Frees what the iterator holds, the block that it gave last included. NULL, and a
/// zero-filled iterator, are fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_table_iterator_release(it: *mut reftable_table_iterator) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(it) = it.as_mut() {
            let blocks = std::mem::replace(&mut it.iter_arg, ptr::null_mut());
            object::dismiss(blocks.cast::<blocks::Object>());
        }
    }
}

/// Reads the next block and stores it in `*out`: it is valid until the next call.
///
/// Returns 0; 1 at the end; errors as `reftable_block_init()`; `REFTABLE_API_ERROR` for
/// NULL or a zero-filled iterator. After 1 or an error there is no block in `*out`.
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
