//! Settings, as git 2.55.0 lets a backend know them.
//!
//! # Safety
//!
//! Of every function here: pointers are valid, and live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use crate::git::abi::{LogRefsConfig, Repository};
use std::ffi::c_int;

extern "C" {
    fn is_bare_repository() -> c_int;
    fn repo_settings_get_log_all_ref_updates(repo: *mut Repository) -> LogRefsConfig;
}

/// Whether there is no work tree: in this release, of the repository that the process runs in.
pub unsafe fn is_bare(_: *mut Repository) -> bool {
    // SAFETY: no arguments.
    unsafe { is_bare_repository() != 0 }
}

/// `core.logAllRefUpdates`; git dies on a value that it does not know.
pub unsafe fn log_all_ref_updates(repo: *mut Repository) -> LogRefsConfig {
    // SAFETY: the caller's promise.
    unsafe { repo_settings_get_log_all_ref_updates(repo) }
}
