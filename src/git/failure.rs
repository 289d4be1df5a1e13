//! How an operation fails in git's terms: a negative number, whose message
//! has been printed already or is one of a fixed table.
#![forbid(unsafe_code)]

use crate::format::Error;
use std::ffi::{c_int, CStr};

/// A negative result of a backend function: a number of `enum reftable_error`,
/// of `enum ref_transaction_error`, or -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure(pub c_int);

/// What a backend function answers inside.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// An error that has been reported to the user.
    pub const REPORTED: Self = Self(-1);
    /// `REFTABLE_LOCK_ERROR`.
    pub const LOCKED: Self = Self(-5);

    /// The text for users (`reftable_error_str()` of git's library).
    pub fn text(self) -> &'static CStr {
        match self.0 {
            -2 => c"I/O error",
            -3 => c"corrupt reftable file",
            -4 => c"file does not exist",
            -5 => c"data is locked",
            -6 => c"misuse of the reftable API",
            -7 => c"zlib failure",
            -8 => c"wrote empty table",
            -10 => c"invalid refname",
            -11 => c"entry too large",
            -12 => c"data concurrently modified",
            -13 => c"out of memory",
            -1 => c"general error",
            _ => c"unknown error code",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.code())
    }
}

/// The C result of an outcome: 0 or the negative number.
pub fn code(outcome: Outcome) -> c_int {
    match outcome {
        Ok(()) => 0,
        Err(Failure(code)) => code,
    }
}
