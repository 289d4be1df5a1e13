//! The findings of a check and their texts.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::format::error::SystemText;
use crate::format::quote::Quoted;
use crate::format::Error;
use crate::table::Flaw;

/// A finding about one file.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'f> {
    /// The file's name in the stack's directory.
    pub file: &'f str,
    /// The finding. Its `Display` is a line of text that does not name the file.
    pub kind: FindingKind<'f>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FindingKind<'f> {
    /// Not a fault: this table is checked next.
    Checking,
    /// A table's name does not consist of two update indexes and a random number.
    BadTableName,
    /// A table's name has other update indexes than its header.
    OtherRange {
        /// Least and greatest update index in the name.
        named: (u64, u64),
        /// Least and greatest update index in the header.
        range: (u64, u64),
    },
    /// A table breaks the format, or does not fit into the stack.
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
    NoList,
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

impl fmt::Display for FindingKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checking => f.write_str("checking table"),
            // git's own text.
            Self::BadTableName => f.write_str("invalid reftable table name"),
            Self::OtherRange { named, range } => write!(
                f,
                "table name with other update indexes than the header: found {:#x} to {:#x}, \
                 expected {:#x} to {:#x}",
                named.0, named.1, range.0, range.1
            ),
            Self::Flaw(flaw) => flaw.fmt(f),
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                f.write_str("table that tables.list names does not exist")
            }
            Self::Unreadable(error) => {
                let text = SystemText(error);
                write!(f, "table that tables.list names cannot be opened: {text}")
            }
            Self::NoTable { line, name } => {
                let name = Quoted(name.as_bytes());
                write!(
                    f,
                    "line {line}: '{name}' is neither a file nor the name of a table"
                )
            }
            Self::NoList => f.write_str("tables.list names no table"),
            Self::NoDirectory(error) => error.fmt(f),
            Self::BadList(Error::Corrupt(damage)) => damage.fmt(f),
            Self::BadList(error) => error.fmt(f),
            Self::Unlisted => f.write_str("table that tables.list does not name"),
            Self::Stale { age_ms } => {
                let hours = age_ms / (60 * 60 * 1000);
                write!(
                    f,
                    "leftover of an interrupted process, {hours} hours old, expected at most 24"
                )
            }
        }
    }
}
