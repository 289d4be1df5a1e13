//! Iterating over the refs that point at an object.

use std::ffi::c_int;
use std::slice;

use super::cursors::Walk;
use super::open::TableHold;
use super::reftable_table;
use crate::capi::iterator::{self, reftable_iterator, Reader};
use crate::capi::record::{reftable_ref_record, RecordOut};
use crate::ffi::code::{answer, CResult};
use crate::ffi::object;
use crate::table::{RefCursor, RefsFor};

/// Initialises an iterator. Returns false if the index of the object section ends before the
/// object.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn start(
    t: *mut reftable_table,
    it: *mut reftable_iterator,
    oid: *const u8,
) -> CResult<bool> {
    // SAFETY: the caller's promise.
    unsafe {
        let table = TableHold::new(t)?;
        object::borrow(oid)?;
        let oid = slice::from_raw_parts(oid, table.table()?.hash_id().len());
        if table.shown().obj_offsets.is_present == 0 {
            return iterator::start(it, || Filtered::new(table, oid)).map(|()| true);
        }
        let refs = table.table()?.refs_for(oid)?;
        if refs.is_beyond_objects() {
            // git's library reports this only if it searched an index.
            let by_index = table.shown().obj_offsets.index_offset != 0;
            return iterator::start_empty(it).map(|()| !by_index);
        }
        iterator::start(it, || Ok(ByObjects { refs, table })).map(|()| true)
    }
}

/// The refs found through the object section. The cursor comes first, so that it is dropped
/// before the table.
#[derive(Debug)]
struct ByObjects {
    refs: RefsFor,
    table: TableHold,
}

impl Reader for ByObjects {
    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        answer(|| {
            if !self.refs.advance()? {
                return Ok(false);
            }
            let mut record = self.refs.record();
            if self.refs.by_objects() {
                // git's library does not add the least update index here, and callers may rely
                // on that.
                let base = self.table.shown().min_update_index;
                record.update_index = record.update_index.wrapping_sub(base);
            }
            to.fill(&record)
        })
    }
}

/// The refs that point at the object, found by reading all refs.
#[derive(Debug)]
struct Filtered {
    walk: Walk<RefCursor>,
    oid: Vec<u8>,
    table: TableHold,
}

impl Filtered {
    fn new(table: TableHold, oid: &[u8]) -> CResult<Self> {
        Ok(Self {
            walk: Walk::from_start(table.table()?.refs()),
            oid: oid.to_vec(),
            table,
        })
    }
}

impl Reader for Filtered {
    fn seek_ref(&mut self, name: &[u8]) -> CResult<bool> {
        let has_index = self.table.shown().ref_offsets.index_offset != 0;
        self.walk.seek(name, has_index)
    }

    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        answer(|| {
            while let Some(cursor) = self.walk.next()? {
                let value = cursor.record().value;
                let oid = Some(&self.oid[..]);
                if value.id() == oid || value.peeled() == oid {
                    return to.fill(&self.walk.cursor().record());
                }
            }
            Ok(false)
        })
    }
}
