//! `reftable-writer.h`: writing tables.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_long, c_uint, c_void};
use std::ptr;

use libc::ssize_t;

use super::basics::hash_number;
use super::record::{log_view, ref_view, reftable_log_record, reftable_ref_record};
use crate::ffi::code::{number, CResult, Code};
use crate::ffi::object::{self, Exclusive};

mod caller_sink;
mod options;
mod sort;
mod stats;
mod target;

#[cfg(feature = "capi-internals")]
pub(super) use options::hash_of;
pub(super) use options::number_of;
pub(super) use target::lend;

/// The first of C's bit-fields in a byte, which stands for all of them.
pub type bit_field = u8;

/// A bit-field in the byte of the one before it.
pub type next_bit_field = [u8; 0];

/// How tables are written, and how a stack is kept. Zero-filled, all is as usual.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_write_options {
    /// Do not pad blocks to the block size.
    /// cbindgen:bitfield=1
    pub unpadded: bit_field,
    /// Bytes of a block, at most 16777215; 0 means 4096.
    pub block_size: u32,
    /// Write no object section.
    /// cbindgen:bitfield=1
    pub skip_index_objects: bit_field,
    /// How many records there are from one whose key is written in full to the next; 0
    /// means 16.
    pub restart_interval: u16,
    /// Hash function of the object ids; 0 means SHA-1.
    pub hash_id: hash_number,
    /// Permission bits of tables and lists, free of the umask; 0 means 0666 less the umask.
    pub default_permissions: c_uint,
    /// Write log messages as they are. Otherwise a message must be one line, and gets a
    /// newline at its end if it has none.
    /// cbindgen:bitfield=1
    pub exact_log_message: bit_field,
    /// Do not compact a stack after a table was added.
    /// cbindgen:bitfield=1
    pub disable_auto_compact: next_bit_field,
    /// Write what git's C library writes even where the format's document asks for something
    /// else: an index may end in several blocks, and the first block of a table of logs alone
    /// includes the file header. JGit misses records in such tables. Not in git's own header;
    /// it takes a bit that is unused there.
    /// cbindgen:bitfield=1
    pub git_layout: next_bit_field,
    /// How many times as large as the next newer one a table must be, lest they be
    /// compacted; 0 means 2.
    pub auto_compaction_factor: u8,
    /// How many milliseconds to wait for a locked stack: 0 not at all, a negative number
    /// for ever. Locks of single tables are never waited for.
    pub lock_timeout_ms: c_long,
    /// Called whenever a stack has read its list of tables anew, or tried to. It may use
    /// the stack. NULL for nothing.
    pub on_reload: Option<unsafe extern "C" fn(payload: *mut c_void)>,
    /// What it is called with.
    pub on_reload_payload: *mut c_void,
}

/// Numbers about the blocks of one type.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct reftable_block_stats {
    /// Records.
    pub entries: c_int,
    /// Records whose key is written in full.
    pub restarts: u32,
    /// Blocks.
    pub blocks: c_int,
    /// Blocks of the section's index.
    pub index_blocks: c_int,
    /// Levels of the section's index.
    pub max_index_level: c_int,
    /// Position of the first block; 0 when there is none, or it is the first of the file.
    pub offset: u64,
    /// Position of the index; 0 when there is none.
    pub index_offset: u64,
}

/// Numbers about a table that is being written.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct reftable_stats {
    /// Blocks of all types.
    pub blocks: c_int,
    /// The refs.
    pub ref_stats: reftable_block_stats,
    /// The objects that refs point at.
    pub obj_stats: reftable_block_stats,
    /// Blocks of indexes.
    pub idx_stats: reftable_block_stats,
    /// The reflog entries.
    pub log_stats: reftable_block_stats,
    /// Bytes of the abbreviated ids in the object section.
    pub object_id_len: c_int,
}

/// Writes one table.
#[derive(Debug)]
pub struct reftable_writer {
    target: Exclusive<target::Target>,
    /// Whether an addition has made it, which then also ends it.
    is_lent: bool,
    /// What C reads; written by operations, after each block.
    stats: UnsafeCell<reftable_stats>,
}

/// Makes a writer and stores it in `*out`. It must be freed.
///
/// `writer_func` is called with `writer_arg` and appends bytes to the file, all of them; a
/// negative number is an error, which the function that was called returns in turn.
/// `flush_func` makes the file durable; it is called once, when the table is complete.
/// `opts` is copied; NULL stands for options that are zero-filled.
///
/// Returns 0; `REFTABLE_API_ERROR` when the block size is above 16777215, the hash function
/// is unknown, or another argument is NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_new(
    out: *mut *mut reftable_writer,
    writer_func: Option<
        unsafe extern "C" fn(arg: *mut c_void, data: *const c_void, len: usize) -> ssize_t,
    >,
    flush_func: Option<unsafe extern "C" fn(arg: *mut c_void) -> c_int>,
    writer_arg: *mut c_void,
    opts: *const reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    let made = unsafe { target::own(writer_func, flush_func, writer_arg, opts) };
    // SAFETY: the same.
    number(made.and_then(|writer| unsafe {
        object::put(out, writer).inspect_err(|_| object::dismiss(writer))
    }))
}

/// Sets the least and the greatest update index of the table, both included. Without it
/// both are 0. A table for a stack begins at `reftable_stack_next_update_index()` or later.
///
/// Returns 0; `REFTABLE_API_ERROR` once a record was added, or for NULL.
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

/// Adds a ref, which stays the caller's and may be freed afterwards. Refs come in
/// ascending order of their names, compared byte by byte, and before all logs.
///
/// Returns 0; `REFTABLE_API_ERROR` when the order is broken, the name is NULL or empty,
/// the update index is outside the limits, the kind of value is unknown or its string
/// NULL, the table is closed, or for NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR` when the record
/// does not fit into a block; what `writer_func` returned, when that is negative. After an
/// error of `REFTABLE_API_ERROR` the table can be written on.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_add_ref(
    w: *mut reftable_writer,
    record: *mut reftable_ref_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { add_ref(w, record) })
}

/// Sorts the array of `n` refs, in place, and adds them one after another, up to the first
/// that fails. The strings of the records stay the caller's.
///
/// Returns what `reftable_writer_add_ref()` does.
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

/// Adds a reflog entry, which stays the caller's. Entries come in ascending order of their
/// names, and for each name the one with the greatest update index first.
///
/// The update index must not be above the limit; it may be below the least one, for an
/// entry can replace an older one. A deletion is not checked. Unless the options say that
/// messages are exact, a message must be one line; newlines at its end become one.
///
/// Returns 0; `REFTABLE_API_ERROR` when the order is broken, the name is NULL or empty,
/// the update index is too great, the message has several lines, the table is closed, or
/// for NULL; `REFTABLE_ENTRY_TOO_BIG_ERROR`; what `writer_func` returned, when that is
/// negative.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_add_log(
    w: *mut reftable_writer,
    record: *mut reftable_log_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { add_log(w, record) })
}

/// Sorts the array of `n` entries, in place, and adds them one after another, up to the
/// first that fails. The strings of the records stay the caller's.
///
/// Returns what `reftable_writer_add_log()` does.
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

/// Completes the table. Nothing can be added any more; statistics can still be asked for,
/// and the writer must still be freed.
///
/// Returns 0; `REFTABLE_EMPTY_TABLE_ERROR` when there are no records (a header and a footer
/// were written all the same); `REFTABLE_IO_ERROR` when `flush_func` returned a negative
/// number; what `writer_func` returned, when that is negative; `REFTABLE_API_ERROR` when
/// the table is closed already, or for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_close(w: *mut reftable_writer) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { target::with(w, |target| target.close()) })
}

/// Numbers about what was written so far: valid, and kept up to date, until the writer is
/// freed. NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_stats(w: *mut reftable_writer) -> *const reftable_stats {
    // SAFETY: the caller's promise.
    match unsafe { object::borrow(w) } {
        Ok(writer) => writer.stats(),
        Err(_) => ptr::null(),
    }
}

/// Frees a writer that `reftable_writer_new()` made. What was not closed is lost. NULL is
/// fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_writer_free(w: *mut reftable_writer) {
    // SAFETY: the caller's promise. One that an addition lends stays the addition's.
    unsafe {
        if w.as_ref().is_some_and(|writer| !writer.is_lent()) {
            object::dismiss(w);
        }
    }
}

/// # Safety
/// The pointers are NULL or as C must pass them.
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
/// The pointers are NULL or as C must pass them.
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
