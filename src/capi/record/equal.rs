//! Comparing records.

use std::ffi::{c_char, c_uchar};

use super::{
    reftable_log_record, reftable_ref_record, LOG_DELETION, LOG_UPDATE, REF_DELETION, REF_SYMREF,
    REF_VAL1, REF_VAL2,
};
use crate::ffi::string;

/// Compares two refs, with ids of `hash_size` bytes.
///
/// # Safety
/// Both records are valid as the C API requires.
pub(super) unsafe fn refs(
    a: &reftable_ref_record,
    b: &reftable_ref_record,
    hash_size: u32,
) -> bool {
    // SAFETY: the caller's promise.
    let same_name = unsafe { strings(a.refname, b.refname) };
    if !same_name || a.update_index != b.update_index || a.value_type != b.value_type {
        return false;
    }
    // SAFETY: arrays of bytes may have any value, and the value type says that there is a
    // string.
    unsafe {
        match a.value_type {
            REF_DELETION => true,
            REF_VAL1 => ids(&a.value.val1, &b.value.val1, hash_size),
            REF_VAL2 => {
                let (a, b) = (&a.value.val2, &b.value.val2);
                ids(&a.value, &b.value, hash_size)
                    && ids(&a.target_value, &b.target_value, hash_size)
            }
            REF_SYMREF => strings(a.value.symref, b.value.symref),
            _ => false,
        }
    }
}

/// Compares two reflog entries, with ids of `hash_size` bytes.
///
/// # Safety
/// Both records are valid as the C API requires.
pub(super) unsafe fn logs(
    a: &reftable_log_record,
    b: &reftable_log_record,
    hash_size: u32,
) -> bool {
    // SAFETY: the caller's promise.
    let same_name = unsafe { strings(a.refname, b.refname) };
    if !same_name || a.update_index != b.update_index || a.value_type != b.value_type {
        return false;
    }
    match a.value_type {
        LOG_DELETION => true,
        // SAFETY: the value type says that both are updates with their strings.
        LOG_UPDATE => unsafe {
            let (a, b) = (&a.value.update, &b.value.update);
            strings(a.name, b.name)
                && strings(a.email, b.email)
                && strings(a.message, b.message)
                && a.time == b.time
                && a.tz_offset == b.tz_offset
                && ids(&a.old_hash, &b.old_hash, hash_size)
                && ids(&a.new_hash, &b.new_hash, hash_size)
        },
        _ => false,
    }
}

/// Compares two strings, where NULL counts as empty.
///
/// # Safety
/// Both are NULL or NUL-terminated strings.
unsafe fn strings(a: *const c_char, b: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (string::bytes(a), string::bytes(b)) };
    a.unwrap_or_default() == b.unwrap_or_default()
}

fn ids(a: &[c_uchar], b: &[c_uchar], len: u32) -> bool {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    a.iter().take(len).eq(b.iter().take(len))
}
