//! The error type of the crate, and the description of damaged bytes.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::error_code;
use super::quote::Quoted;

/// Result of all fallible functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of lower layers, which do not know the name of the file.
pub(crate) type Damage = Box<Corruption>;

/// The condition that a number in a file does not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The number must equal this one.
    Exactly(u64),
    /// The number must not be greater.
    AtMost(u64),
    /// The number must not be less.
    AtLeast(u64),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(n) => write!(f, "expected {n}"),
            Self::AtMost(n) => write!(f, "expected at most {n}"),
            Self::AtLeast(n) => write!(f, "expected at least {n}"),
        }
    }
}

/// The kind of a [`Corruption`], which decides its [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlawKind {
    /// Bytes break the format.
    Format,
    /// Bytes could not be deflated or inflated.
    Zlib,
    /// Memory could not be allocated; `found` is the number of bytes requested.
    Memory,
}

/// Damaged bytes: their offset and the wrong number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corruption {
    /// Name of the table, when known.
    pub file: Option<String>,
    /// Offset in the file, in bytes. In a log block, the offset of the block plus the position in
    /// its inflated content.
    pub offset: u64,
    /// What the number is, for messages.
    pub what: &'static str,
    /// The number found.
    pub found: u64,
    /// The condition that it does not meet.
    pub expected: Expected,
    /// The damaged bytes, if they are a name.
    pub name: Option<Vec<u8>>,
    pub(crate) kind: FlawKind,
}

/// Maximum bytes of a name in a message.
const SHOWN: usize = 100;

impl Corruption {
    /// Describes damage in a file that is not yet known.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(offset: u64, what: &'static str, found: u64, expected: Expected) -> Damage {
        Box::new(Self {
            file: None,
            offset,
            what,
            found,
            expected,
            name: None,
            kind: FlawKind::Format,
        })
    }

    /// Describes a number that exceeds `expected`, for `usize` numbers.
    #[cold]
    #[inline(never)]
    pub(crate) fn at(offset: usize, what: &'static str, found: usize, expected: usize) -> Damage {
        Self::new(
            wide(offset),
            what,
            wide(found),
            Expected::AtMost(wide(expected)),
        )
    }

    /// Adds `base`, the position of a block, to an offset from the start of the block.
    #[cold]
    pub(crate) fn shifted(mut self: Box<Self>, base: usize) -> Damage {
        self.offset = self.offset.saturating_add(wide(base));
        self
    }

    /// Converts to an [`Error`] that names the file.
    #[cold]
    pub(crate) fn in_file(mut self: Box<Self>, file: &str) -> Error {
        self.file = Some(file.to_owned());
        match self.kind {
            FlawKind::Format => Error::Corrupt(self),
            FlawKind::Zlib => Error::Compression(self),
            FlawKind::Memory => Error::OutOfMemory { size: self.found },
        }
    }
}

/// Converts `usize` to `u64`, which is lossless on all platforms of Rust.
pub(crate) fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", Quoted(file.as_bytes()))?;
        }
        write!(
            f,
            "{} at offset {}: found {}, {}",
            self.what, self.offset, self.found, self.expected
        )?;
        match &self.name {
            Some(name) => write!(f, ", in '{}'", AbbreviatedName(name)),
            None => Ok(()),
        }
    }
}

/// Formats the first bytes of a name, quoted.
pub(crate) struct AbbreviatedName<'n>(pub(crate) &'n [u8]);

impl fmt::Display for AbbreviatedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, rest) = self.0.split_at_checked(SHOWN).unwrap_or((self.0, &[]));
        let dots = if rest.is_empty() { "" } else { "..." };
        write!(f, "{}{dots}", Quoted(text))
    }
}

/// Formats the system's text for an error, without the number that the standard library appends.
pub(crate) struct SystemText<'e>(pub(crate) &'e io::Error);

impl fmt::Display for SystemText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let number = self.0.raw_os_error();
        let suffix = number.map(|number| format!(" (os error {number})"));
        let bare = suffix.and_then(|suffix| text.strip_suffix(&suffix));
        f.write_str(bare.unwrap_or(&text))
    }
}

/// A system call that failed.
#[derive(Debug)]
pub struct IoFailure {
    /// The operation, as a verb: `open`, `rename`, `sync`.
    pub op: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// All errors of this crate; [`Error::code`] returns the number in git's `reftable-error.h`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed.
    Io(Box<IoFailure>),
    /// Bytes of a file break the format.
    Corrupt(Box<Corruption>),
    /// A table in `tables.list` does not exist.
    NotExist {
        /// The missing file.
        path: PathBuf,
    },
    /// Another process or thread holds the lock.
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The caller violated the contract of a function.
    Misuse(&'static str),
    /// A log block could not be deflated or inflated.
    Compression(Box<Corruption>),
    /// A table without records was finished.
    EmptyTable,
    /// A name is not a valid ref name.
    InvalidRefname(Vec<u8>),
    /// A record does not fit into a block.
    EntryTooBig {
        /// Bytes of the record's key and value.
        size: u64,
        /// Maximum bytes of a record in a block.
        limit: u64,
    },
    /// The stack has changed since it was read.
    Outdated,
    /// Memory could not be allocated.
    OutOfMemory {
        /// Bytes requested; 0 if unknown.
        size: u64,
    },
}

impl Error {
    /// An [`Error::Io`]; `op` is a verb.
    #[cold]
    pub(crate) fn io(op: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io(Box::new(IoFailure {
            op,
            path: path.as_ref().to_owned(),
            source,
        }))
    }

    /// An [`Error::Corrupt`] about a file that is not a table (`tables.list`, for instance).
    #[cold]
    pub(crate) fn corrupt(
        file: impl Into<String>,
        offset: u64,
        what: &'static str,
        found: u64,
        expected: Expected,
    ) -> Self {
        Self::Corrupt(Box::new(Corruption {
            file: Some(file.into()),
            offset,
            what,
            found,
            expected,
            name: None,
            kind: FlawKind::Format,
        }))
    }

    /// Adds the damaged bytes, which are a name, to an [`Error::Corrupt`].
    pub(crate) fn about(mut self, name: &[u8]) -> Self {
        if let Self::Corrupt(damage) = &mut self {
            damage.name = Some(name.to_owned());
        }
        self
    }

    /// The number of this error in `enum reftable_error` of git's `reftable-error.h`.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Io(_) => error_code::IO,
            Self::Corrupt(_) => error_code::FORMAT,
            Self::NotExist { .. } => error_code::NOT_EXIST,
            Self::Locked { .. } => error_code::LOCKED,
            Self::Misuse(_) => error_code::MISUSE,
            Self::Compression(_) => error_code::ZLIB,
            Self::EmptyTable => error_code::EMPTY_TABLE,
            Self::InvalidRefname(_) => error_code::REFNAME,
            Self::EntryTooBig { .. } => error_code::ENTRY_TOO_BIG,
            Self::Outdated => error_code::OUTDATED,
            Self::OutOfMemory { .. } => error_code::OUT_OF_MEMORY,
        }
    }

    /// The text of git's library for [`Error::code`].
    fn generic_text(&self) -> &'static str {
        let text = error_code::text(self.code()).unwrap_or_default();
        text.to_str().unwrap_or_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generic = self.generic_text();
        match self {
            Self::Io(e) => {
                let (path, text) = (Quoted::path(&e.path), SystemText(&e.source));
                write!(f, "unable to {} '{path}': {text}", e.op)
            }
            Self::Corrupt(c) => write!(f, "corrupt reftable: {c}"),
            Self::NotExist { path } => {
                let path = Quoted::path(path);
                write!(f, "unable to open '{path}': No such file or directory")
            }
            Self::Locked { path } => write!(f, "'{}' is locked", Quoted::path(path)),
            Self::Misuse(what) => write!(f, "{generic}: {what}"),
            Self::Compression(c) => write!(f, "{generic}: {c}"),
            Self::InvalidRefname(name) => write!(f, "{generic} '{}'", AbbreviatedName(name)),
            Self::EntryTooBig { size, limit } => {
                write!(f, "{generic}: {size} bytes, expected at most {limit}")
            }
            Self::OutOfMemory { size: size @ 1.. } => write!(f, "{generic}: {size} bytes"),
            Self::EmptyTable | Self::Outdated | Self::OutOfMemory { size: 0 } => {
                f.write_str(generic)
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(e) => Some(&e.source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(std::mem::size_of::<Error>() <= 32);
        assert!(std::mem::size_of::<Result<(), Damage>>() <= 8);
    }

    #[test]
    fn messages_name_file_offset_and_both_numbers() {
        let error = Corruption::at(28, "record count", 17, 9).in_file("0x1-0x2.ref");
        assert_eq!(
            error.to_string(),
            "corrupt reftable: 0x1-0x2.ref: record count at offset 28: found 17, expected at most 9"
        );
        assert_eq!(error.code(), -3);
        let mut flaw = Corruption::at(1, "inflated size", 2, 3).shifted(100);
        flaw.kind = FlawKind::Zlib;
        let error = flaw.in_file("x");
        assert_eq!(error.code(), -7);
        assert!(error.to_string().contains("offset 101"));
    }

    #[test]
    fn io_errors_name_the_file_and_keep_their_source() {
        let error = Error::io("open", "a/b", io::Error::from(io::ErrorKind::NotFound));
        assert!(error.to_string().starts_with("unable to open 'a/b': "));
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!(error.code(), -2);
    }

    #[test]
    #[cfg(unix)]
    fn io_errors_show_the_systems_text_without_its_number() {
        for (number, text) in [
            (libc::EACCES, "Permission denied"),
            (libc::EROFS, "Read-only file system"),
            (libc::ENOSPC, "No space left on device"),
            (libc::ENOENT, "No such file or directory"),
            (libc::EMFILE, "Too many open files"),
            (libc::ENOTDIR, "Not a directory"),
        ] {
            let error = Error::io("create", "a/b", io::Error::from_raw_os_error(number));
            assert_eq!(error.to_string(), format!("unable to create 'a/b': {text}"));
        }
        let other = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
        let text = Error::io("open", "x", other).to_string();
        assert_eq!(text, "unable to open 'x': not a regular file");
    }

    #[test]
    fn untrusted_names_cannot_forge_a_line() {
        let path = || PathBuf::from("0x1\nfatal: fake");
        let io = || io::Error::from(io::ErrorKind::NotFound);
        let file = || "0x1\nfatal: fake".to_owned();
        for error in [
            Error::io("open", path(), io()),
            Error::NotExist { path: path() },
            Error::Locked { path: path() },
            Error::InvalidRefname(b"a\nfatal: fake\0".to_vec()),
            Error::corrupt(file(), 0, "x", 0, Expected::Exactly(1)),
            Corruption::at(0, "x", 0, 1).in_file(&file()),
        ] {
            let text = error.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(text.contains("\\nfatal: fake"), "{text}");
        }
    }
}
