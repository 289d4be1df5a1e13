//! What git's `next` passes when it opens a store.

#![forbid(unsafe_code)]

use std::ffi::c_uint;

/// `struct ref_store_init_options`.
#[repr(C)]
pub struct RefStoreInitOptions {
    pub access_flags: c_uint,
}
