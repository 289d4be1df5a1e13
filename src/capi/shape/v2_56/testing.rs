//! The functions that differ, for the tests of both shapes: here, the options with which a
//! stack is changed are remembered when it is opened.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_uint, c_void};

use super::{reftable_stack_options, reftable_write_options};
use crate::capi::shape::testing::Options;
use crate::capi::stack::{reftable_addition, reftable_log_expiry_config, reftable_stack};
use crate::capi::writer::{reftable_writer, FlushFn, WriteFn};

type WriteTable = unsafe extern "C" fn(*mut reftable_writer, *mut c_void) -> c_int;

thread_local! {
    /// The options for changing the stacks that this thread has opened.
    static WRITE: RefCell<HashMap<*mut reftable_stack, reftable_write_options>> = RefCell::default();
}

/// The options for changing a stack.
fn of(st: *mut reftable_stack) -> reftable_write_options {
    let known = WRITE.with_borrow(|all| all.get(&st).copied());
    known.unwrap_or(reftable_write_options::EMPTY)
}

/// Calls `reftable_new_stack()` for a stack that hides deletions.
pub(in crate::capi) unsafe fn new_stack(
    dest: *mut *mut reftable_stack,
    dir: *const c_char,
    options: &Options,
) -> c_int {
    let opening = reftable_stack_options {
        hash_id: options.hash_id,
        on_reload: options.on_reload,
        on_reload_payload: options.on_reload_payload,
        suppress_deletions: 1,
    };
    // SAFETY: the caller's promise.
    unsafe {
        let code = super::reftable_new_stack(dest, dir, &opening);
        if code == 0 {
            WRITE.with_borrow_mut(|all| all.insert(*dest, options.write));
        }
        code
    }
}

/// Calls `reftable_stack_new_addition()`.
pub(in crate::capi) unsafe fn new_addition(
    dest: *mut *mut reftable_addition,
    st: *mut reftable_stack,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_stack_new_addition(dest, st, &of(st), flags) }
}

/// Calls `reftable_stack_add()`.
pub(in crate::capi) unsafe fn stack_add(
    st: *mut reftable_stack,
    write_table: Option<WriteTable>,
    arg: *mut c_void,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_stack_add(st, write_table, arg, &of(st), flags) }
}

/// Calls `reftable_stack_compact_all()`.
pub(in crate::capi) unsafe fn compact_all(
    st: *mut reftable_stack,
    config: *mut reftable_log_expiry_config,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_stack_compact_all(st, &of(st), config) }
}

/// Calls `reftable_stack_compaction_required()`.
pub(in crate::capi) unsafe fn compaction_required(
    st: *mut reftable_stack,
    use_heuristics: bool,
    required: *mut bool,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_stack_compaction_required(st, &of(st), use_heuristics, required) }
}

/// Calls `reftable_stack_auto_compact()`.
pub(in crate::capi) unsafe fn auto_compact(st: *mut reftable_stack) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_stack_auto_compact(st, &of(st)) }
}

/// Calls `reftable_writer_new()`.
pub(in crate::capi) unsafe fn new_writer(
    out: *mut *mut reftable_writer,
    write: Option<WriteFn>,
    flush: Option<FlushFn>,
    arg: *mut c_void,
    options: &Options,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_writer_new(out, write, flush, arg, options.hash_id, &options.write) }
}
