//! What git 2.55.0 passes when it opens a store.

#![forbid(unsafe_code)]

use crate::git::abi::LogRefsConfig;
use std::ffi::c_uint;

/// `struct ref_store_init_options`.
#[repr(C)]
pub struct RefStoreInitOptions {
    pub access_flags: c_uint,
    pub log_all_ref_updates: LogRefsConfig,
}
