//! The shape of git 2.56: a stack has options of its own, and each change has those for writing.

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
#[cfg(test)]
mod tests;

/// Options for changing a stack and for writing tables. Zero-filled options are the defaults.
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
}

/// Options for opening a stack. Zero-filled options are the defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_stack_options {
    /// Hash function of the object ids; 0 means SHA-1.
    pub hash_id: hash_number,
    /// Called after a stack has reloaded its list of tables, or failed to. It may use the
    /// stack. May be NULL.
    pub on_reload: Option<unsafe extern "C" fn(payload: *mut c_void)>,
    /// Argument of `on_reload`.
    pub on_reload_payload: *mut c_void,
    /// Whether iterators over the stack omit deletions. If 0, they return them as records,
    /// each of which hides the older records of its name.
    pub suppress_deletions: c_int,
}

/// What a stack keeps of the options that it was opened with.
pub(in crate::capi) type KeptOptions = reftable_stack_options;

impl Opening for reftable_stack_options {
    fn hash(&self) -> CResult<HashId> {
        hash_of(self.hash_id)
    }

    fn tombstones(&self) -> Tombstones {
        match self.suppress_deletions {
            0 => Tombstones::Show,
            _ => Tombstones::Hide,
        }
    }

    fn on_reload(&self) -> (Option<OnReload>, *mut c_void) {
        (self.on_reload, self.on_reload_payload)
    }

    fn for_cleaning(&self) -> reftable_write_options {
        reftable_write_options::EMPTY
    }
}

impl reftable_stack_options {
    /// Options filled with zeros.
    pub(in crate::capi) const EMPTY: Self = Self {
        hash_id: 0,
        on_reload: None,
        on_reload_payload: std::ptr::null_mut(),
        suppress_deletions: 0,
    };
}

/// Opens the stack in the directory `dir` and stores it in `*dest`. A missing directory, or
/// one without a list of tables, is an empty stack. `opts` is copied; NULL means zero-filled
/// options.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` if the list or a table is damaged, or a table has
/// another hash function; `REFTABLE_NOT_EXIST_ERROR` if a table is missing;
/// `REFTABLE_IO_ERROR`; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// unknown hash function. After an error `*dest` is NULL.
#[export_name = "reftable_new_stack_2_56"]
pub unsafe extern "C" fn reftable_new_stack(
    dest: *mut *mut reftable_stack,
    dir: *const c_char,
    opts: *const reftable_stack_options,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let options = opts.as_ref().copied();
        stack::open_with(dest, dir, options.unwrap_or(reftable_stack_options::EMPTY))
    }
}

/// Locks the stack and stores a new addition in `*dest`. The addition must be destroyed,
/// even after a commit, and before the stack. `opts` is copied; NULL means zero-filled
/// options.
///
/// `flags` is 0 or `REFTABLE_STACK_NEW_ADDITION_RELOAD`.
///
/// Returns 0; `REFTABLE_LOCK_ERROR` if the lock cannot be acquired within the timeout of the
/// options; `REFTABLE_OUTDATED_ERROR` if the stack has changed since it was read and the
/// flags do not request a reload; errors of the reload; `REFTABLE_IO_ERROR`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL. After an error `*dest` is
/// NULL.
#[export_name = "reftable_stack_new_addition_2_56"]
pub unsafe extern "C" fn reftable_stack_new_addition(
    dest: *mut *mut reftable_addition,
    st: *mut reftable_stack,
    opts: *const reftable_write_options,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::new_addition_with(dest, st, |_| reftable_write_options::read(opts), flags) }
}

/// Adds one table: creates an addition with `opts`, which may be NULL, and `flags`, adds to it
/// with `write_table` and `write_arg`, commits it and destroys it.
///
/// Returns the same as these functions. After `REFTABLE_OUTDATED_ERROR` the stack has been
/// reloaded.
#[export_name = "reftable_stack_add_2_56"]
pub unsafe extern "C" fn reftable_stack_add(
    st: *mut reftable_stack,
    write_table: Option<
        unsafe extern "C" fn(wr: *mut reftable_writer, write_arg: *mut c_void) -> c_int,
    >,
    write_arg: *mut c_void,
    opts: *const reftable_write_options,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        stack::add_with(
            st,
            write_table,
            write_arg,
            |_| reftable_write_options::read(opts),
            flags,
        )
    }
}

/// Compacts all tables into one, dropping deletions and the reflog entries selected by
/// `config`. If `config` is NULL, drops no entries and leaves a single table unchanged.
/// `opts` may be NULL.
///
/// Returns 0; `REFTABLE_LOCK_ERROR` if the stack or a table is locked;
/// `REFTABLE_OUTDATED_ERROR` if the stack has changed since it was read; read and write
/// errors; `REFTABLE_API_ERROR` for NULL, or if a log message cannot be written with
/// these options.
#[export_name = "reftable_stack_compact_all_2_56"]
pub unsafe extern "C" fn reftable_stack_compact_all(
    st: *mut reftable_stack,
    opts: *const reftable_write_options,
    config: *mut reftable_log_expiry_config,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::compact_all_with(st, |_| reftable_write_options::read(opts), config) }
}

/// Stores in `*required` whether the stack should be compacted. With `use_heuristics` that
/// is decided by the sizes of the tables, as in `reftable_stack_auto_compact()`; otherwise
/// it is true if there are two or more tables. `opts` may be NULL.
///
/// Returns 0; `REFTABLE_API_ERROR` for NULL.
/// cbindgen:prefix=REFTABLE_WITH_BOOL
#[export_name = "reftable_stack_compaction_required_2_56"]
pub unsafe extern "C" fn reftable_stack_compaction_required(
    st: *mut reftable_stack,
    opts: *const reftable_write_options,
    use_heuristics: bool,
    required: *mut bool,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        stack::compaction_required_with(
            st,
            |_| reftable_write_options::read(opts),
            use_heuristics,
            required,
        )
    }
}

/// Compacts the tables whose sizes violate the geometric rule, see `auto_compaction_factor`.
/// Excludes tables that another process has locked, and tables older than these.
/// `opts` may be NULL.
///
/// Returns the same as `reftable_stack_compact_all()`.
#[export_name = "reftable_stack_auto_compact_2_56"]
pub unsafe extern "C" fn reftable_stack_auto_compact(
    st: *mut reftable_stack,
    opts: *const reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { stack::auto_compact_with(st, |_| reftable_write_options::read(opts)) }
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
#[export_name = "reftable_writer_new_2_56"]
pub unsafe extern "C" fn reftable_writer_new(
    out: *mut *mut reftable_writer,
    writer_func: Option<
        unsafe extern "C" fn(arg: *mut c_void, data: *const c_void, len: usize) -> ssize_t,
    >,
    flush_func: Option<unsafe extern "C" fn(arg: *mut c_void) -> c_int>,
    writer_arg: *mut c_void,
    hash_id: hash_number,
    opts: *const reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let options = reftable_write_options::read(opts);
        writer::new_with(out, writer_func, flush_func, writer_arg, hash_id, &options)
    }
}

layout!(reftable_stack_options, 32:
    hash_id 0, on_reload 8, on_reload_payload 16, suppress_deletions 24);
// The bit-fields are in the bytes 0, 8 and 16.
layout!(reftable_write_options, 32:
    unpadded 0, block_size 4, skip_index_objects 8, restart_interval 10,
    default_permissions 12, exact_log_message 16, disable_auto_compact 17,
    git_layout 17,
    auto_compaction_factor 17, lock_timeout_ms 24);
