//! `reftable-writer.h`: writing tables.

use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::ptr;

use super::record::{log_view, ref_view, reftable_log_record, reftable_ref_record};
use crate::ffi::code::{number, CResult, Code};
use crate::ffi::object::{self, Exclusive};

mod caller_sink;
mod options;
mod sort;
mod stats;
mod target;

pub use super::shape::current::reftable_write_options;
#[cfg(test)]
pub(super) use caller_sink::{FlushFn, WriteFn};
pub(super) use options::{hash_of, number_of};
pub(super) use target::{lend, new_with};

/// The first of C's bit-fields in a byte, which holds all of them.
pub type bit_field = u8;

/// A bit-field in the same byte as the one before it.
pub type next_bit_field = [u8; 0];

/// Statistics of the blocks of one type.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct reftable_block_stats {
    /// Number of records.
    pub entries: c_int,
    /// Number of restarts.
    pub restarts: u32,
    /// Number of blocks.
    pub blocks: c_int,
    /// Number of blocks of the section's index.
    pub index_blocks: c_int,
    /// Number of levels of the section's index.
    pub max_index_level: c_int,
    /// Offset of the first block; 0 if there is none, or if it is the first of the file.
    pub offset: u64,
    /// Offset of the index; 0 if there is none.
    pub index_offset: u64,
}

/// Statistics of a table that is being written.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct reftable_stats {
    /// Number of blocks of all types.
    pub blocks: c_int,
    /// Ref blocks.
    pub ref_stats: reftable_block_stats,
    /// Object blocks.
    pub obj_stats: reftable_block_stats,
    /// Index blocks.
    pub idx_stats: reftable_block_stats,
    /// Log blocks.
    pub log_stats: reftable_block_stats,
    /// Size of the abbreviated ids in the object section, in bytes.
    pub object_id_len: c_int,
}

/// A writer of one table.
#[derive(Debug)]
pub struct reftable_writer {
    target: Exclusive<target::Target>,
    /// Whether the writer belongs to an addition, which then also closes it.
    is_lent: bool,
    /// Read by C; updated by operations that have completed a block.
    stats: UnsafeCell<reftable_stats>,
}

/// Sets the least and the greatest update index of the table, both inclusive. The default
/// for both is 0. A table for a stack starts at `reftable_stack_next_update_index()` or
/// later.
///
/// Returns 0; `REFTABLE_API_ERROR` after a record was added, or for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_set_limits(
    w: *mut reftable_writer,
    min: u64,
    max: u64,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        target::with(w, |target| {
            target.run(|writer| writer.set_any_limits(min, max))
        })
    })
}

/// Adds a ref. The record remains the caller's. Refs must be added in ascending bytewise
/// order of their names, and before all logs.
///
/// Returns 0; `REFTABLE_API_ERROR` if the record is out of order, the name is NULL or empty,
/// the update index is outside the limits, the kind of value is unknown or its string is
/// NULL, the table is closed, or an argument is NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR` if the
/// record does not fit into a block; the result of `writer_func` if that is negative. After
/// `REFTABLE_API_ERROR` the writer can still be used.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_add_ref(
    w: *mut reftable_writer,
    record: *mut reftable_ref_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { add_ref(w, record) })
}

/// Sorts the array of `n` refs in place and adds them in order, up to the first that fails.
/// The strings of the records remain the caller's.
///
/// Returns the same as `reftable_writer_add_ref()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_add_refs(
    w: *mut reftable_writer,
    refs: *mut reftable_ref_record,
    n: usize,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        sort::refs(refs, n).and_then(|()| (0..n).try_for_each(|i| add_ref(w, refs.add(i))))
    })
}

/// Adds a reflog entry. The record remains the caller's. Entries must be added in ascending
/// order of their names and, for each name, in descending order of their update indexes.
///
/// The update index must not be above the upper limit. It may be below the lower one, since
/// an entry can replace an older one. Deletions are not checked. Unless the options request
/// exact messages, a message must be one line; several newlines at its end become one.
///
/// Returns 0; `REFTABLE_API_ERROR` if the record is out of order, the name is NULL or empty,
/// the update index is too large, the message has several lines, the table is closed, or an
/// argument is NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR`; the result of `writer_func` if that is
/// negative.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_add_log(
    w: *mut reftable_writer,
    record: *mut reftable_log_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { add_log(w, record) })
}

/// Sorts the array of `n` reflog entries in place and adds them in order, up to the first
/// that fails. The strings of the records remain the caller's.
///
/// Returns the same as `reftable_writer_add_log()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_add_logs(
    w: *mut reftable_writer,
    logs: *mut reftable_log_record,
    n: usize,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        sort::logs(logs, n).and_then(|()| (0..n).try_for_each(|i| add_log(w, logs.add(i))))
    })
}

/// Completes the table. After that no record can be added. Statistics remain available, and
/// the writer must still be freed.
///
/// Returns 0; `REFTABLE_EMPTY_TABLE_ERROR` if there are no records (header and footer are
/// written nevertheless); `REFTABLE_IO_ERROR` if `flush_func` returned a negative number;
/// the result of `writer_func` if that is negative; `REFTABLE_API_ERROR` if the table is
/// already closed, or for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_close(w: *mut reftable_writer) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { target::with(w, |target| target.close()) })
}

/// Returns the statistics of what was written so far. The pointer is valid, and the
/// statistics are kept up to date, until the writer is freed. NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_stats(w: *mut reftable_writer) -> *const reftable_stats {
    // SAFETY: the caller's promise.
    match unsafe { object::borrow(w) } {
        Ok(writer) => writer.stats(),
        Err(_) => ptr::null(),
    }
}

/// Frees a writer created by `reftable_writer_new()`. A table that was not closed remains
/// incomplete. Does nothing for NULL or the writer of an addition.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_free(w: *mut reftable_writer) {
    // SAFETY: the caller's promise. An addition owns the writer it lends.
    unsafe {
        if w.as_ref().is_some_and(|writer| !writer.is_lent()) {
            object::dismiss(w);
        }
    }
}

/// # Safety
/// The pointers are NULL or valid as the C API requires.
unsafe fn add_ref(w: *mut reftable_writer, record: *const reftable_ref_record) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        target::with(w, |target| {
            let record = ref_view(record, target.hash_len())?;
            target.run(|writer| writer.add_ref(&record))
        })
    }
}

/// # Safety
/// The pointers are NULL or valid as the C API requires.
unsafe fn add_log(w: *mut reftable_writer, record: *const reftable_log_record) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        target::with(w, |target| {
            let log = log_view(record, target.hash_len())?;
            target.run(|writer| match log.has_message {
                true => writer.add_log(&log.record),
                false => writer.add_log_verbatim(&log.record),
            })
        })
    }
}

#[cfg(test)]
mod tests;
