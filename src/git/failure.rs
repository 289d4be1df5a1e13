//! How an operation fails in git's terms: a negative number and, unless it has been printed
//! already, a message.
//!
//! git itself only passes the number on. What the user should read, file and reason, is in the
//! [`Error`] that became a failure, so that is kept until the failure is reported: in the
//! message of a transaction ([`Failure::text`]), or, where git has no room for one, as a line of
//! its own ([`Failure::complain`]).
#![forbid(unsafe_code)]

use super::sys::messages;
use crate::format::Error;
use std::cell::RefCell;
use std::ffi::{c_int, CStr, CString};
use std::rc::Rc;

/// A negative result of a backend function: a number of `enum reftable_error`,
/// of `enum ref_transaction_error`, or -1.
#[derive(Clone, Debug)]
pub struct Failure {
    code: c_int,
    cause: Option<Rc<Error>>,
}

/// What a backend function answers inside.
pub type Outcome<T = ()> = Result<T, Failure>;

/// So many different complaints are printed by one process; further ones add nothing.
const MOST_COMPLAINTS: usize = 20;

thread_local! {
    /// The complaints printed so far.
    static PRINTED: RefCell<Vec<CString>> = const { RefCell::new(Vec::new()) };
}

impl Failure {
    /// An error that has been reported to the user.
    pub const REPORTED: Self = Self::new(-1);

    /// A failure without further reasons.
    pub const fn new(code: c_int) -> Self {
        Self { code, cause: None }
    }

    /// Whether the user has read of it.
    pub fn is_reported(&self) -> bool {
        self.code == Self::REPORTED.code && self.cause.is_none()
    }

    /// The number for git.
    pub fn code(&self) -> c_int {
        self.code
    }

    /// The same reason under another number.
    pub fn with_code(self, code: c_int) -> Self {
        Self { code, ..self }
    }

    /// Whether another process holds a lock.
    pub fn is_locked(&self) -> bool {
        const LOCK_ERROR: c_int = -5;
        self.code == LOCK_ERROR
    }

    /// The text for users: the file and the reason, where these are known.
    pub fn text(&self) -> CString {
        match self.detail() {
            Some(error) => text(error),
            None => self.kind().to_owned(),
        }
    }

    /// The cause, if its own words say more than its number.
    fn detail(&self) -> Option<&Error> {
        // git's tests compare the texts of the others.
        self.cause.as_deref().filter(|error| {
            matches!(
                error,
                Error::Io(_)
                    | Error::NotExist { .. }
                    | Error::Corrupt(_)
                    | Error::Compression(_)
                    | Error::InvalidRefname(_)
                    | Error::Misuse(_)
            )
        })
    }

    /// The text for the number (`reftable_error_str()` of git's library).
    pub fn kind(&self) -> &'static CStr {
        match self.code {
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

    /// Prints why reading or writing failed, for functions that have only a number for git.
    /// One reason often fails many of a command's calls: it is printed once.
    pub fn complain(&self) {
        let Some(error) = self.detail() else {
            return;
        };
        let text = text(error);
        let is_new = PRINTED.with_borrow_mut(|printed| {
            let is_new = printed.len() < MOST_COMPLAINTS && !printed.contains(&text);
            if is_new {
                printed.push(text.clone());
            }
            is_new
        });
        if is_new {
            messages::error_text(&text);
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            cause: Some(Rc::new(error)),
        }
    }
}

/// The words of `error`, in which NUL bytes are quoted like all control characters.
pub fn text(error: &Error) -> CString {
    CString::new(error.to_string()).unwrap_or_default()
}

/// The C result of an outcome: 0 or the negative number.
pub fn code(outcome: Outcome) -> c_int {
    match outcome {
        Ok(()) => 0,
        Err(failure) => failure.code(),
    }
}

/// As [`code`], for functions that can tell git nothing but the number.
pub fn complain(outcome: Outcome) -> c_int {
    code(outcome.inspect_err(Failure::complain))
}
