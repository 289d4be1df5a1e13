//! The tables of a merged view: the caller's, or those of a stack.

use std::slice;
use std::sync::Arc;

use super::{hash_number, reftable_merged_table, reftable_table};
use crate::capi::table::TableHold;
use crate::capi::writer::number_of;
use crate::ffi::code::{CResult, Code};
use crate::ffi::object;
use crate::format::HashId;
use crate::merged::{Merged, Tombstones};
use crate::stack::Stack;

/// The source of a merged view.
#[derive(Debug)]
pub(super) enum Source {
    /// The caller's tables, which must outlive the view.
    Tables {
        tables: Vec<*mut reftable_table>,
        hash_id: hash_number,
        limits: (u64, u64),
    },
    /// The current tables of a stack, and whether iterators return its deletions.
    Stack(Arc<Stack>, Tombstones),
}

/// The tables that an iterator reads, and references that keep them open.
pub(super) struct Snapshot {
    pub(super) merged: Arc<Merged>,
    pub(super) tombstones: Tombstones,
    pub(super) holds: Vec<TableHold>,
}

impl Source {
    pub(super) fn is_of_stack(&self) -> bool {
        matches!(self, Self::Stack(..))
    }

    /// Whether iterators return deletions.
    pub(super) fn tombstones(&self) -> Tombstones {
        match self {
            Self::Tables { .. } => Tombstones::Show,
            Self::Stack(_, tombstones) => *tombstones,
        }
    }

    pub(super) fn hash_id(&self) -> hash_number {
        match self {
            Self::Tables { hash_id, .. } => *hash_id,
            Self::Stack(stack, _) => number_of(stack.hash_id()),
        }
    }

    /// The least and the greatest update index.
    pub(super) fn limits(&self) -> (u64, u64) {
        match self {
            Self::Tables { limits, .. } => *limits,
            Self::Stack(stack, _) => {
                let merged = stack.merged();
                (merged.min_update_index(), merged.max_update_index())
            }
        }
    }

    /// The current tables. The caller's tables must still be open.
    pub(super) fn snapshot(&self) -> CResult<Snapshot> {
        let tables = match self {
            Self::Stack(stack, tombstones) => {
                return Ok(Snapshot {
                    merged: stack.merged(),
                    tombstones: *tombstones,
                    holds: Vec::new(),
                })
            }
            Self::Tables { tables, .. } => tables,
        };
        // SAFETY: the tables outlive the view, as documented for the caller.
        let holds: Vec<_> = tables
            .iter()
            .map(|&table| unsafe { TableHold::new(table) })
            .collect::<CResult<_>>()?;
        let open = holds.iter().map(|hold| hold.table().map(Arc::clone));
        let open: Vec<_> = open.collect::<CResult<_>>()?;
        let hash = open.first().map_or(HashId::Sha1, |table| table.hash_id());
        Ok(Snapshot {
            merged: Arc::new(Merged::new(open, hash)?),
            tombstones: self.tombstones(),
            holds,
        })
    }
}

/// Creates a view of the caller's tables; see `reftable_merged_table_new()`.
///
/// # Safety
/// `tables` is NULL, or an array of `n` tables that are open.
pub(super) unsafe fn new(
    tables: *const *mut reftable_table,
    n: usize,
    hash_id: hash_number,
) -> CResult<*mut reftable_merged_table> {
    let tables = match n {
        0 => &[],
        _ if tables.is_null() => return Err(Code::MISUSE),
        // SAFETY: the caller's promise.
        _ => unsafe { slice::from_raw_parts(tables, n) },
    };
    let mut limits: Option<(u64, u64)> = None;
    for &table in tables {
        // SAFETY: the caller's promise.
        let table = unsafe { object::borrow(table) }?;
        if table.hash_id != hash_id {
            return Err(Code::FORMAT);
        }
        let (min, max) = limits.unwrap_or((u64::MAX, 0));
        limits = Some((
            min.min(table.min_update_index),
            max.max(table.max_update_index),
        ));
    }
    let merged = reftable_merged_table::new(Source::Tables {
        tables: tables.to_vec(),
        hash_id,
        limits: limits.unwrap_or_default(),
    });
    Ok(object::new(merged)?)
}

/// Creates the view of a stack's current tables.
pub(in crate::capi) fn of_stack(
    stack: &Arc<Stack>,
    tombstones: Tombstones,
) -> reftable_merged_table {
    reftable_merged_table::new(Source::Stack(Arc::clone(stack), tombstones))
}
