//! Verifying the sections of a table and their blocks.
#![forbid(unsafe_code)]

use std::panic;
use std::thread;

use super::index::Levels;
use super::objects::Objects;
use super::records::{walk, Seen};
use super::report::{shown, Report};
use crate::block::{Block, BlockRecords, Inflater};
use crate::format::error::wide;
use crate::format::layout::{MIN_OBJECT_ID_LEN, RESTART_COUNT_LEN, RESTART_LEN};
use crate::format::{BlockType, Corruption, Damage, Expected, FindingKind};
use crate::record::{
    log_record, Context, IndexRecords, LogRecords, LogSpan, ObjRecords, RefRecords, RefSpan,
    RefValue,
};
use crate::table::header::Footer;
use crate::table::{Section, Table};

/// Size above which a table is worth a thread, in bytes.
const LEAST_FOR_THREAD: usize = if cfg!(test) { 0 } else { 1 << 20 };

/// Verifies all sections between header and footer. If `in_parallel`, a thread of its own verifies the
/// logs of a large table, on which nothing else depends.
pub(super) fn verify(table: &Table, in_parallel: bool, report: &mut Report<'_>) {
    check_positions(table, report);
    // If the file begins with logs, a ref section is only an error of the footer.
    let refs = table.refs.filter(|_| !table.logs_first);
    let mut sections: Vec<(BlockType, Section)> = [
        (BlockType::Ref, refs),
        (BlockType::Obj, table.objects),
        (BlockType::Log, table.logs),
    ]
    .into_iter()
    .filter_map(|(kind, section)| section.map(|section| (kind, section)))
    .collect();
    sections.sort_by_key(|(_, section)| section.start);
    let ends = sections.iter().skip(1).map(|(_, next)| next.start);
    let ends: Vec<usize> = ends.chain([table.end]).collect();

    let parts: Vec<Part> = sections.into_iter().zip(ends).collect();
    match parts.split_last() {
        Some((logs, others))
            if in_parallel
                && logs.0 .0 == BlockType::Log
                && !others.is_empty()
                && table.data.len() > LEAST_FOR_THREAD =>
        {
            in_two_threads(table, others, *logs, report);
        }
        _ => walk_all(table, &parts, report),
    }
}

/// A section, its type, and where it ends.
type Part = ((BlockType, Section), usize);

fn walk_all(table: &Table, parts: &[Part], report: &mut Report<'_>) {
    let mut walk = SectionWalk::new(table);
    for &((kind, section), end) in parts {
        walk.section(kind, section, end, report);
    }
}

/// Verifies `logs` in another thread, and reports its flaws after those of the others.
fn in_two_threads(table: &Table, others: &[Part], logs: Part, report: &mut Report<'_>) {
    thread::scope(|scope| {
        let of_logs = || {
            let mut flaws = Vec::new();
            let mut sink = |flaw| flaws.push(flaw);
            let mut report = Report::new(&mut sink);
            walk_all(table, &[logs], &mut report);
            let counts = report.into_counts();
            (flaws, counts)
        };
        let other = thread::Builder::new().spawn_scoped(scope, of_logs);
        walk_all(table, others, report);
        match other.map(thread::ScopedJoinHandle::join) {
            Ok(Ok((flaws, counts))) => report.absorb(flaws, counts),
            Ok(Err(panic)) => panic::resume_unwind(panic),
            // There can be no more threads.
            Err(_) => walk_all(table, &[logs], report),
        }
    });
}

/// Checks that the footer has no positions of absent sections and of their indexes, and that
/// sections are in the right order.
fn check_positions(table: &Table, report: &mut Report<'_>) {
    let Ok(footer) = Footer::parse(&table.data, &table.header) else {
        return;
    };
    let logs_first = table.logs_first;
    let logs_at = logs_first.then(|| wide(table.first_block()));
    for (field, position, absent, what) in [
        (
            0,
            footer.ref_index,
            table.refs.is_none() || logs_first,
            "position of the index of absent refs",
        ),
        (
            8,
            footer.objects,
            logs_first,
            "position of objects after logs",
        ),
        (
            16,
            footer.object_index,
            table.objects.is_none(),
            "position of the index of absent objects",
        ),
        (
            24,
            footer.logs,
            logs_at.is_some_and(|first| first != footer.logs),
            "position of logs, which begin the file",
        ),
        (
            32,
            footer.log_index,
            table.logs.is_none(),
            "position of the index of absent logs",
        ),
    ] {
        if absent && position != 0 {
            let offset = table.footer_field(field);
            let damage = Corruption::new(offset, what, position, Expected::Exactly(0));
            report.add(FindingKind::Footer, damage);
        }
    }
    if table.objects.is_some() && table.object_id_len < MIN_OBJECT_ID_LEN {
        let what = "length of abbreviated object ids";
        let least = Expected::AtLeast(wide(MIN_OBJECT_ID_LEN));
        let offset = table.footer_field(8);
        let damage = Corruption::new(offset, what, wide(table.object_id_len), least);
        report.add(FindingKind::Objects, damage);
    }
}

struct SectionWalk<'t> {
    table: &'t Table,
    inflater: Inflater,
    /// `None` if the table has no object section, or if not all refs could be read.
    objects: Option<Objects>,
    context: Context,
}

/// The context for reading records here: any update index is accepted, to be reported later.
fn lenient(table: &Table) -> Context {
    let least = table.context.min_update_index;
    Context::new(table.context.hash_len, least, u64::MAX - least)
}

impl<'t> SectionWalk<'t> {
    fn new(table: &'t Table) -> Self {
        let new_objects = |_| Objects::new(table.hash_id(), table.object_id_len);
        Self {
            table,
            inflater: Inflater::default(),
            objects: table.objects.map(new_objects),
            context: lenient(table),
        }
    }

    /// Verifies a section and its index, up to `end`.
    fn section(&mut self, kind: BlockType, section: Section, end: usize, report: &mut Report<'_>) {
        if kind == BlockType::Obj {
            let table = self.table;
            let objects = self.objects.take();
            self.objects = objects.and_then(|objects| objects.begin(table, report));
        }
        if !self.blocks(kind, section, end, report) && kind != BlockType::Log {
            self.objects = None;
        }
        if kind == BlockType::Obj {
            if let Some(objects) = &mut self.objects {
                objects.finish(end, report);
            }
        }
    }

    /// Verifies the blocks of a section and its index; returns `false` if not all records of the
    /// section could be read.
    fn blocks(
        &mut self,
        kind: BlockType,
        section: Section,
        end: usize,
        report: &mut Report<'_>,
    ) -> bool {
        let mut levels = Levels::default();
        let mut key = Vec::new();
        let mut sound = true;
        let mut offset = section.start;
        while offset < end {
            let (found, block) = match self.open(kind, &levels, offset) {
                Ok(opened) => opened,
                Err(damage) => {
                    report.add(FindingKind::Block, damage);
                    return false;
                }
            };
            if found == BlockType::Index && levels.begin(offset) {
                key.clear();
            }
            let complete = self.records(found, &block, &mut key, &mut levels, report);
            levels.push(offset, complete.then_some(&key));
            if !complete && found == kind {
                sound = false;
            }
            self.check_frame(found, &block, end, report);
            offset = block.next_offset();
        }
        levels.finish(section.start, section.index, report);
        sound
    }

    /// Opens the next block of a section, which must have its type, or belong to its index if it is
    /// not the first block.
    fn open(
        &mut self,
        kind: BlockType,
        levels: &Levels,
        offset: usize,
    ) -> Result<(BlockType, Block), Damage> {
        let frame = self.table.frame();
        let found = Block::type_at(&frame, offset)?;
        let right = match found {
            BlockType::Index => !levels.is_empty(),
            _ => found == kind && !levels.in_index(),
        };
        if !right {
            let expected = if levels.in_index() {
                BlockType::Index
            } else {
                kind
            };
            return Err(Corruption::new(
                wide(offset),
                "type of a block in this section",
                found.byte().into(),
                Expected::Exactly(expected.byte().into()),
            ));
        }
        Block::open(&frame, offset, Some(found), &mut self.inflater).map(|block| (found, block))
    }

    /// Verifies the records of a block; returns `false` if not all could be read.
    fn records(
        &mut self,
        found: BlockType,
        block: &Block,
        key: &mut Vec<u8>,
        levels: &mut Levels,
        report: &mut Report<'_>,
    ) -> bool {
        let table = self.table;
        let objects = &mut self.objects;
        let records = BlockRecords {
            block,
            buffer: match found {
                BlockType::Log => self.inflater.block(),
                _ => &table.data,
            },
            context: &self.context,
        };
        match found {
            BlockType::Ref => walk::<RefRecords>(&records, key, report, &mut |seen, report| {
                let value = check_ref(table, seen, report);
                if let Some(objects) = objects {
                    objects.mention(&value, block.offset);
                }
            }),
            BlockType::Obj => walk::<ObjRecords>(&records, key, report, &mut |seen, report| {
                if let Some(objects) = objects {
                    objects.record(seen, report);
                }
            }),
            BlockType::Log => walk::<LogRecords>(&records, key, report, &mut |seen, report| {
                check_log(table, seen, report);
            }),
            BlockType::Index => walk::<IndexRecords>(&records, key, report, &mut |seen, report| {
                levels.record(seen, report, |offset| last_key(table, offset));
            }),
        }
    }

    /// Checks the restart count, the length and the padding of a block, and that the next section
    /// does not begin within it.
    fn check_frame(&self, found: BlockType, block: &Block, end: usize, report: &mut Report<'_>) {
        if block.restart_count == 0 {
            let what = "number of restarts";
            let damage = Corruption::new(wide(block.offset), what, 0, Expected::AtLeast(1));
            report.add(FindingKind::Block, damage);
        }
        if found != BlockType::Log {
            if let Some(damage) = bad_size(self.table, found, block) {
                report.add(FindingKind::Block, damage);
            }
        }
        let next = block.next_offset();
        if next > end && end < self.table.end {
            let what = "position of a section in the footer, inside the block before it";
            let least = Expected::AtLeast(wide(next));
            let damage = Corruption::new(wide(block.offset), what, wide(end), least);
            report.add(FindingKind::Footer, damage);
        }
    }
}

/// The damage of a block that is longer than the block size, or whose padding is not NUL.
fn bad_size(table: &Table, found: BlockType, block: &Block) -> Option<Damage> {
    let restarts = RESTART_LEN * usize::from(block.restart_count);
    let end = block.records_end + restarts + RESTART_COUNT_LEN;
    let len = end - block.offset;
    let block_size = table.frame().block_size;
    // Index blocks may be longer.
    if block_size > 0 && len > block_size && found != BlockType::Index {
        let what = "block length, larger than the block size";
        return Some(Corruption::at(block.offset, what, len, block_size));
    }
    let next = block.next_offset().min(table.end);
    let padding = table.data.get(end..next).unwrap_or_default();
    let (at, &byte) = padding.iter().enumerate().find(|(_, &byte)| byte != 0)?;
    let what = "byte of a block's padding";
    let nul = Expected::Exactly(0);
    Some(Corruption::new(wide(end + at), what, byte.into(), nul))
}

/// Checks the value of a ref, and returns it.
fn check_ref<'b>(table: &Table, seen: &Seen<'b, RefSpan>, report: &mut Report<'_>) -> RefValue<'b> {
    let (found, most) = (seen.span.update_index, table.max_update_index());
    if found > most {
        let what = "update index of a ref";
        let damage = Corruption::new(seen.offset, what, found, Expected::AtMost(most));
        report.add_for(FindingKind::UpdateIndex, damage, || shown(seen.key));
    }
    let value = seen.span.value(seen.buffer);
    if let RefValue::Symref(target) = value {
        if let Some(nul) = target.iter().position(|&byte| byte == 0) {
            let what = "NUL in the target of a symbolic ref, its position";
            let least = Expected::AtLeast(wide(target.len()));
            let damage = Corruption::new(seen.offset, what, wide(nul), least);
            report.add_for(FindingKind::Block, damage, || shown(seen.key));
        }
    }
    value
}

fn check_log(table: &Table, seen: &Seen<'_, LogSpan>, report: &mut Report<'_>) {
    let record = log_record(seen.key, seen.span, seen.buffer);
    let (found, most) = (record.update_index, table.max_update_index());
    // Only the upper limit applies: a tombstone hides an older entry, an update may replace one.
    if found > most {
        let what = "update index of a reflog entry";
        let damage = Corruption::new(seen.offset, what, found, Expected::AtMost(most));
        report.add_for(FindingKind::UpdateIndex, damage, || shown(record.name));
    }
}

/// Reads the last key of a block again.
fn last_key(table: &Table, offset: usize) -> Option<Vec<u8>> {
    let frame = table.frame();
    let mut inflater = Inflater::default();
    let found = Block::type_at(&frame, offset).ok()?;
    let block = Block::open(&frame, offset, Some(found), &mut inflater).ok()?;
    let mut key = Vec::new();
    let records = BlockRecords {
        block: &block,
        buffer: match found {
            BlockType::Log => inflater.block(),
            _ => &table.data,
        },
        context: &lenient(table),
    };
    let sink = &mut |_| {};
    let report = &mut Report::new(sink);
    let read = match found {
        BlockType::Ref => walk::<RefRecords>(&records, &mut key, report, &mut |_, _| {}),
        BlockType::Obj => walk::<ObjRecords>(&records, &mut key, report, &mut |_, _| {}),
        BlockType::Log => walk::<LogRecords>(&records, &mut key, report, &mut |_, _| {}),
        BlockType::Index => walk::<IndexRecords>(&records, &mut key, report, &mut |_, _| {}),
    };
    read.then_some(key)
}
