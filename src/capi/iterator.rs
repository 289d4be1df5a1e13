//! `reftable-iterator.h`: one iterator type for refs and for logs.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::record::{reftable_log_record, reftable_ref_record, RecordOut};
use crate::ffi::code::{number_found, CResult, Code};
use crate::ffi::object::{self, Exclusive};
use crate::ffi::string;

/// The kind of an iterator.
#[derive(Debug)]
pub struct reftable_iterator_vtable {
    /// Makes the addresses of the statics below differ.
    _kind: u8,
}

/// An iterator whose argument is a reader.
static READING: reftable_iterator_vtable = reftable_iterator_vtable { _kind: 1 };
/// An iterator that returns no record and accepts any seek.
static EMPTY: reftable_iterator_vtable = reftable_iterator_vtable { _kind: 0 };

/// What an iterator reads. The default methods refuse, since an iterator over refs cannot read
/// logs, and the other way round.
pub(super) trait Reader {
    /// Moves to before the first ref that is not less than `name`. Returns false if there is
    /// known to be none.
    fn seek_ref(&mut self, name: &[u8]) -> CResult<bool> {
        let _ = name;
        Err(Code::MISUSE)
    }

    /// Writes the next ref to `to` and returns the result for C.
    ///
    /// The implementation converts the record itself: returning it through the trait object costs
    /// as much as reading it.
    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        let _ = to;
        Code::MISUSE.0
    }

    /// Moves to before the newest entry of `name` with at most this update index, or else the
    /// next entry. Returns false if there is known to be none.
    fn seek_log(&mut self, name: &[u8], update_index: u64) -> CResult<bool> {
        let _ = (name, update_index);
        Err(Code::MISUSE)
    }

    /// Writes the next log entry to `to` and returns the result for C.
    fn next_log(&mut self, to: RecordOut<reftable_log_record>) -> c_int {
        let _ = to;
        Code::MISUSE.0
    }

    /// Returns the next key and position of an index, or `None` at the end.
    #[cfg(feature = "capi-internals")]
    fn next_index(&mut self) -> CResult<Option<(&[u8], u64)>> {
        Err(Code::MISUSE)
    }

    /// Returns the next abbreviated id and its ref blocks, or `None` at the end.
    #[cfg(feature = "capi-internals")]
    fn next_object(&mut self) -> CResult<Option<(&[u8], Vec<u64>)>> {
        Err(Code::MISUSE)
    }
}

type IteratorObject = Exclusive<Box<dyn Reader>>;

/// The result for C when there is no further record.
const END: c_int = 1;

/// The number that a reader has returned, or the error that kept it from being called.
fn number_of(result: CResult<c_int>) -> c_int {
    match result {
        Ok(number) | Err(Code(number)) => number,
    }
}

/// Initialises an iterator with the result of `reader`.
///
/// # Errors
/// Those of `reader`; misuse for NULL or an iterator in use; out of memory.
///
/// # Safety
/// `it` is NULL or an iterator.
pub(super) unsafe fn start<R: Reader + 'static>(
    it: *mut reftable_iterator,
    reader: impl FnOnce() -> CResult<R>,
) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        check_unused(it)?;
        let object = object::new(IteratorObject::new(Box::new(reader()?)))?;
        put(it, &READING, object.cast())
    }
}

/// Initialises an iterator that returns no record.
///
/// # Errors
/// Misuse for NULL or an iterator in use.
///
/// # Safety
/// `it` is NULL or an iterator.
pub(super) unsafe fn start_empty(it: *mut reftable_iterator) -> CResult {
    // SAFETY: the caller's promise.
    unsafe {
        check_unused(it)?;
        put(it, &EMPTY, ptr::null_mut())
    }
}

/// # Safety
/// `it` is NULL or an iterator.
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

/// Runs an operation on the reader of an iterator. An empty iterator returns `empty`.
///
/// # Errors
/// Those of the operation; misuse if there is no iterator, or another operation is running.
///
/// # Safety
/// `it` is NULL or an iterator.
pub(super) unsafe fn with<R>(
    it: *mut reftable_iterator,
    empty: R,
    operation: impl FnOnce(&mut dyn Reader) -> CResult<R>,
) -> CResult<R> {
    // SAFETY: the caller's promise. Iterators of this kind are made by `start`.
    unsafe {
        let reftable_iterator { ops, iter_arg } = *object::borrow(it)?;
        if !ptr::eq(ops, &READING) {
            return match ptr::eq(ops, &EMPTY) {
                true => Ok(empty),
                false => Err(Code::MISUSE),
            };
        }
        object::with(iter_arg.cast::<IteratorObject>(), |reader| {
            operation(&mut **reader)
        })
    }
}

/// An iterator over refs or over reflog entries. A zero-filled iterator is uninitialised,
/// but safe to destroy; functions that initialise an iterator require it to be zero-filled.
///
/// An iterator over a stack or over tables must be positioned before the first record is
/// read, and can be positioned again at any time. It keeps reading the tables that existed
/// when it was initialised, even if the stack changes. They stay open until it is
/// destroyed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct reftable_iterator {
    /// Internal.
    pub ops: *mut reftable_iterator_vtable,
    /// Internal.
    pub iter_arg: *mut c_void,
}

/// Positions an iterator over refs before the first ref whose name is not less than `name`.
/// The empty string is before all refs.
///
/// Returns 0, even if there is no such ref; 1 if a table with an index has no such ref;
/// `REFTABLE_API_ERROR` for an iterator over logs, for one that cannot be positioned (over
/// the refs of an object, found through the object section), for a zero-filled iterator or
/// NULL; `REFTABLE_FORMAT_ERROR` and other read errors.
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

/// Reads the next ref into `record`, reusing the memory of its strings. Zero-fill the record
/// before the first use.
///
/// Returns 0; 1 at the end, leaving the record unchanged; `REFTABLE_API_ERROR` for an
/// iterator over logs, for one over a table that was not positioned, for a zero-filled
/// iterator or NULL; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_FORMAT_ERROR` and other read
/// errors. In every case the record can be released or read into again.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_next_ref(
    it: *mut reftable_iterator,
    record: *mut reftable_ref_record,
) -> c_int {
    if record.is_null() {
        return Code::MISUSE.0;
    }
    // SAFETY: the caller's promise.
    number_of(unsafe {
        let to = RecordOut::new(record);
        with(it, END, |reader| Ok(reader.next_ref(to)))
    })
}

/// Positions an iterator over logs before the newest entry of `name` whose update index is
/// at most `update_index`, or else before the first entry of the names that follow.
///
/// Returns the same as `reftable_iterator_seek_ref()`, and `REFTABLE_ZLIB_ERROR` if a block
/// cannot be inflated.
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

/// Positions an iterator over logs before the newest entry of `name`. See
/// `reftable_iterator_seek_log_at()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_seek_log(
    it: *mut reftable_iterator,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_iterator_seek_log_at(it, name, u64::MAX) }
}

/// Reads the next log entry into `record`. Entries are ordered by name; those of one name
/// come newest first.
///
/// Returns the same as `reftable_iterator_next_ref()`, and `REFTABLE_ZLIB_ERROR` if a block
/// cannot be inflated.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_next_log(
    it: *mut reftable_iterator,
    record: *mut reftable_log_record,
) -> c_int {
    if record.is_null() {
        return Code::MISUSE.0;
    }
    // SAFETY: the caller's promise.
    number_of(unsafe {
        let to = RecordOut::new(record);
        with(it, END, |reader| Ok(reader.next_log(to)))
    })
}

/// Frees the resources of an iterator and zero-fills it. Does nothing for NULL or a
/// zero-filled iterator.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_destroy(it: *mut reftable_iterator) {
    // SAFETY: the caller's promise. Iterators of this kind are made by `start`.
    unsafe {
        let Ok(&reftable_iterator { ops, iter_arg }) = object::borrow(it) else {
            return;
        };
        *it = reftable_iterator {
            ops: ptr::null_mut(),
            iter_arg: ptr::null_mut(),
        };
        if ptr::eq(ops, &READING) {
            object::dismiss(iter_arg.cast::<IteratorObject>());
        }
    }
}
