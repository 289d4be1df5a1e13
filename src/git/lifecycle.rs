//! Locating a store, and creating and removing its files.
#![forbid(unsafe_code)]

use super::store::Location;
use super::sys::repo::{self, Repository};
use super::sys::strings::Buffer;
use crate::stack;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The directories of a store's stacks.
///
/// `git_dir` is the directory that the store is for, `common_dir` the one that all worktrees
/// share. They are the same for the main worktree.
pub fn locate(is_worktree: bool, git_dir: &CStr, common_dir: &CStr) -> Location {
    if is_worktree {
        return Location {
            main: table_dir(common_dir),
            worktree: Some(table_dir(git_dir)),
        };
    }
    let real = repo::real_path(common_dir);
    let common_dir = if real.is_empty() { common_dir } else { &real };
    Location {
        main: table_dir(common_dir),
        worktree: None,
    }
}

/// The directory of a stack in `git_dir`.
fn table_dir(git_dir: &CStr) -> CString {
    let mut path = git_dir.to_bytes().to_vec();
    path.extend_from_slice(b"/reftable");
    CString::new(path).unwrap_or_default()
}

/// Creates the directory of the main stack. The first addition creates `tables.list`.
pub fn create_on_disk(repo: Repository, git_dir: &CStr) {
    repo.create_dir(&table_dir(git_dir));
}

/// Removes the stack in `git_dir` and its directory. On failure returns false, with a message in
/// `err`.
pub fn remove_on_disk(git_dir: &CStr, err: &mut Buffer<'_>) -> bool {
    let dir = table_dir(git_dir);
    let Err(error) = stack::remove(Path::new(OsStr::from_bytes(dir.to_bytes()))) else {
        return true;
    };
    let reason = CString::new(error.to_string()).unwrap_or_default();
    err.push_plain(c"could not delete reftables: %s", &[&reason]);
    false
}
