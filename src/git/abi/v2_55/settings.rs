//! Settings and the working directory, as git 2.55.0 lets a backend know them.
//!
//! # Safety
//!
//! Of every function here: pointers are valid, and live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use crate::git::abi::{LogRefsConfig, Repository};
use std::ffi::{c_char, c_int};

extern "C" {
    fn is_bare_repository() -> c_int;
    fn repo_settings_get_log_all_ref_updates(repo: *mut Repository) -> LogRefsConfig;
    fn chdir_notify_reparent(name: *const c_char, path: *mut *mut c_char);
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

/// Has git adapt `path`, which is relative, whenever the process changes its directory.
///
/// # Safety
///
/// `path` stays valid until the process ends or `ignore_chdir`.
pub unsafe fn follow_chdir(path: *mut *mut c_char) {
    // SAFETY: the caller's promise.
    unsafe { chdir_notify_reparent(c"reftables-backend $GIT_DIR".as_ptr(), path) };
}

/// Undoes `follow_chdir`. This release cannot: git keeps the pointer.
pub unsafe fn ignore_chdir(_: *mut *mut c_char) {}
