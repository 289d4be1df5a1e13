//! `reftable-blocksource.h`: sources of a table's bytes.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use libc::ssize_t;

use crate::ffi::code::{number, CResult, Code};

mod content;
mod file;

pub(super) use content::read_all;
pub(super) use file::{keep_table, take_data};

/// A source of a table's bytes. A zero-filled struct is not a source.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_block_source {
    /// Its functions; NULL if there is no source.
    pub ops: *mut reftable_block_source_vtable,
    /// Argument of these functions.
    pub arg: *mut c_void,
}

/// Bytes read from a source, to be returned to it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_block_data {
    /// The bytes.
    pub data: *mut u8,
    /// Number of bytes.
    pub len: usize,
    /// The source they were read from.
    pub source: reftable_block_source,
}

/// The functions of a source. All four are required.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_block_source_vtable {
    /// Returns the total number of bytes.
    pub size: Option<unsafe extern "C" fn(source: *mut c_void) -> u64>,
    /// Sets `dest->data` and `dest->len` to the `size` bytes at `off` and returns their
    /// number. The library never reads past the end, and requires all bytes that it requests. A
    /// negative result is an error, which the library returns or replaces by
    /// `REFTABLE_IO_ERROR`. The bytes must not change until `release_data` is called for
    /// them, however late.
    pub read_data: Option<
        unsafe extern "C" fn(
            source: *mut c_void,
            dest: *mut reftable_block_data,
            off: u64,
            size: u32,
        ) -> ssize_t,
    >,
    /// Releases bytes of `read_data`. Called once for each successful read.
    pub release_data:
        Option<unsafe extern "C" fn(source: *mut c_void, data: *mut reftable_block_data)>,
    /// Closes the source. Called once, after all bytes were released.
    pub close: Option<unsafe extern "C" fn(source: *mut c_void)>,
}

/// Opens the file `name` as a source. `block_src` must be zero-filled. A table opened with
/// the source takes it over and closes it.
///
/// Returns 0; `REFTABLE_NOT_EXIST_ERROR` if there is no such file; -1 if it cannot be
/// opened for another reason; `REFTABLE_IO_ERROR` if it cannot be read or is not a regular
/// file; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` if an argument is NULL or
/// `block_src` is in use.
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
    /// `ops` is NULL or valid for `'a`.
    unsafe fn functions<'a>(&self) -> CResult<&'a reftable_block_source_vtable> {
        // SAFETY: the caller's promise.
        unsafe { crate::ffi::object::borrow(self.ops) }
    }

    /// Returns the total number of bytes.
    ///
    /// # Safety
    /// The source is valid and open.
    pub(super) unsafe fn size(&self) -> CResult<u64> {
        // SAFETY: the caller's promise.
        unsafe {
            let size = self.functions()?.size.ok_or(Code::MISUSE)?;
            Ok(size(self.arg))
        }
    }

    /// Reads the `size` bytes at `off`, or possibly fewer. They must be released.
    ///
    /// # Errors
    /// The result of the source, if that is negative.
    ///
    /// # Safety
    /// The source is valid and open.
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
            // SAFETY: the source has returned these bytes.
            unsafe { data.release() };
            return Err(Code::IO);
        }
        Ok(data)
    }

    /// Closes the source, if there is one, and clears the struct.
    ///
    /// # Safety
    /// The struct is zero-filled or a valid source that is no longer used.
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
    /// No bytes and no source.
    pub(super) const NONE: Self = Self {
        data: ptr::null_mut(),
        len: 0,
        source: reftable_block_source::NONE,
    };

    /// The bytes.
    ///
    /// # Safety
    /// `data` is NULL or points to `len` bytes that do not change for `'a`.
    pub(super) unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    /// Returns the bytes to their source, if there is one.
    ///
    /// # Safety
    /// The bytes come from that source and are no longer used.
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
