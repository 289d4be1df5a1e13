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

/// What a ref record says about its name.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_ref_value_type {
    /// The ref is deleted; the record hides those of older tables.
    REFTABLE_REF_DELETION = 0,
    /// An object id, in `value.val1`.
    REFTABLE_REF_VAL1 = 1,
    /// The id of an annotated tag and of the object that it peels to, in `value.val2`.
    REFTABLE_REF_VAL2 = 2,
    /// The name of another ref, in `value.symref`.
    REFTABLE_REF_SYMREF = 3,
}

/// How many kinds of values refs have.
pub const REFTABLE_NR_REF_VALUETYPES: c_uint = 4;

/// What C calls `enum reftable_ref_value_type`: C may store any number.
pub type ref_value_number = c_uint;

/// The ids of `REFTABLE_REF_VAL2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_ref_val2 {
    /// The tag's own id.
    pub value: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// What the tag peels to.
    pub target_value: [c_uchar; REFTABLE_HASH_SIZE_MAX],
}

/// The value of a ref; which member counts says `value_type`.
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

/// A ref. Zero-filled, it is an empty record that may be read into, or released.
///
/// The strings of a record that the library has filled come from its allocator and
/// belong to the record: the caller frees them with `reftable_ref_record_release()`, or
/// takes one out by setting its member (and `refname_cap`, for the name) to 0. Reading
/// into a record again reuses its memory. The strings of a record that is written stay
/// the caller's; they may be constants.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct reftable_ref_record {
    /// The name, NUL-terminated.
    pub refname: *mut c_char,
    /// Bytes that were allocated for the name; 0 when it does not come from the library.
    pub refname_cap: usize,
    /// Number of the transaction that wrote the value.
    pub update_index: u64,
    /// The kind of value.
    pub value_type: ref_value_number,
    /// The value.
    pub value: reftable_ref_value,
}

/// The object id of a `REFTABLE_REF_VAL1` or `REFTABLE_REF_VAL2` record, inside of the
/// record; NULL for other records, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_val1(
    record: *const reftable_ref_record,
) -> *const c_uchar {
    // SAFETY: the caller's promise.
    match unsafe { record.as_ref() } {
        // SAFETY: both members are arrays of bytes, of which any value will do.
        Some(record) if record.value_type == REF_VAL1 => unsafe { record.value.val1.as_ptr() },
        // SAFETY: the same.
        Some(record) if record.value_type == REF_VAL2 => unsafe {
            record.value.val2.value.as_ptr()
        },
        _ => ptr::null(),
    }
}

/// The peeled object id of a `REFTABLE_REF_VAL2` record, inside of the record; NULL for
/// other records, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_val2(
    record: *const reftable_ref_record,
) -> *const c_uchar {
    // SAFETY: the caller's promise.
    match unsafe { record.as_ref() } {
        // SAFETY: the member is arrays of bytes, of which any value will do.
        Some(record) if record.value_type == REF_VAL2 => unsafe {
            record.value.val2.target_value.as_ptr()
        },
        _ => ptr::null(),
    }
}

/// 1 if the record says that the ref is deleted, else 0; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_is_deletion(
    record: *const reftable_ref_record,
) -> c_int {
    // SAFETY: the caller's promise.
    let record = unsafe { record.as_ref() };
    c_int::from(record.is_some_and(|record| record.value_type == REF_DELETION))
}

/// Frees the strings of a record and fills it with zeros. NULL, and a record that is
/// zero-filled already, are fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_release(record: *mut reftable_ref_record) {
    // SAFETY: the caller's promise.
    let Some(record) = (unsafe { record.as_mut() }) else {
        return;
    };
    // SAFETY: the strings belong to the record, and the value type says which there are.
    unsafe {
        if record.value_type == REF_SYMREF {
            string::free(&mut record.value.symref);
        }
        string::free(&mut record.refname);
    }
    *record = reftable_ref_record::EMPTY;
}

/// 1 if both records say the same, else 0. A missing name equals an empty one. Of ids,
/// the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
#[no_mangle]
pub unsafe extern "C" fn reftable_ref_record_equal(
    a: *const reftable_ref_record,
    b: *const reftable_ref_record,
    hash_size: u32,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { (a.as_ref(), b.as_ref()) } {
        // SAFETY: the same, for the strings.
        (Some(a), Some(b)) => c_int::from(unsafe { equal::refs(a, b, hash_size) }),
        (a, b) => c_int::from(a.is_none() && b.is_none()),
    }
}

/// What a log record says about its name and update index.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum reftable_log_value_type {
    /// There is no such entry any more; the record hides those of older tables.
    REFTABLE_LOG_DELETION = 0,
    /// A change of the ref, in `value.update`.
    REFTABLE_LOG_UPDATE = 1,
}

/// How many kinds of values log records have.
pub const REFTABLE_NR_LOG_VALUETYPES: c_uint = 2;

/// What C calls `enum reftable_log_value_type`: C may store any number.
pub type log_value_number = c_uint;

/// A change of a ref.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_log_update {
    /// Value after the change; zeros for a deletion of the ref.
    pub new_hash: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// Value before the change; zeros for a creation of the ref.
    pub old_hash: [c_uchar; REFTABLE_HASH_SIZE_MAX],
    /// Who made it. NULL is written as an empty name.
    pub name: *mut c_char,
    /// Who made it: the address without angle brackets. NULL is written as an empty one.
    pub email: *mut c_char,
    /// Seconds since 1970.
    pub time: u64,
    /// Time zone as git passes it, for instance -130 for -0130.
    pub tz_offset: i16,
    /// What was done. NULL is written as an empty message.
    pub message: *mut c_char,
    /// Bytes that were allocated for the message; 0 when it does not come from the
    /// library.
    pub message_cap: usize,
}

/// The value of a log record.
#[repr(C)]
#[derive(Clone, Copy)]
pub union reftable_log_value {
    /// The change, of `REFTABLE_LOG_UPDATE`.
    pub update: reftable_log_update,
}

/// An entry of a reflog. Zero-filled, it is an empty record that may be read into, or
/// released. Its strings belong to whom those of `struct reftable_ref_record` do.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct reftable_log_record {
    /// Name of the ref, NUL-terminated.
    pub refname: *mut c_char,
    /// Bytes that were allocated for the name; 0 when it does not come from the library.
    pub refname_cap: usize,
    /// Number of the transaction; name and number together are the key of an entry.
    pub update_index: u64,
    /// The kind of value.
    pub value_type: log_value_number,
    /// The value.
    pub value: reftable_log_value,
}

/// 1 if the record only hides older ones, else 0; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_log_record_is_deletion(
    record: *const reftable_log_record,
) -> c_int {
    // SAFETY: the caller's promise.
    let record = unsafe { record.as_ref() };
    c_int::from(record.is_some_and(|record| record.value_type == LOG_DELETION))
}

/// Frees the strings of a record and fills it with zeros. NULL, and a record that is
/// zero-filled already, are fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_log_record_release(record: *mut reftable_log_record) {
    // SAFETY: the caller's promise.
    let Some(record) = (unsafe { record.as_mut() }) else {
        return;
    };
    // SAFETY: the strings belong to the record, and the value type says which there are.
    unsafe {
        record.free_update();
        string::free(&mut record.refname);
    }
    *record = reftable_log_record::EMPTY;
}

/// 1 if both records say the same, else 0. A missing string equals an empty one. Of ids,
/// the first `hash_size` bytes are compared, at most `REFTABLE_HASH_SIZE_MAX`.
#[no_mangle]
pub unsafe extern "C" fn reftable_log_record_equal(
    a: *const reftable_log_record,
    b: *const reftable_log_record,
    hash_size: u32,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { (a.as_ref(), b.as_ref()) } {
        // SAFETY: the same, for the strings.
        (Some(a), Some(b)) => c_int::from(unsafe { equal::logs(a, b, hash_size) }),
        (a, b) => c_int::from(a.is_none() && b.is_none()),
    }
}

impl reftable_ref_value {
    /// All bytes are 0.
    const ZERO: Self = Self {
        val2: reftable_ref_val2 {
            value: [0; REFTABLE_HASH_SIZE_MAX],
            target_value: [0; REFTABLE_HASH_SIZE_MAX],
        },
    };
}

impl reftable_ref_record {
    /// A record filled with zeros.
    pub(super) const EMPTY: Self = Self {
        refname: ptr::null_mut(),
        refname_cap: 0,
        update_index: 0,
        value_type: REF_DELETION,
        value: reftable_ref_value::ZERO,
    };
}

impl reftable_log_record {
    /// A record filled with zeros.
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

    /// Frees the strings of an update, if it is one.
    ///
    /// # Safety
    /// They belong to the record.
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
