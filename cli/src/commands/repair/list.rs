//! Which tables belong to a stack whose list may be damaged.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use reftable::format::FindingKind;
use reftable::stack::{check, CheckEvent};
use reftable::HashId;

use super::salvage::range_of;
use crate::commands::stat::read;
use crate::failure::{text_of, Failure, Result};
use crate::place::{is_unreadable, names_in, read_file, LIST};
use crate::text::quoted;

/// What is wrong with a list, or what replaces it.
pub enum Note<'n> {
    Lost(&'n str),
    Found(&'n str),
}

/// Gets the notes.
type Report<'r> = &'r mut dyn FnMut(Note<'_>) -> Result<()>;

/// The names of the tables, oldest first. If the list is missing or has names without a file, the
/// tables in the directory fill the gap whose update indexes no listed table has. `note` reports what
/// is wrong.
pub fn tables(dir: &Path, note: Report<'_>) -> Result<Vec<String>> {
    let present = present(dir)?;
    let path = dir.join(LIST);
    let (bytes, flaw) = match read_file(&path) {
        // As a power failure may leave it.
        Ok(bytes) if bytes.trim_ascii().is_empty() && !present.is_empty() => {
            (Vec::new(), Some(format!("{LIST} is empty")))
        }
        Ok(bytes) => {
            let flaw = list_error(dir, &bytes);
            (bytes, flaw)
        }
        // Without a list and tables the stack is empty.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let flaw = (!present.is_empty()).then(|| format!("{LIST} is missing"));
            (Vec::new(), flaw)
        }
        Err(e) if is_unreadable(&e) => {
            let flaw = format!("{LIST} cannot be read: {}", text_of(&e));
            (Vec::new(), Some(flaw))
        }
        Err(e) => return Err(Failure::io("read", &path, &e)),
    };
    if let Some(flaw) = &flaw {
        note(Note::Lost(flaw))?;
    }
    let (mut known, mut lost) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for name in names_in(&bytes) {
        if !seen.insert(name.clone()) {
            continue;
        }
        match exists(&dir.join(&name))? {
            true => known.push(name),
            false => lost.push(name),
        }
    }
    // Other lines without a file have been reported with the list.
    for name in lost.iter().filter(|name| range_of(name).is_some()) {
        note(Note::Lost(&format!(
            "the table {} is missing",
            quoted(name)
        )))?;
    }
    let known = distinct(dir, known, note)?;
    if flaw.is_none() && lost.is_empty() {
        return sorted(dir, known, note);
    }
    let all = fill(dir, known, present, note)?;
    sorted(dir, all, note)
}

/// Whether there is a regular file.
///
/// # Errors
/// If that is not known.
fn exists(path: &Path) -> Result<bool> {
    /// Bytes of a file's name, on every Unix.
    const LONGEST: usize = 255;
    if path.file_name().is_none_or(|name| name.len() > LONGEST) {
        return Ok(false);
    }
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.is_file()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        // A link to itself.
        Err(e) if e.kind() != io::ErrorKind::PermissionDenied && path.is_symlink() => Ok(false),
        Err(e) => Err(Failure::io("read", path, &e)),
    }
}

/// The tables without symbolic links to others of them.
fn distinct(dir: &Path, names: Vec<String>, note: Report<'_>) -> Result<Vec<String>> {
    let is_link = |name: &String| dir.join(name).is_symlink();
    let files: BTreeSet<String> = names
        .iter()
        .filter(|name| !is_link(name))
        .cloned()
        .collect();
    let mut all = Vec::new();
    for name in names {
        let target = is_link(&name).then(|| fs::canonicalize(dir.join(&name)).ok());
        let target = target
            .flatten()
            .and_then(|path| path.file_name().map(ToOwned::to_owned));
        match target.and_then(|target| target.into_string().ok()) {
            Some(target) if files.contains(&target) => note(Note::Found(&format!(
                "{} is another name of {}",
                quoted(&name),
                quoted(&target)
            )))?,
            _ => all.push(name),
        }
    }
    Ok(all)
}

/// The tables in the directory.
fn present(dir: &Path) -> Result<Vec<String>> {
    let failed = |e: io::Error| Failure::io("read", dir, &e);
    let mut present = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.ends_with(".ref")) {
            present.push(name.to_owned());
        }
    }
    present.sort();
    Ok(present)
}

/// The update indexes of a table, or those of its name if its header cannot be read.
fn range(dir: &Path, name: &str) -> Option<(u64, u64)> {
    let table = read(&dir.join(name)).ok();
    table.map_or_else(|| range_of(name), |table| Some(table.update_indexes()))
}

/// The tables in the order of their update indexes, if these tell one.
fn sorted(dir: &Path, names: Vec<String>, note: Report<'_>) -> Result<Vec<String>> {
    let with_range = |name: &String| Some((range(dir, name)?, name.clone()));
    let Some(mut ranges) = names.iter().map(with_range).collect::<Option<Vec<_>>>() else {
        return Ok(names);
    };
    ranges.sort();
    let follows = |pair: &[((u64, u64), String)]| match pair {
        [((_, max), _), ((min, _), _)] => max < min,
        _ => true,
    };
    let is_changed = !ranges.iter().map(|(_, name)| name).eq(&names);
    if !is_changed || !ranges.windows(2).all(follows) {
        return Ok(names);
    }
    note(Note::Lost(&format!(
        "{LIST} does not name the oldest table first"
    )))?;
    Ok(ranges.into_iter().map(|(_, name)| name).collect())
}

/// Adds the tables of `present` whose update indexes none of `known` has.
fn fill(
    dir: &Path,
    known: Vec<String>,
    present: Vec<String>,
    note: Report<'_>,
) -> Result<Vec<String>> {
    let range = |name: &String| range(dir, name);
    let mut others: Vec<_> = present
        .into_iter()
        .filter(|name| !known.contains(name))
        .filter_map(|name| Some((range(&name)?, name)))
        .collect();
    // Of tables that overlap, the one with the larger range was merged from the others.
    others.sort_by_key(|((min, max), _)| std::cmp::Reverse(max.saturating_sub(*min)));
    let mut all: Vec<_> = known
        .iter()
        .map(|name| (range(name), name.clone()))
        .collect();
    for ((min, max), name) in others {
        let overlaps =
            |other: &Option<(u64, u64)>| other.is_some_and(|(a, b)| a <= max && min <= b);
        let place = all
            .iter()
            .position(|(other, _)| other.is_some_and(|(least, _)| least > max));
        if all.iter().any(|(other, _)| overlaps(other)) {
            continue;
        }
        note(Note::Found(&format!(
            "the table {}, which is not listed",
            quoted(&name)
        )))?;
        all.insert(place.unwrap_or(all.len()), (Some((min, max)), name));
    }
    Ok(all.into_iter().map(|(_, name)| name).collect())
}

/// What is wrong with the content of the list.
fn list_error(dir: &Path, bytes: &[u8]) -> Option<String> {
    /// The largest list that is read, in bytes.
    const MOST: usize = 4 << 20;
    let lines = bytes.split(|&byte| byte == b'\n');
    let count = lines.filter(|line| !line.is_empty()).count();
    let names: BTreeSet<String> = names_in(bytes).into_iter().collect();
    let is_whole = bytes.is_empty() || bytes.ends_with(b"\n");
    let is_known = |name: &String| range_of(name).is_some() || dir.join(name).is_file();
    // A name that is there twice is counted once.
    if is_whole && bytes.len() <= MOST && names.len() == count && names.iter().all(is_known) {
        return None;
    }
    let mut error = None;
    // The hash does not matter for the list.
    check(dir, HashId::Sha1, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            let is_of_list = finding.file == LIST || finding.kind == FindingKind::List;
            if is_of_list && error.is_none() {
                error = Some(finding.to_string());
            }
        }
    });
    error.or_else(|| Some(format!("{LIST} has lines that are not names of tables")))
}
