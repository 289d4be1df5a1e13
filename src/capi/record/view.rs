//! C's records as borrowed records of the library.

use std::slice;

use super::{
    reftable_log_record, reftable_ref_record, LOG_DELETION, REF_DELETION, REF_SYMREF, REF_VAL1,
    REF_VAL2,
};
use crate::ffi::code::{CResult, Code};
use crate::ffi::{object, string};
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};

/// Borrows a ref of a table with ids of `hash_len` bytes, at most 32.
///
/// # Errors
/// Misuse if the record or a string is NULL, or the value type is unknown.
///
/// # Safety
/// `record` is NULL, or a record that does not change for `'a`.
pub(in super::super) unsafe fn ref_view<'a>(
    record: *const reftable_ref_record,
    hash_len: usize,
) -> CResult<RefRecord<'a>> {
    // SAFETY: the caller's promise.
    let record = unsafe { object::borrow(record) }?;
    let id = |bytes: &'a [u8]| bytes.get(..hash_len).unwrap_or(bytes);
    // SAFETY: arrays of bytes may have any value, and the value type says that there is a
    // string.
    let value = unsafe {
        match record.value_type {
            REF_DELETION => RefValue::Deletion,
            REF_VAL1 => RefValue::Val1(id(&record.value.val1)),
            REF_VAL2 => RefValue::Val2 {
                value: id(&record.value.val2.value),
                target: id(&record.value.val2.target_value),
            },
            REF_SYMREF => RefValue::Symref(string::bytes(record.value.symref).ok_or(Code::MISUSE)?),
            _ => return Err(Code::MISUSE),
        }
    };
    Ok(RefRecord {
        // SAFETY: the caller's promise.
        name: unsafe { string::bytes(record.refname) }.ok_or(Code::MISUSE)?,
        update_index: record.update_index,
        value,
    })
}

/// A reflog entry.
pub(in super::super) struct LogView<'a> {
    pub(in super::super) record: LogRecord<'a>,
    /// Whether there is a message, even an empty one.
    pub(in super::super) has_message: bool,
}

/// Borrows a reflog entry of a table with ids of `hash_len` bytes, at most 32. Any value type but
/// that of a deletion is an update, and missing strings are empty, as in git's library.
///
/// # Errors
/// Misuse if the record or its name is NULL.
///
/// # Safety
/// `record` is NULL, or a record that does not change for `'a`.
pub(in super::super) unsafe fn log_view<'a>(
    record: *const reftable_log_record,
    hash_len: usize,
) -> CResult<LogView<'a>> {
    // SAFETY: the caller's promise.
    let record = unsafe { object::borrow(record) }?;
    // SAFETY: the caller's promise.
    let name = unsafe { string::bytes(record.refname) }.ok_or(Code::MISUSE)?;
    let mut has_message = false;
    let value = if record.value_type == LOG_DELETION {
        LogValue::Deletion
    } else {
        // SAFETY: the value is an update, and the caller promises valid strings.
        unsafe {
            let update = &record.value.update;
            has_message = !update.message.is_null();
            LogValue::Update(LogUpdate {
                old_hash: slice::from_raw_parts(update.old_hash.as_ptr(), hash_len),
                new_hash: slice::from_raw_parts(update.new_hash.as_ptr(), hash_len),
                name: string::bytes(update.name).unwrap_or_default(),
                email: string::bytes(update.email).unwrap_or_default(),
                time: update.time,
                tz_offset: Zone::from_stored(update.tz_offset),
                message: string::bytes(update.message).unwrap_or_default(),
            })
        }
    };
    Ok(LogView {
        record: LogRecord {
            name,
            update_index: record.update_index,
            value,
        },
        has_message,
    })
}
