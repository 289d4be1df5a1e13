//! Advisory locks of open files. They end with the process that holds them, however it ends,
//! and are those of an open file, not of a process number that comes back.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;

/// Locks `file` against all others; false when a process has it locked.
///
/// # Errors
/// Whatever the platform tells; `Unsupported` when it has no such locks.
pub(super) fn try_exclusive(file: &File) -> io::Result<bool> {
    try_lock(file, true)
}

/// Locks `file` together with others that do the same, until it is closed; false when a
/// process has it locked against that.
///
/// # Errors
/// Those of [`try_exclusive`].
pub(super) fn try_shared(file: &File) -> io::Result<bool> {
    try_lock(file, false)
}

#[cfg(unix)]
fn try_lock(file: &File, exclusive: bool) -> io::Result<bool> {
    use rustix::fs::{flock, FlockOperation};
    let how = match exclusive {
        true => FlockOperation::NonBlockingLockExclusive,
        false => FlockOperation::NonBlockingLockShared,
    };
    match super::outcome::uninterrupted(|| flock(file, how).map_err(io::Error::from)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(not(unix))]
fn try_lock(_file: &File, _exclusive: bool) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
