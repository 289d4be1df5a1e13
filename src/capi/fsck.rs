//! `reftable-fsck.h`: checks of a stack.

use std::ffi::{c_char, c_int, c_uint, c_void, CString};

use super::stack::{reftable_stack, tables_of, Hold};
use crate::ffi::code::Code;
use crate::stack::names::is_valid;

/// What can be wrong with a stack.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_fsck_error {
    /// The name of a table is not made as names of tables are.
    REFTABLE_FSCK_ERROR_TABLE_NAME = 0,
    /// How many errors there are.
    REFTABLE_FSCK_MAX_VALUE,
}

/// What C calls `enum reftable_fsck_error`.
pub type fsck_error_number = c_uint;

/// One thing that is wrong.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_fsck_info {
    /// Which.
    pub error: fsck_error_number,
    /// The same as a text.
    pub msg: *const c_char,
    /// Name of the file.
    pub path: *const c_char,
}

/// `reftable_fsck_report_fn *` of C, where the type is that of a function.
pub type reftable_fsck_report_fn =
    Option<unsafe extern "C" fn(info: *mut reftable_fsck_info, cb_data: *mut c_void) -> c_int>;

/// `reftable_fsck_verbose_fn *` of C, where the type is that of a function.
pub type reftable_fsck_verbose_fn =
    Option<unsafe extern "C" fn(msg: *const c_char, cb_data: *mut c_void)>;

/// Checks the names of a stack's tables.
///
/// `verbose_fn` is called with a line of text for each table, before it is checked; it may
/// be NULL. `report_fn` is called for each thing that is wrong; what it returns is part of
/// the result. Both get `cb_data`, and texts that are valid until they return.
///
/// Returns 0 when nothing was wrong; the results of `report_fn`, by bitwise or;
/// `REFTABLE_API_ERROR` when `stack` or `report_fn` is NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_fsck_check(
    stack: *mut reftable_stack,
    report_fn: reftable_fsck_report_fn,
    verbose_fn: reftable_fsck_verbose_fn,
    cb_data: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    let (Ok(held), Some(report)) = (unsafe { Hold::of(stack) }, report_fn) else {
        return Code::MISUSE.0;
    };
    let mut result = 0;
    // Names in a list hold no NUL. The functions may reload the stack: these tables stay.
    for name in tables_of(held.stack())
        .tables()
        .iter()
        .map(|table| table.name())
    {
        if let (Some(verbose), Ok(text)) =
            (verbose_fn, CString::new(format!("Checking table: {name}")))
        {
            // SAFETY: the caller has said that the function is to be called so.
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
