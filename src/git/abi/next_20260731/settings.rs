//! Settings, as git's `next` lets a backend know them.
//!
//! # Safety
//!
//! Of every function here: pointers are valid, and live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use crate::git::abi::{LogRefsConfig, Repository, LOG_REFS_UNSET};
use std::ffi::{c_char, c_int};
use std::ptr;

extern "C" {
    fn is_bare_repository(repo: *mut Repository) -> c_int;
    fn repo_config_get_value(
        repo: *mut Repository,
        key: *const c_char,
        value: *mut *const c_char,
    ) -> c_int;
    fn refs_parse_log_all_ref_updates_config(value: *const c_char) -> LogRefsConfig;
}

/// Whether `repo` has no work tree.
pub unsafe fn is_bare(repo: *mut Repository) -> bool {
    // SAFETY: the caller's promise.
    unsafe { is_bare_repository(repo) != 0 }
}

/// `core.logAllRefUpdates`; git dies on a value that it does not know.
pub unsafe fn log_all_ref_updates(repo: *mut Repository) -> LogRefsConfig {
    let mut value = ptr::null();
    // SAFETY: the caller's promise. The value belongs to the configuration, and may be NULL.
    unsafe {
        if repo_config_get_value(repo, c"core.logallrefupdates".as_ptr(), &mut value) != 0 {
            return LOG_REFS_UNSET;
        }
        refs_parse_log_all_ref_updates_config(value)
    }
}
