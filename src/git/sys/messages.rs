//! Messages to the user: `error:`, `warning:`, `fatal:`, `BUG:`.

use super::strings::OwnedBuffer;
use crate::git::abi::ffi;
use std::ffi::{c_int, CStr};

/// Prints `error: MESSAGE` and returns -1, as git's `error()` does.
pub fn error(format: &'static CStr, args: &[&CStr]) -> c_int {
    let mut text = OwnedBuffer::new();
    text.lend().push_message(format, args);
    error_text(text.as_c_str())
}

/// Prints `error: TEXT` and returns -1.
pub fn error_text(text: &CStr) -> c_int {
    // SAFETY: one `%s` for one NUL-terminated string.
    unsafe { ffi::error(c"%s".as_ptr(), text.as_ptr()) };
    -1
}

/// Git's message about a held lock of the file `target`: the path of the lock, which process
/// may hold it, and that it may be stale.
pub fn unable_to_lock(target: &CStr) -> OwnedBuffer {
    let mut text = OwnedBuffer::new();
    // SAFETY: a NUL-terminated path and a strbuf, both used during the call.
    unsafe { ffi::unable_to_lock_message(target.as_ptr(), libc::EEXIST, text.as_ptr()) };
    text
}

/// Prints `warning: MESSAGE`.
pub fn warning(format: &'static CStr, args: &[&CStr]) {
    let mut text = OwnedBuffer::new();
    text.lend().push_message(format, args);
    // SAFETY: one `%s` for one NUL-terminated string.
    unsafe { ffi::warning(c"%s".as_ptr(), text.as_c_str().as_ptr()) };
}

/// Prints `fatal: MESSAGE` and exits with status 128. Git's exit handlers run.
pub fn die(format: &'static CStr, args: &[&CStr]) -> ! {
    let mut text = OwnedBuffer::new();
    text.lend().push_message(format, args);
    // SAFETY: one `%s` for one NUL-terminated string.
    unsafe { ffi::die(c"%s".as_ptr(), text.as_c_str().as_ptr()) }
}

/// Reports a violated contract (`BUG()` in git) and aborts.
#[track_caller]
pub fn bug(format: &'static CStr, args: &[&CStr]) -> ! {
    let mut text = OwnedBuffer::new();
    text.lend().push_plain(format, args);
    let line = std::panic::Location::caller().line();
    let line = c_int::try_from(line).unwrap_or(0);
    // SAFETY: one `%s` for one NUL-terminated string.
    unsafe {
        ffi::BUG_fl(
            c"reftable".as_ptr(),
            line,
            c"%s".as_ptr(),
            text.as_c_str().as_ptr(),
        )
    }
}

/// Prints a line to standard error, as `fprintf_ln(stderr, …)` does.
pub fn print_stderr(line: &CStr) {
    // SAFETY: a NUL-terminated string, read during the call.
    unsafe { ffi::reftable_rs_print_stderr(line.as_ptr()) };
}
