//! `reftable-error.h`: the numbers that functions return on failure.

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::io::Write;

use crate::format::error_code;

/// Negative numbers that functions return on failure. 0 is success; 1 means that there is
/// no further record, or no such record.
///
/// A function may also return the negative result of one of the caller's callbacks, or -1
/// for an error that has no number here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_error {
    /// A file could not be read, written, renamed or locked.
    REFTABLE_IO_ERROR = -2,
    /// A file violates the format.
    REFTABLE_FORMAT_ERROR = -3,
    /// A required file does not exist.
    REFTABLE_NOT_EXIST_ERROR = -4,
    /// Another process holds a lock.
    REFTABLE_LOCK_ERROR = -5,
    /// The function was misused: a NULL argument, a name out of order, an update index
    /// outside the limits, a log message of several lines, a ref requested from an
    /// iterator over logs, an object that is closed or in use. Nothing has changed.
    REFTABLE_API_ERROR = -6,
    /// A log block could not be inflated or deflated.
    REFTABLE_ZLIB_ERROR = -7,
    /// A table without records was closed.
    REFTABLE_EMPTY_TABLE_ERROR = -8,
    /// A name is not a valid ref name. Unused: this library does not check names.
    REFTABLE_REFNAME_ERROR = -10,
    /// A record does not fit into a block.
    REFTABLE_ENTRY_TOO_BIG_ERROR = -11,
    /// The stack has changed since it was read. Reload it and try again.
    REFTABLE_OUTDATED_ERROR = -12,
    /// The allocator returned NULL.
    REFTABLE_OUT_OF_MEMORY_ERROR = -13,
}

const _: () = {
    use reftable_error as e;
    assert!(e::REFTABLE_IO_ERROR as c_int == error_code::IO);
    assert!(e::REFTABLE_FORMAT_ERROR as c_int == error_code::FORMAT);
    assert!(e::REFTABLE_NOT_EXIST_ERROR as c_int == error_code::NOT_EXIST);
    assert!(e::REFTABLE_LOCK_ERROR as c_int == error_code::LOCKED);
    assert!(e::REFTABLE_API_ERROR as c_int == error_code::MISUSE);
    assert!(e::REFTABLE_ZLIB_ERROR as c_int == error_code::ZLIB);
    assert!(e::REFTABLE_EMPTY_TABLE_ERROR as c_int == error_code::EMPTY_TABLE);
    assert!(e::REFTABLE_REFNAME_ERROR as c_int == error_code::REFNAME);
    assert!(e::REFTABLE_ENTRY_TOO_BIG_ERROR as c_int == error_code::ENTRY_TOO_BIG);
    assert!(e::REFTABLE_OUTDATED_ERROR as c_int == error_code::OUTDATED);
    assert!(e::REFTABLE_OUT_OF_MEMORY_ERROR as c_int == error_code::OUT_OF_MEMORY);
};

/// Returns a short English text for an error number, without a newline. The text is never
/// NULL and must not be freed.
///
/// The text for a number that is not in `enum reftable_error` is valid until the same
/// thread calls this function with another such number.
#[no_mangle]
pub extern "C" fn reftable_error_str(err: c_int) -> *const c_char {
    match error_code::text(err) {
        Some(text) => text.as_ptr(),
        None => UNKNOWN.with(|text| {
            let mut bytes = [0; UNKNOWN_LEN];
            if let Some((_, room)) = bytes.split_last_mut() {
                // A number has at most eleven characters, so this fits.
                let _ = write!(&mut *room, "unknown error code {err}");
            }
            text.set(bytes);
            text.as_ptr().cast::<c_char>()
        }),
    }
}

/// Size of the text for an unknown number, including the NUL.
const UNKNOWN_LEN: usize = 32;

thread_local! {
    static UNKNOWN: Cell<[u8; UNKNOWN_LEN]> = const { Cell::new([0; UNKNOWN_LEN]) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn text(err: c_int) -> String {
        // SAFETY: the function always returns a NUL-terminated string.
        let text = unsafe { CStr::from_ptr(reftable_error_str(err)) };
        text.to_str().unwrap().to_owned()
    }

    #[test]
    fn every_number_has_a_text() {
        assert_eq!(
            text(reftable_error::REFTABLE_IO_ERROR as c_int),
            "I/O error"
        );
        assert_eq!(text(-13), "out of memory");
        assert_eq!(text(-1), "general error");
        assert_eq!(text(0), "unknown error code 0");
        assert_eq!(text(-9), "unknown error code -9");
        assert_eq!(text(c_int::MIN), "unknown error code -2147483648");
        assert_eq!(text(c_int::MAX), "unknown error code 2147483647");
    }
}
