//! The error numbers of git's `reftable-error.h`, and their texts.
#![forbid(unsafe_code)]

use std::ffi::CStr;

/// An error that has no other number.
pub(crate) const GENERAL: i32 = -1;
/// A system call failed.
pub(crate) const IO: i32 = -2;
/// The bytes of a file break the format.
pub(crate) const FORMAT: i32 = -3;
/// A file does not exist.
pub(crate) const NOT_EXIST: i32 = -4;
/// Another process holds a lock.
pub(crate) const LOCKED: i32 = -5;
/// The caller broke the contract of a function.
pub(crate) const MISUSE: i32 = -6;
/// A log block cannot be inflated or deflated.
pub(crate) const ZLIB: i32 = -7;
/// A table without records was finished.
pub(crate) const EMPTY_TABLE: i32 = -8;
/// A name is not a valid ref name.
pub(crate) const REFNAME: i32 = -10;
/// A record does not fit into a block.
pub(crate) const ENTRY_TOO_BIG: i32 = -11;
/// The stack has changed since it was read.
pub(crate) const OUTDATED: i32 = -12;
/// No memory is left.
pub(crate) const OUT_OF_MEMORY: i32 = -13;

/// The text of an error number, the same as that of git's library; `None` for any other number.
pub(crate) const fn text(code: i32) -> Option<&'static CStr> {
    Some(match code {
        GENERAL => c"general error",
        IO => c"I/O error",
        FORMAT => c"corrupt reftable file",
        NOT_EXIST => c"file does not exist",
        LOCKED => c"data is locked",
        MISUSE => c"misuse of the reftable API",
        ZLIB => c"zlib failure",
        EMPTY_TABLE => c"wrote empty table",
        REFNAME => c"invalid refname",
        ENTRY_TOO_BIG => c"entry too large",
        OUTDATED => c"data concurrently modified",
        OUT_OF_MEMORY => c"out of memory",
        _ => return None,
    })
}
