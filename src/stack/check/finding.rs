//! The events of a check, and the texts of findings.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::format::error::SystemText;
use crate::format::quote::Quoted;
use crate::format::{Error, FindingKind};
use crate::table::Flaw;

/// What a check reports.
#[derive(Clone, Copy, Debug)]
pub enum CheckEvent<'f> {
    /// The table of this name is checked next.
    Checking(&'f str),
    /// Something is wrong.
    Finding(Finding<'f>),
}

/// A problem with a file of the stack's directory. Its `Display` is one line for the user,
/// which does not repeat the file's name.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'f> {
    /// What it is about.
    pub kind: FindingKind,
    /// The file's name in the stack's directory.
    pub file: &'f str,
    detail: Detail<'f>,
}

/// The particulars of a finding, for its text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Detail<'f> {
    /// A table's name does not consist of two update indexes and a random number.
    BadTableName,
    /// A table's name has other update indexes than its header.
    OtherRange {
        /// Least and greatest update index in the name.
        named: (u64, u64),
        /// Least and greatest update index in the header.
        range: (u64, u64),
    },
    /// A table breaks the format, or contradicts the table before it.
    Flaw(&'f Flaw),
    /// A listed table is missing or cannot be opened.
    Unreadable(&'f io::Error),
    /// A line of the list is neither a file in the directory nor a valid table name.
    NoTable {
        /// Line number, from 1.
        line: usize,
        /// The content of that line.
        name: &'f str,
    },
    /// The list is one word that names no table: it is some other file.
    NotAList,
    /// The directory is missing or not a directory.
    NoDirectory(&'f Error),
    /// The list cannot be read.
    BadList(&'f Error),
    /// A table that the list does not name and that belongs to no running process.
    Unlisted,
    /// A temporary or lock file that is too old to belong to a running process.
    Stale {
        /// Milliseconds since it was last modified.
        age_ms: u64,
    },
}

impl<'f> Finding<'f> {
    pub(super) fn new(file: &'f str, detail: Detail<'f>) -> Self {
        let kind = match detail {
            Detail::BadTableName | Detail::OtherRange { .. } => FindingKind::TableName,
            Detail::Flaw(flaw) => flaw.kind,
            Detail::Unreadable(_) => FindingKind::MissingTable,
            Detail::NoTable { .. }
            | Detail::NotAList
            | Detail::NoDirectory(_)
            | Detail::BadList(_) => FindingKind::List,
            Detail::Unlisted | Detail::Stale { .. } => FindingKind::UnlistedFile,
        };
        Self { kind, file, detail }
    }

    /// Whether the list is a single word that names no table, and so probably not a list at all.
    /// Of such a stack git only reports that it is broken.
    #[must_use]
    pub fn is_not_a_list(&self) -> bool {
        matches!(self.detail, Detail::NotAList)
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail {
            // git's own text.
            Detail::BadTableName => f.write_str("invalid reftable table name"),
            Detail::OtherRange { named, range } => write!(
                f,
                "table name with other update indexes than the header: found {:#x} to {:#x}, \
                 expected {:#x} to {:#x}",
                named.0, named.1, range.0, range.1
            ),
            Detail::Flaw(flaw) => flaw.fmt(f),
            Detail::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                f.write_str("table that tables.list names does not exist")
            }
            Detail::Unreadable(error) => {
                let text = SystemText(error);
                write!(f, "table that tables.list names cannot be opened: {text}")
            }
            Detail::NoTable { line, name } => {
                let name = Quoted(name.as_bytes());
                write!(
                    f,
                    "line {line}: '{name}' is neither a file nor the name of a table"
                )
            }
            Detail::NotAList => f.write_str("tables.list names no table"),
            Detail::NoDirectory(error) => error.fmt(f),
            Detail::BadList(Error::Corrupt(damage)) => damage.fmt(f),
            Detail::BadList(error) => error.fmt(f),
            Detail::Unlisted => f.write_str("table that tables.list does not name"),
            Detail::Stale { age_ms } => {
                let hours = age_ms / (60 * 60 * 1000);
                write!(
                    f,
                    "leftover of an interrupted process, {hours} hours old, expected at most 24"
                )
            }
        }
    }
}
