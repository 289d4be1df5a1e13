//! `reftable-error.h`: what functions return when they fail.

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::io::Write;

use crate::format::error_code;

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

/// A short text for an error number, in English, without a newline.
///
/// Never NULL, and not to be freed. The text of a number that is not in
/// `enum reftable_error` is valid until the same thread asks for another one.
#[no_mangle]
pub extern "C" fn reftable_error_str(err: c_int) -> *const c_char {
    match error_code::text(err) {
        Some(text) => text.as_ptr(),
        None => UNKNOWN.with(|text| {
            let mut bytes = [0; UNKNOWN_LEN];
            if let Some((_, room)) = bytes.split_last_mut() {
                // A number has at most eleven characters: there is room.
                let _ = write!(&mut *room, "unknown error code {err}");
            }
            text.set(bytes);
            text.as_ptr().cast::<c_char>()
        }),
    }
}

/// Bytes of the text of a number that is not known, NUL included.
const UNKNOWN_LEN: usize = 32;

thread_local! {
    static UNKNOWN: Cell<[u8; UNKNOWN_LEN]> = const { Cell::new([0; UNKNOWN_LEN]) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn text(err: c_int) -> String {
        // SAFETY: the function answers with a string, always.
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
