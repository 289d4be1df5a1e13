//! What users of a stack can choose.
#![forbid(unsafe_code)]

use crate::table::WriteOptions;

/// How a stack reads, writes, locks and compacts.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// How tables are written; also the hash that every table must be of.
    pub write: WriteOptions,
    /// Permission bits of lists and tables; 0 leaves them to the umask.
    pub default_permissions: u32,
    /// Whether commits leave compaction to others.
    pub disable_auto_compact: bool,
    /// Whether an addition merges a table with the small ones before it while it writes it,
    /// where a compaction would follow at once. Of no effect without auto-compaction.
    pub fold_small_tables: bool,
    /// A table must be at least this many times as large as the next newer one, or they
    /// are compacted; 0 stands for 2.
    pub auto_compaction_factor: u8,
    /// How long to wait for `tables.list.lock`, in milliseconds: 0 not at all, a negative
    /// number for ever.
    pub lock_timeout_ms: i64,
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
        }
    }
}

/// What a new addition does when another process has changed the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutdated {
    /// It fails with [`Error::Outdated`](crate::format::Error::Outdated).
    Fail,
    /// It reloads the stack and goes on.
    Reload,
}

/// Which log entries a compaction drops. Tombstones have no time and are never dropped
/// for their age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogExpiry {
    /// Those older than this, in seconds since 1970; 0 drops none.
    pub time: u64,
    /// Those with a lesser update index; 0 drops none.
    pub min_update_index: u64,
}
