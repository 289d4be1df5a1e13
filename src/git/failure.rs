//! Failures of the backend's operations, and how git and the user are informed.
//!
//! Git itself receives a negative number. The user needs the file and the reason, which are in
//! the [`Error`] of the library. A failure keeps that error until it is reported: in the message
//! of a transaction ([`Failure::text`]) or, where git has no buffer for a message, on a separate
//! line ([`Failure::complain`]).
//!
//! The numbers of git's reasons to refuse a transaction overlap with those of the library: see
//! `transaction/refusal.rs`.
#![forbid(unsafe_code)]

mod report;

pub use report::{lock_message, report_locked, report_unexpired, warn_after_commit};

use super::sys::messages;
use crate::format::{error_code, Error};
use std::ffi::{c_int, CStr, CString};
use std::rc::Rc;

/// Why an operation failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The message has been printed.
    Reported,
    /// An error of the library that has not been printed yet.
    Library(Rc<Error>),
}

/// The result of an operation of the backend.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Prints `error: MESSAGE`, where `args` replace each `%s` of `format`.
    pub fn report(format: &'static CStr, args: &[&CStr]) -> Self {
        messages::error(format, args);
        Self::Reported
    }

    /// The number for git: that of the library's error, or -1.
    pub fn code(&self) -> c_int {
        match self {
            Self::Reported => error_code::GENERAL,
            Self::Library(error) => error.code(),
        }
    }

    /// Whether another process holds a lock.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Library(error) if matches!(**error, Error::Locked { .. }))
    }

    /// The message for users, which names the file and the reason if they are known.
    pub fn text(&self) -> CString {
        match self {
            Self::Reported => generic_text(error_code::GENERAL).to_owned(),
            Self::Library(error) if is_detailed(error) => report::text(error),
            Self::Library(error) => generic_text(error.code()).to_owned(),
        }
    }

    /// Prints the message of a read or write error, for functions that return only a number to
    /// git. A process prints the same message once, however many calls fail for that reason.
    pub fn complain(&self) {
        if let Self::Library(error) = self {
            if is_detailed(error) {
                report::error_once(report::text(error));
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(Rc::new(error))
    }
}

/// Whether the message is the text of the error itself. For other errors it is the text of the
/// number, as git's tests expect.
fn is_detailed(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_)
            | Error::NotExist { .. }
            | Error::Corrupt(_)
            | Error::Compression(_)
            | Error::InvalidRefname(_)
            | Error::Misuse(_)
    )
}

/// The text of git's library for an error number.
pub fn generic_text(number: c_int) -> &'static CStr {
    error_code::text(number).unwrap_or(c"unknown error code")
}

/// The C result of an outcome: 0 or the negative number.
pub fn code(outcome: Outcome) -> c_int {
    match outcome {
        Ok(()) => 0,
        Err(failure) => failure.code(),
    }
}

/// Like [`code`], for functions that have no buffer for a message: it is printed.
pub fn complain(outcome: Outcome) -> c_int {
    code(outcome.inspect_err(Failure::complain))
}
