//! Writing tables of a stack that this process has locked, or that is not in use yet.
//!
//! The library locks a stack itself. During a migration the lock must be held before the stack is
//! in use and after it has been changed.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use reftable::format::Error;
use reftable::table::{WriteOptions, Writer};
use reftable::HashId;

use super::disk;
use crate::failure::{Failure, Result};
use crate::place::{listed, LIST};
use crate::writing::with_room;

/// Why a table could not be written.
#[derive(Debug)]
pub enum Trouble {
    Table(Error),
    /// What was to be written could not be read.
    Other(Failure),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Table(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

/// Adds a table that `write` fills to the stack in `dir`. `limits` are its update indexes, which are
/// above those of the stack. Nothing is added if `write` adds no records.
pub fn add(
    dir: &Path,
    hash: HashId,
    limits: (u64, u64),
    mut write: impl FnMut(&mut Writer<'_>) -> Result<(), Trouble>,
) -> Result<()> {
    let mut options = WriteOptions {
        hash_id: hash,
        exact_log_message: true,
        ..WriteOptions::default()
    };
    let mut failure = None;
    let bytes = with_room(&mut options, |options| {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, options)?;
        writer.set_limits(limits.0, limits.1)?;
        match write(&mut writer) {
            Ok(()) => {}
            Err(Trouble::Table(error)) => return Err(error),
            Err(Trouble::Other(other)) => {
                failure = Some(other);
                return Ok(Vec::new());
            }
        }
        match writer.finish() {
            Err(Error::EmptyTable) => return Ok(Vec::new()),
            done => done?,
        };
        drop(writer);
        Ok(bytes)
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let bytes = bytes?;
    let names = listed(dir).map_err(|e| Failure::io("read", dir, &e))?;
    let mut list: String = names.iter().flat_map(|name| [name, "\n"]).collect();
    if !bytes.is_empty() {
        let name = name_of(limits);
        disk::write(&dir.join(&name), &bytes)?;
        list.push_str(&name);
        list.push('\n');
    }
    let new = dir.join("tables.list.new");
    disk::write(&new, list.as_bytes())?;
    // With the permissions of the list that it replaces.
    if let Ok(meta) = fs::metadata(dir.join(LIST)) {
        let dir_meta = fs::metadata(dir).map_err(|e| Failure::io("open", dir, &e))?;
        disk::adopt_permissions(&new, &dir_meta, &meta)?;
    }
    disk::rename(&new, &dir.join(LIST))?;
    disk::sync_dir(dir)
}

/// A name for a table, as git makes them.
fn name_of((min, max): (u64, u64)) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let random = now.map_or(0, |now| now.subsec_nanos()) ^ std::process::id();
    format!("0x{min:012x}-0x{max:012x}-{random:08x}.ref")
}
