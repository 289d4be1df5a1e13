//! Which tables belong to a stack whose list may be damaged.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::Path;

use reftable::stack::{check, CheckEvent};
use reftable::HashId;

use crate::commands::stat::read;
use crate::failure::{Failure, Result};
use crate::place::{listed, LIST};
use crate::text::quoted;

/// The names of the tables, oldest first. If the list is missing or has names without a file, the
/// tables in the directory fill the gap whose update indexes no listed table has. `note` reports what
/// is wrong.
pub fn tables(dir: &Path, note: &mut dyn FnMut(&str) -> Result<()>) -> Result<Vec<String>> {
    let failed = |e: io::Error| Failure::io("read", dir, &e);
    let mut present = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.ends_with(".ref")) {
            present.push(name.to_owned());
        }
    }
    let is_missing = !dir.join(LIST).exists();
    let (known, lost): (Vec<_>, Vec<_>) = listed(dir)
        .unwrap_or_default()
        .into_iter()
        .partition(|name| dir.join(name).is_file());
    if is_missing && present.is_empty() {
        return Ok(known);
    }
    if is_missing {
        note("tables.list is missing; the tables in the directory are used")?;
    } else if let Some(text) = list_error(dir) {
        note(&text)?;
    }
    for name in &lost {
        note(&format!("the table {} is missing", quoted(name)))?;
    }
    if !is_missing && lost.is_empty() && list_error(dir).is_none() {
        return Ok(known);
    }
    fill(dir, known, present, note)
}

/// Adds the tables of `present` whose update indexes none of `known` has.
fn fill(
    dir: &Path,
    known: Vec<String>,
    present: Vec<String>,
    note: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Vec<String>> {
    let range = |name: &String| {
        read(&dir.join(name))
            .ok()
            .map(|table| table.update_indexes())
    };
    let mut others: Vec<_> = present
        .into_iter()
        .filter(|name| !known.contains(name))
        .filter_map(|name| Some((range(&name)?, name)))
        .collect();
    // Of tables that overlap, the one with the larger range was merged from the others.
    others.sort_by_key(|((min, max), _)| std::cmp::Reverse(max - min));
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
        note(&format!(
            "the table {} is used, which is not listed",
            quoted(&name)
        ))?;
        all.insert(place.unwrap_or(all.len()), (Some((min, max)), name));
    }
    Ok(all.into_iter().map(|(_, name)| name).collect())
}

/// What is wrong with the list itself.
fn list_error(dir: &Path) -> Option<String> {
    let bytes = fs::read(dir.join(LIST)).unwrap_or_default();
    let lines = bytes.split(|&byte| byte == b'\n');
    let count = lines.filter(|line| !line.is_empty()).count();
    let names = listed(dir).unwrap_or_default();
    let is_whole = bytes.is_empty() || bytes.ends_with(b"\n");
    let is_name = |name: &String| name.ends_with(".ref") && name.is_ascii();
    if is_whole && names.len() == count && names.iter().all(is_name) {
        return None;
    }
    let mut error = None;
    // The hash does not matter for the list.
    check(dir, HashId::Sha1, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            if finding.file == LIST {
                error.get_or_insert_with(|| finding.to_string());
            }
        }
    });
    error.or_else(|| Some("tables.list has lines that are not names of tables".to_owned()))
}
