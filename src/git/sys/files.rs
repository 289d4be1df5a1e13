//! Git's lock files and temporary files. Its signal and exit handlers remove those that a
//! process leaves.

use super::strings::borrow;
use crate::git::abi::{
    calls, ffi, LockFile, Tempfile, FSYNC_COMPONENT_REFERENCE, FSYNC_METHOD_WRITEOUT_ONLY,
};
use crate::sys::outcome::uninterrupted;
use std::ffi::{c_int, CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr::NonNull;

/// A held `struct lock_file`.
#[derive(Debug)]
pub struct Lock {
    raw: Option<NonNull<LockFile>>,
}

// SAFETY: git's ref stores are used, and their locks dropped, by one thread only: the type that
// holds a lock there, `Store`, cannot be sent to another.
unsafe impl Send for Lock {}

/// An active `struct tempfile`.
#[derive(Debug)]
pub struct Temp {
    raw: *mut Tempfile,
}

impl Lock {
    /// Creates `TARGET.lock`.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the lock is held, otherwise the system's error.
    pub fn acquire(target: &CStr) -> io::Result<Self> {
        uninterrupted(|| {
            // SAFETY: a NUL-terminated path, copied by git.
            let raw = unsafe { ffi::reftable_rs_lock(target.as_ptr(), 0) };
            match NonNull::new(raw) {
                Some(raw) => Ok(Self { raw: Some(raw) }),
                None => Err(io::Error::last_os_error()),
            }
        })
    }

    fn ptr(&self) -> io::Result<*mut LockFile> {
        match self.raw {
            Some(raw) => Ok(raw.as_ptr()),
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The path of the lock file.
    pub fn path(&self) -> PathBuf {
        let Some(raw) = self.raw else {
            return PathBuf::new();
        };
        // SAFETY: the lock is held; the string is copied at once.
        path_of(unsafe { borrow(ffi::reftable_rs_lock_path(raw.as_ptr())) })
    }

    /// The descriptor to write to, -1 once closed.
    pub fn fd(&self) -> c_int {
        // SAFETY: the lock is held.
        self.raw
            .map_or(-1, |raw| unsafe { ffi::reftable_rs_lock_fd(raw.as_ptr()) })
    }

    /// Closes the descriptor and keeps the lock.
    pub fn close(&mut self) -> io::Result<()> {
        let raw = self.ptr()?;
        // SAFETY: the lock is held.
        closed(check(unsafe { ffi::reftable_rs_lock_close(raw) }))
    }

    /// A second descriptor of the lock file, which outlives the commit.
    pub fn duplicate(&self) -> io::Result<File> {
        duplicate(self.fd())
    }

    /// Renames the lock file over its target.
    pub fn commit(mut self) -> io::Result<()> {
        let raw = self.ptr()?;
        self.raw = None;
        // SAFETY: the lock is held; git frees it in any case.
        check(unsafe { ffi::reftable_rs_lock_commit(raw) })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take() {
            // SAFETY: the lock is held; git frees it.
            unsafe { ffi::reftable_rs_lock_rollback(raw.as_ptr()) };
        }
    }
}

impl Temp {
    /// Creates a file from `pattern`, which ends in `XXXXXX`, with mode 0600.
    pub fn create(pattern: &CStr) -> io::Result<Self> {
        uninterrupted(|| {
            // SAFETY: a NUL-terminated pattern, copied by git.
            let raw = unsafe { ffi::mks_tempfile_sm(pattern.as_ptr(), 0, 0o600) };
            if raw.is_null() {
                return Err(io::Error::last_os_error());
            }
            Ok(Self { raw })
        })
    }

    /// Has git remove the existing file `path` when the result is dropped or the process ends.
    pub fn adopt(path: &CStr) -> Self {
        // SAFETY: a NUL-terminated path, copied by git, which does not fail here.
        let raw = unsafe { ffi::register_tempfile(path.as_ptr()) };
        Self { raw }
    }

    /// The path of the file.
    pub fn path(&self) -> PathBuf {
        // SAFETY: the file is active; the string is copied at once.
        path_of(unsafe { borrow(ffi::get_tempfile_path(self.raw)) })
    }

    /// The descriptor to write to, -1 once closed.
    pub fn fd(&self) -> c_int {
        // SAFETY: the file is active.
        unsafe { ffi::get_tempfile_fd(self.raw) }
    }

    /// A second descriptor of the file, which outlives it.
    pub fn duplicate(&self) -> io::Result<File> {
        duplicate(self.fd())
    }

    /// Closes the descriptor and keeps the file.
    pub fn close(&mut self) -> io::Result<()> {
        // SAFETY: the file is active.
        closed(check(unsafe { ffi::close_tempfile_gently(self.raw) }))
    }

    /// Renames the file to `path`; it is no longer temporary.
    pub fn persist(mut self, path: &CStr) -> io::Result<()> {
        // SAFETY: the file is active; git clears our pointer.
        check(unsafe { ffi::rename_tempfile(&mut self.raw, path.as_ptr()) })
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        // SAFETY: git takes a pointer that it may have cleared already.
        unsafe { calls::remove_tempfile(&mut self.raw) };
    }
}

/// Whether `core.fsync` has references flushed.
pub fn flushes_references() -> bool {
    // SAFETY: a plain number that git sets when it reads its configuration; the thread
    // that does so is the one that uses the store.
    let components = unsafe { ffi::fsync_components };
    components & FSYNC_COMPONENT_REFERENCE != 0
}

/// Flushes the entries of an open directory, as `core.fsync` and `core.fsyncMethod` say for
/// references.
///
/// `fsync_component()` would count this as a flush of content in git's traces.
pub fn sync_dir(dir: &File) -> io::Result<()> {
    // SAFETY: plain numbers, as in `flushes_references`.
    let (method, wanted) = unsafe { (ffi::fsync_method, ffi::use_fsync) };
    if method == FSYNC_METHOD_WRITEOUT_ONLY || wanted == 0 {
        return Ok(());
    }
    dir.sync_all()
}

/// Asks the system to start writing the content of `fd` to the disk, without waiting for it.
///
/// File systems delay the allocation of new content, often by half a minute, and may write a
/// rename to the disk before it: a power failure in between leaves an empty file. Many of
/// them allocate the content first when a rename replaces a file, but a table's name is new.
pub fn begin_writing(fd: c_int) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: plain numbers; an invalid one is an error. The result does not matter: this is
    // only a hint.
    unsafe {
        libc::sync_file_range(fd, 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = fd;
}

/// Flushes `fd` as `core.fsync` says for references.
pub fn sync_reference(fd: c_int) -> io::Result<()> {
    // SAFETY: a plain number; an invalid one is an error.
    check(unsafe { ffi::fsync_component(FSYNC_COMPONENT_REFERENCE, fd) })
}

/// Writes all of `bytes` to `fd`.
pub fn write_all(fd: c_int, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the slice is valid for its length.
        let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(_) => {
                let error = io::Error::last_os_error();
                let kind = error.kind();
                if kind != io::ErrorKind::Interrupted && kind != io::ErrorKind::WouldBlock {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// Sets the permission bits of the open file `fd`.
pub fn set_mode(fd: c_int, mode: u32) -> io::Result<()> {
    // SAFETY: plain numbers.
    uninterrupted(|| check(unsafe { libc::fchmod(fd, mode) }))
}

/// A random number that need not be secret.
pub fn random() -> u32 {
    calls::random()
}

/// Milliseconds of a monotonic clock.
pub fn now_ms() -> u64 {
    // SAFETY: no arguments.
    unsafe { ffi::getnanotime() / 1_000_000 }
}

/// A second descriptor of the file that git has open as `fd`; -1 when it is closed.
fn duplicate(fd: c_int) -> io::Result<File> {
    if fd < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: git reports the descriptor as open, and is not called before it is duplicated.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(File::from(fd.try_clone_to_owned()?))
}

fn path_of(text: Option<&CStr>) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(text.unwrap_or_default().to_bytes()))
}

/// Ignores an interruption: the descriptor is closed nevertheless.
fn closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
        done => done,
    }
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
