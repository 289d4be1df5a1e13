//! Results of C functions: 0 or positive numbers for success, negative ones for failure.

use std::ffi::c_int;

use super::alloc::NoMemory;
use crate::format::{error_code, Error};

/// A negative number to return to C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) c_int);

impl Code {
    /// A system call failed.
    pub(crate) const IO: Self = Self(error_code::IO);
    /// Bytes violate the format.
    pub(crate) const FORMAT: Self = Self(error_code::FORMAT);
    /// A file does not exist.
    pub(crate) const NOT_EXIST: Self = Self(error_code::NOT_EXIST);
    /// The caller misused a function.
    pub(crate) const MISUSE: Self = Self(error_code::MISUSE);
    /// Out of memory.
    pub(crate) const NO_MEMORY: Self = Self(error_code::OUT_OF_MEMORY);
}

impl From<Error> for Code {
    fn from(error: Error) -> Self {
        Self(error.code())
    }
}

impl From<NoMemory> for Code {
    fn from(NoMemory: NoMemory) -> Self {
        Self::NO_MEMORY
    }
}

/// The result of a C function before its conversion to a number.
pub(crate) type CResult<T = ()> = Result<T, Code>;

/// 0 or the number of the error.
pub(crate) fn number(result: CResult) -> c_int {
    match result {
        Ok(()) => 0,
        Err(Code(code)) => code,
    }
}

/// 0 for `true`, 1 for `false`, or the number of the error.
pub(crate) fn number_found(result: CResult<bool>) -> c_int {
    match result {
        Ok(found) => c_int::from(!found),
        Err(Code(code)) => code,
    }
}

/// Runs `operation` and converts its result with [`number_found`].
#[inline(always)]
pub(crate) fn answer(operation: impl FnOnce() -> CResult<bool>) -> c_int {
    number_found(operation())
}

/// Converts a number returned by a C callback. Negative numbers are errors.
pub(crate) fn check(number: c_int) -> CResult {
    match number {
        0.. => Ok(()),
        code => Err(Code(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_converted() {
        assert_eq!(number(Ok(())), 0);
        assert_eq!(number(Err(NoMemory.into())), -13);
        assert_eq!(number(Err(Error::Outdated.into())), -12);
        assert_eq!(number_found(Ok(true)), 0);
        assert_eq!(number_found(Ok(false)), 1);
        assert_eq!(number_found(Err(Code::MISUSE)), -6);
        assert_eq!(check(7), Ok(()));
        assert_eq!(check(-99), Err(Code(-99)));
    }

    #[test]
    fn constants_match_errors() {
        let io = std::io::Error::other("");
        assert_eq!(Code::from(Error::io("read", "x", io)), Code::IO);
        assert_eq!(Code::from(Error::Misuse("")), Code::MISUSE);
        assert_eq!(Code::from(Error::OutOfMemory { size: 1 }), Code::NO_MEMORY);
        let path = std::path::PathBuf::new();
        assert_eq!(Code::from(Error::NotExist { path }), Code::NOT_EXIST);
        let damage = crate::format::Corruption::at(0, "", 0, 0).in_file("");
        assert_eq!(Code::from(damage), Code::FORMAT);
    }
}
