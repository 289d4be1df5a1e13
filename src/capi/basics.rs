//! `reftable-basics.h`: buffers, hash functions, memory management.

use std::ffi::{c_char, c_uint, c_void};

/// A growing buffer of bytes. Zero-filled, or `REFTABLE_BUF_INIT`, it is empty.
///
/// A buffer that the library has filled holds memory of its allocator: it is given back
/// with the function that was passed to `reftable_set_alloc()`, `free()` by default.
#[repr(C)]
#[derive(Debug)]
pub struct reftable_buf {
    /// Bytes that `buf` has room for.
    pub alloc: usize,
    /// Bytes in use; a NUL follows them.
    pub len: usize,
    /// The bytes; NULL in an empty buffer.
    pub buf: *mut c_char,
}

/// The hash functions of object ids. 0, as in zero-filled options, stands for SHA-1.
///
/// The numbers are those of git's library, chosen so that a variable which was never
/// set is noticed; files hold others.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_hash {
    /// SHA-1: 20 bytes.
    REFTABLE_HASH_SHA1 = 89,
    /// SHA-256: 32 bytes.
    REFTABLE_HASH_SHA256 = 247,
}

/// What C calls `enum reftable_hash`: C may pass any number.
pub type hash_number = c_uint;

/// Bytes of a SHA-1 object id.
pub const REFTABLE_HASH_SIZE_SHA1: usize = 20;
/// Bytes of a SHA-256 object id.
pub const REFTABLE_HASH_SIZE_SHA256: usize = 32;
/// Bytes of the longest object id.
pub const REFTABLE_HASH_SIZE_MAX: usize = REFTABLE_HASH_SIZE_SHA256;

/// Sets the functions with which the library allocates everything that it hands out:
/// strings of records, buffers, and the objects themselves. Memory that no caller ever
/// sees is not allocated with them.
///
/// NULL stands for the C library's function. Memory that was allocated before is given
/// back with the functions set now, so this is called once, before anything else.
/// `malloc_fn` and `realloc_fn` may return NULL: the call that needed the memory then
/// fails with `REFTABLE_OUT_OF_MEMORY_ERROR`. The functions must not call the library.
#[no_mangle]
pub unsafe extern "C" fn reftable_set_alloc(
    malloc_fn: Option<unsafe extern "C" fn(usize) -> *mut c_void>,
    realloc_fn: Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>,
    free_fn: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    crate::ffi::alloc::set(malloc_fn, realloc_fn, free_fn);
}
