//! Putting what could be read in the place of a damaged stack.
//!
//! ```text
//! lock tables.list            writers wait; readers go on with the damaged stack
//! write the new table         under a new name
//! link the old files          into a new directory beside the stack
//! replace tables.list         the new stack is visible; releases the lock
//! remove the old tables
//! ```
//!
//! A kill leaves the old stack or the new one, and every old file in at least one of the two
//! directories.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use reftable::format::FindingKind;
use reftable::merged::Merged;
use reftable::stack::{check, locks, CheckEvent, LockOwner, Replacement, StackOptions};
use reftable::table::{Table, WriteOptions};

use super::list;
use crate::failure::{quoted_path, tell, Failure, Result};
use crate::place::{is_unreadable, listed, read_file, StackDir, LIST};
use crate::writing::{write_replacement, Written};

/// Whether a stack has damage that `repair` can mend.
pub fn is_damaged(stack: &StackDir) -> Result<bool> {
    let mut is_damaged = false;
    list::tables(&stack.dir, &mut |_| {
        is_damaged = true;
        Ok(())
    })?;
    check(&stack.dir, stack.hash, &mut |event| {
        let CheckEvent::Finding(finding) = event else {
            return;
        };
        is_damaged |= match finding.kind {
            FindingKind::TableName => false,
            // Left by a repair that was killed; `clean` removes only tables that can be opened.
            FindingKind::UnlistedFile => {
                finding.file.ends_with(".ref")
                    && Table::open(&stack.dir.join(finding.file)).is_err()
            }
            _ => true,
        };
    });
    Ok(is_damaged)
}

/// Locks a damaged stack.
pub fn lock(stack: &StackDir, options: &StackOptions) -> Result<Replacement> {
    let list = stack.dir.join(LIST);
    if fs::symlink_metadata(&list).is_ok_and(|meta| meta.is_dir()) {
        let text = "is a directory; move it away";
        return Err(Failure::new(format!("{} {text}", quoted_path(&list))));
    }
    let options = StackOptions {
        write: WriteOptions {
            hash_id: stack.hash,
            ..options.write
        },
        ..options.clone()
    };
    let replacement = Replacement::begin(&stack.dir, options)?;
    for lock in locks(&stack.dir)? {
        if lock.owner == LockOwner::Alive {
            let text = "belongs to a process that merges tables; wait until it has ended";
            return Err(Failure::new(format!("{} {text}", quoted_path(&lock.path))));
        }
    }
    Ok(replacement)
}

/// Replaces the stack by what `view` shows. Returns the directory that has the old files.
pub fn replace(
    stack: &StackDir,
    mut replacement: Replacement,
    view: &Merged,
    options: &StackOptions,
) -> Result<(Written, PathBuf)> {
    let old = files(&stack.dir)?;
    let written = write_replacement(&stack.dir, &mut replacement, view, options)?;
    let listed = match listed(&stack.dir) {
        Err(e) if is_unreadable(&e) => Vec::new(),
        names => names.map_err(|e| Failure::io("read", &stack.dir.join(LIST), &e))?,
    };
    let kept = keep(&stack.dir, &old)?;
    let outcome = replacement.commit().inspect_err(|_| {
        // If the list is the new one nevertheless, the old one is only here.
        let list = |dir: &Path| read_file(&dir.join(LIST)).ok();
        if list(&stack.dir) == list(&kept) {
            let _ = fs::remove_dir_all(&kept);
        }
    })?;
    if let Some(error) = outcome.unflushed {
        tell(format!(
            "the new stack may not survive a power failure: {error}"
        ));
    }
    let is_listed = |name: &OsString| listed.iter().any(|listed| name == listed.as_str());
    let is_table = |name: &OsString| name.to_string_lossy().ends_with(".ref");
    for name in &old {
        if name != LIST && (is_table(name) || is_listed(name)) {
            let path = stack.dir.join(name);
            fs::remove_file(&path).map_err(|e| Failure::io("remove", &path, &e))?;
        }
    }
    // Locks of tables that no longer exist. They are in nobody's way.
    let _ = stack.open_with(options.clone()).map(|stack| stack.clean());
    Ok((written, kept))
}

/// The files of a stack, except its lock. Directories are not the stack's own.
fn files(dir: &Path) -> Result<Vec<OsString>> {
    let failed = |e: io::Error| Failure::io("read", dir, &e);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_lock = entry.file_name() == "tables.list.lock";
        if !is_lock && !entry.file_type().map_err(failed)?.is_dir() {
            names.push(entry.file_name());
        }
    }
    Ok(names)
}

/// Links the files `names` of the stack in `dir` into a new directory, and returns that.
fn keep(dir: &Path, names: &[OsString]) -> Result<PathBuf> {
    let kept = create_beside(dir)?;
    let linked = link(dir, names, &kept);
    if linked.is_err() {
        // All files are still in the stack.
        let _ = fs::remove_dir_all(&kept);
    }
    linked.map(|()| kept)
}

fn link(dir: &Path, names: &[OsString], kept: &Path) -> Result<()> {
    for name in names {
        let (from, to) = (dir.join(name), kept.join(name));
        let linked = fs::hard_link(&from, &to);
        linked
            .or_else(|_| copy(&from, &to))
            .map_err(|e| Failure::io("copy", &from, &e))?;
    }
    flush(kept)?;
    kept.parent().map_or(Ok(()), flush)
}

/// Creates `reftable.broken-DATE` beside the directory of a stack.
fn create_beside(dir: &Path) -> Result<PathBuf> {
    // The directory may be named `.`, or by a symbolic link.
    let whole = match dir.file_name() {
        Some(_) => dir.to_owned(),
        None => fs::canonicalize(dir).map_err(|e| Failure::io("open", dir, &e))?,
    };
    let stem = whole.file_name().unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let date = date(now.map_or(0, |since| since.as_secs()));
    for number in 1_u32.. {
        let mut name = stem.to_owned();
        name.push(format!(".broken-{date}"));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let path = whole.with_file_name(name);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Failure::io("create", &path, &e)),
        }
    }
    Err(Failure::new("there are too many copies"))
}

/// Copies a file where hard links are not possible.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(from)?;
    #[cfg(unix)]
    if meta.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if !meta.is_file() {
        // A FIFO, a socket or a device has no content that could be lost.
        return Ok(());
    }
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

/// Flushes a directory, where that is possible.
fn flush(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        let flushed = File::open(dir).and_then(|dir| dir.sync_all());
        flushed.map_err(|e| Failure::io("sync", dir, &e))?;
    }
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// A time in seconds since 1970 as `20261128-172349`, in UTC.
fn date(seconds: u64) -> String {
    let (mut days, seconds) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    loop {
        let len = if is_leap(year) { 366 } else { 365 };
        if days < len {
            break;
        }
        days -= len;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < len {
            break;
        }
        days -= len;
        month += 1;
    }
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{year:04}{month:02}{:02}-{hour:02}{minute:02}{:02}",
        days + 1,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101-000000"),
            (951_782_399, "20000228-235959"),
            (951_782_400, "20000229-000000"),
            (1_700_000_000, "20231114-221320"),
            (1_798_761_599, "20261231-235959"),
            (4_102_444_800, "21000101-000000"),
            (4_107_542_400, "21000301-000000"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }
}
