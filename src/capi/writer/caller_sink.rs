//! Writing through the caller's functions.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io;
use std::rc::Rc;

use libc::ssize_t;

use super::Code;
use crate::format::{Error, Result};
use crate::table::Sink;

pub(in crate::capi) type WriteFn =
    unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> ssize_t;
pub(in crate::capi) type FlushFn = unsafe extern "C" fn(*mut c_void) -> c_int;

/// A caller's functions and their argument.
#[derive(Clone, Debug)]
pub(super) struct CallerSink {
    pub(super) write: WriteFn,
    pub(super) flush: FlushFn,
    pub(super) arg: *mut c_void,
    /// The result of the last failed `write`.
    pub(super) failure: Rc<Cell<Option<Code>>>,
}

fn failed(op: &'static str) -> Error {
    Error::io(op, "", io::Error::other("the caller's function failed"))
}

impl Sink for CallerSink {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        // SAFETY: the caller passed the function for this purpose, with its argument.
        let written = unsafe { (self.write)(self.arg, bytes.as_ptr().cast(), bytes.len()) };
        if written < 0 {
            let code = c_int::try_from(written).unwrap_or(c_int::MIN);
            self.failure.set(Some(Code(code)));
            return Err(failed("write"));
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        // SAFETY: as above.
        if unsafe { (self.flush)(self.arg) } < 0 {
            return Err(failed("flush"));
        }
        Ok(())
    }

    /// False, so that the caller's functions are called as often, and errors are reported as
    /// early, as by git's library.
    fn wants_large_writes(&self) -> bool {
        false
    }
}
