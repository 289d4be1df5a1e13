//! What users read when a lock is held: which file, and how to go on.
#![forbid(unsafe_code)]

use super::backend::Backend;
use super::failure::Failure;
use super::sys::messages::{error_text, unable_to_lock};
use super::sys::strings::{quoted, OwnedBuffer};
use crate::sys::LOCK_SUFFIX;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Git's words for the lock file at `path` being there.
pub fn message(path: &Path) -> OwnedBuffer {
    let path = path.as_os_str().as_bytes();
    let target = path.strip_suffix(LOCK_SUFFIX.as_bytes()).unwrap_or(path);
    unable_to_lock(&quoted(target))
}

/// Prints these words for a change of the stack of `backend` that has failed with
/// `failure`, if that is what they are about.
pub fn report(backend: &Backend, failure: Failure) -> Failure {
    if failure.is_locked() {
        error_text(message(&backend.stack.lock_path()).as_c_str());
    }
    failure
}
