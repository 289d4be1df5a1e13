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

use std::fmt;

use super::header::{Footer, Header};
use super::Table;
use crate::format::error::{wide, Shown};
use crate::format::{Corruption, Damage, Expected};
use crate::sys::TableData;

/// What a flaw is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FlawClass {
    /// The first bytes are not those of a table that can be read.
    Header,
    /// The last bytes do not fit their checksum, the header, or the sections.
    Footer,
    /// The hash of the object ids is unknown or not the one wanted.
    Hash,
    /// An update index is outside its range.
    UpdateIndex,
    /// A block or a record cannot be read, or bytes stand where none may be.
    Block,
    /// Keys repeat or do not ascend.
    Order,
    /// An index does not lead to the blocks below it.
    Index,
    /// The object section does not tell which blocks mention an object.
    Objects,
}

impl FlawClass {
    const COUNT: usize = 8;

    fn number(self) -> usize {
        match self {
            Self::Header => 0,
            Self::Footer => 1,
            Self::Hash => 2,
            Self::UpdateIndex => 3,
            Self::Block => 4,
            Self::Order => 5,
            Self::Index => 6,
            Self::Objects => 7,
        }
    }
}

/// Something in which a table breaks the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What it is about.
    pub class: FlawClass,
    /// Where it is and which number is wrong; names no file.
    pub damage: Box<Corruption>,
    /// The ref, object or file it is about, quoted, when that helps.
    pub subject: Option<String>,
}

impl Flaw {
    pub(crate) fn new(class: FlawClass, damage: Damage) -> Self {
        Self {
            class,
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

/// Flaws of one class that are told one by one; a heap of them says no more than their number.
const MOST: u64 = 20;

/// Passes flaws to the caller.
struct Report<'r> {
    sink: &'r mut dyn FnMut(Flaw),
    /// For each class, how many there were, and where the first stands that was left out.
    counts: [(u64, u64); FlawClass::COUNT],
}

impl<'r> Report<'r> {
    fn new(sink: &'r mut dyn FnMut(Flaw)) -> Self {
        Self {
            sink,
            counts: [(0, 0); FlawClass::COUNT],
        }
    }

    fn tell(&mut self, class: FlawClass, damage: Damage) {
        self.tell_about(class, damage, || None);
    }

    /// Tells a flaw with its subject, which is only made when it is needed.
    fn tell_about(
        &mut self,
        class: FlawClass,
        damage: Damage,
        subject: impl FnOnce() -> Option<String>,
    ) {
        let Some((count, place)) = self.counts.get_mut(class.number()) else {
            return;
        };
        *count = count.saturating_add(1);
        if *count <= MOST {
            (self.sink)(Flaw {
                class,
                damage,
                subject: subject(),
            });
        } else if *count == MOST + 1 {
            *place = damage.offset;
        }
    }

    /// Tells how many flaws were left out.
    fn finish(self) {
        use FlawClass::{Block, Footer, Hash, Header, Index, Objects, Order, UpdateIndex};
        for class in [
            Header,
            Footer,
            Hash,
            UpdateIndex,
            Block,
            Order,
            Index,
            Objects,
        ] {
            let (count, place) = self.counts.get(class.number()).copied().unwrap_or_default();
            if let Some(more) = count.checked_sub(MOST).filter(|&more| more > 0) {
                let what = "further findings of this kind, the first of them";
                let damage = Corruption::new(place, what, more, Expected::Exactly(0));
                (self.sink)(Flaw::new(class, damage));
            }
        }
    }
}

/// A name for people.
fn shown(name: &[u8]) -> Option<String> {
    Some(Shown(name).to_string())
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
            let class = match damage.offset {
                _ if data.len() < LONGEST_HEADER => FlawClass::Header,
                8 => FlawClass::UpdateIndex,
                24 => FlawClass::Hash,
                _ => FlawClass::Header,
            };
            Flaw::new(class, damage)
        })?;
        let end = data.len().saturating_sub(header.footer_len());
        Footer::parse(&data, &header)
            .and_then(|footer| footer.check(&header, end))
            .map_err(|damage| Flaw::new(FlawClass::Footer, damage))?;
        let footer = wide(end);
        Self::parse(name, data).map_err(|damage| {
            let class = if damage.offset < footer {
                FlawClass::Block
            } else {
                FlawClass::Footer
            };
            Flaw::new(class, damage)
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
        Flaw::new(FlawClass::Hash, damage)
    }

    /// Position in the file of the footer's field at offset `field` after the copy of the header.
    pub(super) fn footer_field(&self, field: usize) -> u64 {
        wide(self.end + self.header.len() + field)
    }
}

/// Bytes of the header of version 2.
const LONGEST_HEADER: usize = 28;
