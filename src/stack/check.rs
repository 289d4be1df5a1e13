//! Checks of a stack's folder, as `git refs verify` asks for.
//!
//! They need no open stack: tables are opened one by one, so that a folder that cannot be opened
//! as a stack still gets an answer to the question why. No lock is taken. Writers and compactions
//! may be at work all the while, and what they do is not mistaken for damage: a table that
//! vanishes sends the check back to the list, and a file that may belong to one of them is left
//! out.
#![forbid(unsafe_code)]

mod finding;
mod leftovers;

use finding::Detail;
pub use finding::{CheckEvent, Finding};

use std::io;
use std::path::Path;

use super::list::List;
use super::{names, Stack, LIST_NAME};
use crate::format::quote::Quoted;
use crate::format::{Corruption, Error, Expected, FindingKind, HashId, Result};
use crate::sys::{Storage, TableData};
use crate::table::{Flaw, Table};

/// How often the list is read again because a table that it names has vanished.
const TRIES: u32 = 10;

/// Offset of the least update index in a table.
const MIN_UPDATE_INDEX_AT: u64 = 8;

/// Where findings go.
type Sink<'s> = &'s mut dyn FnMut(CheckEvent<'_>);

/// Checks the tables that the stack's folder holds now, and tells `report` what it does and
/// finds. See [`check_dir`].
pub fn check(stack: &Stack, report: Sink<'_>) {
    let shared = &stack.shared;
    check_dir(&*shared.storage, &shared.dir, stack.hash_id(), report);
}

/// Checks the list in the folder `dir`, the tables that it names, each by itself and with the one
/// before, and the other files there; tells `report` what it does and finds.
///
/// `hash_id` is the hash that all tables must be of. A folder without list is an empty stack.
pub fn check_dir(storage: &dyn Storage, dir: &Path, hash_id: HashId, report: Sink<'_>) {
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
                report(CheckEvent::Finding(match is_no_list(&list) {
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
        let mut tell = |detail: Detail<'_>| report(CheckEvent::Finding(Finding::new(name, detail)));
        if !names::is_valid(name) {
            tell(Detail::BadTableName);
        }
        match Table::inspect(name, data) {
            Ok(table) => {
                check_table(&table, hash_id, &mut tell);
                if let Some(before) = &before {
                    check_neighbours(before, &table, &mut |flaw| tell(Detail::Flaw(flaw)));
                }
                before = Some(table);
            }
            Err(flaw) => tell(Detail::Flaw(&flaw)),
        }
    }
    // A list that names what is not there may well miss what is.
    if complete {
        leftovers::check(storage, dir, &list, &mut |file, detail| {
            report(CheckEvent::Finding(Finding::new(file, detail)));
        });
    }
}

/// The list, and its tables as they were opened.
type Snapshot = (List, Vec<io::Result<TableData>>);

/// Opens all tables of one list. When one has vanished, a compaction may have replaced it: then
/// the list has changed, too, and is read again.
fn snapshot(storage: &dyn Storage, dir: &Path) -> Result<Snapshot> {
    let mut list = read_list(storage, dir)?;
    let mut tries = 0;
    loop {
        let open = |name: &str| storage.open_table(&dir.join(name));
        let tables: Vec<_> = list.names().map(open).collect();
        let is_missing = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        if tries >= TRIES || !tables.iter().any(|t| t.as_ref().is_err_and(is_missing)) {
            return Ok((list, tables));
        }
        tries += 1;
        let newer = read_list(storage, dir)?;
        if newer == list {
            return Ok((list, tables));
        }
        list = newer;
    }
}

/// The list as it is now; a missing file is an empty list.
fn read_list(storage: &dyn Storage, dir: &Path) -> Result<List> {
    match storage.read_list(&dir.join(super::LIST_NAME)) {
        // Findings name files of the folder without the folder.
        Ok(file) => List::parse(file.bytes, Path::new(LIST_NAME)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(List::default()),
        Err(e) => Err(Error::io("open", dir.join(LIST_NAME), e)),
    }
}

/// Whether the list consists of one word, which git calls a broken stack without further words.
fn is_no_list(list: &List) -> bool {
    let mut names = list.names();
    let is_word = |name: &str| name.bytes().all(|b| b.is_ascii_alphabetic());
    names.next().is_some_and(is_word) && names.next().is_none()
}

/// Why the directory cannot be opened, if it has no list: a repository always has it.
fn missing_dir(storage: &dyn Storage, dir: &Path) -> Option<Error> {
    let list = storage.file_id(&dir.join(LIST_NAME));
    if !list.is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return None;
    }
    let error = storage.list_dir(dir).err()?;
    (error.kind() == io::ErrorKind::NotFound).then(|| Error::io("open directory", dir, error))
}

/// Checks one table by itself.
fn check_table(table: &Table, hash_id: HashId, tell: &mut dyn FnMut(Detail<'_>)) {
    let range = (table.min_update_index(), table.max_update_index());
    if let Some(named) = names::range_of(table.name()).filter(|named| *named != range) {
        tell(Detail::OtherRange { named, range });
    }
    if table.hash_id() != hash_id {
        tell(Detail::Flaw(&table.wrong_hash(hash_id.format_id())));
    }
    table.verify(&mut |flaw| tell(Detail::Flaw(&flaw)));
}

/// A table's update indexes are all above those of the table before.
fn check_neighbours(before: &Table, table: &Table, tell: &mut dyn FnMut(&Flaw)) {
    let (last, first) = (before.max_update_index(), table.min_update_index());
    if first > last {
        return;
    }
    let what = "least update index, not above the greatest one of the table before";
    let least = Expected::AtLeast(last.saturating_add(1));
    let damage = Corruption::new(MIN_UPDATE_INDEX_AT, what, first, least);
    tell(&Flaw {
        subject: Some(Quoted(before.name().as_bytes()).to_string()),
        ..Flaw::new(FindingKind::UpdateIndex, damage)
    });
}
