//! What C sees of a stack, and may change while nobody looks.

use std::cell::UnsafeCell;
use std::ffi::c_int;

use super::{reftable_compaction_stats, reftable_write_options};
use crate::stack::CompactionStats;

/// Options that are looked at whenever they matter, and numbers for C to read.
#[derive(Debug)]
pub(super) struct Shown {
    options: reftable_write_options,
    stats: UnsafeCell<reftable_compaction_stats>,
}

impl Shown {
    pub(super) fn new(options: reftable_write_options) -> Self {
        Self {
            options,
            stats: UnsafeCell::default(),
        }
    }

    /// The options as they are now.
    pub(super) fn options(&self) -> reftable_write_options {
        self.options
    }

    /// Where the numbers stand, which C may read until the stack is destroyed.
    pub(super) fn stats(&self) -> *mut reftable_compaction_stats {
        self.stats.get()
    }

    /// Shows these numbers.
    pub(super) fn set_stats(&self, stats: CompactionStats) {
        let int = |n: u64| c_int::try_from(n).unwrap_or(c_int::MAX);
        let stats = reftable_compaction_stats {
            bytes: stats.bytes,
            entries_written: stats.entries_written,
            attempts: int(stats.attempts),
            failures: int(stats.failures),
        };
        // SAFETY: C reads the numbers, if at all, between two calls or in one of this
        // thread, and nobody holds a reference to them.
        unsafe { *self.stats.get() = stats };
    }
}
