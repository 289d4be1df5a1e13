//! `reftable-iterator.h`: one type of iterator for refs and for logs.

use std::ffi::{c_char, c_int, c_void};

use super::error::reftable_error::REFTABLE_API_ERROR;
use super::record::{reftable_log_record, reftable_ref_record};

/// What kind of iterator it is.
#[derive(Debug)]
pub struct reftable_iterator_vtable {
    _kind: (),
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
    let _ = (it, name);
    REFTABLE_API_ERROR as c_int
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
    let _ = (it, record);
    REFTABLE_API_ERROR as c_int
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
    let _ = (it, name, update_index);
    REFTABLE_API_ERROR as c_int
}

/// Positions an iterator over logs at the newest entry of `name`; see
/// `reftable_iterator_seek_log_at()`.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_seek_log(
    it: *mut reftable_iterator,
    name: *const c_char,
) -> c_int {
    let _ = (it, name);
    REFTABLE_API_ERROR as c_int
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
    let _ = (it, record);
    REFTABLE_API_ERROR as c_int
}

/// Frees what an iterator holds and fills it with zeros. NULL, and a zero-filled
/// iterator, are fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_iterator_destroy(it: *mut reftable_iterator) {
    let _ = it;
}
