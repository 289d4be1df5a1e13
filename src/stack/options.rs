//! Options of a stack and of its operations, and the counts of its compactions.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use crate::table::WriteOptions;

/// How a stack reads, writes, locks and compacts.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// How tables are written. Every table must be of its hash.
    pub write: WriteOptions,
    /// Permission bits of lists and tables; 0 means those of the umask.
    pub default_permissions: u32,
    /// Whether commits skip compaction.
    pub disable_auto_compact: bool,
    /// Whether an addition merges a table with small older tables while writing it, if a
    /// compaction would follow at once. Has no effect without auto-compaction.
    pub fold_small_tables: bool,
    /// Tables are compacted unless each is at least this many times as large as the next newer
    /// one; 0 means 2.
    pub auto_compaction_factor: u8,
    /// How long to wait for `tables.list.lock`, in milliseconds; 0 does not wait, a negative
    /// number waits forever.
    pub lock_timeout_ms: i64,
    /// Stops compactions: once the flag is set, one that is merging fails with
    /// [`Error::Io`](crate::format::Error::Io) of the kind `Interrupted`, and releases its locks. For
    /// programs that handle signals.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// Counts what compactions have written.
    pub progress: Option<Arc<Progress>>,
}

/// How far a long operation has come, for programs that show it. The counts grow every few thousand
/// records.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records written.
    pub records: AtomicU64,
    /// Bytes written, of whole blocks.
    pub bytes: AtomicU64,
}

impl Progress {
    /// Adds to the counts.
    pub fn add(&self, records: u64, bytes: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Default for StackOptions {
    /// git's defaults: 4096-byte blocks, SHA-1, factor 2, 100 milliseconds.
    fn default() -> Self {
        Self {
            write: WriteOptions::default(),
            default_permissions: 0,
            disable_auto_compact: false,
            fold_small_tables: true,
            auto_compaction_factor: 0,
            lock_timeout_ms: 100,
            interrupt: None,
            progress: None,
        }
    }
}

/// What an operation does if another process has changed the stack since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutdated {
    /// It fails with [`Error::Outdated`](crate::format::Error::Outdated).
    Fail,
    /// It reloads the stack and continues.
    Reload,
}

/// Which log entries a compaction drops. Tombstones have no time: `time` does not apply to
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogExpiry {
    /// Drops entries older than this, in seconds since 1970; 0 drops none.
    pub time: u64,
    /// Drops entries with a lesser update index; 0 drops none.
    pub min_update_index: u64,
    /// Keeps this many entries of each ref, the newest ones, and drops the others; 0 drops none.
    /// Entries that another rule drops do not count.
    pub max_entries: u64,
}

/// Counts of a stack's compactions since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionStats {
    /// Bytes of the tables merged.
    pub bytes: u64,
    /// Records written, including those of compactions that failed afterwards.
    pub entries_written: u64,
    /// Compactions started.
    pub attempts: u64,
    /// Compactions that failed because of a lock.
    pub failures: u64,
}
