//! `reftable-fsck.h`: checking a stack.

use std::ffi::{c_char, c_int, c_uint, c_void, CString};

use super::stack::{reftable_stack, tables_of, StackHold};
use crate::ffi::code::Code;
use crate::stack::names::is_valid;

/// Kinds of problems with a stack.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_fsck_error {
    /// A table's name does not have the usual form.
    REFTABLE_FSCK_ERROR_TABLE_NAME = 0,
    /// Number of kinds.
    REFTABLE_FSCK_MAX_VALUE,
}

/// `enum reftable_fsck_error` as C passes it.
pub type fsck_error_number = c_uint;

/// One problem.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_fsck_info {
    /// Its kind.
    pub error: fsck_error_number,
    /// A message for the user.
    pub msg: *const c_char,
    /// Name of the affected file.
    pub path: *const c_char,
}

/// `reftable_fsck_report_fn *` in C, where the type is a function type.
pub type reftable_fsck_report_fn =
    Option<unsafe extern "C" fn(info: *mut reftable_fsck_info, cb_data: *mut c_void) -> c_int>;

/// `reftable_fsck_verbose_fn *` in C, where the type is a function type.
pub type reftable_fsck_verbose_fn =
    Option<unsafe extern "C" fn(msg: *const c_char, cb_data: *mut c_void)>;

/// Checks the names of a stack's tables.
///
/// `verbose_fn`, which may be NULL, is called with a line of text before each table is
/// checked. `report_fn` is called for each problem. Both receive `cb_data`, and texts that
/// are valid until they return.
///
/// Returns 0 if there are no problems, otherwise the bitwise OR of the results of
/// `report_fn`; `REFTABLE_API_ERROR` if `stack` or `report_fn` is NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_fsck_check(
    stack: *mut reftable_stack,
    report_fn: reftable_fsck_report_fn,
    verbose_fn: reftable_fsck_verbose_fn,
    cb_data: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    let (Ok(held), Some(report)) = (unsafe { StackHold::of(stack) }, report_fn) else {
        return Code::MISUSE.0;
    };
    let mut result = 0;
    // Names in a list contain no NUL. The callbacks may reload the stack; this view of it stays.
    for name in tables_of(held.stack())
        .tables()
        .iter()
        .map(|table| table.name())
    {
        if let (Some(verbose), Ok(text)) =
            (verbose_fn, CString::new(format!("Checking table: {name}")))
        {
            // SAFETY: the caller passed the function for this purpose, with its payload.
            unsafe { verbose(text.as_ptr(), cb_data) };
        }
        if is_valid(name) {
            continue;
        }
        if let Ok(path) = CString::new(name) {
            let mut info = reftable_fsck_info {
                error: reftable_fsck_error::REFTABLE_FSCK_ERROR_TABLE_NAME as fsck_error_number,
                msg: c"invalid reftable table name".as_ptr(),
                path: path.as_ptr(),
            };
            // SAFETY: as above.
            result |= unsafe { report(&mut info, cb_data) };
        }
    }
    result
}
