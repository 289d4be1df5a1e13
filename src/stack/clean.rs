//! Removing leftovers of dead processes.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;

use super::handle::Stack;
use super::locks::LockOwner;
use super::names::{self, LIST_NAME};
use super::options::OnOutdated;
use super::shared::Shared;
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::FileKind;

impl Stack {
    /// Removes leftovers of dead processes:
    ///
    /// - tables that the list does not name and that are no newer than the stack;
    /// - locks of tables that do not exist, or whose owner is dead;
    /// - temporary files of tables whose owner is dead;
    /// - after a day, locks and temporary files of tables whose owner is unknown, and empty
    ///   unlisted tables, which a power failure leaves.
    ///
    /// All other files stay, and so does a file that cannot be removed.
    ///
    /// # Errors
    /// As for [`begin`](Self::begin); [`Error::Io`] if the directory cannot be read.
    pub fn clean(&self) -> Result<()> {
        // Without leftovers no lock is needed, which a read-only user could not take.
        if self.shared.is_tidy(&self.merged()) {
            return Ok(());
        }
        self.clean_if(OnOutdated::Reload)
    }

    /// As [`clean`](Self::clean), with a choice of what to do if another process has changed
    /// the stack. Always takes the list's lock.
    ///
    /// # Errors
    /// As for [`clean`](Self::clean); [`Error::Outdated`] if `on_outdated` says to fail.
    #[doc(hidden)]
    pub fn clean_if(&self, on_outdated: OnOutdated) -> Result<()> {
        let shared = &self.shared;
        let (lock, view) = shared.lock_current(None, on_outdated)?;
        let merged = view.merged;
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
                        || shared.is_abandoned(entry))
            } else {
                names::is_temp_table(entry) && shared.is_abandoned(entry)
            };
            if stale && shared.is_file(entry) {
                // A leftover that cannot be removed does no harm.
                let _ = shared.storage.remove(&shared.path_of(entry));
            }
        }
        drop(lock);
        Ok(())
    }

    /// Removes those tables of `view`, an earlier view of this stack, that the list no longer
    /// names. The process that replaced them leaves them if it is killed, or if the system
    /// cannot remove an open file.
    ///
    /// Does nothing if the list is empty or missing: that does not prove that the tables have
    /// been replaced.
    #[doc(hidden)]
    pub fn remove_replaced(&self, view: &Merged) {
        let shared = &self.shared;
        // Errors are ignored, as a leftover does no harm.
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
    /// Whether the directory contains only the list and the tables of `merged`.
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

    /// Whether `name` is a regular file, as are all files of a stack; or the storage cannot tell.
    fn is_file(&self, name: &str) -> bool {
        match self.storage.kind(&self.path_of(name)) {
            Ok(kind) => kind == FileKind::File,
            Err(e) => e.kind() == io::ErrorKind::Unsupported,
        }
    }

    /// Whether an unlisted table is a leftover. One that is newer than the stack may be about
    /// to be published, or a lost list may have named it, so that its age proves nothing.
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

    /// Whether a lock or temporary file is abandoned.
    fn is_abandoned(&self, name: &str) -> bool {
        let path = self.path_of(name);
        match self.owner_of(&path) {
            LockOwner::Alive => false,
            LockOwner::Dead => true,
            LockOwner::Unknown => self.is_old(&path),
        }
    }
}
