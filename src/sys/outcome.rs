//! System-call errors that count as success.
#![forbid(unsafe_code)]

use std::io;

/// Repeats `work` while a signal interrupts it.
pub(crate) fn uninterrupted<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Ignores the error that a file system cannot flush directories, or that a directory is not
/// readable (and possibly still writable).
pub(crate) fn ignore_unsupported(flushed: io::Result<()>) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match flushed {
        Err(e) if matches!(e.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        // Rust 1.85 has no kind for this error.
        #[cfg(unix)]
        Err(e) if e.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupted_calls_are_repeated() {
        let mut left = 3;
        let done = uninterrupted(|| {
            left -= 1;
            match left {
                0 => Ok(7),
                _ => Err(io::ErrorKind::Interrupted.into()),
            }
        });
        assert_eq!((done.unwrap(), left), (7, 0));
        let failed = uninterrupted(|| Err::<(), _>(io::ErrorKind::NotFound.into()));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn only_errors_of_unsupported_flushes_are_ignored() {
        for number in [libc::EINVAL, libc::EACCES, libc::ENOSYS, libc::EOPNOTSUPP] {
            ignore_unsupported(Err(io::Error::from_raw_os_error(number))).unwrap();
        }
        for number in [libc::EIO, libc::ENOSPC, libc::EMFILE, libc::ENOENT] {
            let error = io::Error::from_raw_os_error(number);
            assert!(ignore_unsupported(Err(error)).is_err(), "{number}");
        }
    }
}
