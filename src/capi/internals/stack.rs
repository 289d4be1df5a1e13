//! `stack.h`: the members of a stack, and the tables that it would compact.

use std::cell::UnsafeCell;
use std::ffi::{c_char, c_int};
use std::mem;
use std::ptr;
use std::slice;

use super::basics::{reftable_calloc, reftable_free};
use crate::capi::merged::reftable_merged_table;
use crate::capi::shape::current::KeptOptions;
use crate::capi::stack::reftable_compaction_stats;
use crate::capi::table::{reftable_table, reftable_table_decref, show_core};
use crate::ffi::code::CResult;
use crate::ffi::string;
use crate::merged::Merged;
use crate::stack::segment;
use crate::stack::CompactionStats;

/// `struct reftable_stack`.
#[repr(C)]
struct StackMembers {
    list_st: libc::stat,
    list_file: *mut c_char,
    list_fd: c_int,
    reftable_dir: *mut c_char,
    opts: KeptOptions,
    tables: *mut *mut reftable_table,
    tables_len: usize,
    merged: *mut reftable_merged_table,
    stats: reftable_compaction_stats,
}

/// The beginning of a stack, for C to read, and to change some of it.
#[repr(transparent)]
pub(in crate::capi) struct StackShown(UnsafeCell<StackMembers>);

impl std::fmt::Debug for StackShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StackShown").finish_non_exhaustive()
    }
}

impl StackShown {
    /// A stack without tables.
    ///
    /// # Errors
    /// Out of memory.
    pub(in crate::capi) fn new(options: KeptOptions, dir: &[u8]) -> CResult<Self> {
        // SAFETY: all members may be zero.
        let mut members: StackMembers = unsafe { mem::zeroed() };
        members.opts = options;
        members.list_fd = -1;
        let shown = Self(UnsafeCell::new(members));
        // SAFETY: not shared yet; its memory is freed on drop.
        unsafe {
            let members = shown.0.get();
            (*members).list_file = string::new(&[dir, b"/tables.list"].concat())?;
            (*members).reftable_dir = string::new(dir)?;
        }
        Ok(shown)
    }

    /// The current options.
    pub(in crate::capi) fn options(&self) -> KeptOptions {
        // SAFETY: C can change them only between two calls.
        unsafe { (*self.0.get()).opts }
    }

    /// The address of the statistics.
    pub(in crate::capi) fn stats(&self) -> *mut reftable_compaction_stats {
        // SAFETY: only the address is computed.
        unsafe { &raw mut (*self.0.get()).stats }
    }

    /// Updates the statistics.
    pub(in crate::capi) fn set_stats(&self, stats: CompactionStats) {
        // SAFETY: C can read them only between two calls.
        unsafe { *self.stats() = (&stats).into() };
    }

    /// Updates the tables. A table that was shown before keeps its object. If memory runs out,
    /// shows as many tables as possible.
    pub(in crate::capi) fn set_tables(&self, view: &Merged, merged: &reftable_merged_table) {
        // SAFETY: C can use them only between two calls. The old tables are open: C has closed
        // none of them, or all of them and set their number to 0.
        unsafe {
            let members = self.0.get();
            let old = self.tables();
            let all = view.tables();
            let array = reftable_calloc(all.len(), size_of::<*mut reftable_table>());
            let array = array.cast::<*mut reftable_table>();
            let mut len = 0;
            for table in all.iter().take_while(|_| !array.is_null()) {
                let known = old
                    .iter()
                    .copied()
                    .find(|&shown| string::bytes((*shown).name) == Some(table.name().as_bytes()));
                let shown = match known {
                    Some(shown) => {
                        (*shown).refcount += 1;
                        shown
                    }
                    None => match show_core(table) {
                        Ok(shown) => shown,
                        Err(_) => break,
                    },
                };
                *array.add(len) = shown;
                len += 1;
            }
            self.drop_tables();
            ((*members).tables, (*members).tables_len) = (array, len);
            (*members).merged = ptr::from_ref(merged).cast_mut();
            let limits = (view.min_update_index(), view.max_update_index());
            merged.shown().set(array, len, limits, merged.tombstones());
        }
    }

    /// # Safety
    /// The array does not change while it is borrowed.
    unsafe fn tables(&self) -> &[*mut reftable_table] {
        // SAFETY: the caller's promise.
        unsafe {
            let members = self.0.get();
            match (*members).tables.is_null() {
                true => &[],
                false => slice::from_raw_parts((*members).tables, (*members).tables_len),
            }
        }
    }

    /// # Safety
    /// The tables are no longer used.
    unsafe fn drop_tables(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            for &table in self.tables() {
                reftable_table_decref(table);
            }
            let members = self.0.get();
            reftable_free((*members).tables.cast());
            ((*members).tables, (*members).tables_len) = (ptr::null_mut(), 0);
        }
    }
}

impl Drop for StackShown {
    fn drop(&mut self) {
        // SAFETY: the stack is no longer used.
        unsafe {
            self.drop_tables();
            let members = self.0.get();
            string::free(&mut (*members).list_file);
            string::free(&mut (*members).reftable_dir);
        }
    }
}

/// `struct segment`.
#[repr(C)]
struct Segment {
    start: usize,
    end: usize,
    bytes: u64,
}

#[no_mangle]
unsafe extern "C" fn suggest_compaction_segment(sizes: *mut u64, n: usize, factor: u8) -> Segment {
    let sizes = match sizes.is_null() {
        true => &[],
        // SAFETY: the caller's promise.
        false => unsafe { slice::from_raw_parts(sizes, n) },
    };
    let range = segment::suggest(sizes, factor);
    Segment {
        start: range.start,
        end: range.end,
        bytes: sizes.get(range).unwrap_or_default().iter().sum(),
    }
}
