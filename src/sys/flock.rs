//! Advisory locks of open files. They end with the process that holds them, however it ends,
//! and are those of an open file, not of a process number that comes back.
#![cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "std has them, but not in the least version of Rust"
    )
)]

use std::fs::File;
use std::io;

/// Locks `file` against all others; false when a process has it locked.
pub(super) fn try_exclusive(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    return try_flock(file, libc::LOCK_EX);
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
    return try_flock(file, libc::LOCK_SH);
    #[cfg(not(unix))]
    {
        let _ = file;
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
fn try_flock(file: &File, how: libc::c_int) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    super::uninterrupted(|| {
        // SAFETY: plain numbers; the descriptor is open as long as `file` is borrowed.
        match unsafe { libc::flock(file.as_raw_fd(), how | libc::LOCK_NB) } {
            0 => Ok(true),
            _ => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
                e => Err(e),
            },
        }
    })
}
