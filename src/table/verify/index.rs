//! Verifying the index of a section: it must lead to every block by the block's last key.
#![forbid(unsafe_code)]

use std::hash::{BuildHasher, RandomState};

use super::records::Seen;
use super::report::{shown, Report};
use crate::format::error::wide;
use crate::format::{Corruption, Expected, FindingKind};

/// A block to which an index record must refer.
struct Child {
    offset: usize,
    /// Length and hash of its last key; `None` if the block could not be read.
    ///
    /// The keys themselves could be many times larger than the file, because log blocks are
    /// deflated.
    key: Option<(usize, u64)>,
}

/// The blocks of a section, then those of its index level by level, in file order.
///
/// A level follows the one below it and refers to its blocks in order, so that the number of
/// records read determines to which block the next record must refer.
#[derive(Default)]
pub(super) struct Levels {
    hasher: RandomState,
    /// The level below the current one; the section itself for the first.
    below: Vec<Child>,
    /// The number of the next block in `below`.
    next: usize,
    level: Vec<Child>,
    /// Position of the current level of the index; `None` in the section itself.
    start: Option<usize>,
}

impl Levels {
    /// Whether there has been no block yet.
    pub(super) fn is_empty(&self) -> bool {
        self.level.is_empty() && self.start.is_none()
    }

    /// Whether the index has begun.
    pub(super) fn in_index(&self) -> bool {
        self.start.is_some()
    }

    /// Begins an index block; returns `true` if it is the first block of a level.
    pub(super) fn begin(&mut self, offset: usize) -> bool {
        let begins = self.next == self.below.len();
        if begins {
            self.below = std::mem::take(&mut self.level);
            self.next = 0;
            self.start = Some(offset);
        }
        begins
    }

    /// Adds a block that was read; `key` is its last key, if it could be read.
    pub(super) fn push(&mut self, offset: usize, key: Option<&[u8]>) {
        let key = key.map(|key| (key.len(), self.hasher.hash_one(key)));
        self.level.push(Child { offset, key });
    }

    /// Checks that an index record has the position and the last key of the next block of the level
    /// below. `last_key` reads the last key of the block at a position again.
    pub(super) fn record(
        &mut self,
        seen: &Seen<'_, u64>,
        report: &mut Report<'_>,
        last_key: impl FnOnce(usize) -> Option<Vec<u8>>,
    ) {
        let position = usize::try_from(*seen.span).unwrap_or(usize::MAX);
        let rest = self.below.get(self.next..).unwrap_or_default();
        let Ok(skipped) = rest.binary_search_by_key(&position, |child| child.offset) else {
            let what = "position in an index record, not that of the next block below";
            let next = rest.first().map_or(0, |child| wide(child.offset));
            let damage = Corruption::new(seen.offset, what, *seen.span, Expected::Exactly(next));
            return report.add_for(FindingKind::Index, damage, || shown(seen.key));
        };
        if let (Some(first), 1..) = (rest.first(), skipped) {
            let what = "position in an index record, blocks were left out before it";
            let next = Expected::Exactly(wide(first.offset));
            let damage = Corruption::new(seen.offset, what, *seen.span, next);
            report.add_for(FindingKind::Index, damage, || shown(seen.key));
        }
        self.next += skipped + 1;
        let Some((len, hash)) = rest.get(skipped).and_then(|child| child.key) else {
            return;
        };
        if len != seen.key.len() {
            let what = "length of a key in the index, unlike that of the block's last key";
            let expected = Expected::Exactly(wide(len));
            let damage = Corruption::new(seen.offset, what, wide(seen.key.len()), expected);
            report.add_for(FindingKind::Index, damage, || shown(seen.key));
        } else if hash != self.hasher.hash_one(seen.key) {
            other_key(seen, &last_key(position).unwrap_or_default(), report);
        }
    }

    /// Checks at the end of the section that the index has referred to all blocks, and that the
    /// footer has the position of the topmost level.
    pub(super) fn finish(&self, section: usize, root: Option<usize>, report: &mut Report<'_>) {
        if let Some(child) = self.below.get(self.next) {
            let what = "blocks that the index names, of those before it; the next one is";
            let all = Expected::Exactly(wide(self.below.len()));
            let damage = Corruption::new(wide(child.offset), what, wide(self.next), all);
            report.add(FindingKind::Index, damage);
        }
        if root != self.start {
            let what = "position of the index in the footer, for the section";
            let (root, start) = (root.unwrap_or(0), self.start.unwrap_or(0));
            let start = Expected::Exactly(wide(start));
            let damage = Corruption::new(wide(section), what, wide(root), start);
            report.add(FindingKind::Index, damage);
        }
    }
}

/// Reports the first byte in which an index key differs from the last key of its block.
#[cold]
fn other_key(seen: &Seen<'_, u64>, last_key: &[u8], report: &mut Report<'_>) {
    let mut bytes = seen.key.iter().zip(last_key);
    let (&found, &expected) = bytes.find(|(a, b)| a != b).unwrap_or((&0, &0));
    let what = "key in the index, unlike the block's last key, first differing byte";
    let expected = Expected::Exactly(expected.into());
    let damage = Corruption::new(seen.offset, what, found.into(), expected);
    report.add_for(FindingKind::Index, damage, || shown(seen.key));
}
