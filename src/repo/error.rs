//! The errors of a repository's references.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::ObjectId;
use crate::format::error::SystemText;
use crate::format::quote::Quoted;
use crate::format::{Error as StoreError, IoFailure};

/// Result of the functions of [`Repository`](super::Repository).
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a repository's references failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Neither the directory nor any above it is a repository.
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// The references of the repository are not in reftables. Use another library for it.
    NotReftable {
        /// The git directory.
        git_dir: PathBuf,
        /// The format of the references: `files`, or another one that `extensions.refStorage` names.
        format: BString,
    },
    /// The repository uses a version or an extension that this crate does not know.
    Unsupported {
        /// The git directory.
        git_dir: PathBuf,
        /// The setting and its value, such as `extensions.objectFormat=sha512`.
        setting: BString,
    },
    /// The configuration cannot be read or has a setting with an invalid value.
    Config {
        /// The file, if known.
        path: Option<PathBuf>,
        /// What is wrong.
        reason: String,
    },
    /// A file that names a directory of the repository is invalid: `.git`, `commondir` or `gitdir`.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// A file of the repository outside the ref store could not be used.
    Io(Box<IoFailure>),
    /// There is no linked worktree of this name.
    NoWorktree {
        /// The name.
        name: BString,
    },
    /// A lock is held by another process.
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Git does not allow this name for a ref.
    InvalidName {
        /// The name.
        name: BString,
        /// The rule that it breaks.
        reason: String,
    },
    /// A ref cannot exist beside another one whose name is a directory of its name, or below it:
    /// `refs/heads/a` and `refs/heads/a/b`.
    NameConflict {
        /// The name of the new ref.
        name: BString,
        /// The ref that is in the way. It exists, or is changed in the same transaction.
        existing: BString,
    },
    /// A transaction has several changes of one ref.
    Duplicate {
        /// The ref.
        name: BString,
    },
    /// A ref does not have the value that the caller expected.
    Unexpected {
        /// The ref.
        name: BString,
        /// The value expected.
        expected: Value,
        /// The value found.
        found: Value,
    },
    /// A symbolic ref leads through too many others, possibly in a circle. Git follows five.
    TooManySymrefs {
        /// The first of them.
        name: BString,
    },
    /// The worktree has no ref `HEAD`.
    NoHead {
        /// The git directory of the worktree.
        git_dir: PathBuf,
    },
    /// A reflog entry needs a committer, and neither the caller nor the configuration gives one.
    NoCommitter,
    /// A ref cannot be set to the null id. To delete it is another change.
    NullId {
        /// The ref.
        name: BString,
    },
    /// An id has another hash than the repository.
    WrongHash {
        /// The id.
        id: ObjectId,
    },
    /// The ref store could not be read or written.
    Store(StoreError),
}

/// The value of a ref, for [`Error::Unexpected`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// There is no ref.
    Missing,
    /// A ref of any value.
    Existing,
    /// An object id.
    Id(ObjectId),
    /// A symbolic ref with this target.
    Symbolic(BString),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no ref"),
            Self::Existing => f.write_str("a ref"),
            Self::Id(id) => id.fmt(f),
            Self::Symbolic(target) => write!(f, "a symbolic ref to '{}'", Quoted(target)),
        }
    }
}

impl Error {
    /// An [`Error::Io`]; `op` is a verb.
    pub(super) fn io(op: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        let path = path.as_ref().to_owned();
        Self::Io(Box::new(IoFailure { op, path, source }))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked { path } => Self::Locked { path },
            error => Self::Store(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = Quoted::path;
        match self {
            Self::NotFound { start } => write!(f, "'{}' is not in a git repository", path(start)),
            Self::NotReftable { git_dir, format } => write!(
                f,
                "the refs of '{}' are not in reftables but in the format '{}'",
                path(git_dir),
                Quoted(format)
            ),
            Self::Unsupported { git_dir, setting } => write!(
                f,
                "'{}' has an unsupported format: {}",
                path(git_dir),
                Quoted(setting)
            ),
            Self::Config { path: file, reason } => {
                f.write_str("bad configuration")?;
                if let Some(file) = file {
                    write!(f, " in '{}'", path(file))?;
                }
                write!(f, ": {reason}")
            }
            Self::Malformed { path: p, reason } => write!(f, "'{}' is invalid: {reason}", path(p)),
            Self::Io(e) => write_io(f, e),
            Self::NoWorktree { name } => write!(f, "no worktree is called '{}'", Quoted(name)),
            Self::Locked { path: file } => write!(f, "'{}' is locked", path(file)),
            Self::InvalidName { name, reason } => {
                write!(f, "invalid refname '{}': {reason}", Quoted(name))
            }
            Self::NameConflict { name, existing } => {
                let (name, existing) = (Quoted(name), Quoted(existing));
                write!(f, "cannot create '{name}' beside '{existing}'")
            }
            Self::Duplicate { name } => write!(f, "ref '{}' is changed twice", Quoted(name)),
            Self::Unexpected {
                name,
                expected,
                found,
            } => {
                let name = Quoted(name);
                write!(f, "ref '{name}': found {found}, expected {expected}")
            }
            Self::TooManySymrefs { name } => {
                write!(f, "too many symbolic refs from '{}'", Quoted(name))
            }
            Self::NoHead { git_dir } => write!(f, "'{}' has no HEAD", path(git_dir)),
            Self::NoCommitter => f.write_str("no committer: set user.name and user.email"),
            Self::NullId { name } => {
                write!(f, "cannot set ref '{}' to the null id", Quoted(name))
            }
            Self::WrongHash { id } => {
                write!(f, "object id {id} is not of the repository's hash function")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

fn write_io(f: &mut fmt::Formatter<'_>, failure: &IoFailure) -> fmt::Result {
    let (path, text) = (Quoted::path(&failure.path), SystemText(&failure.source));
    write!(f, "unable to {} '{path}': {text}", failure.op)
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(e) => Some(&e.source),
            Self::Store(e) => e.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<Error>() <= 104);
    }

    #[test]
    fn names_cannot_forge_a_line() {
        let name = || BString::from("a\nfatal: fake");
        let value = || Value::Symbolic(name());
        for error in [
            Error::NoWorktree { name: name() },
            Error::NameConflict {
                name: name(),
                existing: name(),
            },
            Error::Unexpected {
                name: name(),
                expected: value(),
                found: value(),
            },
        ] {
            let text = error.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
}
