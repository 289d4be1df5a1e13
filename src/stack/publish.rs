//! Publishing tables: giving finished tables their names, and replacing the list.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::list::List;
use super::names;
use super::shared::{Shared, View};
use super::sink::Written;
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::{ListHandle, LockFile, TableData};
use crate::table::Table;

/// The outcome of replacing the list.
pub(super) struct Replaced {
    /// The new list's file.
    pub(super) handle: Option<ListHandle>,
    /// The error of flushing the directory afterwards.
    pub(super) unflushed: Option<Error>,
}

/// Why a list was not replaced.
pub(super) struct ReplaceFailure {
    pub(super) error: Error,
    /// The rename failed, and the current list may name the new tables.
    pub(super) may_be_published: bool,
}

impl Shared {
    /// Renames a finished table to a name that is not among `known`, and opens it: from the
    /// copy in memory if its writer kept one.
    pub(super) fn persist_table(
        &self,
        Written { temp, copy }: Written,
        (min, max): (u64, u64),
        known: &List,
    ) -> Result<Arc<Table>> {
        let name = loop {
            let name = names::stem(min, max, self.storage.random()) + names::TABLE_SUFFIX;
            if known.names().all(|other| other != name) {
                break name;
            }
        };
        let path = self.path_of(&name);
        let renamed = temp
            .persist(&path)
            .map_err(|e| Error::io("rename", &path, e));
        let table = renamed.and_then(|()| match copy {
            Some(bytes) => Table::new(&name, TableData::from(bytes)).map(Arc::new),
            None => self.open_table(&name),
        });
        table.inspect_err(|_| {
            // A rename that reported an error may have happened. Report the first error.
            let _ = self.storage.remove(&path);
        })
    }

    /// Replaces the list by committing its lock. `fresh` are the names that are new in it;
    /// `for_fold` says that the change saves a compaction.
    ///
    /// The directory is flushed twice: before the rename, so that the list reaches the disk
    /// after the tables that it names; and after it, so that the list is durable when this
    /// returns and replaced tables may be removed.
    pub(super) fn replace_list<'a>(
        &self,
        mut lock: Box<dyn LockFile>,
        list: &List,
        fresh: impl Iterator<Item = &'a str>,
        for_fold: bool,
    ) -> Result<Replaced, ReplaceFailure> {
        let written = lock
            .write_all(list.bytes())
            .map_err(|e| Error::io("write", lock.path(), e))
            .and_then(|()| lock.sync().map_err(|e| Error::io("sync", lock.path(), e)))
            .and_then(|()| self.sync_dir(for_fold));
        if let Err(error) = written {
            return Err(ReplaceFailure {
                error,
                may_be_published: false,
            });
        }
        let handle = match lock.commit_keeping_handle() {
            Ok(handle) => handle,
            Err(e) => self.check_rename(list, fresh, Error::io("rename", &self.list_path, e))?,
        };
        let unflushed = self.sync_dir(for_fold).err();
        Ok(Replaced { handle, unflushed })
    }

    /// Finds out whether a rename that reported `error` has happened nonetheless, as it may
    /// on a network file system.
    fn check_rename<'a>(
        &self,
        list: &List,
        mut fresh: impl Iterator<Item = &'a str>,
        error: Error,
    ) -> Result<Option<ListHandle>, ReplaceFailure> {
        let may_be_published = match self.read_list() {
            Ok((now, seen)) if now == *list => return Ok(seen.handle()),
            Ok((now, _)) => fresh.any(|name| now.names().any(|other| other == name)),
            Err(_) => true,
        };
        Err(ReplaceFailure {
            error,
            may_be_published,
        })
    }

    fn sync_dir(&self, for_fold: bool) -> Result<()> {
        let synced = match for_fold {
            true => self.storage.sync_dir_for_fold(&self.dir),
            false => self.storage.sync_dir(&self.dir),
        };
        synced.map_err(|e| Error::io("sync", &self.dir, e))
    }

    /// Installs the view of the list that was just written; its tables are in `base` or in
    /// `fresh`.
    ///
    /// Ignores errors: the list has been written, and the next reload reads it again.
    pub(super) fn show_written(
        &self,
        base: &Arc<Merged>,
        fresh: &[Arc<Table>],
        list: &List,
        handle: Option<ListHandle>,
    ) {
        let mut open = base.tables().to_vec();
        open.extend_from_slice(fresh);
        let merged = self
            .open_tables(&mut open, list)
            .and_then(|tables| Merged::new(tables, self.options.write.hash_id));
        let installed = merged.is_ok_and(|merged| {
            let merged = Arc::new(merged);
            let next = View {
                merged,
                list: handle.into(),
            };
            self.install(base, next)
        });
        if !installed {
            let _ = self.reload();
        }
    }

    /// Removes tables that the list no longer names.
    pub(super) fn remove_tables(&self, tables: &[Arc<Table>]) {
        for table in tables {
            // Some systems cannot remove a file that a reader has open.
            let _ = self.storage.remove(&self.path_of(table.name()));
        }
    }
}
