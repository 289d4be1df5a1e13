//! `merged.h`: the members of a merged table.

use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::ptr;

use crate::capi::basics::hash_number;
use crate::capi::constants::{REFTABLE_BLOCK_TYPE_LOG, REFTABLE_BLOCK_TYPE_REF};
use crate::capi::iterator::reftable_iterator;
use crate::capi::merged::{
    reftable_merged_table, reftable_merged_table_init_log_iterator,
    reftable_merged_table_init_ref_iterator,
};
use crate::capi::table::reftable_table;
use crate::ffi::code::Code;
use crate::merged::Tombstones;

/// `struct reftable_merged_table`.
#[repr(C)]
#[derive(Debug)]
struct MergedMembers {
    tables: *mut *mut reftable_table,
    tables_len: usize,
    hash_id: hash_number,
    suppress_deletions: c_int,
    min: u64,
    max: u64,
}

/// The beginning of a merged table, for C to read.
#[repr(transparent)]
#[derive(Debug)]
pub(in crate::capi) struct MergedShown(UnsafeCell<MergedMembers>);

impl MergedShown {
    /// A view without tables.
    pub(in crate::capi) fn new(hash_id: hash_number, (min, max): (u64, u64)) -> Self {
        Self(UnsafeCell::new(MergedMembers {
            tables: ptr::null_mut(),
            tables_len: 0,
            hash_id,
            suppress_deletions: 0,
            min,
            max,
        }))
    }

    /// Shows the tables of a stack.
    pub(super) fn set(
        &self,
        tables: *mut *mut reftable_table,
        len: usize,
        limits: (u64, u64),
        tombstones: Tombstones,
    ) {
        // SAFETY: C can read it only between two calls, and there are no references to it.
        let members = unsafe { &mut *self.0.get() };
        (members.tables, members.tables_len) = (tables, len);
        (members.min, members.max) = limits;
        members.suppress_deletions = (tombstones == Tombstones::Hide).into();
    }
}

#[no_mangle]
unsafe extern "C" fn merged_table_init_iter(
    mt: *mut reftable_merged_table,
    it: *mut reftable_iterator,
    kind: u8,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        match kind {
            REFTABLE_BLOCK_TYPE_REF => reftable_merged_table_init_ref_iterator(mt, it),
            REFTABLE_BLOCK_TYPE_LOG => reftable_merged_table_init_log_iterator(mt, it),
            _ => Code::MISUSE.0,
        }
    }
}
