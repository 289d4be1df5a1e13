//! Writing a new table and its small elders as one.
//!
//! When the geometric rule would at once compact a table with some of those before it, an
//! addition can write what comes out of that in the first place: one file, one flush and one
//! change of the list instead of two each, and the same stack in the end.
//!
//! The addition holds `tables.list.lock` all the while, without which no compaction can begin;
//! so it is enough that none of the elders is locked now. What is merged under that lock is
//! bounded, lest others wait for it.
#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

use super::sink::{TableSink, Written, KEEP};
use super::{segment, Addition, Shared};
use crate::format::error::wide;
use crate::format::{layout, Result, DEFAULT_BLOCK_SIZE};
use crate::merged::{Merged, MergedLogs, MergedRefs, Tombstones};
use crate::record::{LogRecord, RefRecord, RefValue};
use crate::sys::{lock_path, TableData};
use crate::table::{Older, Table};

/// The most bytes of elders that are merged while the list is locked.
const MOST_BYTES: u64 = 256 << 10;

/// A large table has to be this many times as large as its elders to be written with them.
const LARGER: u64 = 8;

/// The newest tables of a stack, which a new table takes in.
#[derive(Debug)]
pub(super) struct Fold {
    /// How many older tables stay as they are.
    pub(super) kept: usize,
    /// Whether the rule was applied to the new table's real size: as in git, that is done once.
    pub(super) is_final: bool,
    pub(super) elders: Merged,
}

impl Fold {
    /// Whether no table stays, so that tombstones have nothing left to hide.
    pub(super) fn takes_all(&self) -> bool {
        self.kept == 0
    }

    /// The records of the elders, for a writer that merges them with its own.
    pub(super) fn older(&self) -> Result<Box<dyn Older>> {
        Ok(Box::new(Elders::new(&self.elders, self.takes_all())?))
    }

    /// Whether all records of the older tables can be read, and the refs surely fit into blocks of
    /// `block_size` bytes; those of others may have been larger.
    fn is_mergeable(&self, block_size: u32) -> bool {
        let block_size = match block_size {
            0 => DEFAULT_BLOCK_SIZE,
            size => size,
        };
        let block_size = usize::try_from(block_size).unwrap_or(usize::MAX);
        let read = || -> Result<bool> {
            let mut refs = self.elders.refs(Tombstones::Show);
            while refs.advance()? {
                if most_bytes(&refs.record()) > block_size {
                    return Ok(false);
                }
            }
            let mut logs = self.elders.logs(Tombstones::Show);
            while logs.advance()? {}
            Ok(true)
        };
        read().unwrap_or(false)
    }
}

impl Addition {
    /// The elders of a table that will have at least `least` bytes, if that is enough to
    /// tell that they will be merged, and to merge them while it is written.
    pub(super) fn fold_ahead(&self, least: u64) -> Option<Fold> {
        if least <= wide(KEEP) {
            return None;
        }
        let block_size = self.shared.options.write.block_size;
        self.fold(least, least / LARGER)
            .filter(|fold| fold.is_mergeable(block_size))
    }

    /// Makes a file of the table in `sink`: of it alone or, when it is small and the rule
    /// wants it, merged with its elders. Nothing can be left of all of them.
    pub(super) fn fold_or_keep(
        &self,
        sink: TableSink<'_>,
    ) -> Result<(Option<Fold>, Option<Written>)> {
        if let Some(bytes) = sink.in_memory() {
            if let Some(fold) = self.fold_behind(wide(bytes.len())) {
                // An elder that is damaged is the compaction's to tell, after the commit.
                if let Ok(written) = self.merge(&fold, bytes) {
                    return Ok((Some(fold), written));
                }
            }
        }
        Ok((None, Some(sink.into_file()?)))
    }

    /// The elders of a small table of `size` bytes, footer included.
    fn fold_behind(&self, size: u64) -> Option<Fold> {
        let version = self.shared.options.write.hash_id.version();
        let footer = layout::header_len(version).map_or(0, layout::footer_len);
        let mut fold = self.fold(size.saturating_sub(wide(footer)), MOST_BYTES)?;
        fold.is_final = true;
        Some(fold)
    }

    /// Writes the table `bytes` and its elders as one.
    fn merge(&self, fold: &Fold, bytes: &[u8]) -> Result<Option<Written>> {
        let mut tables = fold.elders.tables().to_vec();
        let newest = Table::new("new table", TableData::from(bytes.to_vec()))?;
        tables.push(Arc::new(newest));
        let range = Merged::new(tables, self.shared.options.write.hash_id)?;
        self.shared.lock_state().stats.attempts += 1;
        self.shared
            .write_compacted(&range, fold.takes_all(), None, &mut || {})
    }

    /// Those before a table of `size` bytes, footer excluded, that the geometric rule wants
    /// compacted with it, if they have `most` bytes at most and nobody has locked them.
    fn fold(&self, size: u64, most: u64) -> Option<Fold> {
        let options = &self.shared.options;
        let fits = options.fold_small_tables && !options.disable_auto_compact;
        if !fits || !self.tables.is_empty() || self.fold.is_some() {
            return None;
        }
        let tables = self.base.tables();
        let range = self.shared.segment(tables, Some(size));
        let elders = tables.get(range.start..)?;
        if range.end != tables.len() + 1 || elders.iter().map(|t| t.size()).sum::<u64>() > most {
            return None;
        }
        if elders.iter().any(|table| self.shared.may_be_locked(table)) {
            return None;
        }
        Some(Fold {
            kept: range.start,
            is_final: false,
            elders: Merged::new(elders.to_vec(), options.write.hash_id).ok()?,
        })
    }
}

impl Shared {
    /// Whether a compaction may be reading `table` right now.
    fn may_be_locked(&self, table: &Table) -> bool {
        let lock = lock_path(&self.path_of(table.name()));
        !matches!(self.storage.file_id(&lock), Err(e) if e.kind() == io::ErrorKind::NotFound)
    }

    /// The tables that the geometric rule wants compacted, when one of `next` bytes,
    /// footer excluded, comes behind them.
    pub(super) fn segment(
        &self,
        tables: &[Arc<Table>],
        next: Option<u64>,
    ) -> std::ops::Range<usize> {
        // As in git, one byte of the header counts, lest an empty table count nothing.
        let version = self.options.write.hash_id.version();
        let overhead = layout::header_len(version).map_or(0, |len| wide(len - 1));
        let sizes: Vec<u64> = tables
            .iter()
            .map(|t| t.size_without_footer())
            .chain(next)
            .map(|size| size.saturating_sub(overhead))
            .collect();
        segment::suggest(&sizes, self.options.auto_compaction_factor)
    }
}

/// The most bytes that a block with `record` alone can have: file header, block header, restart
/// and counts take less than 48, the numbers of the record less than 24.
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

/// The records of several tables, one after another.
#[derive(Debug)]
struct Elders {
    refs: MergedRefs,
    has_ref: bool,
    logs: MergedLogs,
    has_log: bool,
    min_update_index: u64,
    drop_tombstones: bool,
}

impl Elders {
    fn new(tables: &Merged, drop_tombstones: bool) -> Result<Self> {
        let tombstones = if drop_tombstones {
            Tombstones::Hide
        } else {
            Tombstones::Show
        };
        let mut elders = Self {
            refs: tables.refs(tombstones),
            has_ref: false,
            logs: tables.logs(tombstones),
            has_log: false,
            min_update_index: tables.min_update_index(),
            drop_tombstones,
        };
        elders.next_ref()?;
        elders.next_log()?;
        Ok(elders)
    }
}

impl Older for Elders {
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
