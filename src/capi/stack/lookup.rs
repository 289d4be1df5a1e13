//! Looking up single records.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use super::{reftable_log_record, reftable_ref_record, reftable_stack, Code};
use crate::capi::record::{
    fill_log, fill_ref, reftable_log_record_release, reftable_ref_record_release,
};
use crate::ffi::code::CResult;
use crate::ffi::{object, string};
use crate::merged::{CachedFinder, Merged, RefFinder};
use crate::record::LogValue;

/// The finder of the last lookup.
///
/// Several threads may look up refs at once, and lookups may be nested. A lookup that finds the
/// cache in use makes a temporary finder.
#[derive(Debug, Default)]
pub(super) struct SharedFinder(Mutex<CachedFinder>);

impl SharedFinder {
    /// Releases the tables of the cached finder.
    pub(super) fn clear(&self) {
        if let Some(mut cached) = self.lock() {
            cached.clear();
        }
    }

    /// Runs `f` with a finder for `view`.
    fn with<R>(&self, view: Arc<Merged>, f: impl FnOnce(&mut RefFinder) -> R) -> R {
        match self.lock() {
            Some(mut cached) => f(cached.for_view(view)),
            None => f(&mut view.finder()),
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, CachedFinder>> {
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
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn read_ref(
    stack: *const reftable_stack,
    refname: *const c_char,
    record: *mut reftable_ref_record,
) -> CResult<bool> {
    // SAFETY: the caller's promise. The name may be that of the record itself: it is no
    // longer used when the record is written.
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
/// The pointers are NULL or valid as the C API requires.
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
        let mut logs = stack.core.merged().logs(stack.merged.tombstones());
        let mut read = || -> CResult<bool> {
            logs.seek_only(name)?;
            if !logs.advance()? {
                return Ok(false);
            }
            let newest = logs.record();
            // As in git's library, a deletion hides the older entries of its ref from a stack
            // that shows deletions.
            if matches!(newest.value, LogValue::Deletion) {
                return Ok(false);
            }
            fill_log(record, &newest).map(|()| true)
        };
        let found = read();
        if found != Ok(true) {
            reftable_log_record_release(record);
        }
        found
    }
}
