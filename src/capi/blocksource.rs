//! `reftable-blocksource.h`: where the bytes of a table come from.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use libc::ssize_t;

use crate::ffi::code::{number, CResult, Code};

mod content;
mod file;

pub(super) use content::read_all;
pub(super) use file::{keep_table, take_data};

/// Something that gives the bytes of a table. Zero-filled, it is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_block_source {
    /// What can be done with it; NULL when there is no source.
    pub ops: *mut reftable_block_source_vtable,
    /// Passed to each of these functions.
    pub arg: *mut c_void,
}

/// Bytes that a source has given, and the source to which they go back.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_block_data {
    /// The bytes.
    pub data: *mut u8,
    /// How many they are.
    pub len: usize,
    /// The source that gave them.
    pub source: reftable_block_source,
}

/// The functions of a source. All four must be there.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_block_source_vtable {
    /// The number of bytes that there are in all.
    pub size: Option<unsafe extern "C" fn(source: *mut c_void) -> u64>,
    /// Sets `dest->data` and `dest->len` to the `size` bytes at `off`, and returns their
    /// number; a negative number is an error, which the library passes on or turns into
    /// `REFTABLE_IO_ERROR`. All of them must be there: never asked for bytes beyond the end. The bytes stay as they
    /// are until `release_data` is called for them, however long that may be.
    pub read_data: Option<
        unsafe extern "C" fn(
            source: *mut c_void,
            dest: *mut reftable_block_data,
            off: u64,
            size: u32,
        ) -> ssize_t,
    >,
    /// Takes bytes back that `read_data` gave. Called once for each successful read.
    pub release_data:
        Option<unsafe extern "C" fn(source: *mut c_void, data: *mut reftable_block_data)>,
    /// Ends the use of the source. Called once, after all bytes were taken back.
    pub close: Option<unsafe extern "C" fn(source: *mut c_void)>,
}

/// Opens the file `name` as a source. `block_src` must be zero-filled; a table that is
/// opened with it takes it over and closes it.
///
/// Returns 0; `REFTABLE_NOT_EXIST_ERROR` when there is no such file; -1 when it cannot
/// be opened for another reason; `REFTABLE_IO_ERROR` when it cannot be read or is not a
/// regular file; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` when an argument is
/// NULL or `block_src` is in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_block_source_from_file(
    block_src: *mut reftable_block_source,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { file::open(block_src, name) })
}

impl reftable_block_source {
    /// No source.
    pub(super) const NONE: Self = Self {
        ops: ptr::null_mut(),
        arg: ptr::null_mut(),
    };

    /// # Safety
    /// The functions, if there are any, live for `'a`.
    unsafe fn functions<'a>(&self) -> CResult<&'a reftable_block_source_vtable> {
        // SAFETY: the caller's promise.
        unsafe { crate::ffi::object::borrow(self.ops) }
    }

    /// The number of bytes that there are.
    ///
    /// # Safety
    /// It is a source as C must make it, and open.
    pub(super) unsafe fn size(&self) -> CResult<u64> {
        // SAFETY: the caller's promise.
        unsafe {
            let size = self.functions()?.size.ok_or(Code::MISUSE)?;
            Ok(size(self.arg))
        }
    }

    /// The `size` bytes at `off`, or perhaps fewer. They must be released.
    ///
    /// # Errors
    /// What the source returns, if that is negative.
    ///
    /// # Safety
    /// It is a source as C must make it, and open.
    pub(super) unsafe fn read(&self, off: u64, size: u32) -> CResult<reftable_block_data> {
        let mut data = reftable_block_data::NONE;
        // SAFETY: the caller's promise.
        let count = unsafe {
            let read_data = self.functions()?.read_data.ok_or(Code::MISUSE)?;
            read_data(self.arg, &mut data, off, size)
        };
        let Ok(len) = usize::try_from(count) else {
            return Err(Code(c_int::try_from(count).unwrap_or(c_int::MIN)));
        };
        data.source = *self;
        data.len = len;
        if data.data.is_null() && len > 0 || len > usize::try_from(size).unwrap_or(0) {
            // SAFETY: the source has given these bytes.
            unsafe { data.release() };
            return Err(Code::IO);
        }
        Ok(data)
    }

    /// Closes the source, if there is one, which is no more then.
    ///
    /// # Safety
    /// It is a source as C must make it, and nobody uses it any more.
    pub(super) unsafe fn close(&mut self) {
        let source = std::mem::replace(self, Self::NONE);
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(close) = source.functions().ok().and_then(|ops| ops.close) {
                close(source.arg);
            }
        }
    }
}

impl reftable_block_data {
    /// No bytes, of no source.
    pub(super) const NONE: Self = Self {
        data: ptr::null_mut(),
        len: 0,
        source: reftable_block_source::NONE,
    };

    /// The bytes.
    ///
    /// # Safety
    /// They are there and stay as they are for `'a`.
    pub(super) unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    /// Gives the bytes back to their source, if they have one.
    ///
    /// # Safety
    /// The source has given them, and nobody uses them any more.
    pub(super) unsafe fn release(&mut self) {
        let mut data = std::mem::replace(self, Self::NONE);
        let source = data.source;
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(release) = source.functions().ok().and_then(|ops| ops.release_data) {
                release(source.arg, &mut data);
            }
        }
    }
}
