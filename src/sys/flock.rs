//! Advisory locks of open files. They end with the process that holds them, however it ends,
//! and are those of an open file, not of a process number that comes back.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;

#[cfg(unix)]
use rustix::fs::FlockOperation;

/// Locks `file` against all others; false when a process has it locked.
pub(super) fn try_exclusive(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    return try_flock(file, FlockOperation::NonBlockingLockExclusive);
    #[cfg(not(unix))]
    {
        let _ = file;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Locks `file` together with others that do the same, until it is closed; false when a
/// process has it locked against that.
pub(super) fn try_shared(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    return try_flock(file, FlockOperation::NonBlockingLockShared);
    #[cfg(not(unix))]
    {
        let _ = file;
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
fn try_flock(file: &File, how: FlockOperation) -> io::Result<bool> {
    match super::uninterrupted(|| rustix::fs::flock(file, how).map_err(io::Error::from)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(e) => Err(e),
    }
}
