//! Following the list: is it still the same, and which tables does it name now?
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::list::List;
use super::{Shared, View};
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::{FileKind, ListHandle};
use crate::table::Table;

/// How long a reader follows a list that keeps changing under it, in milliseconds.
const RETRY_MS: u64 = 3000;

/// How often it tries at least, and without a pause.
const MIN_TRIES: u32 = 3;

/// Longest pause between two tries, in milliseconds: some transactions of others.
const MAX_PAUSE_MS: u64 = 16;

/// What a look at the list tells.
pub(super) enum Compared {
    /// It names the view's tables.
    Same,
    /// It names others.
    Other(List, Option<ListHandle>),
}

impl Shared {
    /// See [`Stack::reload`](super::Stack::reload).
    pub(super) fn reload(&self) -> Result<bool> {
        // What is asked for while a transaction is prepared cannot fail on the way here.
        if self.holds_lock.load(Ordering::Acquire) {
            return Ok(false);
        }
        let mut changed = false;
        loop {
            let view = self.view();
            let (list, handle) = match self.compare(&view)? {
                Compared::Same => return Ok(changed),
                Compared::Other(list, handle) => (list, handle),
            };
            let view_now = self.load(&view.merged, list, handle)?;
            // Another thread may have been faster, and seen a newer list than this one.
            changed = true;
            if self.install(&view.merged, view_now) {
                return Ok(true);
            }
        }
    }

    /// Looks whether `view` is what the list names.
    pub(super) fn compare(&self, view: &View) -> Result<Compared> {
        if let Some(seen) = &view.list {
            match self.storage.file_id(&self.list_path) {
                Ok(id) if id == seen.id() => return Ok(Compared::Same),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
                Err(e) => return Err(Error::io("stat", &self.list_path, e)),
            }
        }
        let (list, handle) = self.read_list()?;
        let tables = view.merged.tables();
        if !list.names().eq(tables.iter().map(|t| t.name())) {
            return Ok(Compared::Other(list, handle));
        }
        // The same names in another file: spare the next look the reading.
        let mut state = self.lock_state();
        if Arc::ptr_eq(&state.view.merged, &view.merged) {
            state.view.list = handle;
        }
        Ok(Compared::Same)
    }

    /// The list as it is now; a missing file is an empty list.
    pub(super) fn read_list(&self) -> Result<(List, Option<ListHandle>)> {
        match self.storage.read_list(&self.list_path) {
            Ok(file) => Ok((List::parse(file.bytes, &self.list_path)?, file.handle)),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !self.leads_nowhere() => {
                Ok((List::default(), None))
            }
            Err(e) => Err(Error::io("open", &self.list_path, e)),
        }
    }

    /// Whether the directory is a symbolic link to nothing: its tables are elsewhere, for
    /// instance on a disk that is not mounted now, and to take the stack for an empty one would
    /// make all objects garbage.
    fn leads_nowhere(&self) -> bool {
        let missing = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        matches!(self.storage.kind(&self.dir), Ok(FileKind::Symlink))
            && self.storage.file_id(&self.dir).is_err_and(|e| missing(&e))
    }

    /// Opens the tables of `list`, those of `base` excepted. When one is missing, a
    /// compaction may have replaced it: reads the list again, unless it is the same.
    fn load(&self, base: &Merged, mut list: List, mut handle: Option<ListHandle>) -> Result<View> {
        let deadline = self.storage.now_ms().saturating_add(RETRY_MS);
        let mut tries = 0;
        let mut pause: u64 = 0;
        let mut open = base.tables().to_vec();
        loop {
            tries += 1;
            let missing = match self.open_tables(&mut open, &list) {
                Ok(tables) => {
                    let merged = Merged::new(tables, self.options.write.hash_id)?;
                    return Ok(View {
                        merged: Arc::new(merged),
                        list: handle,
                    });
                }
                Err(error @ Error::NotExist { .. }) => error,
                Err(error) => return Err(error),
            };
            let (newer, newer_handle) = self.read_list()?;
            let late = tries >= MIN_TRIES && self.storage.now_ms() >= deadline;
            if newer == list || late {
                return Err(missing);
            }
            (list, handle) = (newer, newer_handle);
            if tries < MIN_TRIES {
                continue;
            }
            let jitter = pause * u64::from(self.storage.random()) / u64::from(u32::MAX);
            pause = (pause + jitter + 1).min(MAX_PAUSE_MS);
            self.storage.sleep_ms(pause);
            // The tables of a list that was read before the pause may be gone again.
            (list, handle) = self.read_list()?;
        }
    }

    /// The tables of `list`, taken from `open` or opened and added there.
    fn open_tables(&self, open: &mut Vec<Arc<Table>>, list: &List) -> Result<Vec<Arc<Table>>> {
        let known = open.len();
        let mut tables = Vec::new();
        // Lists keep their order, so that the table is mostly the one after the last.
        let mut at = 0;
        let mut by_name: Option<Vec<usize>> = None;
        for name in list.names() {
            let found = match open.get(at).filter(|_| at < known) {
                Some(table) if table.name() == name => Some(at),
                _ => {
                    let numbers = by_name.get_or_insert_with(|| numbers_by_name(open));
                    let place = numbers.binary_search_by(|&n| name_at(open, n).cmp(name));
                    place.ok().and_then(|place| numbers.get(place).copied())
                }
            };
            let table = match found.and_then(|n| open.get(n)) {
                Some(table) => Arc::clone(table),
                None => {
                    let table = self.open_table(name)?;
                    open.push(Arc::clone(&table));
                    table
                }
            };
            at = found.map_or(at, |n| n + 1);
            tables.push(table);
        }
        Ok(tables)
    }

    /// Opens one table of the folder.
    pub(super) fn open_table(&self, name: &str) -> Result<Arc<Table>> {
        let path = self.path_of(name);
        let data = self
            .storage
            .open_table(&path)
            .map_err(|error| open_error(&path, error))?;
        Table::new(name, data).map(Arc::new)
    }

    /// Makes `next` the view if `base` still is; otherwise another thread has seen a
    /// list that is newer than the one `next` was made from.
    pub(super) fn install(&self, base: &Arc<Merged>, next: View) -> bool {
        let mut state = self.lock_state();
        let is_base = Arc::ptr_eq(&state.view.merged, base);
        if is_base {
            // The old view may be the last to hold its tables: close them unlocked.
            let old = std::mem::replace(&mut state.view, next);
            drop(state);
            drop(old);
        }
        is_base
    }

    /// Shows the list that was just written: its tables are in `base` or in `fresh`.
    /// Without a word when that fails, since what was written stays written: the next
    /// reload looks again.
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
            self.install(
                base,
                View {
                    merged,
                    list: handle,
                },
            )
        });
        if !installed {
            let _ = self.reload();
        }
    }
}

/// The places of `tables`, by the names of these.
fn numbers_by_name(tables: &[Arc<Table>]) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..tables.len()).collect();
    numbers.sort_unstable_by_key(|&n| name_at(tables, n));
    numbers
}

fn name_at(tables: &[Arc<Table>], number: usize) -> &str {
    tables.get(number).map_or("", |table| table.name())
}

fn open_error(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotExist {
            path: path.to_owned(),
        },
        io::ErrorKind::OutOfMemory => Error::OutOfMemory {
            // Unknown: the storage says only that memory was short.
            size: 0,
        },
        _ => Error::io("open", path, error),
    }
}
