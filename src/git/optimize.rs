//! Compaction on request: `git pack-refs` and `git refs optimize`.
#![forbid(unsafe_code)]

use super::failure::{lock_message, Failure, Outcome};
use super::store::Store;
use super::sys::messages::{error, error_text, warning};
use crate::format::Error;
use crate::stack::Stack;

/// Compacts the current worktree's stack: to one table, or with `is_auto` only as the
/// geometric rule requires. Removes files that no list names.
pub fn optimize(store: &Store, is_auto: bool) -> Outcome {
    let stack = match store.current().and_then(|backend| Ok(backend.writing()?)) {
        Ok(stack) => stack,
        Err(failure) => {
            error(c"unable to compact stack: %s", &[&failure.text()]);
            return Err(failure);
        }
    };
    match stack.optimize(is_auto) {
        Ok(compacted) => clean(stack, compacted || is_auto),
        Err(failure) => {
            let table = match &failure {
                Error::Locked { path } if *path != stack.lock_path() => Some(path.clone()),
                _ => None,
            };
            error(
                c"unable to compact stack: %s",
                &[&Failure::from(failure).text()],
            );
            if let Some(lock) = table {
                error_text(lock_message(&lock).as_c_str());
            }
            Err(Failure::Reported)
        }
    }
}

/// Removes leftovers. A lock of `tables.list` is ignored if several processes held it in
/// turn, but not if one held it for the whole waiting time. Other errors are warnings when `is_done`: the
/// compaction has succeeded, or there was nothing to compact.
fn clean(stack: &Stack, is_done: bool) -> Outcome {
    let Err(failure) = stack.clean() else {
        return Ok(());
    };
    let lock = match &failure {
        Error::Locked { path } => {
            let waited = u64::try_from(stack.options().lock_timeout_ms).unwrap_or(0);
            if stack.locked_for_ms().is_none_or(|age| age < waited) {
                return Ok(());
            }
            Some(lock_message(path))
        }
        _ => None,
    };
    let text = Failure::from(failure).text();
    let reason = lock.as_ref().map_or(&*text, |lock| lock.as_c_str());
    if is_done {
        warning(c"unable to clean stack: %s", &[reason]);
        return Ok(());
    }
    error(c"unable to clean stack: %s", &[reason]);
    Err(Failure::Reported)
}

/// Whether `optimize` would compact anything.
#[allow(dead_code, reason = "not every release asks")]
pub fn is_required(store: &Store, is_auto: bool) -> Outcome<bool> {
    let stack = store.current()?.writing()?;
    Ok(stack.compaction_required(is_auto))
}
