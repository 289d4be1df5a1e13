//! Files that survive a power failure.
#![forbid(unsafe_code)]

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::files::walk::{content, is_missing};

/// Writes a file and waits for the disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e: io::Error| Failure::io("write", path, &e);
    let mut file = File::create(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Waits until the entries of a directory are on the disk.
pub fn sync_dir(dir: &Path) -> Result<()> {
    // Other systems have no such call for directories.
    #[cfg(unix)]
    {
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(|e| Failure::io("flush", dir, &e))?;
    }
    Ok(())
}

/// Waits until everything below `dir` is on the disk.
pub fn sync_tree(dir: &Path) -> Result<()> {
    // One call for the file system, since a repository may have a million reflogs.
    #[cfg(target_os = "linux")]
    {
        let file = File::open(dir).map_err(|e| Failure::io("open", dir, &e))?;
        if rustix::fs::syncfs(&file).is_ok() {
            return Ok(());
        }
    }
    let failed = |e: io::Error| Failure::io("flush", dir, &e);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        match entry.file_type().map_err(failed)?.is_dir() {
            true => sync_tree(&path)?,
            false => File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(failed)?,
        }
    }
    sync_dir(dir)
}

pub fn create_dirs(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| Failure::io("create", dir, &e))
}

pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Failure::io("rename", from, &e))
}

/// Renames a file or a directory if it exists. Returns whether it did.
pub fn rename_if_exists(from: &Path, to: &Path) -> Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(e) if is_missing(&e) && fs::symlink_metadata(from).is_err() => Ok(false),
        Err(e) => Err(Failure::io("rename", from, &e)),
    }
}

/// Makes `to` another name of the file `from` or, on a file system without links, a copy of it. Does
/// nothing if `from` does not exist.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    match fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ())) {
        Err(e) if !is_missing(&e) => Err(Failure::io("link", from, &e)),
        _ => Ok(()),
    }
}

/// Whether two names are those of one file, or of a file and its copy.
pub fn is_same_file(path: &Path, other: &Path) -> Result<bool> {
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (fs::metadata(path), fs::metadata(other)) {
        use std::os::unix::fs::MetadataExt as _;
        if (a.dev(), a.ino()) == (b.dev(), b.ino()) {
            return Ok(true);
        }
    }
    let (a, b) = (content(path)?, content(other)?);
    Ok(a.is_some() && a == b)
}

/// Removes a file or a directory with all that is in it, if it exists. Does not follow links.
pub fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Err(e) => Err(e),
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    match removed {
        Err(e) if !is_missing(&e) => Err(Failure::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Gives what is at `path` the permissions of `model`, and all below it: files those of
/// `file_model`. Repositories may be shared by a group.
pub fn adopt_permissions(path: &Path, model: &Metadata, file_model: &Metadata) -> Result<()> {
    let failed = |e: io::Error| Failure::io("change the permissions of", path, &e);
    if !path.is_dir() {
        return fs::set_permissions(path, file_model.permissions()).map_err(failed);
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        adopt_permissions(&entry.map_err(failed)?.path(), model, file_model)?;
    }
    fs::set_permissions(path, model.permissions()).map_err(failed)
}
