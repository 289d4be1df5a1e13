//! `reftable-merged.h`: several tables read as one.

use std::ffi::c_int;

use super::basics::hash_number;
use super::error::reftable_error::REFTABLE_API_ERROR;
use super::iterator::reftable_iterator;
use super::table::reftable_table;

/// Several tables, read as one: of each name (for logs: of each name and update index)
/// the record of the newest table that has one.
#[derive(Debug)]
pub struct reftable_merged_table {
    _private: (),
}

/// Makes one view of `n` tables, the oldest first, and stores it in `*dest`.
///
/// The tables stay the caller's: they must not be closed before the view is freed. The
/// array is copied. The view shows deletions, as records.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` when a table is not of the hash function `hash_id`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL (`tables` may be NULL when
/// `n` is 0).
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_new(
    dest: *mut *mut reftable_merged_table,
    tables: *mut *mut reftable_table,
    n: usize,
    hash_id: hash_number,
) -> c_int {
    let _ = (dest, tables, n, hash_id);
    REFTABLE_API_ERROR as c_int
}

/// Makes an iterator over the refs of a view. It must be positioned before it is read;
/// before that it gives nothing.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// iterator that is in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_init_ref_iterator(
    mt: *mut reftable_merged_table,
    it: *mut reftable_iterator,
) -> c_int {
    let _ = (mt, it);
    REFTABLE_API_ERROR as c_int
}

/// Makes an iterator over the reflog entries of a view. It must be positioned before it
/// is read; before that it gives nothing.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an
/// iterator that is in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_init_log_iterator(
    mt: *mut reftable_merged_table,
    it: *mut reftable_iterator,
) -> c_int {
    let _ = (mt, it);
    REFTABLE_API_ERROR as c_int
}

/// The greatest update index of all tables; 0 when there are none, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_max_update_index(
    mt: *mut reftable_merged_table,
) -> u64 {
    let _ = mt;
    0
}

/// The least update index of all tables; 0 when there are none, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_min_update_index(
    mt: *mut reftable_merged_table,
) -> u64 {
    let _ = mt;
    0
}

/// Frees a view that `reftable_merged_table_new()` made; its tables stay open. NULL is
/// fine.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_free(m: *mut reftable_merged_table) {
    let _ = m;
}

/// The hash function of the tables; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_hash_id(
    m: *mut reftable_merged_table,
) -> hash_number {
    let _ = m;
    0
}
