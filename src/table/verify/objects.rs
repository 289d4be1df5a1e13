//! Verifying the object section: it must list exactly the ref blocks that contain each object id.
#![forbid(unsafe_code)]

use std::fmt::Write as _;

use super::records::Seen;
use super::report::Report;
use crate::format::error::wide;
use crate::format::{Corruption, Damage, Expected, FindingKind, HashId};
use crate::record::{ObjSpan, RefValue};
use crate::table::objects::ObjectIndex;
use crate::table::Table;

/// The object ids of refs, collected first and then compared with the object records.
pub(super) struct Objects {
    mentions: ObjectIndex,
    /// Bytes of an abbreviation.
    id_len: usize,
    /// The number of the next object's first mention.
    next: usize,
    /// The id that the next record must have; empty at the end.
    id: Vec<u8>,
    /// The blocks that contain it.
    blocks: Vec<u64>,
}

impl Objects {
    pub(super) fn new(hash_id: HashId, id_len: usize) -> Self {
        Self {
            mentions: ObjectIndex::new(hash_id),
            id_len,
            next: 0,
            id: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Adds the ids of a ref in the block at `block`.
    pub(super) fn mention(&mut self, value: &RefValue<'_>, block: usize) {
        for id in [value.id(), value.peeled()].into_iter().flatten() {
            self.mentions.add(id, wide(block));
        }
    }

    /// Begins the object section, after all refs. Returns `None` if its abbreviations are too
    /// short to be compared.
    pub(super) fn begin(mut self, table: &Table, report: &mut Report<'_>) -> Option<Self> {
        let least = self.mentions.sort();
        self.step();
        if self.id_len < least {
            let offset = table.footer_field(8);
            let what = "length of abbreviated object ids, too short to tell all apart";
            let least = Expected::AtLeast(wide(least));
            let damage = Corruption::new(offset, what, wide(self.id_len), least);
            report.add(FindingKind::Objects, damage);
            return None;
        }
        Some(self)
    }

    fn step(&mut self) {
        match self
            .mentions
            .group(self.next, &mut self.id, &mut self.blocks)
        {
            Some(next) => self.next = next,
            None => self.id.clear(),
        }
    }

    /// Compares a record with the ids of refs.
    pub(super) fn record(&mut self, seen: &Seen<'_, ObjSpan>, report: &mut Report<'_>) {
        while !self.id.is_empty() && self.abbreviation() < seen.key {
            self.missing(seen.offset, report);
            self.step();
        }
        if self.id.is_empty() || self.abbreviation() != seen.key {
            let what = "records of an object that no ref mentions";
            let damage = Corruption::new(seen.offset, what, 1, Expected::Exactly(0));
            return report.add_for(FindingKind::Objects, damage, || hex(seen.key));
        }
        if let Some(damage) = self.other_blocks(seen) {
            report.add_for(FindingKind::Objects, damage, || hex(&self.id));
        }
        self.step();
    }

    /// Reports objects without records at the end of the section, which is at `end`.
    pub(super) fn finish(&mut self, end: usize, report: &mut Report<'_>) {
        while !self.id.is_empty() {
            self.missing(wide(end), report);
            self.step();
        }
    }

    fn abbreviation(&self) -> &[u8] {
        self.id.get(..self.id_len).unwrap_or(&self.id)
    }

    #[cold]
    fn missing(&self, offset: u64, report: &mut Report<'_>) {
        let what = "records of an object that a ref mentions";
        let damage = Corruption::new(offset, what, 0, Expected::Exactly(1));
        report.add_for(FindingKind::Objects, damage, || hex(&self.id));
    }

    /// The damage if the positions of a record are wrong. Without positions, any block may contain
    /// the id.
    fn other_blocks(&self, seen: &Seen<'_, ObjSpan>) -> Option<Damage> {
        let count = seen.span.count();
        if count == 0 {
            return None;
        }
        let found = seen.span.offsets(seen.buffer);
        if let Some((found, &expected)) = found.zip(&self.blocks).find(|(a, b)| a != *b) {
            let what = "position of a ref block that mentions an object";
            let expected = Expected::Exactly(expected);
            return Some(Corruption::new(seen.offset, what, found, expected));
        }
        (count != wide(self.blocks.len())).then(|| {
            let what = "number of ref blocks that mention an object";
            let expected = Expected::Exactly(wide(self.blocks.len()));
            Corruption::new(seen.offset, what, count, expected)
        })
    }
}

fn hex(id: &[u8]) -> Option<String> {
    let mut text = String::new();
    for byte in id.iter().take(crate::format::MAX_HASH_LEN) {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}
