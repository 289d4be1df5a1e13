//! `struct repository`, `struct worktree` and the process's environment.

use super::ffi;
use super::strings::{borrow, OwnedBuffer};
use crate::format::HashId;
use crate::git::abi::{self, ObjectId};
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

// SAFETY: an address. git's functions are only called by the thread that uses the store, as all
// of git's functions are; the storage that has this one to create directories is no exception.
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

    /// The hash algorithm of its object ids, or None for one that is unknown.
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

    /// The mode that `core.sharedRepository` makes of `mode`.
    pub fn shared_mode(self, mode: u32) -> u32 {
        let mode = c_int::try_from(mode).unwrap_or(0o666);
        // SAFETY: reads the repository's settings.
        let shared = unsafe { ffi::calc_shared_perm(self.raw, mode) };
        u32::try_from(shared).unwrap_or(0)
    }

    /// `core.logAllRefUpdates` as `enum log_refs_config`; git dies on a value of no meaning.
    pub fn log_all_ref_updates(self) -> c_int {
        // SAFETY: reads the repository's configuration.
        unsafe { ffi::repo_settings_get_log_all_ref_updates(self.raw) }
    }

    /// Creates `dir` with the repository's sharing; dies when it cannot.
    pub fn create_dir(self, dir: &CStr) {
        // SAFETY: a NUL-terminated path.
        unsafe { ffi::safe_create_dir(self.raw, dir.as_ptr(), 1) };
    }

    /// Creates `dir` with the repository's sharing.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when there is something of that name; else the system's error.
    pub fn try_create_dir(self, dir: &CStr) -> io::Result<()> {
        fs::create_dir(Path::new(OsStr::from_bytes(dir.to_bytes())))?;
        // SAFETY: a NUL-terminated path, read during the call.
        if unsafe { ffi::adjust_shared_perm(self.raw, dir.as_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// The object that the tag `oid` leads to, or None for an object that is
    /// no tag or is missing.
    pub fn peel(self, oid: &ObjectId) -> Option<ObjectId> {
        let mut peeled = ObjectId::ZERO;
        // SAFETY: both ids live through the call.
        (unsafe { ffi::peel_object(self.raw, oid, &mut peeled, 0) } == abi::PEEL_PEELED)
            .then_some(peeled)
    }
}

/// A worktree that `git refs verify` visits.
#[derive(Clone, Copy)]
pub struct Worktree<'a> {
    raw: *const abi::Worktree,
    life: std::marker::PhantomData<&'a ()>,
}

impl<'a> Worktree<'a> {
    /// # Safety
    ///
    /// `raw` is a `struct worktree` that lives for `'a`.
    pub unsafe fn from_raw(raw: *const abi::Worktree) -> Self {
        Self {
            raw,
            life: std::marker::PhantomData,
        }
    }

    /// Whether it is the main one.
    pub fn is_main(self) -> bool {
        // SAFETY: `raw` is a worktree.
        unsafe { ffi::is_main_worktree(self.raw) != 0 }
    }

    /// Its name below `worktrees/`; empty for the main one.
    pub fn id(self) -> &'a CStr {
        // SAFETY: the string belongs to the worktree.
        unsafe { borrow(ffi::reftable_rs_worktree_id(self.raw)) }.unwrap_or_default()
    }
}

/// Whether the repository that the process runs in has no work tree.
pub fn is_bare() -> bool {
    // SAFETY: no arguments.
    unsafe { ffi::is_bare_repository() != 0 }
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
    // SAFETY: plain numbers.
    unsafe { ffi::trace2_counter_add(abi::TRACE2_COUNTER_ID_REFTABLE_RESEEKS, 1) };
}
