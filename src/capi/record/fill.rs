//! Copying records to C's records, reusing their memory.
//!
//! Memory is reused and grows as in git's library: a program may rely on a name keeping its
//! address while it fits.

use std::ffi::{c_char, c_uchar};

use super::{
    reftable_log_record, reftable_log_update, reftable_ref_record, reftable_ref_value,
    LOG_DELETION, LOG_UPDATE, REFTABLE_HASH_SIZE_MAX, REF_DELETION, REF_SYMREF, REF_VAL1, REF_VAL2,
};
use crate::ffi::alloc::NoMemory;
use crate::ffi::code::CResult;
use crate::ffi::{object, string};
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};

/// Bytes of an id that are copied at once.
const PIECE: usize = 16;

/// The caller's record that is to be filled.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct RecordOut<T>(*mut T);

impl<T> RecordOut<T> {
    /// # Safety
    /// `record` is a record that owns its strings, and nothing else uses it while the target
    /// lives.
    pub(in super::super) unsafe fn new(record: *mut T) -> Self {
        Self(record)
    }
}

impl RecordOut<reftable_ref_record> {
    /// Stores a ref; always returns `true`. Inlines the case of one object id, which nearly all
    /// refs have.
    ///
    /// # Errors
    /// Out of memory; the record can still be released.
    #[inline(always)]
    pub(in super::super) fn fill(self, from: &RefRecord<'_>) -> CResult<bool> {
        let RefValue::Val1(id) = from.value else {
            return self.fill_careful(from);
        };
        // SAFETY: promised to `new`; `from` belongs to the library.
        unsafe { fill_fast(&mut *self.0, from, id) }.map(|()| true)
    }

    /// Stores a ref of any type; always returns `true`.
    ///
    /// # Errors
    /// Out of memory; the record can still be released.
    #[inline(never)]
    pub(in super::super) fn fill_careful(self, from: &RefRecord<'_>) -> CResult<bool> {
        // SAFETY: as above.
        unsafe { fill_ref(self.0, from) }.map(|()| true)
    }
}

impl RecordOut<reftable_log_record> {
    /// Stores a reflog entry; always returns `true`.
    ///
    /// # Errors
    /// Out of memory; the record can still be released.
    #[inline(always)]
    pub(in super::super) fn fill(self, from: &LogRecord<'_>) -> CResult<bool> {
        // SAFETY: promised to `new`; `from` belongs to the library.
        unsafe { fill_log(self.0, from) }.map(|()| true)
    }
}

/// Stores a ref in `record`.
///
/// # Errors
/// Misuse for NULL; out of memory, in which case the record can still be released.
///
/// # Safety
/// `record` is NULL, or a record that owns its strings, and `from` is not part of it.
pub(in super::super) unsafe fn fill_ref(
    record: *mut reftable_ref_record,
    from: &RefRecord<'_>,
) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        object::borrow(record)?;
        let record = &mut *record;
        match from.value {
            RefValue::Deletion => {
                begin_ref(record, from)?;
                record.value = reftable_ref_value::ZERO;
            }
            RefValue::Val1(id) => fill_fast(record, from, id)?,
            RefValue::Val2 { value, target } => {
                begin_ref(record, from)?;
                record.value = reftable_ref_value::ZERO;
                copy(&mut record.value.val2.value, value);
                copy(&mut record.value.val2.target_value, target);
                record.value_type = REF_VAL2;
            }
            RefValue::Symref(target) => {
                begin_ref(record, from)?;
                record.value.symref = string::new(target)?;
                record.value_type = REF_SYMREF;
            }
        }
    }
    Ok(())
}

/// Stores a ref whose value is `id`.
///
/// # Safety
/// The record owns its strings, and `from` is not part of it.
#[inline(always)]
unsafe fn fill_fast(record: &mut reftable_ref_record, from: &RefRecord<'_>, id: &[u8]) -> CResult {
    // SAFETY: the caller's promise; any bytes are an id.
    unsafe {
        begin_ref(record, from)?;
        record.value.val1 = [0; REFTABLE_HASH_SIZE_MAX];
        copy(&mut record.value.val1, id);
    }
    record.value_type = REF_VAL1;
    Ok(())
}

/// Stores the name and the update index of a ref.
///
/// # Safety
/// As for [`fill_fast`].
#[inline(always)]
unsafe fn begin_ref(record: &mut reftable_ref_record, from: &RefRecord<'_>) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        if record.value_type == REF_SYMREF {
            string::free(&mut record.value.symref);
        }
        record.update_index = from.update_index;
        record.value_type = REF_DELETION;
        string::store(&mut record.refname, &mut record.refname_cap, from.name)?;
    }
    Ok(())
}

/// Stores a reflog entry in `record`.
///
/// # Errors
/// Misuse for NULL; out of memory, in which case the record can still be released.
///
/// # Safety
/// `record` is NULL, or a record that owns its strings, and `from` is not part of it.
pub(in super::super) unsafe fn fill_log(
    record: *mut reftable_log_record,
    from: &LogRecord<'_>,
) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        object::borrow(record)?;
        let record = &mut *record;
        string::store(&mut record.refname, &mut record.refname_cap, from.name)?;
        record.update_index = from.update_index;
        match &from.value {
            LogValue::Deletion => {
                record.free_update();
                record.value_type = LOG_DELETION;
            }
            LogValue::Update(update) => {
                if record.value_type != LOG_UPDATE {
                    record.value = reftable_log_record::EMPTY.value;
                    record.value_type = LOG_UPDATE;
                }
                fill_update(&mut record.value.update, update)?;
            }
        }
    }
    Ok(())
}

/// # Safety
/// `to` owns its strings, and `from` is not part of them.
unsafe fn fill_update(to: &mut reftable_log_update, from: &LogUpdate<'_>) -> Result<(), NoMemory> {
    copy(&mut to.old_hash, from.old_hash);
    copy(&mut to.new_hash, from.new_hash);
    to.time = from.time;
    to.tz_offset = from.tz_offset.stored();
    // SAFETY: the caller's promise.
    unsafe {
        replace_other(&mut to.name, from.name)?;
        replace_other(&mut to.email, from.email)?;
        string::store(&mut to.message, &mut to.message_cap, from.message)
    }
}

/// Replaces a string unless it is the same: most entries of a log have the same author.
///
/// # Safety
/// The string is NULL or the record's own, and `bytes` is not part of it.
unsafe fn replace_other(place: &mut *mut c_char, bytes: &[u8]) -> Result<(), NoMemory> {
    // SAFETY: the caller's promise.
    unsafe {
        if string::bytes(*place) == Some(bytes) {
            return Ok(());
        }
        string::replace(place, bytes)
    }
}

/// Copies an id, in two pieces that may overlap: ids have 20 or 32 bytes.
#[inline(always)]
fn copy(to: &mut [c_uchar; REFTABLE_HASH_SIZE_MAX], from: &[u8]) {
    let (first, last) = (from.first_chunk::<PIECE>(), from.last_chunk::<PIECE>());
    let end = from.len().wrapping_sub(PIECE);
    let place = to.get_mut(end..).and_then(<[u8]>::first_chunk_mut);
    match (first, last, place) {
        (Some(first), Some(last), Some(place)) => {
            *place = *last;
            if let Some(place) = to.first_chunk_mut() {
                *place = *first;
            }
        }
        _ => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
}
