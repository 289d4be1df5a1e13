//! `reftable-stack.h`: a directory of tables, read as one and changed by adding tables.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::Arc;

use super::basics::hash_number;
use super::iterator::reftable_iterator;
use super::merged::{
    reftable_merged_table, reftable_merged_table_init_log_iterator,
    reftable_merged_table_init_ref_iterator,
};
use super::record::{reftable_log_record, reftable_ref_record};
use super::shape::current::KeptOptions;
use super::writer::{number_of, reftable_write_options, reftable_writer};
use crate::ffi::code::{number, number_found, CResult, Code};
use crate::ffi::object::{self, Exclusive};
use crate::stack::{Addition, CompactionStats, Stack};

mod addition;
mod change;
mod hold;
mod lookup;
mod open;
#[cfg(not(feature = "capi-internals"))]
mod shown;
mod writing;

#[cfg(feature = "capi-internals")]
use super::internals::StackShown;
#[cfg(not(feature = "capi-internals"))]
use shown::StackShown;
use writing::Writing;

pub(super) use change::tables_of;
pub(super) use hold::StackHold;

/// A directory of tables. Several stacks, in one or more processes, may share a directory.
/// Several threads may read a stack concurrently, as long as none changes or reloads it.
#[derive(Debug)]
#[cfg_attr(feature = "capi-internals", repr(C))]
pub struct reftable_stack {
    /// The members that C may read and change.
    shown: StackShown,
    core: Arc<Stack>,
    /// The merged view of the stack's tables.
    merged: reftable_merged_table,
    finder: lookup::SharedFinder,
    holds: hold::Holds,
}

/// A transaction that adds tables to a stack.
#[derive(Debug)]
pub struct reftable_addition {
    /// `None` after the commit.
    addition: Exclusive<Option<Addition>>,
    writing: Writing,
    /// Declared after the addition, so that it is dropped after it.
    stack: StackHold,
}

impl reftable_stack {
    /// What the stack keeps of the options that it was opened with.
    pub(super) fn options(&self) -> KeptOptions {
        self.shown.options()
    }
}

/// See `reftable_new_stack()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn open_with(
    dest: *mut *mut reftable_stack,
    dir: *const c_char,
    options: KeptOptions,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        object::put(dest, ptr::null_mut())
            .and_then(|()| open::new(dir, options))
            .and_then(|stack| object::put(dest, stack))
    })
}

/// Returns the least update index of a new table: one more than the greatest of the newest
/// table, 1 for an empty stack, 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_next_update_index(st: *mut reftable_stack) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { st.as_ref() }.map_or(0, |stack| stack.core.next_update_index())
}

/// Flags for a new addition.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_stack_new_addition_flags {
    /// If another process has changed the stack, reload it instead of failing.
    REFTABLE_STACK_NEW_ADDITION_RELOAD = 1 << 0,
}

/// See `reftable_stack_new_addition()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn new_addition_with(
    dest: *mut *mut reftable_addition,
    st: *mut reftable_stack,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        object::put(dest, ptr::null_mut())
            .and_then(|()| addition::new(st, options, flags))
            .and_then(|addition| object::put(dest, addition))
    })
}

/// Adds a table written by `write_table`, which is called once with a writer and `arg`. The
/// function sets the limits, adds records, and returns 0, or a negative number to cancel the
/// table. It must not close or free the writer. It may use the stack, and open other stacks
/// on the same directory.
///
/// A table without records is omitted. Tables of one addition may have the same update
/// indexes; the one added later is newer.
///
/// Returns 0; the result of `write_table` if that is negative; `REFTABLE_API_ERROR` if the
/// least update index of the table is below the stack's next one, the addition is committed
/// or in use, or an argument is NULL; write errors. After an error the addition can be
/// continued without this table.
#[no_mangle]
pub unsafe extern "C" fn reftable_addition_add(
    add: *mut reftable_addition,
    write_table: Option<unsafe extern "C" fn(wr: *mut reftable_writer, arg: *mut c_void) -> c_int>,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        object::with(add, |addition| {
            let addition = addition.as_mut().ok_or(Code::MISUSE)?;
            addition::add_table(addition, write_table, arg)
        })
    })
}

/// Publishes all tables of an addition atomically, unlocks the stack and reloads it. Then
/// compacts the stack, unless the options disable that. An addition without tables only
/// unlocks the stack. The addition must still be destroyed.
///
/// Returns 0, even if it was already committed; `REFTABLE_IO_ERROR` if the tables could not
/// be published, which leaves the stack unchanged; `REFTABLE_API_ERROR` for NULL or an
/// addition in use. An error of the compaction is returned although the tables have been
/// published, unless it is a lock or a change by another process.
#[no_mangle]
pub unsafe extern "C" fn reftable_addition_commit(add: *mut reftable_addition) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { addition::commit(add) })
}

/// Frees an addition. If it was not committed, removes its tables and unlocks the stack.
/// Does nothing for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_addition_destroy(add: *mut reftable_addition) {
    // SAFETY: the caller's promise.
    unsafe { object::dismiss(add) };
}

/// See `reftable_stack_add()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn add_with(
    st: *mut reftable_stack,
    write_table: Option<addition::WriteTable>,
    arg: *mut c_void,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        change_with(st, options, |stack, writing| {
            addition::run(stack, &writing, write_table, arg, flags)
        })
    })
}

/// Initialises an iterator over the refs of a stack. Until it is positioned it returns no
/// records. Deletions are omitted, unless the stack was opened to
/// show them.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
/// in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_init_ref_iterator(
    st: *mut reftable_stack,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_merged_table_init_ref_iterator(reftable_stack_merged_table(st), it) }
}

/// Initialises an iterator over the reflog entries of a stack. Until it is positioned it
/// returns no records. Deletions are omitted, unless the stack was opened to
/// show them.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
/// in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_init_log_iterator(
    st: *mut reftable_stack,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_merged_table_init_log_iterator(reftable_stack_merged_table(st), it) }
}

/// Returns the merged view of the stack's tables. It belongs to the stack and always shows
/// the current tables. NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_merged_table(
    st: *mut reftable_stack,
) -> *mut reftable_merged_table {
    match st.is_null() {
        true => ptr::null_mut(),
        // SAFETY: the caller's promise.
        false => unsafe { &raw mut (*st).merged },
    }
}

/// Closes a stack and removes those of its tables that other processes have replaced.
/// Iterators over it remain usable. If a library function is using the stack, or it has an
/// addition, the stack is closed when these have ended. Does nothing for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_destroy(st: *mut reftable_stack) {
    // SAFETY: the caller's promise.
    unsafe { hold::dismiss(st) };
}

/// Reloads the list of tables if it has changed. Checking that is cheap.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR`, `REFTABLE_NOT_EXIST_ERROR` or `REFTABLE_IO_ERROR`,
/// after which the stack shows the same tables as before; `REFTABLE_API_ERROR` for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_reload(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { StackHold::of(st) }.and_then(|held| held.stack().reload()))
}

/// The reflog entries that a compaction drops.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_log_expiry_config {
    /// Entries older than this, in seconds since the epoch; 0 for none.
    pub time: u64,
    /// Entries with a lower update index; 0 for none.
    pub min_update_index: u64,
}

/// See `reftable_stack_compact_all()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn compact_all_with(
    st: *mut reftable_stack,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
    config: *const reftable_log_expiry_config,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        let config = config.as_ref().copied();
        change_with(st, options, |stack, writing| {
            stack.compact_all(&writing, config)
        })
    })
}

/// See `reftable_stack_compaction_required()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn compaction_required_with(
    st: *mut reftable_stack,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
    use_heuristics: bool,
    required: *mut bool,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        object::borrow(st)
            .and_then(|stack| Writing::new(stack, &options(stack)))
            .map(|writing| writing.core.compaction_required(use_heuristics))
            .and_then(|answer| object::put(required, answer))
    })
}

/// See `reftable_stack_auto_compact()`.
///
/// # Safety
/// The pointer is NULL or valid as the C API requires.
pub(super) unsafe fn auto_compact_with(
    st: *mut reftable_stack,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { change_with(st, options, |stack, writing| stack.auto_compact(&writing)) })
}

/// Changes a stack with the options of one operation, and keeps it alive meanwhile.
///
/// # Safety
/// `st` is NULL or valid as the C API requires.
unsafe fn change_with(
    st: *mut reftable_stack,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
    change: impl FnOnce(&reftable_stack, Writing) -> CResult,
) -> CResult {
    // SAFETY: the caller's promise.
    let held = unsafe { StackHold::of(st) }?;
    let stack = held.stack();
    change(stack, Writing::new(stack, &options(stack))?)
}

/// Removes tables that are in the directory but not in the list and are no longer needed,
/// and temporary files of tables that are older than a day.
///
/// Waits for the lock only if the options that the stack was opened with have a timeout for
/// it.
///
/// Returns 0, or the errors of `reftable_stack_new_addition()` without flags.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_clean(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { StackHold::of(st) }.and_then(|held| held.stack().clean()))
}

/// Reads the ref `refname` into `record`, which must be zero-filled or have been read into
/// before.
///
/// Returns 0; 1 if there is no such ref, leaving the record zero-filled; the errors of
/// `reftable_iterator_next_ref()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_read_ref(
    st: *mut reftable_stack,
    refname: *const c_char,
    record: *mut reftable_ref_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number_found(unsafe { lookup::read_ref(st, refname, record) })
}

/// Reads the newest reflog entry of `refname` into `record`, which must be zero-filled or
/// have been read into before.
///
/// Returns 0; 1 if there is none, or if the stack was opened to show deletions and the newest
/// record is one; the errors of `reftable_iterator_next_log()`. Unless it returns 0, the
/// record is zero-filled.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_read_log(
    st: *mut reftable_stack,
    refname: *const c_char,
    record: *mut reftable_log_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number_found(unsafe { lookup::read_log(st, refname, record) })
}

/// Statistics of a stack's compactions since it was opened.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct reftable_compaction_stats {
    /// Size of the merged tables in bytes, without their footers.
    pub bytes: u64,
    /// Number of records written, including those of compactions that failed later.
    pub entries_written: u64,
    /// Number of attempted compactions.
    pub attempts: c_int,
    /// Number of compactions that failed because of a lock.
    pub failures: c_int,
}

/// Returns the statistics of a stack's compactions. The pointer is valid, and the statistics
/// are kept up to date, until the stack is destroyed. NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_compaction_stats(
    st: *mut reftable_stack,
) -> *mut reftable_compaction_stats {
    // SAFETY: the caller's promise.
    match unsafe { st.as_ref() } {
        Some(stack) => stack.shown.stats(),
        None => ptr::null_mut(),
    }
}

/// Returns the hash function of the stack; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_hash_id(st: *mut reftable_stack) -> hash_number {
    // SAFETY: the caller's promise.
    unsafe { st.as_ref() }.map_or(0, |stack| number_of(stack.core.hash_id()))
}

impl From<&CompactionStats> for reftable_compaction_stats {
    /// Saturates numbers that do not fit.
    fn from(stats: &CompactionStats) -> Self {
        let int = |n: u64| c_int::try_from(n).unwrap_or(c_int::MAX);
        Self {
            bytes: stats.bytes,
            entries_written: stats.entries_written,
            attempts: int(stats.attempts),
            failures: int(stats.failures),
        }
    }
}

#[cfg(test)]
mod tests;
