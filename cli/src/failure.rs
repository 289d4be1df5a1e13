//! Why a command could not be run.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;

use crate::text::quoted;

/// Result of all that may end a command.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ends early.
#[derive(Debug)]
pub enum Failure {
    /// The reader of the output has closed it, which needs no message.
    ClosedPipe,
    /// A signal has stopped the command.
    Interrupted,
    /// One line for the user.
    Message(String),
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// An error of the system; `op` is a verb.
    pub fn io(op: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(format!(
            "cannot {op} {}: {}{}",
            quoted_path(path),
            text_of(error),
            hint_of_io(error)
        ))
    }

    /// As [`io`](Self::io), for a path that the user has named.
    pub fn named(op: &str, path: &Path, error: &io::Error) -> Self {
        match (Self::io(op, path, error), error.kind()) {
            (Self::Message(text), io::ErrorKind::NotFound) => Self::new(text + NAME),
            (failure, _) => failure,
        }
    }

    /// An error of writing the output.
    pub fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::new(format!("cannot write the output: {}", text_of(error))),
        }
    }
}

impl From<reftable::Error> for Failure {
    fn from(error: reftable::Error) -> Self {
        use reftable::Error;
        let hint = match &error {
            Error::NotFound { .. } => NAME,
            Error::NotReftable { .. } => "; `reftable migrate --to reftable` moves them",
            Error::Locked { .. } => "; `reftable unlock` tells whether the lock is stale",
            Error::Store(store) => hint_of(store),
            Error::Io(failure) => hint_of_io(&failure.source),
            _ => "",
        };
        Self::new(format!("{error}{hint}"))
    }
}

impl From<reftable::format::Error> for Failure {
    fn from(error: reftable::format::Error) -> Self {
        Self::new(format!("{error}{}", hint_of(&error)))
    }
}

/// What to do if there is nothing where the user says.
const NAME: &str = "; name a repository, a reftable directory or a table";

/// What to do about an error of the system.
fn hint_of_io(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; run as a user who may do that",
        io::ErrorKind::StorageFull => "; make room on the disk",
        _ => "",
    }
}

/// What to do about an error of a stack.
fn hint_of(error: &reftable::format::Error) -> &'static str {
    use reftable::format::Error;
    match error {
        Error::Corrupt(_) | Error::Compression(_) => "; see `reftable verify`",
        Error::NotExist { .. } => "; see `reftable verify`",
        Error::Locked { .. } => "; `reftable unlock` tells whether the lock is stale",
        Error::Io(failure) => hint_of_io(&failure.source),
        _ => "",
    }
}

/// Prints a line on standard error. If that is closed, nobody can be told.
pub fn tell(text: impl Display) {
    let line = format!("reftable: {text}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// The system's text without the number that the standard library appends.
pub fn text_of(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

/// A path for a message.
pub fn quoted_path(path: &Path) -> String {
    quoted(path.as_os_str().as_encoded_bytes())
}
