//! `reftable-record.h`: refs and reflog entries as C sees them.

use std::ffi::{c_char, c_int, c_uchar, c_uint};
use std::ptr;

use super::basics::REFTABLE_HASH_SIZE_MAX;
use crate::ffi::string;

mod equal;
mod fill;
mod view;

pub(super) use fill::{fill_log, fill_ref, RecordOut};
pub(super) use view::{log_view, ref_view};

pub(super) const REF_DELETION: ref_value_number =
    reftable_ref_value_type::REFTABLE_REF_DELETION as ref_value_number;
pub(super) const REF_VAL1: ref_value_number =
    reftable_ref_value_type::REFTABLE_REF_VAL1 as ref_value_number;
pub(super) const REF_VAL2: ref_value_number =
    reftable_ref_value_type::REFTABLE_REF_VAL2 as ref_value_number;
pub(super) const REF_SYMREF: ref_value_number =
    reftable_ref_value_type::REFTABLE_REF_SYMREF as ref_value_number;
pub(super) const LOG_DELETION: log_value_number =
    reftable_log_value_type::REFTABLE_LOG_DELETION as log_value_number;
pub(super) const LOG_UPDATE: log_value_number =
    reftable_log_value_type::REFTABLE_LOG_UPDATE as log_value_number;

/// Kinds of values of a ref.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_ref_value_type {
    /// The ref is deleted: the record hides the ones in older tables.
    REFTABLE_REF_DELETION = 0,
    /// An object id, in `value.val1`.
    REFTABLE_REF_VAL1 = 1,
    /// The ids of an annotated tag and of its peeled object, in `value.val2`.
    REFTABLE_REF_VAL2 = 2,
    /// The name of another ref, in `value.symref`.
    REFTABLE_REF_SYMREF = 3,
}

/// Number of kinds of values of a ref.
pub const REFTABLE_NR_REF_VALUETYPES: c_uint = 4;

/// `enum reftable_ref_value_type` as C stores it: any number.
pub type ref_value_number = c_uint;

/// The ids of `REFTABLE_REF_VAL2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_ref_val2 {
    /// The id of the tag.
    pub value: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// The id of the peeled object.
    pub target_value: [c_uchar; REFTABLE_HASH_SIZE_MAX],
}

/// The value of a ref. `value_type` selects the member.
#[repr(C)]
#[derive(Clone, Copy)]
pub union reftable_ref_value {
    /// The object id of `REFTABLE_REF_VAL1`.
    pub val1: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// The object ids of `REFTABLE_REF_VAL2`.
    pub val2: reftable_ref_val2,
    /// The target of `REFTABLE_REF_SYMREF`, NUL-terminated.
    pub symref: *mut c_char,
}

/// A ref. A zero-filled record is empty; it can be read into or released.
///
/// Strings that the library stores in a record come from its allocator and belong to the
/// record. Free them with `reftable_ref_record_release()`, or take one over by setting its
/// member to NULL (for the name, `refname_cap` to 0 as well). Reading into a record again
/// reuses its memory. Strings of a record that is written remain the caller's and may be
/// constants.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct reftable_ref_record {
    /// The name, NUL-terminated.
    pub refname: *mut c_char,
    /// Bytes allocated for the name; 0 if the library did not allocate it.
    pub refname_cap: usize,
    /// Update index of the transaction that wrote the value.
    pub update_index: u64,
    /// The kind of value.
    pub value_type: ref_value_number,
    /// The value.
    pub value: reftable_ref_value,
}

/// Returns the object id of a `REFTABLE_REF_VAL1` or `REFTABLE_REF_VAL2` record, a pointer
/// into the record; NULL for other records and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_val1(
    record: *const reftable_ref_record,
) -> *const c_uchar {
    // SAFETY: the caller's promise.
    match unsafe { record.as_ref() } {
        // SAFETY: both members are byte arrays, valid for any content.
        Some(record) if record.value_type == REF_VAL1 => unsafe { record.value.val1.as_ptr() },
        // SAFETY: the same.
        Some(record) if record.value_type == REF_VAL2 => unsafe {
            record.value.val2.value.as_ptr()
        },
        _ => ptr::null(),
    }
}

/// Returns the peeled object id of a `REFTABLE_REF_VAL2` record, a pointer into the
/// record; NULL for other records and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_val2(
    record: *const reftable_ref_record,
) -> *const c_uchar {
    // SAFETY: the caller's promise.
    match unsafe { record.as_ref() } {
        // SAFETY: the member consists of byte arrays, valid for any content.
        Some(record) if record.value_type == REF_VAL2 => unsafe {
            record.value.val2.target_value.as_ptr()
        },
        _ => ptr::null(),
    }
}

/// Returns 1 if the record is a deletion, otherwise 0; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_is_deletion(
    record: *const reftable_ref_record,
) -> c_int {
    // SAFETY: the caller's promise.
    let record = unsafe { record.as_ref() };
    c_int::from(record.is_some_and(|record| record.value_type == REF_DELETION))
}

/// Frees the strings of a record and zero-fills it. Does nothing for NULL or a zero-filled
/// record.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_release(record: *mut reftable_ref_record) {
    // SAFETY: the caller's promise.
    let Some(record) = (unsafe { record.as_mut() }) else {
        return;
    };
    // SAFETY: the strings belong to the record, and its value type says which ones exist.
    unsafe {
        if record.value_type == REF_SYMREF {
            string::free(&mut record.value.symref);
        }
        string::free(&mut record.refname);
    }
    *record = reftable_ref_record::EMPTY;
}

/// Returns 1 if both records are equal, otherwise 0. NULL names equal empty ones. Of ids,
/// the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_equal(
    a: *const reftable_ref_record,
    b: *const reftable_ref_record,
    hash_size: u32,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { (a.as_ref(), b.as_ref()) } {
        // SAFETY: the caller's promise covers the strings too.
        (Some(a), Some(b)) => c_int::from(unsafe { equal::refs(a, b, hash_size) }),
        (a, b) => c_int::from(a.is_none() && b.is_none()),
    }
}

/// Kinds of values of a log record.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_log_value_type {
    /// The entry is deleted: the record hides the ones in older tables.
    REFTABLE_LOG_DELETION = 0,
    /// A change of a ref, in `value.update`.
    REFTABLE_LOG_UPDATE = 1,
}

/// Number of kinds of values of a log record.
pub const REFTABLE_NR_LOG_VALUETYPES: c_uint = 2;

/// `enum reftable_log_value_type` as C stores it: any number.
pub type log_value_number = c_uint;

/// A change of a ref.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_log_update {
    /// New value; zeros if the ref was deleted.
    pub new_hash: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// Old value; zeros if the ref was created.
    pub old_hash: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// Name of the committer. NULL is written as an empty string.
    pub name: *mut c_char,
    /// Email of the committer, without angle brackets. NULL is written as an empty string.
    pub email: *mut c_char,
    /// Seconds since the epoch.
    pub time: u64,
    /// Time zone as ±hhmm in decimal, as git passes it: -130 for -0130.
    pub tz_offset: i16,
    /// Log message. NULL is written as an empty message.
    pub message: *mut c_char,
    /// Bytes allocated for the message; 0 if the library did not allocate it.
    pub message_cap: usize,
}

/// The value of a log record.
#[repr(C)]
#[derive(Clone, Copy)]
pub union reftable_log_value {
    /// The change of `REFTABLE_LOG_UPDATE`.
    pub update: reftable_log_update,
}

/// A reflog entry. A zero-filled record is empty; it can be read into or released. Its
/// strings are owned as those of `struct reftable_ref_record` are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct reftable_log_record {
    /// Name of the ref, NUL-terminated.
    pub refname: *mut c_char,
    /// Bytes allocated for the name; 0 if the library did not allocate it.
    pub refname_cap: usize,
    /// Update index of the transaction. Name and update index are the key of an entry.
    pub update_index: u64,
    /// The kind of value.
    pub value_type: log_value_number,
    /// The value.
    pub value: reftable_log_value,
}

/// Returns 1 if the record is a deletion, otherwise 0; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_log_record_is_deletion(
    record: *const reftable_log_record,
) -> c_int {
    // SAFETY: the caller's promise.
    let record = unsafe { record.as_ref() };
    c_int::from(record.is_some_and(|record| record.value_type == LOG_DELETION))
}

/// Frees the strings of a record and zero-fills it. Does nothing for NULL or a zero-filled
/// record.
#[no_mangle]
pub unsafe extern "C" fn reftable_log_record_release(record: *mut reftable_log_record) {
    // SAFETY: the caller's promise.
    let Some(record) = (unsafe { record.as_mut() }) else {
        return;
    };
    // SAFETY: the strings belong to the record, and its value type says which ones exist.
    unsafe {
        record.free_update();
        string::free(&mut record.refname);
    }
    *record = reftable_log_record::EMPTY;
}

/// Returns 1 if both records are equal, otherwise 0. NULL strings equal empty ones. Of ids,
/// the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
#[no_mangle]
pub unsafe extern "C" fn reftable_log_record_equal(
    a: *const reftable_log_record,
    b: *const reftable_log_record,
    hash_size: u32,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { (a.as_ref(), b.as_ref()) } {
        // SAFETY: the caller's promise covers the strings too.
        (Some(a), Some(b)) => c_int::from(unsafe { equal::logs(a, b, hash_size) }),
        (a, b) => c_int::from(a.is_none() && b.is_none()),
    }
}

impl reftable_ref_value {
    /// A zero-filled value.
    const ZERO: Self = Self {
        val2: reftable_ref_val2 {
            value: [0; REFTABLE_HASH_SIZE_MAX],
            target_value: [0; REFTABLE_HASH_SIZE_MAX],
        },
    };
}

impl reftable_ref_record {
    /// A zero-filled record.
    pub(super) const EMPTY: Self = Self {
        refname: ptr::null_mut(),
        refname_cap: 0,
        update_index: 0,
        value_type: REF_DELETION,
        value: reftable_ref_value::ZERO,
    };
}

impl reftable_log_record {
    /// A zero-filled record.
    pub(super) const EMPTY: Self = Self {
        refname: ptr::null_mut(),
        refname_cap: 0,
        update_index: 0,
        value_type: LOG_DELETION,
        value: reftable_log_value {
            update: reftable_log_update {
                new_hash: [0; REFTABLE_HASH_SIZE_MAX],
                old_hash: [0; REFTABLE_HASH_SIZE_MAX],
                name: ptr::null_mut(),
                email: ptr::null_mut(),
                time: 0,
                tz_offset: 0,
                message: ptr::null_mut(),
                message_cap: 0,
            },
        },
    };

    /// Frees the strings of the value if it is an update.
    ///
    /// # Safety
    /// The strings belong to the record.
    unsafe fn free_update(&mut self) {
        if self.value_type != LOG_UPDATE {
            return;
        }
        // SAFETY: the value is an update, whose strings belong to the record.
        unsafe {
            let update = &mut self.value.update;
            string::free(&mut update.name);
            string::free(&mut update.email);
            string::free(&mut update.message);
            update.message_cap = 0;
        }
    }
}

#[cfg(test)]
mod tests;
