//! Settings, as git 2.39.5 lets a backend know them.
//!
//! # Safety
//!
//! Of every function here: pointers are valid, and live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use super::calls;
use crate::git::abi::{LogRefsConfig, Repository};
use std::ffi::c_int;

extern "C" {
    fn is_bare_repository() -> c_int;
}

/// Whether there is no work tree: in this release, of the repository that the process runs in.
pub unsafe fn is_bare(_: *mut Repository) -> bool {
    // SAFETY: no arguments.
    unsafe { is_bare_repository() != 0 }
}

/// `core.logAllRefUpdates`: in this release, of the repository that the process runs in.
pub unsafe fn log_all_ref_updates(_: *mut Repository) -> LogRefsConfig {
    // SAFETY: a number that git sets when it reads its configuration.
    unsafe { calls::log_all_ref_updates }
}
