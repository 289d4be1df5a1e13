//! Folding: merging a new table with small older tables while writing it.
//!
//! If the geometric rule would compact a new table with some older ones at once, the addition
//! writes the result of that compaction in the first place. That takes one file, one flush and
//! one change of the list instead of two each, and leads to the same stack.
//!
//! The addition holds `tables.list.lock`, without which no compaction can begin. So the older
//! tables need no lock of their own; it is enough that none of them is locked. The bytes merged
//! are limited, so that other writers are not blocked for long.
#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

use super::shared::Shared;
use super::sink::{TableSink, Written, KEEP};
use crate::format::error::wide;
use crate::format::{layout, Result, DEFAULT_BLOCK_SIZE};
use crate::merged::{Merged, MergedLogs, MergedRefs, Tombstones};
use crate::record::{LogRecord, RefRecord, RefValue};
use crate::sys::{lock_path, TableData};
use crate::table::{Older, Table};

/// The most bytes of older tables that are merged with a small one while the list is locked.
const MOST_BYTES: u64 = 256 << 10;

/// A large table is folded only if it is at least this many times as large as the older ones.
const LARGER: u64 = 8;

/// The newest tables of a stack, whose records a new table takes over.
#[derive(Debug)]
pub(super) struct Fold {
    /// Number of older tables that stay unchanged.
    pub(super) kept: usize,
    /// Whether the rule was applied to the new table's actual size. As in git, it is applied
    /// once.
    pub(super) is_final: bool,
    /// The tables to merge with the new one.
    pub(super) older: Merged,
}

impl Fold {
    /// Whether all older tables are merged, so that tombstones can be dropped.
    pub(super) fn takes_all(&self) -> bool {
        self.kept == 0
    }

    /// The records of the older tables, for a writer that merges them with its own.
    pub(super) fn records(&self) -> Result<Box<dyn Older>> {
        Ok(Box::new(OlderRecords::new(&self.older, self.takes_all())?))
    }

    /// Whether all records of the older tables can be read, and their refs fit into blocks of
    /// `block_size` bytes. Another process may have written them into larger blocks.
    fn is_mergeable(&self, block_size: u32) -> bool {
        let block_size = match block_size {
            0 => DEFAULT_BLOCK_SIZE,
            size => size,
        };
        let block_size = usize::try_from(block_size).unwrap_or(usize::MAX);
        let read = || -> Result<bool> {
            let mut refs = self.older.refs(Tombstones::Show);
            while refs.advance()? {
                if most_bytes(&refs.record()) > block_size {
                    return Ok(false);
                }
            }
            let mut logs = self.older.logs(Tombstones::Show);
            while logs.advance()? {}
            Ok(true)
        };
        read().unwrap_or(false)
    }
}

impl Shared {
    /// The tables of `base` to merge with a large table, of at least `least` bytes, while it is
    /// written.
    pub(super) fn fold_ahead(&self, base: &Merged, least: u64) -> Option<Fold> {
        if least <= wide(KEEP) {
            return None;
        }
        let block_size = self.options.write.block_size;
        self.fold(base, least, least / LARGER)
            .filter(|fold| fold.is_mergeable(block_size))
    }

    /// Writes the table in `sink` to a file: merged with tables of `base` if it is small and the
    /// geometric rule requires it, otherwise unchanged. Returns no file if no record remains after the
    /// merge.
    pub(super) fn fold_or_keep(
        &self,
        base: Option<&Merged>,
        sink: TableSink<'_>,
    ) -> Result<(Option<Fold>, Option<Written>)> {
        if let (Some(base), Some(bytes)) = (base, sink.in_memory()) {
            if let Some(fold) = self.fold_small(base, wide(bytes.len())) {
                // On failure, as for a damaged older table, the compaction after the commit
                // reports the error.
                if let Ok(written) = self.merge(&fold, bytes) {
                    return Ok((Some(fold), written));
                }
            }
        }
        Ok((None, Some(sink.into_file()?)))
    }

    /// The tables of `base` to merge with a small table of `size` bytes, footer included.
    fn fold_small(&self, base: &Merged, size: u64) -> Option<Fold> {
        let version = self.options.write.hash_id.version();
        let footer = layout::header_len(version).map_or(0, layout::footer_len);
        let mut fold = self.fold(base, size.saturating_sub(wide(footer)), MOST_BYTES)?;
        fold.is_final = true;
        Some(fold)
    }

    /// Merges the table `bytes` with the older ones.
    fn merge(&self, fold: &Fold, bytes: &[u8]) -> Result<Option<Written>> {
        let mut tables = fold.older.tables().to_vec();
        let newest = Table::new("new table", TableData::from(bytes.to_vec()))?;
        tables.push(Arc::new(newest));
        let range = Merged::new(tables, self.options.write.hash_id)?;
        self.lock_state().stats.attempts += 1;
        self.write_compacted(&range, fold.takes_all(), None, &mut || {})
    }

    /// The tables of `base` that the geometric rule wants compacted with a new one of `size`
    /// bytes, footer excluded, if they have at most `most` bytes and are not locked.
    fn fold(&self, base: &Merged, size: u64, most: u64) -> Option<Fold> {
        let options = &self.options;
        if !options.fold_small_tables || options.disable_auto_compact {
            return None;
        }
        let tables = base.tables();
        let range = self.segment(tables, Some(size));
        let older = tables.get(range.start..)?;
        if range.end != tables.len() + 1 || older.iter().map(|t| t.size()).sum::<u64>() > most {
            return None;
        }
        if older.iter().any(|table| self.may_be_locked(table)) {
            return None;
        }
        Some(Fold {
            kept: range.start,
            is_final: false,
            older: Merged::new(older.to_vec(), options.write.hash_id).ok()?,
        })
    }

    /// Whether a compaction may be reading `table`.
    fn may_be_locked(&self, table: &Table) -> bool {
        let lock = lock_path(&self.path_of(table.name()));
        !matches!(self.storage.file_id(&lock), Err(e) if e.kind() == io::ErrorKind::NotFound)
    }
}

/// The largest size of a block that contains only `record`, in bytes: file header, block header,
/// restart and counts take less than 48, the integers of the record less than 24.
fn most_bytes(record: &RefRecord<'_>) -> usize {
    let value = match record.value {
        RefValue::Symref(target) => target.len(),
        value => {
            let ids = [value.id(), value.peeled()];
            ids.into_iter().flatten().map(<[u8]>::len).sum()
        }
    };
    record.name.len().saturating_add(value).saturating_add(72)
}

/// The merged records of older tables.
#[derive(Debug)]
struct OlderRecords {
    refs: MergedRefs,
    has_ref: bool,
    logs: MergedLogs,
    has_log: bool,
    min_update_index: u64,
    drop_tombstones: bool,
}

impl OlderRecords {
    fn new(tables: &Merged, drop_tombstones: bool) -> Result<Self> {
        let tombstones = if drop_tombstones {
            Tombstones::Hide
        } else {
            Tombstones::Show
        };
        let mut records = Self {
            refs: tables.refs(tombstones),
            has_ref: false,
            logs: tables.logs(tombstones),
            has_log: false,
            min_update_index: tables.min_update_index(),
            drop_tombstones,
        };
        records.next_ref()?;
        records.next_log()?;
        Ok(records)
    }
}

impl Older for OlderRecords {
    fn min_update_index(&self) -> u64 {
        self.min_update_index
    }

    fn drops_tombstones(&self) -> bool {
        self.drop_tombstones
    }

    fn current_ref(&self) -> Option<RefRecord<'_>> {
        self.has_ref.then(|| self.refs.record())
    }

    fn next_ref(&mut self) -> Result<()> {
        self.has_ref = self.refs.advance()?;
        Ok(())
    }

    fn current_log(&self) -> Option<LogRecord<'_>> {
        self.has_log.then(|| self.logs.record())
    }

    fn next_log(&mut self) -> Result<()> {
        self.has_log = self.logs.advance()?;
        Ok(())
    }
}
