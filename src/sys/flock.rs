//! Advisory locks of open files. They belong to the open file, so the system releases them when
//! the process ends for any reason, and reused process ids do not matter.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;

/// Takes an exclusive lock on `file`; returns false if it is locked.
///
/// # Errors
/// `Unsupported` if the platform has no such locks; any other error reported by the platform.
pub(super) fn try_exclusive(file: &File) -> io::Result<bool> {
    try_lock(file, true)
}

/// Takes a shared lock on `file`; returns false if it is locked exclusively.
///
/// # Errors
/// As for [`try_exclusive`].
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
