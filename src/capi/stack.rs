//! `reftable-stack.h`: a folder of tables, read as one and changed by adding tables.

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
use super::writer::{number_of, reftable_write_options, reftable_writer};
use crate::ffi::code::{number, number_found, Code};
use crate::ffi::object::{self, Exclusive};
use crate::stack::{Addition, CompactionStats, Stack};

mod addition;
mod change;
mod hold;
mod lookup;
mod open;
#[cfg(not(feature = "capi-internals"))]
mod shown;

#[cfg(feature = "capi-internals")]
use super::internals::StackShown as Shown;
#[cfg(not(feature = "capi-internals"))]
use shown::Shown;

pub(super) use change::tables_of;
pub(super) use hold::Hold;

/// A folder of tables. Several stacks, in one or in many processes, may share a folder.
/// Several threads may read a stack at once, as long as none does anything else with it.
#[derive(Debug)]
#[cfg_attr(feature = "capi-internals", repr(C))]
pub struct reftable_stack {
    /// What C sees of it, and may change.
    shown: Shown,
    core: Arc<Stack>,
    /// The stack's tables as one.
    merged: reftable_merged_table,
    finder: lookup::SharedFinder,
    holds: hold::Holds,
}

/// A change of a stack in the making.
#[derive(Debug)]
pub struct reftable_addition {
    /// Nothing once it is over.
    addition: Exclusive<Option<Addition>>,
    /// Comes after the addition, to be let go after it.
    stack: Hold,
}

/// Opens the stack in the folder `dir` and stores it in `*dest`. A missing folder, or one
/// without a list of tables, is an empty stack. `opts` is copied; NULL stands for options
/// that are zero-filled.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` when the list or a table is damaged, or of another
/// hash function; `REFTABLE_NOT_EXIST_ERROR` when a table is missing; `REFTABLE_IO_ERROR`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an unknown hash
/// function. After an error `*dest` is NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_new_stack(
    dest: *mut *mut reftable_stack,
    dir: *const c_char,
    opts: *const reftable_write_options,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        object::put(dest, ptr::null_mut())
            .and_then(|()| open::new(dir, opts))
            .and_then(|stack| object::put(dest, stack))
    })
}

/// The update index at which a new table begins: one more than the greatest of the newest
/// table, 1 for an empty stack. 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_next_update_index(st: *mut reftable_stack) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { st.as_ref() }.map_or(0, |stack| stack.core.next_update_index())
}

/// Flags of a new addition.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_stack_new_addition_flags {
    /// When another process has changed the stack, reload it rather than fail.
    REFTABLE_STACK_NEW_ADDITION_RELOAD = 1 << 0,
}

/// Locks the stack for a change and stores the addition in `*dest`. It must be destroyed,
/// also after it was committed, and before the stack.
///
/// `flags` is 0 or `REFTABLE_STACK_NEW_ADDITION_RELOAD`.
///
/// Returns 0; `REFTABLE_LOCK_ERROR` when the lock is not to be had in the time that the
/// options allow; `REFTABLE_OUTDATED_ERROR` when the stack has changed since it was read,
/// unless the flags say to reload; errors of reloading; `REFTABLE_IO_ERROR`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL. After an error `*dest` is
/// NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_new_addition(
    dest: *mut *mut reftable_addition,
    st: *mut reftable_stack,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        object::put(dest, ptr::null_mut())
            .and_then(|()| addition::new(st, flags))
            .and_then(|addition| object::put(dest, addition))
    })
}

/// Writes a table by `write_table`, which is called once with a writer and `arg`. It sets
/// the limits, adds records and returns 0, or a negative number to give up. It does not
/// close or free the writer. It may use the stack, and open others on the same folder.
///
/// A table without records is left out. Tables of one addition may have the same update
/// indexes; the later one is newer.
///
/// Returns 0; what `write_table` returned, when that is negative; `REFTABLE_API_ERROR` when
/// the least update index of the table is below the stack's next one, the addition is over
/// or in use, or for NULL; errors of writing. After an error the addition can go on
/// without this table.
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

/// Publishes the tables of an addition, all at once, unlocks the stack and reloads it;
/// then compacts it, unless the options forbid that. Without tables, only unlocks. The
/// addition is over and must still be destroyed.
///
/// Returns 0, also when it is over already; `REFTABLE_IO_ERROR` when the tables could not
/// be published, and the stack is as it was. An error of the compaction is returned though
/// the tables have been published, except that locks and changes of other processes do not
/// count. `REFTABLE_API_ERROR` for NULL or an addition in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_addition_commit(add: *mut reftable_addition) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { addition::commit(add) })
}

/// Frees an addition. What was not committed is removed, and the stack unlocked. NULL is
/// fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_addition_destroy(add: *mut reftable_addition) {
    // SAFETY: the caller's promise.
    unsafe { object::dismiss(add) };
}

/// Adds one table: makes an addition with `flags`, adds to it with `write_table` and
/// `write_arg`, commits and destroys it.
///
/// Returns what these three do. After `REFTABLE_OUTDATED_ERROR` the stack has been reloaded.
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
    number(unsafe {
        Hold::of(st).and_then(|held| addition::run(held.stack(), write_table, write_arg, flags))
    })
}

/// Makes an iterator over the refs of a stack, without deleted ones. It must be positioned
/// before it is read; before that it gives nothing.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// iterator that is in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_init_ref_iterator(
    st: *mut reftable_stack,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_merged_table_init_ref_iterator(reftable_stack_merged_table(st), it) }
}

/// Makes an iterator over the reflog entries of a stack, without deleted ones. It must be
/// positioned before it is read; before that it gives nothing.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// iterator that is in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_init_log_iterator(
    st: *mut reftable_stack,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_merged_table_init_log_iterator(reftable_stack_merged_table(st), it) }
}

/// The stack's tables as one. It belongs to the stack, always shows its current tables,
/// and must not be freed. NULL for NULL.
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

/// Closes a stack, and removes those of its tables that others have replaced meanwhile.
/// Iterators over it can be used on. While a function of the library is at work on the stack,
/// or an addition to it is there, the stack is closed as soon as that is over. NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_destroy(st: *mut reftable_stack) {
    // SAFETY: the caller's promise.
    unsafe { hold::dismiss(st) };
}

/// Reads the list of tables again if it has changed. Costs next to nothing otherwise.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR`, `REFTABLE_NOT_EXIST_ERROR` or `REFTABLE_IO_ERROR`,
/// and the stack shows what it showed before; `REFTABLE_API_ERROR` for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_reload(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { Hold::of(st) }.and_then(|held| held.stack().reload()))
}

/// Which reflog entries a compaction drops.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_log_expiry_config {
    /// Those older than this, in seconds since 1970; 0 for none.
    pub time: u64,
    /// Those with a lesser update index; 0 for none.
    pub min_update_index: u64,
}

/// Compacts all tables into one, without deletions, and without the reflog entries that
/// `config` names. NULL drops none, and then a single table is left as it is.
///
/// Returns 0; `REFTABLE_LOCK_ERROR` when the stack or a table is locked;
/// `REFTABLE_OUTDATED_ERROR` when the stack has changed since it was read; errors of
/// reading and writing; `REFTABLE_API_ERROR` for NULL, or when a log message cannot be
/// written with the stack's options.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_compact_all(
    st: *mut reftable_stack,
    config: *mut reftable_log_expiry_config,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        Hold::of(st).and_then(|held| held.stack().compact_all(config.as_ref().copied()))
    })
}

/// Stores in `*required` whether there is something to compact: with `use_heuristics`, by
/// the sizes of the tables, as `reftable_stack_auto_compact()` sees it; without, whenever
/// there are two or more.
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
    number(unsafe {
        object::borrow(st)
            .map(|stack| stack.core.compaction_required(use_heuristics))
            .and_then(|answer| object::put(required, answer))
    })
}

/// Compacts those tables that are too small for the ones above them. Tables that another
/// process has locked, and older ones, are left out.
///
/// Returns what `reftable_stack_compact_all()` does.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_auto_compact(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { Hold::of(st) }.and_then(|held| held.stack().auto_compact()))
}

/// Removes tables that are in the folder but not in the list and cannot be of any use, and
/// temporary files of tables that are older than a day.
///
/// Returns 0; errors as `reftable_stack_new_addition()` without flags.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_clean(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { Hold::of(st) }.and_then(|held| held.stack().clean()))
}

/// Reads the ref `refname` into `record`, which is zero-filled or was read into before.
///
/// Returns 0; 1 when there is no such ref, and the record is zero-filled; errors as
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

/// Reads the newest reflog entry of `refname` into `record`, which is zero-filled or was
/// read into before.
///
/// Returns 0; 1 when there is none, and the record is zero-filled; errors as
/// `reftable_iterator_next_log()`, after which it is zero-filled, too.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_read_log(
    st: *mut reftable_stack,
    refname: *const c_char,
    record: *mut reftable_log_record,
) -> c_int {
    // SAFETY: the caller's promise.
    number_found(unsafe { lookup::read_log(st, refname, record) })
}

/// What the compactions of a stack have done since it was opened.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct reftable_compaction_stats {
    /// Bytes of the tables that were merged, without their footers.
    pub bytes: u64,
    /// Records that were written, also by compactions that failed afterwards.
    pub entries_written: u64,
    /// How many compactions were tried.
    pub attempts: c_int,
    /// How many of them gave up because something was locked.
    pub failures: c_int,
}

/// What the compactions of a stack have done: valid, and kept up to date, until the stack
/// is destroyed. NULL for NULL.
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

/// The hash function of the stack; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_stack_hash_id(st: *mut reftable_stack) -> hash_number {
    // SAFETY: the caller's promise.
    unsafe { st.as_ref() }.map_or(0, |stack| number_of(stack.core.hash_id()))
}

impl From<&CompactionStats> for reftable_compaction_stats {
    /// Numbers that do not fit are the greatest that do.
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
