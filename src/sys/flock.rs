//! Advisory locks of open files. They belong to the open file, so the system releases them when
//! the process ends for any reason, and reused process ids do not matter.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::std_storage::id_of;

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

/// Removes `path` if it is a regular file, no process has locked it, and `may_remove` agrees.
///
/// The file is locked meanwhile, and the path still has that file when `may_remove` is called. So of
/// several processes that remove files in this way only one removes it, and none removes a file that
/// has taken its place.
///
/// # Errors
/// `Unsupported` if the platform has no such locks or cannot tell files apart; any other error
/// reported by the platform.
pub(crate) fn remove_if(path: &Path, may_remove: impl FnOnce() -> bool) -> io::Result<bool> {
    // Opening a FIFO would wait for its writer.
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(false);
    }
    let file = File::open(path)?;
    if !try_exclusive(&file)? {
        return Ok(false);
    }
    let (Some(locked), Some(present)) = (
        id_of(&file.metadata()?),
        id_of(&fs::symlink_metadata(path)?),
    ) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    if locked != present || !may_remove() {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
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
