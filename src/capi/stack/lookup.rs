//! Looking up single records.

use std::ffi::c_char;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use super::{reftable_log_record, reftable_ref_record, reftable_stack, Code};
use crate::capi::record::{
    fill_log, fill_ref, reftable_log_record_release, reftable_ref_record_release,
};
use crate::ffi::code::CResult;
use crate::ffi::{object, string};
use crate::merged::{Merged, RefFinder, Tombstones};

/// The finder of the last lookup, if the stack has still the tables that it looks into.
///
/// Several threads may look up refs at once, and a lookup may be nested in another: who finds
/// the cache in use does without.
#[derive(Default)]
pub(super) struct CachedFinder(Mutex<Option<Cached>>);

/// A finder and the tables that it looks into.
type Cached = (Arc<Merged>, RefFinder);

impl fmt::Debug for CachedFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedFinder").finish_non_exhaustive()
    }
}

impl CachedFinder {
    /// Lets go of tables that are not shown any more.
    pub(super) fn clear(&self) {
        let old = self.lock().and_then(|mut cached| cached.take());
        drop(old);
    }

    /// Runs `f` with a finder for these tables.
    fn with<R>(&self, merged: Arc<Merged>, f: impl FnOnce(&mut RefFinder) -> R) -> R {
        let Some(mut cached) = self.lock() else {
            return f(&mut merged.finder());
        };
        match &mut *cached {
            Some((of, finder)) if Arc::ptr_eq(of, &merged) => f(finder),
            other => {
                let finder = merged.finder();
                f(&mut other.insert((merged, finder)).1)
            }
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Option<Cached>>> {
        match self.0.try_lock() {
            Ok(cached) => Some(cached),
            // Each lookup seeks first, so the state that a panicked thread left does not matter.
            Err(TryLockError::Poisoned(cached)) => Some(cached.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Looks up a ref; see `reftable_stack_read_ref()`.
///
/// # Safety
/// The pointers are NULL or as C must pass them.
pub(super) unsafe fn read_ref(
    stack: *const reftable_stack,
    refname: *const c_char,
    record: *mut reftable_ref_record,
) -> CResult<bool> {
    // SAFETY: the caller's promise. The name may be that of the record itself: it is not used
    // any more when the record is written.
    unsafe {
        let stack = object::borrow(stack)?;
        let name = string::bytes(refname).ok_or(Code::MISUSE)?;
        object::borrow(record)?;
        stack.finder.with(stack.core.merged(), |finder| {
            if let Some(found) = finder.find(name)? {
                return fill_ref(record, &found).map(|()| true);
            }
            reftable_ref_record_release(record);
            Ok(false)
        })
    }
}

/// Looks up the newest log entry of a ref; see `reftable_stack_read_log()`.
///
/// # Safety
/// The pointers are NULL or as C must pass them.
pub(super) unsafe fn read_log(
    stack: *const reftable_stack,
    refname: *const c_char,
    record: *mut reftable_log_record,
) -> CResult<bool> {
    // SAFETY: the caller's promise, and as above.
    unsafe {
        let stack = object::borrow(stack)?;
        let name = string::bytes(refname).ok_or(Code::MISUSE)?;
        object::borrow(record)?;
        let mut logs = stack.core.merged().logs(Tombstones::Hide);
        let mut read = || -> CResult<bool> {
            logs.seek_only(name)?;
            if !logs.advance()? {
                return Ok(false);
            }
            fill_log(record, &logs.record()).map(|()| true)
        };
        let found = read();
        if found != Ok(true) {
            reftable_log_record_release(record);
        }
        found
    }
}
