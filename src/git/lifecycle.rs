//! Locating a store, and creating and removing its files.
#![forbid(unsafe_code)]

use super::store::Location;
use super::sys::repo::{self, Repository};
use super::sys::strings::{quoted, Buffer};
use crate::stack;
use std::ffi::{CStr, CString, OsStr};
use std::fs;
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

/// Removes the stack in `git_dir` and its directory. Returns false, with a message in `err`, when
/// that fails.
pub fn remove_on_disk(git_dir: &CStr, err: &mut Buffer<'_>) -> bool {
    let dir = table_dir(git_dir);
    let Err(error) = stack::remove(Path::new(OsStr::from_bytes(dir.to_bytes()))) else {
        return true;
    };
    let reason = CString::new(error.to_string()).unwrap_or_default();
    err.push_plain(c"could not delete reftables: %s", &[&reason]);
    false
}

/// Writes the stubs by which git recognises the directory of a repository whose refs are
/// elsewhere: `HEAD`, and `refs/heads` as a file, so that nobody creates a loose branch.
///
/// # Errors
///
/// A message that names the file.
#[allow(dead_code, reason = "in most releases git itself writes them")]
pub fn create_stubs(repo: Repository, git_dir: &CStr) -> Result<(), CString> {
    let path = |name: &[u8]| {
        let name = [git_dir.to_bytes(), name].concat();
        CString::new(name).unwrap_or_default()
    };
    write_stub(repo, &path(b"/HEAD"), b"ref: refs/heads/.invalid\n")?;
    repo.create_dir(&path(b"/refs"));
    let heads = path(b"/refs/heads");
    if fs::symlink_metadata(file(&heads)).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    write_stub(repo, &heads, b"this repository uses the reftable format\n")
}

fn file(path: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(path.to_bytes()))
}

/// Makes `text` the content of the file at `path`, which may be a symbolic link now.
fn write_stub(repo: Repository, path: &CStr, text: &[u8]) -> Result<(), CString> {
    let is_link = fs::symlink_metadata(file(path)).is_ok_and(|found| found.is_symlink());
    if !is_link && fs::read(file(path)).is_ok_and(|found| found == text) {
        return Ok(());
    }
    let written = if is_link {
        fs::remove_file(file(path))
    } else {
        Ok(())
    };
    let written = written
        .and_then(|()| fs::write(file(path), text))
        .and_then(|()| repo.share(path));
    written.map_err(|error| {
        let name = quoted(path.to_bytes());
        let text = [b"could not write '", name.to_bytes(), b"': "].concat();
        CString::new([text, error.to_string().into_bytes()].concat()).unwrap_or_default()
    })
}
