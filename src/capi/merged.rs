//! `reftable-merged.h`: merged views of several tables.

use std::ffi::c_int;

use super::basics::hash_number;
use super::iterator::{self, reftable_iterator};
use super::table::reftable_table;
use crate::ffi::code::number;
use crate::ffi::object;
use crate::merged::Tombstones;

mod cursors;
mod source;

pub(super) use source::of_stack;

/// A merged view of several tables: for each name (for logs, each name and update index)
/// the record of the newest table that contains one.
#[derive(Debug)]
#[cfg_attr(feature = "capi-internals", repr(C))]
pub struct reftable_merged_table {
    /// The members that C may read.
    #[cfg(feature = "capi-internals")]
    shown: super::internals::MergedShown,
    source: source::Source,
}

impl reftable_merged_table {
    fn new(source: source::Source) -> Self {
        Self {
            #[cfg(feature = "capi-internals")]
            shown: super::internals::MergedShown::new(source.hash_id(), source.limits()),
            source,
        }
    }

    /// Whether iterators return deletions.
    pub(super) fn tombstones(&self) -> Tombstones {
        self.source.tombstones()
    }

    /// The members that C may read.
    #[cfg(feature = "capi-internals")]
    pub(super) fn shown(&self) -> &super::internals::MergedShown {
        &self.shown
    }
}

/// Creates a merged view of `n` tables, oldest first, and stores it in `*dest`.
///
/// The array is copied. The tables remain the caller's and must stay open until the view is
/// freed. Iterators over the view return deletions as records.
///
/// Returns 0; `REFTABLE_FORMAT_ERROR` if a table has another hash function than `hash_id`;
/// `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL (`tables` may be NULL if
/// `n` is 0).
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_new(
    dest: *mut *mut reftable_merged_table,
    tables: *mut *mut reftable_table,
    n: usize,
    hash_id: hash_number,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe {
        source::new(tables, n, hash_id)
            .and_then(|merged| object::put(dest, merged).inspect_err(|_| object::destroy(merged)))
    })
}

/// Initialises an iterator over the refs of a view. Until it is positioned it returns no
/// records.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
/// in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_init_ref_iterator(
    mt: *mut reftable_merged_table,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { iterator::start(it, || cursors::Refs::new(&object::borrow(mt)?.source)) })
}

/// Initialises an iterator over the reflog entries of a view. Until it is positioned it
/// returns no records.
///
/// Returns 0; `REFTABLE_OUT_OF_MEMORY_ERROR`; `REFTABLE_API_ERROR` for NULL or an iterator
/// in use.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_init_log_iterator(
    mt: *mut reftable_merged_table,
    it: *mut reftable_iterator,
) -> c_int {
    // SAFETY: the caller's promise.
    number(unsafe { iterator::start(it, || cursors::Logs::new(&object::borrow(mt)?.source)) })
}

/// Returns the greatest update index of all tables; 0 if there are none, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_max_update_index(
    mt: *mut reftable_merged_table,
) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { mt.as_ref() }.map_or(0, |merged| merged.source.limits().1)
}

/// Returns the least update index of all tables; 0 if there are none, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_min_update_index(
    mt: *mut reftable_merged_table,
) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { mt.as_ref() }.map_or(0, |merged| merged.source.limits().0)
}

/// Frees a view created by `reftable_merged_table_new()`. Its tables stay open. Does
/// nothing for NULL or the view of a stack.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_free(m: *mut reftable_merged_table) {
    // SAFETY: the caller's promise. A stack owns its view.
    unsafe {
        if m.as_ref()
            .is_some_and(|merged| !merged.source.is_of_stack())
        {
            object::destroy(m);
        }
    }
}

/// Returns the hash function of the tables; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn reftable_merged_table_hash_id(
    m: *mut reftable_merged_table,
) -> hash_number {
    // SAFETY: the caller's promise.
    unsafe { m.as_ref() }.map_or(0, |merged| merged.source.hash_id())
}

#[cfg(test)]
mod tests;
