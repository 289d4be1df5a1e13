//! One view of several tables: of each key the newest record, in ascending order.
//!
//! A key is a refname for refs, and a refname with an update index for log entries.
//! A newer table's record hides those of older tables, tombstones included; whether a
//! tombstone itself is seen is the reader's choice ([`Tombstones`]).
#![forbid(unsafe_code)]

mod cursors;
mod finder;
mod inflated;
mod merge;

pub use cursors::{MergedLogs, MergedRefs};
pub use finder::{CachedFinder, RefFinder};

use std::sync::Arc;

use crate::format::{Error, Expected, HashId, Result};
use crate::table::Table;

/// What becomes of a deleted key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tombstones {
    /// It is passed over: what a user of refs wants.
    Hide,
    /// It is given as a deletion record: what a compaction needs that leaves out older tables.
    Show,
}

/// Several tables as one. Never changes; who holds it keeps its tables readable.
#[derive(Debug)]
pub struct Merged {
    tables: Vec<Arc<Table>>,
    hash_id: HashId,
}

impl Merged {
    /// A view of `tables`, oldest first, all of which must be of hash `hash_id`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the first table of another hash.
    pub fn new(tables: Vec<Arc<Table>>, hash_id: HashId) -> Result<Self> {
        for table in &tables {
            if table.hash_id() != hash_id {
                return Err(Error::corrupt(
                    table.name(),
                    0,
                    "hash function unlike the stack's",
                    table.hash_id().format_id().into(),
                    Expected::Exactly(hash_id.format_id().into()),
                ));
            }
        }
        Ok(Self { tables, hash_id })
    }

    /// The tables, oldest first.
    #[must_use]
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// The hash of all object ids.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.hash_id
    }

    /// The least update index of any table; 0 when there is none.
    #[must_use]
    pub fn min_update_index(&self) -> u64 {
        let all = self.tables.iter().map(|t| t.min_update_index());
        all.min().unwrap_or(0)
    }

    /// The greatest update index of any table; 0 when there is none.
    #[must_use]
    pub fn max_update_index(&self) -> u64 {
        let all = self.tables.iter().map(|t| t.max_update_index());
        all.max().unwrap_or(0)
    }

    /// A cursor before the first ref.
    #[must_use]
    pub fn refs(&self, tombstones: Tombstones) -> MergedRefs {
        MergedRefs::new(&self.tables, tombstones)
    }

    /// A cursor before the first log entry.
    #[must_use]
    pub fn logs(&self, tombstones: Tombstones) -> MergedLogs {
        MergedLogs::new(&self.tables, tombstones)
    }

    /// Point lookups of refs.
    #[must_use]
    pub fn finder(&self) -> RefFinder {
        RefFinder::new(&self.tables)
    }
}
