//! Reasons to refuse a transaction.
#![forbid(unsafe_code)]

use crate::format::Error;
use crate::git::abi::{
    RefTransactionError, REF_TRANSACTION_ERROR_CREATE_EXISTS,
    REF_TRANSACTION_ERROR_EXPECTED_SYMREF, REF_TRANSACTION_ERROR_GENERIC,
    REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE, REF_TRANSACTION_ERROR_NAME_CONFLICT,
    REF_TRANSACTION_ERROR_NONEXISTENT_REF,
};
use crate::git::failure::Failure;

/// A transaction error in git's sense: the refs forbid an update. The message is in the buffer
/// that git passed.
///
/// Git acts on the number: it prints advice, or tries the other updates of a batch. The numbers
/// overlap with those of the library's errors, so the two have separate types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(RefTransactionError);

impl Refusal {
    /// Any other reason; the whole transaction fails.
    pub const GENERIC: Self = Self(REF_TRANSACTION_ERROR_GENERIC);
    /// The name conflicts with an existing ref or another update.
    pub const NAME_CONFLICT: Self = Self(REF_TRANSACTION_ERROR_NAME_CONFLICT);
    /// The ref must not exist yet.
    pub const CREATE_EXISTS: Self = Self(REF_TRANSACTION_ERROR_CREATE_EXISTS);
    /// The ref must exist.
    pub const NONEXISTENT_REF: Self = Self(REF_TRANSACTION_ERROR_NONEXISTENT_REF);
    /// The ref has another value than the expected one.
    pub const INCORRECT_OLD_VALUE: Self = Self(REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE);
    /// The ref must be symbolic.
    pub const EXPECTED_SYMREF: Self = Self(REF_TRANSACTION_ERROR_EXPECTED_SYMREF);

    /// The result of one of git's checks: 0, or the number of a refusal.
    pub fn check(number: RefTransactionError) -> Result<(), Self> {
        match number {
            0 => Ok(()),
            refused => Err(Self(refused)),
        }
    }

    /// Git's number.
    pub fn number(self) -> RefTransactionError {
        self.0
    }
}

/// The reason that a transaction, or one of its updates, cannot be prepared.
#[derive(Debug)]
pub enum PrepareError {
    /// The refs forbid it.
    Refused(Refusal),
    /// Reading or locking failed.
    Failed(Failure),
}

impl PrepareError {
    /// The number for git. A failure of the library is a generic one: its own number would mean
    /// something else, such as a conflict of names for an I/O error.
    pub fn number(&self) -> RefTransactionError {
        match self {
            Self::Refused(refusal) => refusal.number(),
            Self::Failed(_) => REF_TRANSACTION_ERROR_GENERIC,
        }
    }
}

impl From<Refusal> for PrepareError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for PrepareError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Error> for PrepareError {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::path::PathBuf;

    #[test]
    fn library_errors_are_generic_to_git() {
        let path = || PathBuf::from("x");
        for error in [
            Error::io("create", path(), io::Error::other("")),
            Error::NotExist { path: path() },
            Error::Locked { path: path() },
        ] {
            let number = PrepareError::from(error).number();
            assert_eq!(number, REF_TRANSACTION_ERROR_GENERIC);
        }
    }

    #[test]
    fn refusals_keep_their_numbers() {
        let refused = Refusal::check(REF_TRANSACTION_ERROR_NAME_CONFLICT).unwrap_err();
        assert_eq!(refused, Refusal::NAME_CONFLICT);
        assert_eq!(
            PrepareError::from(refused).number(),
            REF_TRANSACTION_ERROR_NAME_CONFLICT
        );
        assert_eq!(Refusal::check(0), Ok(()));
    }
}
