//! The shape of git 2.55: options belong to a stack.

use std::ffi::{c_char, c_int, c_long, c_uint, c_void};

use libc::ssize_t;

use super::{OnReload, Opening};
use crate::capi::basics::hash_number;
use crate::capi::layout::layout;
use crate::capi::stack::{self, reftable_addition, reftable_log_expiry_config, reftable_stack};
use crate::capi::writer::{self, bit_field, hash_of, next_bit_field, reftable_writer};
use crate::ffi::code::CResult;
use crate::format::HashId;
use crate::merged::Tombstones;

#[cfg(test)]
pub(in crate::capi) mod testing;

/// Options for writing tables and managing a stack. Zero-filled options are the defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_write_options {
    /// Do not pad blocks to the block size.
    /// cbindgen:bitfield=1
    pub unpadded: bit_field,
    /// Block size in bytes, at most 16777215; 0 means 4096.
    pub block_size: u32,
    /// Do not write the object section.
    /// cbindgen:bitfield=1
    pub skip_index_objects: bit_field,
    /// Number of records per restart, a record whose key is stored in full; 0 means 16.
    pub restart_interval: u16,
    /// Hash function of the object ids; 0 means SHA-1.
    pub hash_id: hash_number,
    /// Permission bits of tables and lists, not subject to the umask; 0 means 0666 minus the
    /// umask.
    pub default_permissions: c_uint,
    /// Write log messages unchanged. Otherwise a message must be one line, and a missing
    /// newline is added.
    /// cbindgen:bitfield=1
    pub exact_log_message: bit_field,
    /// Do not compact a stack after adding a table.
    /// cbindgen:bitfield=1
    pub disable_auto_compact: next_bit_field,
    /// Write the layout of git's C library even where it contradicts the format's
    /// specification: an index may have several root blocks, and the first block of a table
    /// that contains only logs includes the file header. JGit misses records in such tables.
    /// This member is not in git's own header; it uses a bit that is unused there.
    /// cbindgen:bitfield=1
    pub git_layout: next_bit_field,
    /// Factor of the geometric rule: a table must be at least this many times as large as
    /// the next newer one, or both are compacted; 0 means 2.
    pub auto_compaction_factor: u8,
    /// Milliseconds to wait for a locked stack: 0 does not wait, a negative number waits
    /// forever. There is no waiting for locks of single tables.
    pub lock_timeout_ms: c_long,
    /// Called after a stack has reloaded its list of tables, or failed to. It may use the
    /// stack. May be NULL.
    pub on_reload: Option<unsafe extern "C" fn(payload: *mut c_void)>,
    /// Argument of `on_reload`.
    pub on_reload_payload: *mut c_void,
}

/// What a stack keeps of the options that it was opened with.
pub(in crate::capi) type KeptOptions = reftable_write_options;

impl Opening for reftable_write_options {
    fn hash(&self) -> CResult<HashId> {
        hash_of(self.hash_id)
    }

    fn tombstones(&self) -> Tombstones {
        Tombstones::Hide
    }

    fn on_reload(&self) -> (Option<OnReload>, *mut c_void) {
        (self.on_reload, self.on_reload_payload)
    }

    fn for_cleaning(&self) -> reftable_write_options {
        *self
    }
}

/// The options of a stack, with which all of its operations write.
fn kept(stack: &reftable_stack) -> reftable_write_options {
    stack.options()
}

/// Opens the stack in the directory `dir` and stores it in `*dest`. A missing directory, or
/// one without a list of tables, is an empty stack. `opts` is copied; NULL means zero-filled
/// options.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` if the list or a table is damaged, or a table has
/// another hash function; `REFTABLE_NOT_EXIST_ERROR` if a table is missing;
/// `REFTABLE_IO_ERROR`; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// unknown hash function. After an error `*dest` is NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_new_stack(
    dest: *mut *mut reftable_stack,
    dir: *const c_char,
    opts: *const reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::open_with(dest, dir, reftable_write_options::read(opts)) }
}

/// Locks the stack and stores a new addition in `*dest`. The addition must be destroyed,
/// even after a commit, and before the stack.
///
/// `flags` is 0 or `REFTABLE_STACK_NEW_ADDITION_RELOAD`.
///
/// Returns 0; `REFTABLE_LOCK_ERROR` if the lock cannot be acquired within the timeout of the
/// options; `REFTABLE_OUTDATED_ERROR` if the stack has changed since it was read and the
/// flags do not request a reload; errors of the reload; `REFTABLE_IO_ERROR`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL. After an error `*dest` is
/// NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_new_addition(
    dest: *mut *mut reftable_addition,
    st: *mut reftable_stack,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::new_addition_with(dest, st, kept, flags) }
}

/// Adds one table: creates an addition with `flags`, adds to it with `write_table` and
/// `write_arg`, commits it and destroys it.
///
/// Returns the same as these functions. After `REFTABLE_OUTDATED_ERROR` the stack has been
/// reloaded.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_add(
    st: *mut reftable_stack,
    write_table: Option<
        unsafe extern "C" fn(wr: *mut reftable_writer, write_arg: *mut c_void) -> c_int,
    >,
    write_arg: *mut c_void,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::add_with(st, write_table, write_arg, kept, flags) }
}

/// Compacts all tables into one, dropping deletions and the reflog entries selected by
/// `config`. If `config` is NULL, drops no entries and leaves a single table unchanged.
///
/// Returns 0; `REFTABLE_LOCK_ERROR` if the stack or a table is locked;
/// `REFTABLE_OUTDATED_ERROR` if the stack has changed since it was read; read and write
/// errors; `REFTABLE_API_ERROR` for NULL, or if a log message cannot be written with the
/// stack's options.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_compact_all(
    st: *mut reftable_stack,
    config: *mut reftable_log_expiry_config,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::compact_all_with(st, kept, config) }
}

/// Stores in `*required` whether the stack should be compacted. With `use_heuristics` that
/// is decided by the sizes of the tables, as in `reftable_stack_auto_compact()`; otherwise
/// it is true if there are two or more tables.
///
/// Returns 0; `REFTABLE_API_ERROR` for NULL.
/// cbindgen:prefix=REFTABLE_WITH_BOOL
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_compaction_required(
    st: *mut reftable_stack,
    use_heuristics: bool,
    required: *mut bool,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::compaction_required_with(st, kept, use_heuristics, required) }
}

/// Compacts the tables whose sizes violate the geometric rule, see `auto_compaction_factor`.
/// Excludes tables that another process has locked, and tables older than these.
///
/// Returns the same as `reftable_stack_compact_all()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_auto_compact(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::auto_compact_with(st, kept) }
}

/// Creates a writer and stores it in `*out`. It must be freed.
///
/// `writer_func` appends all `len` bytes to the file. A negative result is an error, which
/// the library function that called it returns. `flush_func` makes the file durable; it is
/// called once, when the table is complete. Both are called with `writer_arg`. `opts` is
/// copied; NULL means zero-filled options.
///
/// Returns 0; `REFTABLE_API_ERROR` if the block size is above 16777215, the hash function
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
    unsafe {
        let options = reftable_write_options::read(opts);
        writer::new_with(
            out,
            writer_func,
            flush_func,
            writer_arg,
            options.hash_id,
            &options,
        )
    }
}

// The bit-fields are in the bytes 0, 8 and 20.
layout!(reftable_write_options, 48:
    unpadded 0, block_size 4, skip_index_objects 8, restart_interval 10, hash_id 12,
    default_permissions 16, exact_log_message 20, disable_auto_compact 21,
    git_layout 21,
    auto_compaction_factor 21, lock_timeout_ms 24, on_reload 32, on_reload_payload 40);
