//! Removing a file that a dead process has left, by one of several processes that find it.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::flock::try_exclusive;
use super::std_storage::id_of;

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
