//! Sorting arrays of records into the order of tables.

use std::cmp::Ordering;
use std::ffi::c_char;
use std::slice;

use super::{reftable_log_record, reftable_ref_record, CResult, Code};

/// Sorts refs by name.
///
/// # Errors
/// Misuse if the array or a name is NULL.
///
/// # Safety
/// `refs` is NULL, or an array of `n` records that nothing else uses.
pub(super) unsafe fn refs(refs: *mut reftable_ref_record, n: usize) -> CResult {
    // SAFETY: the caller's promise.
    let refs = unsafe { array(refs, n) }?;
    if refs.iter().any(|record| record.refname.is_null()) {
        return Err(Code::MISUSE);
    }
    // SAFETY: the names are strings, by the caller's promise, and not NULL.
    refs.sort_by(|a, b| unsafe { by_name(a.refname, b.refname) });
    Ok(())
}

/// Sorts log entries by name, and those of one name newest first.
///
/// # Errors
/// Misuse if the array or a name is NULL.
///
/// # Safety
/// `logs` is NULL, or an array of `n` records that nothing else uses.
pub(super) unsafe fn logs(logs: *mut reftable_log_record, n: usize) -> CResult {
    // SAFETY: the caller's promise.
    let logs = unsafe { array(logs, n) }?;
    if logs.iter().any(|record| record.refname.is_null()) {
        return Err(Code::MISUSE);
    }
    logs.sort_by(|a, b| {
        // SAFETY: the names are strings, by the caller's promise, and not NULL.
        let names = unsafe { by_name(a.refname, b.refname) };
        names.then(b.update_index.cmp(&a.update_index))
    });
    Ok(())
}

/// Borrows the `n` elements at `first`.
///
/// # Errors
/// Misuse for NULL, unless `n` is 0.
///
/// # Safety
/// `first` is NULL, or the first of `n` elements that nothing else uses for `'a`.
unsafe fn array<'a, T>(first: *mut T, n: usize) -> CResult<&'a mut [T]> {
    if n == 0 {
        return Ok(&mut []);
    }
    if first.is_null() {
        return Err(Code::MISUSE);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(first, n) })
}

/// # Safety
/// Both are NUL-terminated strings.
unsafe fn by_name(a: *const c_char, b: *const c_char) -> Ordering {
    // SAFETY: the caller's promise.
    unsafe { libc::strcmp(a, b) }.cmp(&0)
}
