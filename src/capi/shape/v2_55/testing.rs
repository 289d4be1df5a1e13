//! The functions that differ, for the tests of both shapes: here, a stack has all options.

use std::ffi::{c_char, c_int, c_void};

use super::reftable_write_options;
use crate::capi::shape::testing::Options;
use crate::capi::stack::reftable_stack;
use crate::capi::writer::{reftable_writer, FlushFn, WriteFn};

pub(in crate::capi) use super::{
    reftable_stack_add as stack_add, reftable_stack_auto_compact as auto_compact,
    reftable_stack_compact_all as compact_all,
    reftable_stack_compaction_required as compaction_required,
    reftable_stack_new_addition as new_addition,
};

/// These options, as one struct.
fn all(options: &Options) -> reftable_write_options {
    reftable_write_options {
        hash_id: options.hash_id,
        on_reload: options.on_reload,
        on_reload_payload: options.on_reload_payload,
        ..options.write
    }
}

/// Calls `reftable_new_stack()` for a stack that hides deletions.
pub(in crate::capi) unsafe fn new_stack(
    dest: *mut *mut reftable_stack,
    dir: *const c_char,
    options: &Options,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { super::reftable_new_stack(dest, dir, &all(options)) }
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
    unsafe { super::reftable_writer_new(out, write, flush, arg, &all(options)) }
}
