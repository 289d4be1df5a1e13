//! `git pack-refs` and `git refs optimize`: compaction on request.
#![forbid(unsafe_code)]

use super::abi::REFS_OPTIMIZE_AUTO;
use super::failure::{Failure, Outcome};
use super::locked;
use super::store::Store;
use super::sys::messages::{error, error_text, warning};
use crate::format::Error;
use crate::stack::Stack;
use std::ffi::{c_uint, CStr};

/// Compacts the current worktree's stack: to one table, or with
/// `REFS_OPTIMIZE_AUTO` only where the geometric rule asks for it. Files that
/// no list names are removed.
pub fn optimize(store: &Store, flags: c_uint) -> Outcome {
    let stack = match store.current().and_then(|backend| Ok(backend.writing()?)) {
        Ok(stack) => stack,
        Err(failure) => {
            error(c"unable to compact stack: %s", &[&failure.text()]);
            return Err(failure);
        }
    };
    if let Err(failure) = stack.optimize(flags & REFS_OPTIMIZE_AUTO != 0) {
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
    clean(stack);
    Ok(())
}

/// Removes leftovers. What was compacted stays so: trouble is a warning, and a list that others
/// keep locking is none, unless one of them had it locked all the time.
fn clean(stack: &Stack) {
    const FORMAT: &CStr = c"unable to clean stack: %s";
    match stack.clean() {
        Ok(()) => {}
        Err(Error::Locked { path }) => {
            let waited = u64::try_from(stack.options().lock_timeout_ms).unwrap_or(0);
            if stack.locked_for_ms().is_some_and(|age| age >= waited) {
                warning(FORMAT, &[locked::message(&path).as_c_str()]);
            }
        }
        Err(failure) => warning(FORMAT, &[&Failure::from(failure).text()]),
    }
}

/// Whether `optimize` with the same flags would compact anything.
pub fn is_required(store: &Store, flags: c_uint) -> Outcome<bool> {
    let stack = store.current()?.writing()?;
    let heuristics = flags & REFS_OPTIMIZE_AUTO != 0;
    Ok(stack.compaction_required(heuristics)?)
}
