//! Checks of a stack's directory, for `git refs verify`.
//!
//! Tables are opened one by one, so that a directory that cannot be opened as a stack can be
//! checked, too. No lock is taken, and concurrent additions and compactions are not reported as
//! damage: if a table vanishes the list is read again, and files that may belong to a running
//! process are skipped.
#![forbid(unsafe_code)]

mod finding;
mod leftovers;

use finding::Detail;
pub use finding::{CheckEvent, Finding};

use std::io;
use std::path::Path;

use super::handle::Stack;
use super::list::List;
use super::names::{self, LIST_NAME};
use crate::format::quote::Quoted;
use crate::format::{Corruption, Error, Expected, FindingKind, HashId, Result};
use crate::sys::{StdStorage, Storage, TableData};
use crate::table::{Flaw, Table};

/// How often the list is read again because a listed table has vanished.
const TRIES: u32 = 10;

/// Offset of the least update index in a table.
const MIN_UPDATE_INDEX_AT: u64 = 8;

/// A callback for the events of a check.
type OnEvent<'s> = &'s mut dyn FnMut(CheckEvent<'_>);

impl Stack {
    /// Checks the stack's directory as it is now; see [`check`].
    pub fn check(&self, report: OnEvent<'_>) {
        let shared = &self.shared;
        check_in(&*shared.storage, &shared.dir, self.hash_id(), report);
    }
}

/// Checks the directory of a stack: the list, the tables that it names, and other files. Calls
/// `report` for each table and each finding.
///
/// All tables must be of the hash `hash_id`. A directory without a list is an empty stack.
///
/// # Examples
/// ```
/// use reftable::format::HashId;
/// use reftable::stack::{check, CheckEvent};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let dir = dir.path();
/// let mut findings = 0;
/// check(dir, HashId::Sha1, &mut |event| {
///     if let CheckEvent::Finding(finding) = event {
///         eprintln!("{}: {finding}", finding.file);
///         findings += 1;
///     }
/// });
/// assert_eq!(findings, 0);
/// ```
pub fn check(dir: &Path, hash_id: HashId, report: OnEvent<'_>) {
    check_in(&StdStorage, dir, hash_id, report);
}

/// As [`check`], with another thread for the logs of large tables. For programs that may start
/// threads.
pub fn check_in_parallel(dir: &Path, hash_id: HashId, report: OnEvent<'_>) {
    check_with(&StdStorage, dir, hash_id, true, report);
}

/// As [`check`], accessing files through `storage`.
pub fn check_in(storage: &dyn Storage, dir: &Path, hash_id: HashId, report: OnEvent<'_>) {
    check_with(storage, dir, hash_id, false, report);
}

fn check_with(
    storage: &dyn Storage,
    dir: &Path,
    hash_id: HashId,
    in_parallel: bool,
    report: OnEvent<'_>,
) {
    let (list, tables) = match snapshot(storage, dir) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let finding = Finding::new(LIST_NAME, Detail::BadList(&error));
            return report(CheckEvent::Finding(finding));
        }
    };
    if let Some(error) = missing_dir(storage, dir) {
        let finding = Finding::new(LIST_NAME, Detail::NoDirectory(&error));
        return report(CheckEvent::Finding(finding));
    }
    let complete = tables.iter().all(Result::is_ok);
    let mut before: Option<Table> = None;
    for ((line, name), data) in list.numbered().zip(tables) {
        let data = match data {
            Ok(data) => data,
            Err(e) if e.kind() == io::ErrorKind::NotFound && !names::is_valid(name) => {
                report(CheckEvent::Finding(match is_one_word(&list) {
                    true => Finding::new(name, Detail::NotAList),
                    false => Finding::new(LIST_NAME, Detail::NoTable { line, name }),
                }));
                continue;
            }
            Err(error) => {
                let finding = Finding::new(name, Detail::Unreadable(&error));
                report(CheckEvent::Finding(finding));
                continue;
            }
        };
        report(CheckEvent::Checking(name));
        let mut emit = |detail: Detail<'_>| report(CheckEvent::Finding(Finding::new(name, detail)));
        if !names::is_valid(name) {
            emit(Detail::BadTableName);
        }
        match Table::inspect(name, data) {
            Ok(table) => {
                check_table(&table, hash_id, in_parallel, &mut emit);
                if let Some(before) = &before {
                    check_neighbours(before, &table, &mut |flaw| emit(Detail::Flaw(flaw)));
                }
                before = Some(table);
            }
            Err(flaw) => emit(Detail::Flaw(&flaw)),
        }
    }
    // If listed tables are missing, the list may be an old one that does not name new tables.
    if complete {
        leftovers::check(storage, dir, &list, &mut |file, detail| {
            report(CheckEvent::Finding(Finding::new(file, detail)));
        });
    }
}

/// A list and the results of opening its tables.
type ListedTables = (List, Vec<io::Result<TableData>>);

/// Reads the list and opens its tables. If one is missing, a compaction may have replaced it:
/// reads the list again, until it is unchanged.
fn snapshot(storage: &dyn Storage, dir: &Path) -> Result<ListedTables> {
    let mut list = List::read_for_check(storage, dir)?;
    let mut tries = 0;
    loop {
        let open = |name: &str| storage.open_table(&dir.join(name));
        let tables: Vec<_> = list.names().map(open).collect();
        let is_missing = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        if tries >= TRIES || !tables.iter().any(|t| t.as_ref().is_err_and(is_missing)) {
            return Ok((list, tables));
        }
        tries += 1;
        let newer = List::read_for_check(storage, dir)?;
        if newer == list {
            return Ok((list, tables));
        }
        list = newer;
    }
}

/// Whether the list consists of one word, for which git only reports a broken stack.
fn is_one_word(list: &List) -> bool {
    let mut names = list.names();
    let is_word = |name: &str| name.bytes().all(|b| b.is_ascii_alphabetic());
    names.next().is_some_and(is_word) && names.next().is_none()
}

/// The error of opening the directory, if it is missing. A repository always has one.
fn missing_dir(storage: &dyn Storage, dir: &Path) -> Option<Error> {
    let list = storage.file_id(&dir.join(LIST_NAME));
    if !list.is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return None;
    }
    let error = storage.list_dir(dir).err()?;
    (error.kind() == io::ErrorKind::NotFound).then(|| Error::io("open directory", dir, error))
}

/// Checks one table without regard to the others.
fn check_table(
    table: &Table,
    hash_id: HashId,
    in_parallel: bool,
    emit: &mut dyn FnMut(Detail<'_>),
) {
    let range = (table.min_update_index(), table.max_update_index());
    if let Some(named) = names::range_of(table.name()).filter(|named| *named != range) {
        emit(Detail::OtherRange { named, range });
    }
    if table.hash_id() != hash_id {
        emit(Detail::Flaw(&table.wrong_hash(hash_id.format_id())));
    }
    table.verify_with(in_parallel, &mut |flaw| emit(Detail::Flaw(&flaw)));
}

/// Checks that a table's update indexes are above those of the table before it.
fn check_neighbours(before: &Table, table: &Table, emit: &mut dyn FnMut(&Flaw)) {
    let (last, first) = (before.max_update_index(), table.min_update_index());
    if first > last {
        return;
    }
    let what = "least update index, not above the greatest one of the table before";
    let least = Expected::AtLeast(last.saturating_add(1));
    let damage = Corruption::new(MIN_UPDATE_INDEX_AT, what, first, least);
    emit(&Flaw {
        subject: Some(Quoted(before.name().as_bytes()).to_string()),
        ..Flaw::new(FindingKind::UpdateIndex, damage)
    });
}
