//! Listing and emptying a directory by its descriptor, which has no effect on another directory
//! that replaces it.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::outcome::uninterrupted;
use super::FileKind;

/// An open directory.
#[derive(Debug)]
pub(crate) struct OpenDir {
    fd: OwnedFd,
}

impl OpenDir {
    /// Opens `path`, without following a symbolic link.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`, or any other error reported by the platform.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = uninterrupted(|| Ok(rustix::fs::open(path, flags, Mode::empty())?))?;
        Ok(Self { fd })
    }

    /// Returns the names in the directory, sorted, without `.` and `..`, and their types.
    ///
    /// # Errors
    /// Any error reported by the platform.
    pub(crate) fn entries(&self) -> io::Result<Vec<(OsString, FileKind)>> {
        let mut entries = Vec::new();
        for entry in uninterrupted(|| Ok(Dir::read_from(&self.fd)?))? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            match self.kind(name) {
                Ok(kind) => entries.push((name.to_owned(), kind)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    fn kind(&self, name: &OsStr) -> io::Result<FileKind> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let stat = uninterrupted(|| Ok(rustix::fs::statat(&self.fd, name, flags)?))?;
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            _ => FileKind::Other,
        })
    }

    /// Removes `name`, which is not a directory. Succeeds if it does not exist.
    ///
    /// # Errors
    /// Any other error reported by the platform.
    pub(crate) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        let flags = AtFlags::empty();
        match uninterrupted(|| Ok(rustix::fs::unlinkat(&self.fd, name, flags)?)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}
