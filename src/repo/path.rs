//! Paths and bytes. Git's names are bytes; outside of Unix, only those that are UTF-8 are paths.
#![forbid(unsafe_code)]

use std::path::Path;

/// The bytes of a path.
pub(super) fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The path with these bytes; `None` if the platform has no such path.
#[cfg(unix)]
pub(super) fn path_of(bytes: &[u8]) -> Option<&Path> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    Some(Path::new(OsStr::from_bytes(bytes)))
}

/// The path with these bytes; `None` if the platform has no such path.
#[cfg(not(unix))]
pub(super) fn path_of(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}
