//! Removing a whole stack.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::list::List;
use super::names::{self, LIST_NAME};
use crate::format::quote::Quoted;
use crate::format::Error;
use crate::sys::{FileKind, OpenDir, StdStorage, Storage, LOCK_SUFFIX};

/// Why a stack was not removed.
#[derive(Debug)]
pub enum RemoveError {
    /// The directory is a symbolic link, whose target may be in use elsewhere.
    Symlink(PathBuf),
    /// The directory contains a file that does not belong to the stack. Nothing was removed.
    Foreign(PathBuf),
    /// A system call failed.
    Io(Error),
}

impl fmt::Display for RemoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink(path) => write!(f, "'{}' is a symbolic link", Quoted::path(path)),
            Self::Foreign(path) => write!(
                f,
                "'{}' does not belong to the reference storage",
                Quoted::path(path)
            ),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RemoveError {}

impl RemoveError {
    fn io(op: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io(Error::io(op, path, error))
    }
}

/// Removes the stack in `dir` and the directory. Succeeds if the directory does not exist.
///
/// Symbolic links are not followed, and only files of a stack are removed. The list is removed
/// last: if this is interrupted, readers report missing tables. Without a list they would see an
/// empty stack.
///
/// # Errors
/// [`RemoveError::Symlink`] and [`RemoveError::Foreign`], before any file is removed;
/// [`RemoveError::Io`].
pub fn remove(dir: &Path) -> Result<(), RemoveError> {
    match StdStorage.kind(dir) {
        Ok(FileKind::Directory) => {}
        Ok(FileKind::Symlink) => return Err(RemoveError::Symlink(dir.to_owned())),
        Ok(_) => return Err(RemoveError::Foreign(dir.to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(RemoveError::io("stat", dir, e)),
    }
    let open = OpenDir::open(dir).map_err(|e| RemoveError::io("open directory", dir, e))?;
    let entries = open
        .entries()
        .map_err(|e| RemoveError::io("read directory", dir, e))?;
    let listed = listed(dir);
    let is_foreign = |(name, kind): &&(OsString, FileKind)| !is_own(name, *kind, &listed);
    if let Some((name, _)) = entries.iter().find(is_foreign) {
        return Err(RemoveError::Foreign(dir.join(name)));
    }
    let (list, others): (Vec<_>, Vec<_>) = entries.iter().partition(|(name, _)| name == LIST_NAME);
    for (name, _) in others.into_iter().chain(list) {
        open.unlink(name)
            .map_err(|e| RemoveError::io("unlink", &dir.join(name), e))?;
    }
    match fs::remove_dir(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(RemoveError::io("remove directory", dir, e))
        }
        _ => Ok(()),
    }
}

/// The names in the list; an empty set if it cannot be read.
fn listed(dir: &Path) -> HashSet<String> {
    List::read_for_check(&StdStorage, dir)
        .unwrap_or_default()
        .names()
        .map(str::to_owned)
        .collect()
}

/// Whether a file is the list, a table, a lock of these, or a temporary file of a table.
/// Directories, FIFOs, sockets and devices are not.
fn is_own(name: &OsStr, kind: FileKind, listed: &HashSet<String>) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    if !matches!(kind, FileKind::File | FileKind::Symlink) {
        return false;
    }
    let locked = name.strip_suffix(LOCK_SUFFIX).unwrap_or(name);
    locked == LIST_NAME
        || locked.ends_with(names::TABLE_SUFFIX)
        || names::is_valid(locked)
        || names::is_temp_table(name)
        || listed.contains(locked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const TABLE: &str = "0x000000000001-0x000000000001-00000000.ref";

    fn stack(root: &Path) -> PathBuf {
        let dir = root.join("reftable");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(LIST_NAME), format!("{TABLE}\nodd.name\n")).unwrap();
        for name in [
            TABLE,
            "odd.name",
            "tables.list.lock",
            "000000000001-000000000009-f6a9c327.ref",
            "0x000000000002-0x000000000002-00000000.ref.lock",
            "0x000000000002-0x000000000002-00000000.temp.aBc123",
        ] {
            fs::write(dir.join(name), "").unwrap();
        }
        dir
    }

    fn names_in(dir: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_of_a_stack_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let dir = stack(root.path());
        remove(&dir).unwrap();
        assert!(names_in(root.path()).is_empty());
        remove(&dir).unwrap();
    }

    #[test]
    fn targets_of_symbolic_links_are_kept() {
        let root = tempfile::tempdir().unwrap();
        let dir = stack(root.path());
        let before = names_in(&dir);
        let link = root.path().join("link");
        symlink(&dir, &link).unwrap();
        let error = remove(&link).unwrap_err();
        assert!(error.to_string().ends_with("link' is a symbolic link"));
        assert_eq!(names_in(&dir), before);

        // If a table is a link, the link is removed and its target kept.
        let elsewhere = root.path().join("elsewhere");
        fs::rename(dir.join(TABLE), &elsewhere).unwrap();
        symlink(&elsewhere, dir.join(TABLE)).unwrap();
        remove(&dir).unwrap();
        assert!(elsewhere.exists());
    }

    #[test]
    fn nothing_is_removed_beside_a_foreign_file() {
        type Make = fn(&Path);
        let file: Make = |path| fs::write(path, "").unwrap();
        let directory: Make = |path| fs::create_dir(path).unwrap();
        let socket: Make = |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        for (name, make) in [
            ("notes.txt", file),
            ("tables.list.new", file),
            ("a.temp.aBc123", file),
            (".hidden", file),
            ("directory.ref", directory),
            ("socket.ref", socket),
            ("forged\nline", file),
        ] {
            let root = tempfile::tempdir().unwrap();
            let dir = stack(root.path());
            make(&dir.join(name));
            let before = names_in(&dir);
            let error = remove(&dir).unwrap_err();
            assert!(matches!(error, RemoveError::Foreign(_)), "{name}: {error}");
            assert!(!error.to_string().contains('\n'), "{error}");
            assert_eq!(names_in(&dir), before, "{name}");
        }
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("reftable");
        fs::write(&file, "").unwrap();
        assert!(matches!(remove(&file), Err(RemoveError::Foreign(_))));
        assert!(file.exists());
        let below = remove(&file.join("reftable")).unwrap_err();
        assert!(matches!(below, RemoveError::Io(_)), "{below}");
    }
}
