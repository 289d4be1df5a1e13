//! The files below a directory, with git's rules for which of them count.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// A file whose path below the directory is `name`.
#[derive(Debug)]
pub struct Entry {
    pub name: Vec<u8>,
    pub path: PathBuf,
}

/// Calls `each` for all files below `dir`, in no order; `prefix` is put before their names. Files
/// that git skips, which begin with a dot or end with `.lock`, are skipped. A missing directory is
/// empty, also one that another process removes meanwhile.
pub fn files(dir: &Path, prefix: &[u8], each: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
    let failed = |e: io::Error| Failure::io("read", dir, &e);
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        // The stub that a repository with reftables has.
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let file_name = entry.file_name();
        let base = file_name.as_encoded_bytes();
        if base.starts_with(b".") || base.ends_with(b".lock") {
            continue;
        }
        let name = [prefix, base].concat();
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            files(&path, &[&name, &b"/"[..]].concat(), each)?;
        } else {
            each(Entry { name, path })?;
        }
    }
    Ok(())
}

/// The content of a file; `None` if it does not exist.
pub fn content(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if is_missing(&e) => Ok(None),
        Err(e) => Err(Failure::io("read", path, &e)),
    }
}

/// Whether the error says that there is no such file.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
