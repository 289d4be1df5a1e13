//! `reftable-iterator.h`: one type of iterator for refs and for logs.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::record::{reftable_log_record, reftable_ref_record, RecordOut};
use crate::ffi::code::{number_found, CResult, Code};
use crate::ffi::object::{self, Exclusive};
use crate::ffi::string;

/// What kind of iterator it is.
#[derive(Debug)]
pub struct reftable_iterator_vtable {
    /// Different ones must have different addresses.
    _kind: u8,
}

/// The kind with a reader as its argument.
static READING: reftable_iterator_vtable = reftable_iterator_vtable { _kind: 1 };
/// The kind that gives nothing, whatever it is asked.
static EMPTY: reftable_iterator_vtable = reftable_iterator_vtable { _kind: 0 };

/// What an iterator reads. By default it refuses: refs cannot be had of logs, nor the other
/// way round.
pub(super) trait Reader {
    /// Goes to before the first ref not less than `name`; false when it is known that there
    /// is none.
    fn seek_ref(&mut self, name: &[u8]) -> CResult<bool> {
        let _ = name;
        Err(Code::MISUSE)
    }

    /// Puts the next ref into `to`, and says what C is told of it.
    ///
    /// All that happens in the function that knows what is read: handing a record up to where that
    /// is not known costs as much as reading it.
    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        let _ = to;
        Code::MISUSE.0
    }

    /// Goes to before the newest entry of `name` with at most this update index, or what
    /// follows; false when it is known that there is nothing.
    fn seek_log(&mut self, name: &[u8], update_index: u64) -> CResult<bool> {
        let _ = (name, update_index);
        Err(Code::MISUSE)
    }

    /// Puts the next entry into `to`, and says what C is told of it.
    fn next_log(&mut self, to: RecordOut<reftable_log_record>) -> c_int {
        let _ = to;
        Code::MISUSE.0
    }

    /// The next key and position of an index; nothing at the end.
    #[cfg(feature = "capi-internals")]
    fn next_index(&mut self) -> CResult<Option<(&[u8], u64)>> {
        Err(Code::MISUSE)
    }

    /// The next abbreviated id and positions of refs; nothing at the end.
    #[cfg(feature = "capi-internals")]
    fn next_object(&mut self) -> CResult<Option<(&[u8], Vec<u64>)>> {
        Err(Code::MISUSE)
    }
}

type Object = Exclusive<Box<dyn Reader>>;

/// What C is told when there is no further record.
const END: c_int = 1;

/// What a reader has told C, if one was asked.
fn told(outcome: CResult<c_int>) -> c_int {
    match outcome {
        Ok(number) | Err(Code(number)) => number,
    }
}

/// Makes an iterator of what `reader` gives.
///
/// # Errors
/// Those of `reader`; misuse for NULL or an iterator in use; no memory.
///
/// # Safety
/// `it` is NULL, or an iterator.
pub(super) unsafe fn start<R: Reader + 'static>(
    it: *mut reftable_iterator,
    reader: impl FnOnce() -> CResult<R>,
) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        check_unused(it)?;
        let object = object::new(Object::new(Box::new(reader()?)))?;
        put(it, &READING, object.cast())
    }
}

/// Makes an iterator that gives nothing.
///
/// # Errors
/// Misuse for NULL or an iterator in use.
///
/// # Safety
/// `it` is NULL, or an iterator.
pub(super) unsafe fn start_empty(it: *mut reftable_iterator) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        check_unused(it)?;
        put(it, &EMPTY, ptr::null_mut())
    }
}

/// # Safety
/// `it` is NULL, or an iterator.
unsafe fn check_unused(it: *const reftable_iterator) -> CResult {
    // SAFETY: the caller's promise.
    match unsafe { object::borrow(it) }?.ops.is_null() {
        true => Ok(()),
        false => Err(Code::MISUSE),
    }
}

/// # Safety
/// `it` may be written.
unsafe fn put(
    it: *mut reftable_iterator,
    kind: &'static reftable_iterator_vtable,
    iter_arg: *mut c_void,
) -> CResult {
    let ops = ptr::from_ref(kind).cast_mut();
    // SAFETY: the caller's promise.
    unsafe { object::put(it, reftable_iterator { ops, iter_arg }) }
}

/// Runs an operation on the reader of an iterator; `empty` is the answer of an empty one.
///
/// # Errors
/// Those of the operation; misuse when there is no iterator, or it is at work.
///
/// # Safety
/// `it` is NULL, or an iterator.
pub(super) unsafe fn with<R>(
    it: *mut reftable_iterator,
    empty: R,
    operation: impl FnOnce(&mut dyn Reader) -> CResult<R>,
) -> CResult<R> {
    // SAFETY: the caller's promise. What has this kind was made by `start`.
    unsafe {
        let reftable_iterator { ops, iter_arg } = *object::borrow(it)?;
        if !ptr::eq(ops, &READING) {
            return match ptr::eq(ops, &EMPTY) {
                true => Ok(empty),
                false => Err(Code::MISUSE),
            };
        }
        object::with(iter_arg.cast::<Object>(), |reader| operation(&mut **reader))
    }
}

/// An iterator over refs or over reflog entries. Zero-filled, it is none: functions that
/// make an iterator want it so, and destroying it is no mistake.
///
/// An iterator over a stack or over tables must be positioned before the first record is
/// read. It may be positioned again at any time. What it reads stays as it was when it
/// was made, whatever becomes of the stack; the tables stay open until it is destroyed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_iterator {
    /// For the library.
    pub ops: *mut reftable_iterator_vtable,
    /// For the library.
    pub iter_arg: *mut c_void,
}

/// Positions an iterator over refs: the next one read is the first whose name is not less
/// than `name`; all of them, if it is the empty string.
///
/// Returns 0, also when there is no such ref; 1 when a table with an index has none;
/// `REFTABLE_API_ERROR` for an iterator over logs, for one that cannot be positioned (over
/// the refs of an object, by way of the object section), a zero-filled one or NULL;
/// `REFTABLE_FORMAT_ERROR` and other errors of reading.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_seek_ref(
    it: *mut reftable_iterator,
    name: *const c_char,
) -> c_int {
    if name.is_null() {
        return Code::MISUSE.0;
    }
    // SAFETY: the caller's promise.
    number_found(unsafe {
        with(it, true, |reader| {
            reader.seek_ref(string::bytes(name).ok_or(Code::MISUSE)?)
        })
    })
}

/// Reads the next ref into `record`, reusing the memory of its strings; a record that is
/// read into the first time is zero-filled.
///
/// Returns 0; 1 at the end, and the record is what it was; `REFTABLE_API_ERROR` for an
/// iterator over logs, for one over a table that was not positioned, a zero-filled one or
/// NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_FORMAT_ERROR` and other errors of
/// reading. Whatever it returns, the record can be released or read into again.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_next_ref(
    it: *mut reftable_iterator,
    record: *mut reftable_ref_record,
) -> c_int {
    if record.is_null() {
        return Code::MISUSE.0;
    }
    // SAFETY: the caller's promise.
    told(unsafe {
        let to = RecordOut::new(record);
        with(it, END, |reader| Ok(reader.next_ref(to)))
    })
}

/// Positions an iterator over logs: the next entry read is the newest of `name` whose
/// update index is at most `update_index`, or else the first of the names that follow.
///
/// Returns what `reftable_iterator_seek_ref()` does, and `REFTABLE_ZLIB_ERROR` when a
/// block cannot be inflated.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_seek_log_at(
    it: *mut reftable_iterator,
    name: *const c_char,
    update_index: u64,
) -> c_int {
    if name.is_null() {
        return Code::MISUSE.0;
    }
    // SAFETY: the caller's promise.
    number_found(unsafe {
        with(it, true, |reader| {
            reader.seek_log(string::bytes(name).ok_or(Code::MISUSE)?, update_index)
        })
    })
}

/// Positions an iterator over logs at the newest entry of `name`; see
/// `reftable_iterator_seek_log_at()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_seek_log(
    it: *mut reftable_iterator,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_iterator_seek_log_at(it, name, u64::MAX) }
}

/// Reads the next entry into `record`: by name, and for each name the newest first.
///
/// Returns what `reftable_iterator_next_ref()` does, and `REFTABLE_ZLIB_ERROR` when a
/// block cannot be inflated.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_next_log(
    it: *mut reftable_iterator,
    record: *mut reftable_log_record,
) -> c_int {
    if record.is_null() {
        return Code::MISUSE.0;
    }
    // SAFETY: the caller's promise.
    told(unsafe {
        let to = RecordOut::new(record);
        with(it, END, |reader| Ok(reader.next_log(to)))
    })
}

/// Frees what an iterator holds and fills it with zeros. NULL, and a zero-filled
/// iterator, are fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_destroy(it: *mut reftable_iterator) {
    // SAFETY: the caller's promise. What has this kind was made by `start`.
    unsafe {
        let Ok(&reftable_iterator { ops, iter_arg }) = object::borrow(it) else {
            return;
        };
        *it = reftable_iterator {
            ops: ptr::null_mut(),
            iter_arg: ptr::null_mut(),
        };
        if ptr::eq(ops, &READING) {
            object::dismiss(iter_arg.cast::<Object>());
        }
    }
}
