//! Directories that the user trusts: `safe.directory`.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use bstr::BString;

use super::sources::{home, Configuration};
use crate::repo::path::{bytes_of, path_of};
use crate::repo::Result;

/// Whether the user's configuration lists `dir`. The configuration of the repository is ignored.
pub(in crate::repo) fn is_listed(dir: &Path) -> Result<bool> {
    let values = Configuration::protected()?.all("safe.directory");
    let Ok(dir) = dir.canonicalize() else {
        return Ok(false);
    };
    Ok(lists(&values, &dir))
}

fn lists(values: &[BString], dir: &Path) -> bool {
    let mut is_listed = false;
    for value in values {
        match value.as_slice() {
            // Takes back what other files list.
            b"" => is_listed = false,
            b"*" => is_listed = true,
            value => is_listed |= names(value, dir),
        }
    }
    is_listed
}

/// Whether an entry names `dir`, or with `/*` a directory above it.
fn names(entry: &[u8], dir: &Path) -> bool {
    let (entry, has_all_below) = match entry.strip_suffix(b"/*") {
        Some(b"") => (&b"/"[..], true),
        Some(parent) => (parent, true),
        None => (entry, false),
    };
    let entry = match entry.strip_prefix(b"~/") {
        Some(rest) => home().and_then(|home| Some(home.join(path_of(rest)?))),
        None => path_of(entry).map(PathBuf::from),
    };
    let Some(entry) = entry.filter(|entry| entry.is_absolute() || bytes_of(entry) == b".") else {
        return false;
    };
    let real = entry.canonicalize().unwrap_or(entry);
    match has_all_below {
        true => dir != real && dir.starts_with(real),
        false => dir == real,
    }
}
