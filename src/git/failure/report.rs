//! Printing errors and warnings.
#![forbid(unsafe_code)]

use super::Failure;
use crate::format::Error;
use crate::git::sys::messages::{error, error_text, unable_to_lock, warning};
use crate::git::sys::strings::{quoted, OwnedBuffer};
use crate::stack::{CommitOutcome, Stack};
use crate::sys::LOCK_SUFFIX;
use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The most errors that a process prints through [`error_once`].
const MAX_ERRORS: usize = 20;

thread_local! {
    /// The errors printed so far.
    static PRINTED: RefCell<Vec<CString>> = const { RefCell::new(Vec::new()) };
}

/// The text of `error`, in which NUL bytes are quoted like all control characters.
pub(super) fn text(error: &Error) -> CString {
    CString::new(error.to_string()).unwrap_or_default()
}

/// Prints `error: TEXT`, unless this process has printed it before.
pub(super) fn error_once(text: CString) {
    let is_new = PRINTED.with_borrow_mut(|printed| {
        let is_new = printed.len() < MAX_ERRORS && !printed.contains(&text);
        if is_new {
            printed.push(text.clone());
        }
        is_new
    });
    if is_new {
        error_text(&text);
    }
}

/// Git's message for an existing lock file: its path, and that it may be stale.
pub fn lock_message(path: &Path) -> OwnedBuffer {
    let path = path.as_os_str().as_bytes();
    let target = path.strip_suffix(LOCK_SUFFIX.as_bytes()).unwrap_or(path);
    unable_to_lock(&quoted(target))
}

/// Prints [`lock_message`] if `failure` is a held lock that prevented a change of `stack`.
/// Returns the failure.
pub fn report_locked(stack: &Stack, failure: Failure) -> Failure {
    if failure.is_locked() {
        error_text(lock_message(&stack.lock_path()).as_c_str());
    }
    failure
}

/// Reports that the log of `name` could not be expired.
pub fn report_unexpired(name: &CStr, failure: &Failure) {
    error(
        c"unable to expire the reflog of '%s': %s",
        &[name, &failure.text()],
    );
}

/// Warns of errors after a change was committed: in flushing it, or in the compaction that
/// followed. The change itself is a success.
pub fn warn_after_commit(outcome: CommitOutcome) {
    if let Some(error) = outcome.unflushed {
        warning(
            c"the update may not survive a power failure: %s",
            &[&text(&error)],
        );
    }
    if let Some(error) = outcome.compaction {
        warning(
            c"unable to compact stack: %s",
            &[&Failure::from(error).text()],
        );
    }
}
