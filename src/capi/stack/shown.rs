//! The part of a stack that C can read: its options and the statistics of compactions.

use std::cell::UnsafeCell;

use super::{reftable_compaction_stats, reftable_merged_table, KeptOptions};
use crate::ffi::code::CResult;
use crate::merged::Merged;
use crate::stack::CompactionStats;

/// The options of a stack, and the statistics that C may read.
#[derive(Debug)]
pub(super) struct StackShown {
    options: KeptOptions,
    stats: UnsafeCell<reftable_compaction_stats>,
}

impl StackShown {
    /// Never fails here, unlike the variant in `capi::internals`.
    ///
    /// # Errors
    /// None.
    pub(super) fn new(options: KeptOptions, _dir: &[u8]) -> CResult<Self> {
        Ok(Self {
            options,
            stats: UnsafeCell::default(),
        })
    }

    /// Does nothing: C sees no tables here.
    pub(super) fn set_tables(&self, _tables: &Merged, _merged: &reftable_merged_table) {}

    /// The current options.
    pub(super) fn options(&self) -> KeptOptions {
        self.options
    }

    /// The statistics, which C may read until the stack is destroyed.
    pub(super) fn stats(&self) -> *mut reftable_compaction_stats {
        self.stats.get()
    }

    /// Updates the statistics. Writes only after a compaction, since otherwise other threads may
    /// be reading the stack.
    pub(super) fn set_stats(&self, stats: CompactionStats) {
        let new = reftable_compaction_stats::from(&stats);
        // SAFETY: the numbers change only after a compaction, for which a thread must have the
        // stack for itself. So C can read them only between two calls or in a callback of
        // this thread. There are no references to them.
        unsafe {
            if *self.stats.get() != new {
                *self.stats.get() = new;
            }
        }
    }
}
