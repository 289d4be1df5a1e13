//! `reftable-basics.h`: buffers, hash functions, memory management.

use std::ffi::{c_char, c_uint, c_void};

/// A growing byte buffer. Zero-fill it or initialise it with `REFTABLE_BUF_INIT`.
///
/// Memory of a buffer that the library has filled comes from the library's allocator. Free
/// it with the function passed to `reftable_set_alloc()`, by default `free()`.
#[repr(C)]
#[derive(Debug)]
pub struct reftable_buf {
    /// Bytes allocated for `buf`.
    pub alloc: usize,
    /// Bytes in use, followed by a NUL.
    pub len: usize,
    /// The bytes, or NULL if nothing is allocated.
    pub buf: *mut c_char,
}

/// Hash functions of object ids. 0, as in zero-filled options, means SHA-1.
///
/// The numbers are those of git's library, which chose them to expose unset variables.
/// Files contain other numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_hash {
    /// SHA-1: 20 bytes.
    REFTABLE_HASH_SHA1 = 89,
    /// SHA-256: 32 bytes.
    REFTABLE_HASH_SHA256 = 247,
}

/// `enum reftable_hash` as C passes it: any number.
pub type hash_number = c_uint;

/// Size of a SHA-1 object id in bytes.
pub const REFTABLE_HASH_SIZE_SHA1: usize = 20;
/// Size of a SHA-256 object id in bytes.
pub const REFTABLE_HASH_SIZE_SHA256: usize = 32;
/// Size of the longest object id in bytes.
pub const REFTABLE_HASH_SIZE_MAX: usize = REFTABLE_HASH_SIZE_SHA256;

/// Sets the functions that allocate everything the library hands out: strings of records,
/// buffers, and the objects themselves. Memory that callers never see is allocated
/// elsewhere.
///
/// NULL means the C library's function. Memory allocated earlier is freed with the
/// functions set now, so call this once, before any other function. `malloc_fn` and
/// `realloc_fn` may return NULL: the call that needed the memory then fails with
/// `REFTABLE_OUT_OF_MEMORY_ERROR`. The functions must not call the library.
#[no_mangle]
pub unsafe extern "C" fn reftable_set_alloc(
    malloc_fn: Option<unsafe extern "C" fn(usize) -> *mut c_void>,
    realloc_fn: Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>,
    free_fn: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    crate::ffi::alloc::set(malloc_fn, realloc_fn, free_fn);
}
