//! `struct repository`, `struct worktree` and the process's environment.

use super::strings::{borrow, OwnedBuffer};
use crate::format::HashId;
use crate::git::abi::{self, calls, ffi, settings, ObjectId};
use std::ffi::{c_int, CStr, CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The repository that a store belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Repository {
    raw: *mut abi::Repository,
}

// SAFETY: an address. Only the thread that uses the store calls git's functions with it, even
// where the storage holds it in order to create directories.
unsafe impl Send for Repository {}
// SAFETY: as above.
unsafe impl Sync for Repository {}

impl Repository {
    /// # Safety
    ///
    /// `raw` is a `struct repository` that outlives every store made from it.
    pub unsafe fn from_raw(raw: *mut abi::Repository) -> Self {
        Self { raw }
    }

    /// The pointer to hand to git.
    pub fn as_ptr(self) -> *mut abi::Repository {
        self.raw
    }

    /// The hash algorithm of its object IDs, or None for an unknown one.
    pub fn hash_id(self) -> Option<HashId> {
        // SAFETY: `raw` is a repository whose hash algorithm is set up.
        let format = unsafe { ffi::reftable_rs_repo_hash_format(self.raw) };
        [HashId::Sha1, HashId::Sha256]
            .into_iter()
            .find(|hash| hash.format_id() == format)
    }

    /// The directory that all worktrees share.
    pub fn common_dir(&self) -> &CStr {
        // SAFETY: the string belongs to the repository, which outlives us.
        unsafe { borrow(ffi::reftable_rs_repo_common_dir(self.raw)) }.unwrap_or_default()
    }

    /// `mode` adjusted by `core.sharedRepository`.
    pub fn shared_mode(self, mode: u32) -> u32 {
        let mode = c_int::try_from(mode).unwrap_or(0o666);
        // SAFETY: reads the repository's settings.
        let shared = unsafe { calls::shared_mode(self.raw, mode) };
        u32::try_from(shared).unwrap_or(0)
    }

    /// `core.logAllRefUpdates` as `enum log_refs_config`; git dies on a value that it does not
    /// know.
    pub fn log_all_ref_updates(self) -> c_int {
        // SAFETY: reads the repository's configuration.
        unsafe { settings::log_all_ref_updates(self.raw) }
    }

    /// Whether it has no work tree.
    pub fn is_bare(self) -> bool {
        // SAFETY: `raw` is a repository.
        unsafe { settings::is_bare(self.raw) }
    }

    /// Creates `dir` with the repository's sharing. Git dies when that fails.
    pub fn create_dir(self, dir: &CStr) {
        // SAFETY: a NUL-terminated path.
        unsafe { calls::create_shared_dir(self.raw, dir.as_ptr()) };
    }

    /// Creates `dir` with the repository's sharing.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the name is taken, otherwise the system's error.
    pub fn try_create_dir(self, dir: &CStr) -> io::Result<()> {
        fs::create_dir(Path::new(OsStr::from_bytes(dir.to_bytes())))?;
        // SAFETY: a NUL-terminated path, read during the call.
        if unsafe { calls::share(self.raw, dir.as_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// The object that the tag `oid` peels to, or None for an object that is not a tag or is
    /// missing.
    pub fn peel(self, oid: &ObjectId) -> Option<ObjectId> {
        let mut peeled = ObjectId::ZERO;
        // SAFETY: both IDs live through the call.
        unsafe { calls::peel(self.raw, oid, &mut peeled) }.then_some(peeled)
    }
}

/// The boolean in environment variable `name`, or `default`.
pub fn env_bool(name: &CStr, default: bool) -> bool {
    // SAFETY: a NUL-terminated name.
    unsafe { ffi::git_env_bool(name.as_ptr(), c_int::from(default)) != 0 }
}

/// The process's umask.
pub fn umask() -> u32 {
    // SAFETY: umask cannot fail; the first call reads, the second restores.
    unsafe {
        let mask = libc::umask(0);
        libc::umask(mask);
        mask
    }
}

/// The canonical absolute path of `path`; empty when there is no such path.
pub fn real_path(path: &CStr) -> CString {
    let mut out = OwnedBuffer::new();
    // SAFETY: `path` is NUL-terminated and apart from the buffer.
    unsafe { ffi::strbuf_realpath(out.as_ptr(), path.as_ptr(), 0) };
    out.as_c_str().to_owned()
}

/// Counts a re-seek of an iterator for trace2.
pub fn count_reseek() {
    calls::count_reseek();
}
