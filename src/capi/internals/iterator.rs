//! `record.h`, `iter.h`: records of any kind.

use std::ffi::c_int;
use std::ptr;

use super::basics::{reftable_buf_release, reftable_calloc, reftable_free};
use crate::capi::basics::reftable_buf;
use crate::capi::constants::{
    REFTABLE_BLOCK_TYPE_INDEX, REFTABLE_BLOCK_TYPE_LOG, REFTABLE_BLOCK_TYPE_OBJ,
    REFTABLE_BLOCK_TYPE_REF,
};
use crate::capi::iterator::{
    self, reftable_iterator, reftable_iterator_next_log, reftable_iterator_next_ref,
};
use crate::capi::record::{
    reftable_log_record, reftable_log_record_release, reftable_ref_record,
    reftable_ref_record_release,
};
use crate::ffi::code::{number_found, CResult, Code};
use crate::ffi::string;

/// `struct reftable_obj_record`.
#[repr(C)]
#[derive(Clone, Copy)]
struct ObjRecord {
    hash_prefix: *mut u8,
    hash_prefix_len: c_int,
    offsets: *mut u64,
    offset_len: c_int,
}

/// `struct reftable_index_record`.
#[repr(C)]
struct IndexRecord {
    offset: u64,
    last_key: reftable_buf,
}

/// The member `u` of `struct reftable_record`.
#[repr(C)]
union RecordUnion {
    of_ref: reftable_ref_record,
    of_log: reftable_log_record,
    obj: ObjRecord,
    idx: std::mem::ManuallyDrop<IndexRecord>,
}

/// `struct reftable_record`.
#[repr(C)]
struct AnyRecord {
    kind: u8,
    u: RecordUnion,
}

const _: () = assert!(size_of::<AnyRecord>() == 152 && size_of::<ObjRecord>() == 32);

#[no_mangle]
unsafe extern "C" fn iterator_next(it: *mut reftable_iterator, record: *mut AnyRecord) -> c_int {
    // SAFETY: the caller's promise: the kind says which member is valid.
    unsafe {
        match (*record).kind {
            REFTABLE_BLOCK_TYPE_REF => reftable_iterator_next_ref(it, &raw mut (*record).u.of_ref),
            REFTABLE_BLOCK_TYPE_LOG => reftable_iterator_next_log(it, &raw mut (*record).u.of_log),
            REFTABLE_BLOCK_TYPE_INDEX => {
                let idx = (&raw mut (*record).u.idx).cast::<IndexRecord>();
                number_found(next_index(it, idx))
            }
            REFTABLE_BLOCK_TYPE_OBJ => number_found(next_object(it, &raw mut (*record).u.obj)),
            _ => Code::MISUSE.0,
        }
    }
}

/// # Safety
/// The iterator and the record are valid as the C API requires.
unsafe fn next_index(it: *mut reftable_iterator, record: *mut IndexRecord) -> CResult<bool> {
    // SAFETY: the caller's promise.
    unsafe {
        iterator::with(it, false, |reader| {
            let Some((key, offset)) = reader.next_index()? else {
                return Ok(false);
            };
            let record = &mut *record;
            let last_key = &mut record.last_key;
            string::store(&mut last_key.buf, &mut last_key.alloc, key)?;
            last_key.len = key.len();
            record.offset = offset;
            Ok(true)
        })
    }
}

/// # Safety
/// The iterator and the record are valid as the C API requires.
unsafe fn next_object(it: *mut reftable_iterator, record: *mut ObjRecord) -> CResult<bool> {
    // SAFETY: the caller's promise.
    unsafe {
        iterator::with(it, false, |reader| {
            let Some((prefix, offsets)) = reader.next_object()? else {
                return Ok(false);
            };
            release_object(record);
            let record = &mut *record;
            record.hash_prefix = copy(prefix)?;
            record.hash_prefix_len = prefix.len() as c_int;
            record.offsets = copy(&offsets)?;
            record.offset_len = offsets.len() as c_int;
            Ok(true)
        })
    }
}

/// Copies to memory of the configured allocator. Returns NULL for an empty slice.
fn copy<T: Copy>(of: &[T]) -> CResult<*mut T> {
    if of.is_empty() {
        return Ok(ptr::null_mut());
    }
    let memory = reftable_calloc(of.len(), size_of::<T>()).cast::<T>();
    if memory.is_null() {
        return Err(Code::NO_MEMORY);
    }
    // SAFETY: the memory has room for these bytes.
    unsafe { ptr::copy_nonoverlapping(of.as_ptr(), memory, of.len()) };
    Ok(memory)
}

/// # Safety
/// The record is valid as the C API requires.
unsafe fn release_object(record: *mut ObjRecord) {
    // SAFETY: the caller's promise.
    unsafe {
        reftable_free((*record).hash_prefix.cast());
        reftable_free((*record).offsets.cast());
        record.write_bytes(0, 1);
    }
}

#[no_mangle]
unsafe extern "C" fn reftable_record_release(record: *mut AnyRecord) {
    // SAFETY: the caller's promise: the kind says which member is valid.
    unsafe {
        match (*record).kind {
            REFTABLE_BLOCK_TYPE_REF => {
                reftable_ref_record_release(&raw mut (*record).u.of_ref);
            }
            REFTABLE_BLOCK_TYPE_LOG => {
                reftable_log_record_release(&raw mut (*record).u.of_log);
            }
            REFTABLE_BLOCK_TYPE_INDEX => {
                let idx = (&raw mut (*record).u.idx).cast::<IndexRecord>();
                reftable_buf_release(&raw mut (*idx).last_key);
            }
            REFTABLE_BLOCK_TYPE_OBJ => release_object(&raw mut (*record).u.obj),
            _ => {}
        }
    }
}
