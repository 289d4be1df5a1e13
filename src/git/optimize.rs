//! `git pack-refs` and `git refs optimize`: compaction on request.
#![forbid(unsafe_code)]

use super::abi::REFS_OPTIMIZE_AUTO;
use super::failure::{Failure, Outcome};
use super::locked;
use super::store::Store;
use super::sys::messages::{error, error_text};
use crate::format::Error;
use std::ffi::c_uint;

/// Compacts the current worktree's stack: to one table, or with
/// `REFS_OPTIMIZE_AUTO` only where the geometric rule asks for it. Files that
/// no list names are removed.
pub fn optimize(store: &Store, flags: c_uint) -> Outcome {
    let stack = match store.current() {
        Ok(backend) => &backend.stack,
        Err(failure) => {
            error(c"unable to compact stack: %s", &[&failure.text()]);
            return Err(failure);
        }
    };
    let compact = || {
        if flags & REFS_OPTIMIZE_AUTO != 0 {
            stack.auto_compact()
        } else {
            stack.compact_all(None)
        }
    };
    let mut compacted = compact();
    // The lock may be one that a process left behind long ago.
    if matches!(compacted, Err(Error::Locked { .. })) && stack.clean().is_ok() {
        compacted = compact();
    }
    if let Err(failure) = compacted {
        let table = match &failure {
            Error::Locked { path } if *path != stack.lock_path() => Some(path.clone()),
            _ => None,
        };
        error(
            c"unable to compact stack: %s",
            &[&Failure::from(failure).text()],
        );
        if let Some(lock) = table {
            error_text(locked::message(&lock).as_c_str());
        }
        return Err(Failure::REPORTED);
    }
    if let Err(failure) = stack.clean().map_err(Failure::from) {
        error(c"unable to clean stack: %s", &[&failure.text()]);
        return Err(Failure::REPORTED);
    }
    Ok(())
}

/// Whether `optimize` with the same flags would compact anything.
pub fn is_required(store: &Store, flags: c_uint) -> Outcome<bool> {
    let stack = &store.current()?.stack;
    let heuristics = flags & REFS_OPTIMIZE_AUTO != 0;
    Ok(stack.compaction_required(heuristics)?)
}
