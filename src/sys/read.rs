//! Reading small files.
#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::Path;

use super::outcome::uninterrupted;

/// Bytes that most of the files have at most.
const USUAL: usize = 512;

/// Reads a file of at most `limit` bytes, which may be a device such as `/dev/null`.
///
/// Never waits for a writer: a FIFO without one is empty.
///
/// # Errors
/// `FileTooLarge` if the file has more bytes; any error reported by the platform.
pub(crate) fn read_up_to(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let bytes = read_start(path, limit.saturating_add(1))?;
    match u64::try_from(bytes.len()) {
        Ok(len) if len <= limit => Ok(bytes),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    }
}

/// Reads the first `limit` bytes of a file, or all if it has fewer. Otherwise as [`read_up_to`].
///
/// # Errors
/// Any error reported by the platform.
pub(crate) fn read_start(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = uninterrupted(|| options.open(path))?;
    // Enough for most files, so that one read gets all.
    let mut bytes = Vec::with_capacity(USUAL);
    (&file).take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
