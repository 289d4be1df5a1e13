//! The files that make git recognise the directory of a store in the "reftable" format. In
//! this release the backend writes them.

#![expect(unsafe_code, reason = "calls into git")]

use super::calls;
use crate::git::abi::Repository;
use std::ffi::{c_char, CStr, CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A `HEAD` that is valid, and points to no branch.
const HEAD: &CStr = c"ref: refs/heads/.invalid";
/// A file in place of the directory of branches.
const HEADS: &CStr = c"this repository uses the reftable format";

extern "C" {
    fn write_file(path: *const c_char, format: *const c_char, ...);
}

/// Creates the files in `git_dir`, unless they are there. Git dies on a failure.
///
/// # Safety
///
/// `repo` is valid.
pub unsafe fn create(repo: *mut Repository, git_dir: &CStr) {
    // SAFETY: the caller's promise.
    unsafe {
        write(repo, &path(git_dir, "HEAD"), HEAD);
        calls::create_shared_dir(repo, path(git_dir, "refs").as_ptr());
        write(repo, &path(git_dir, "refs/heads"), HEADS);
    }
}

/// # Safety
///
/// `repo` is valid.
unsafe fn write(repo: *mut Repository, path: &CStr, text: &'static CStr) {
    if fs::read(file(path)).is_ok_and(|old| old.trim_ascii_end() == text.to_bytes()) {
        return;
    }
    // SAFETY: the caller's promise; the text has no conversions.
    unsafe {
        write_file(path.as_ptr(), text.as_ptr());
        calls::share(repo, path.as_ptr());
    }
}

fn path(git_dir: &CStr, name: &str) -> CString {
    let mut path = git_dir.to_bytes().to_vec();
    path.push(b'/');
    path.extend_from_slice(name.as_bytes());
    CString::new(path).unwrap_or_default()
}

fn file(path: &CStr) -> PathBuf {
    OsStr::from_bytes(path.to_bytes()).into()
}
