//! Writing by way of a caller's functions.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io;
use std::rc::Rc;

use libc::ssize_t;

use super::Code;
use crate::format::{Error, Result};
use crate::table::Sink;

pub(super) type WriteFn = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> ssize_t;
pub(super) type FlushFn = unsafe extern "C" fn(*mut c_void) -> c_int;

/// A caller's functions and what they want to be called with.
#[derive(Clone, Debug)]
pub(super) struct CallerSink {
    pub(super) write: WriteFn,
    pub(super) flush: FlushFn,
    pub(super) arg: *mut c_void,
    /// What `write` has returned when it failed last.
    pub(super) failure: Rc<Cell<Option<Code>>>,
}

fn failed(op: &'static str) -> Error {
    Error::io(op, "", io::Error::other("the caller's function failed"))
}

impl Sink for CallerSink {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        // SAFETY: the caller has said that the function is to be called so.
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

    /// A caller sees its errors as early, and its function called as often, as with git's
    /// library.
    fn wants_large_writes(&self) -> bool {
        false
    }
}
