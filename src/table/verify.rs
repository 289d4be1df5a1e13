//! Verifying one table: finding all violations of the format.
//!
//! Readers check what they read and stop at the first damage. Verification reads the whole file
//! once, in file order, and continues after damage where it knows how: at the next block, or at
//! the next section according to the footer. Checks that depend on damaged parts are skipped; the
//! object section, for instance, depends on all refs.
//!
//! Time is linear in the inflated size of the blocks. Memory is bounded too: of each block, the
//! position and the length and hash of the last key are kept for the index; in a table with an
//! object section, one entry for each object id in each ref block.
#![forbid(unsafe_code)]

mod index;
mod keys;
mod objects;
mod records;
mod sections;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use super::header::{Footer, Header};
use super::Table;
use crate::format::error::{wide, AbbreviatedName};
use crate::format::{Corruption, Damage, Expected, FindingKind};
use crate::sys::TableData;

/// Something in which a table breaks the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What it is about.
    pub kind: FindingKind,
    /// Where it is and which number is wrong; names no file.
    pub damage: Box<Corruption>,
    /// The ref, object or file it is about, quoted, when that helps.
    pub subject: Option<String>,
}

impl Flaw {
    pub(crate) fn new(kind: FindingKind, damage: Damage) -> Self {
        Self {
            kind,
            damage,
            subject: None,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.damage.fmt(f)?;
        match &self.subject {
            Some(subject) => write!(f, " ({subject})"),
            None => Ok(()),
        }
    }
}

/// The number of flaws of one kind to report individually; further ones are only counted.
const MOST: u64 = 20;

/// Passes flaws to the caller.
struct Report<'r> {
    sink: &'r mut dyn FnMut(Flaw),
    /// For each kind, the number of flaws and the offset of the first one left out.
    counts: BTreeMap<FindingKind, (u64, u64)>,
}

impl<'r> Report<'r> {
    fn new(sink: &'r mut dyn FnMut(Flaw)) -> Self {
        Self {
            sink,
            counts: BTreeMap::new(),
        }
    }

    /// Adds a flaw without a subject.
    fn add(&mut self, kind: FindingKind, damage: Damage) {
        self.add_for(kind, damage, || None);
    }

    /// Adds a flaw with its subject, which is computed only when needed.
    fn add_for(
        &mut self,
        kind: FindingKind,
        damage: Damage,
        subject: impl FnOnce() -> Option<String>,
    ) {
        let (count, place) = self.counts.entry(kind).or_default();
        *count = count.saturating_add(1);
        if *count <= MOST {
            (self.sink)(Flaw {
                kind,
                damage,
                subject: subject(),
            });
        } else if *count == MOST + 1 {
            *place = damage.offset;
        }
    }

    /// Reports how many flaws were left out.
    fn finish(self) {
        for (kind, (count, place)) in self.counts {
            if let Some(more) = count.checked_sub(MOST).filter(|&more| more > 0) {
                let what = "further findings of this kind, the first of them";
                let damage = Corruption::new(place, what, more, Expected::Exactly(0));
                (self.sink)(Flaw::new(kind, damage));
            }
        }
    }
}

/// The name for messages, quoted and abbreviated.
fn shown(name: &[u8]) -> Option<String> {
    Some(AbbreviatedName(name).to_string())
}

impl Table {
    /// Opens a table like [`Table::new`], but also checks the positions in the footer, and returns
    /// the flaw if one is found.
    ///
    /// # Errors
    /// The flaw, which is in the header, the footer or the first block.
    pub fn inspect(name: &str, data: TableData) -> Result<Self, Flaw> {
        let header = Header::parse(&data).and_then(|header| header.check_limits().map(|()| header));
        let header = header.map_err(|damage| {
            let kind = match damage.offset {
                _ if data.len() < LONGEST_HEADER => FindingKind::Header,
                8 => FindingKind::UpdateIndex,
                24 => FindingKind::Hash,
                _ => FindingKind::Header,
            };
            Flaw::new(kind, damage)
        })?;
        let end = data.len().saturating_sub(header.footer_len());
        Footer::parse(&data, &header)
            .and_then(|footer| footer.check(&header, end))
            .map_err(|damage| Flaw::new(FindingKind::Footer, damage))?;
        let footer = wide(end);
        Self::parse(name, data).map_err(|damage| {
            let kind = if damage.offset < footer {
                FindingKind::Block
            } else {
                FindingKind::Footer
            };
            Flaw::new(kind, damage)
        })
    }

    /// Reads the whole table and passes every flaw to `sink`, roughly in file order. After twenty
    /// flaws of a kind, further ones are only counted, and their number is passed at the end.
    ///
    /// In a table without flaws every record can be found in every way: by iterating, through the
    /// indexes, and through the object section.
    pub fn verify(&self, sink: &mut dyn FnMut(Flaw)) {
        let mut report = Report::new(sink);
        sections::verify(self, &mut report);
        report.finish();
    }

    /// The flaw of a table whose hash function is not `wanted`.
    pub(crate) fn wrong_hash(&self, wanted: u32) -> Flaw {
        // Version 1 has no such field: name the version.
        let offset = if self.header.version == 1 { 4 } else { 24 };
        let found = u64::from(self.hash_id().format_id());
        let damage = Corruption::new(offset, "hash id", found, Expected::Exactly(wanted.into()));
        Flaw::new(FindingKind::Hash, damage)
    }

    /// Position in the file of the footer's field at offset `field` after the copy of the header.
    pub(super) fn footer_field(&self, field: usize) -> u64 {
        wide(self.end + self.header.len() + field)
    }
}

/// Bytes of the header of version 2.
const LONGEST_HEADER: usize = 28;
