//! What C sees of a stack, and may change while nobody looks.

use std::cell::UnsafeCell;

use super::{reftable_compaction_stats, reftable_merged_table, reftable_write_options};
use crate::ffi::code::CResult;
use crate::merged::Merged;
use crate::stack::CompactionStats;

/// Options that are looked at whenever they matter, and numbers for C to read.
#[derive(Debug)]
pub(super) struct Shown {
    options: reftable_write_options,
    stats: UnsafeCell<reftable_compaction_stats>,
}

impl Shown {
    /// # Errors
    /// None here.
    pub(super) fn new(options: reftable_write_options, _dir: &[u8]) -> CResult<Self> {
        Ok(Self {
            options,
            stats: UnsafeCell::default(),
        })
    }

    /// Tables are not shown.
    pub(super) fn set_tables(&self, _tables: &Merged, _merged: &reftable_merged_table) {}

    /// The options as they are now.
    pub(super) fn options(&self) -> reftable_write_options {
        self.options
    }

    /// Where the numbers stand, which C may read until the stack is destroyed.
    pub(super) fn stats(&self) -> *mut reftable_compaction_stats {
        self.stats.get()
    }

    /// Shows these numbers. Where there was no compaction nothing is written: other threads
    /// may be reading the stack.
    pub(super) fn set_stats(&self, stats: CompactionStats) {
        let new = reftable_compaction_stats::from(&stats);
        // SAFETY: numbers change after a compaction only, for which a thread has the stack for
        // itself: then C reads them, if at all, between two calls or in one of this thread.
        // Nobody holds a reference to them.
        unsafe {
            if *self.stats.get() != new {
                *self.stats.get() = new;
            }
        }
    }
}
