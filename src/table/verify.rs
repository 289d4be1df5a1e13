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
mod report;
mod sections;

#[cfg(test)]
mod tests;

use report::Report;

use std::fmt;

use super::header::{Footer, Header};
use super::Table;
use crate::format::error::wide;
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
        self.verify_with(false, sink);
    }

    /// As [`verify`](Self::verify); if `in_parallel`, logs are read in another thread.
    pub(crate) fn verify_with(&self, in_parallel: bool, sink: &mut dyn FnMut(Flaw)) {
        let mut report = Report::new(sink);
        sections::verify(self, in_parallel, &mut report);
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
