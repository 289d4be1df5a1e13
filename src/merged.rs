//! A merged view of several tables: the newest record of each key, in ascending order.
//!
//! The key of a ref is its name; the key of a reflog entry is a ref name and an update index. A
//! record hides the records with the same key in older tables. So does a tombstone; the reader
//! chooses whether tombstones themselves are returned ([`Tombstones`]).
#![forbid(unsafe_code)]

pub(crate) mod conflicts;
mod cursors;
mod finder;
mod inflated;
mod lane;
mod log_names;
mod merge;
mod oldest_first;
mod refs_of;

pub use cursors::{MergedLogs, MergedRefs};
pub use finder::{CachedFinder, RefFinder};
pub(crate) use log_names::LogNames;
pub(crate) use oldest_first::{LogKeeper, OldestFirst};
pub use refs_of::RefsOf;

use std::sync::Arc;

use crate::format::{Error, Expected, HashId, IdPrefix, Result};
use crate::table::Table;

/// How tombstones are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tombstones {
    /// Tombstones are skipped, as readers of refs expect.
    Hide,
    /// Tombstones are returned as deletions. A compaction that leaves out older tables needs them.
    Show,
}

/// A merged view of several tables. It never changes, and keeps its tables readable.
#[derive(Debug)]
pub struct Merged {
    tables: Vec<Arc<Table>>,
    hash_id: HashId,
}

impl Merged {
    /// A view of `tables`, oldest first, which must all use `hash_id`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the first table with another hash.
    pub fn new(tables: Vec<Arc<Table>>, hash_id: HashId) -> Result<Self> {
        for table in &tables {
            if table.hash_id() != hash_id {
                return Err(Error::corrupt(
                    table.name(),
                    0,
                    "hash function differs from the stack's",
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

    /// The hash function of all object ids.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.hash_id
    }

    /// The least update index of all tables; 0 without tables.
    #[must_use]
    pub fn min_update_index(&self) -> u64 {
        let all = self.tables.iter().map(|t| t.min_update_index());
        all.min().unwrap_or(0)
    }

    /// The greatest update index of all tables; 0 without tables.
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

    /// A cursor before the first reflog entry.
    #[must_use]
    pub fn logs(&self, tombstones: Tombstones) -> MergedLogs {
        MergedLogs::new(&self.tables, tombstones)
    }

    /// A cursor before the first ref that points at `oid`, directly or peeled.
    ///
    /// # Errors
    /// [`Error::Misuse`] if `oid` does not have the length of the hash; those of a damaged object
    /// section.
    pub fn refs_of(&self, oid: &[u8]) -> Result<RefsOf> {
        RefsOf::new(self, oid)
    }

    /// A cursor before the first ref that points at an object whose id begins with `prefix`,
    /// directly or peeled.
    ///
    /// # Errors
    /// Those of a damaged object section.
    pub fn refs_of_prefix(&self, prefix: &IdPrefix) -> Result<RefsOf> {
        RefsOf::of_prefix(self, prefix)
    }

    /// Whether [`refs_of`](Self::refs_of) reads few blocks.
    pub(crate) fn finds_objects_fast(&self) -> bool {
        self.tables.iter().all(|table| table.finds_objects_fast())
    }

    /// Point lookups of refs.
    #[must_use]
    pub fn finder(&self) -> RefFinder {
        RefFinder::new(&self.tables)
    }
}

#[cfg(test)]
mod tests;
