//! Removing what dead processes left behind.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::locks::Owner;
use super::{names, OnOutdated, Shared, Stack, LIST_NAME};
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::FileKind;

/// Age from which on a temporary file or a table's lock belongs to nobody, when it does not
/// tell better itself: a day, in milliseconds. The list's lock keeps additions away, but not a
/// compaction that is still merging.
pub(super) const STALE_MS: u64 = 24 * 60 * 60 * 1000;

impl Stack {
    /// Removes tables that the list does not name and that are no newer than the stack,
    /// locks of tables that are gone or whose owner is, and, once they are older than a day,
    /// locks of tables whose owner is not known, temporary files of tables, and unlisted
    /// tables without content, which a power failure leaves. Any other file that cannot be
    /// read as a table, or not be removed, is left alone.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::Io`] when the folder cannot be read.
    pub fn clean(&self) -> Result<()> {
        // Without leftovers there is nothing to lock, which a reader may not do.
        if self.shared.is_tidy(&self.merged()) {
            return Ok(());
        }
        self.clean_if(OnOutdated::Reload)
    }

    /// As [`clean`](Self::clean), and says what to do when another process has changed the
    /// stack.
    ///
    /// # Errors
    /// Those of [`clean`](Self::clean); [`Error::Outdated`] when it is to fail then.
    pub fn clean_if(&self, on_outdated: OnOutdated) -> Result<()> {
        let addition = self.begin(on_outdated)?;
        let shared = &self.shared;
        let merged = shared.view().merged;
        let max = merged.max_update_index();
        let entries = shared
            .storage
            .list_dir(&shared.dir)
            .map_err(|e| Error::io("open directory", &shared.dir, e))?;
        let entries: Vec<&str> = entries.iter().filter_map(|entry| entry.to_str()).collect();
        let present: HashSet<&str> = entries.iter().copied().collect();
        let listed: HashSet<&str> = merged.tables().iter().map(|t| t.name()).collect();
        for entry in entries {
            let stale = if entry.ends_with(names::TABLE_SUFFIX) {
                !listed.contains(entry) && shared.is_stale_table(entry, max)
            } else if let Some(table) = names::table_of_lock(entry) {
                names::is_valid(table)
                    && (!listed.contains(table) && !present.contains(table)
                        || shared.is_left(entry))
            } else {
                names::is_temp_table(entry) && shared.is_left(entry)
            };
            if stale && shared.is_file(entry) {
                // What cannot be removed does no harm.
                let _ = shared.storage.remove(&shared.path_of(entry));
            }
        }
        drop(addition);
        Ok(())
    }

    /// Removes those tables of `view`, which this stack has shown, that the list does not name
    /// any more: where an open file cannot be removed, and when it died, the process that
    /// replaced them has left them. A list that names nothing, or is not there, is no proof
    /// that they have been replaced.
    pub fn remove_replaced(&self, view: &Merged) {
        let shared = &self.shared;
        // What cannot be removed, or be told, does no harm.
        let Ok((list, _)) = shared.read_list() else {
            return;
        };
        let mut listed: Vec<&str> = list.names().collect();
        if listed.is_empty() {
            return;
        }
        listed.sort_unstable();
        for table in view.tables() {
            if listed.binary_search(&table.name()).is_err() {
                let _ = shared.storage.remove(&shared.path_of(table.name()));
            }
        }
    }
}

impl Shared {
    /// Whether the directory holds nothing but the list and the tables of `merged`.
    fn is_tidy(&self, merged: &Merged) -> bool {
        let listed: HashSet<&OsStr> = merged
            .tables()
            .iter()
            .map(|table| OsStr::new(table.name()))
            .collect();
        match self.storage.list_dir(&self.dir) {
            Ok(entries) => entries
                .iter()
                .all(|entry| entry == LIST_NAME || listed.contains(entry.as_os_str())),
            Err(e) => e.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Whether `name` is a regular file, as all that this crate makes: anything else of such a
    /// name is not ours.
    fn is_file(&self, name: &str) -> bool {
        match self.storage.kind(&self.path_of(name)) {
            Ok(kind) => kind == FileKind::File,
            Err(e) => e.kind() == io::ErrorKind::Unsupported,
        }
    }

    /// Whether an unlisted table can only be a leftover: a newer one than the stack's
    /// may be in the making.
    fn is_stale_table(&self, name: &str, max: u64) -> bool {
        match self.open_table(name) {
            Ok(table) => table.max_update_index() <= max,
            Err(_) => {
                names::is_valid(name) && self.is_empty(name) && self.is_old(&self.path_of(name))
            }
        }
    }

    fn is_empty(&self, name: &str) -> bool {
        let data = self.storage.open_table(&self.path_of(name));
        data.is_ok_and(|data| data.is_empty())
    }

    /// Whether a lock or temporary file belongs to nobody any more.
    fn is_left(&self, name: &str) -> bool {
        let path = self.path_of(name);
        match self.owner_of(&path) {
            Owner::Lives => false,
            Owner::Died => true,
            Owner::Unknown => self.is_old(&path),
        }
    }

    pub(super) fn is_old(&self, path: &Path) -> bool {
        let age = self.storage.age_ms(path);
        matches!(age, Ok(Some(ms)) if ms > STALE_MS)
    }
}
