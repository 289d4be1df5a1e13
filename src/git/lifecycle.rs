//! Opening a store, and making and removing its files.
#![forbid(unsafe_code)]

use super::store::Location;
use super::sys::repo::{self, Repository};
use super::sys::strings::Buffer;
use std::ffi::{CStr, CString};

/// Where the stacks of a store lie.
///
/// `git_dir` is the directory that the store is for, `common_dir` the one that
/// all worktrees share; both are the same for the main worktree.
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

/// The directory of tables in `git_dir`.
fn table_dir(git_dir: &CStr) -> CString {
    let mut path = git_dir.to_bytes().to_vec();
    path.extend_from_slice(b"/reftable");
    CString::new(path).unwrap_or_default()
}

/// Creates the directory of tables; the list comes with the first table.
pub fn create_on_disk(repo: Repository, git_dir: &CStr) {
    repo.create_dir(&table_dir(git_dir));
}

/// Removes the directory of tables. Answers false with a message in `err`.
pub fn remove_on_disk(git_dir: &CStr, err: &mut Buffer<'_>) -> bool {
    let Err(error) = repo::remove_dir_all(&table_dir(git_dir)) else {
        return true;
    };
    let reason = CString::new(error_text(&error)).unwrap_or_default();
    err.push_plain(c"could not delete reftables: %s", &[&reason]);
    false
}

/// The system's text for `error`, without the number that std appends.
fn error_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}
