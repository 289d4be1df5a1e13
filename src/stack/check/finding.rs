//! What a check has to tell, and its words.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::format::error::SystemText;
use crate::format::quote::Quoted;
use crate::format::Error;
use crate::table::Flaw;

/// What a check has to tell about a file.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'f> {
    /// The file's name in the stack's folder.
    pub file: &'f str,
    /// What there is to tell; its `Display` is a line for people that does not name the file.
    pub kind: FindingKind<'f>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FindingKind<'f> {
    /// Nothing is wrong so far; this table comes next.
    Checking,
    /// A table's name is not made of two update indexes and a random number.
    BadTableName,
    /// A table's name tells other update indexes than its header.
    OtherRange {
        /// Least and greatest update index in the name.
        named: (u64, u64),
        /// Those of the table.
        range: (u64, u64),
    },
    /// A table breaks the format, or does not fit into the stack.
    Flaw(&'f Flaw),
    /// A table that the list names is missing or cannot be opened.
    Unreadable(&'f io::Error),
    /// A line of the list is neither a file in the directory nor like the name of a table.
    NoTable {
        /// Number of the line, the first being 1.
        line: usize,
        /// What is in that line.
        name: &'f str,
    },
    /// The list consists of one word that is no table: it is another kind of file.
    NoList,
    /// The directory is missing, or is not one.
    NoDirectory(&'f Error),
    /// The list itself cannot be read.
    BadList(&'f Error),
    /// A table that the list does not name, and that belongs to no process at work.
    Unlisted,
    /// A temporary or lock file that nobody has touched for long.
    Stale {
        /// Milliseconds since it was last written.
        age_ms: u64,
    },
}

impl fmt::Display for FindingKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checking => f.write_str("checking table"),
            // git's own words.
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
