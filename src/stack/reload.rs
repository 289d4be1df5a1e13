//! Reading the list: detecting that it has changed, and opening the tables that it names.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::list::{is_missing, List};
use super::options::OnOutdated;
use super::shared::{SeenList, Shared, View};
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::{FileKind, LockFile};
use crate::table::Table;

/// How long a reload is retried while the list keeps changing, in milliseconds.
const RETRY_MS: u64 = 3000;

/// The least number of tries; those are made without a pause.
const MIN_TRIES: u32 = 3;

/// The longest pause between two tries, in milliseconds: a few transactions of other
/// processes.
const MAX_PAUSE_MS: u64 = 16;

/// How the list compares with a view.
pub(super) enum Compared {
    /// It names the view's tables.
    Same,
    /// It names other tables.
    Other(List, SeenList),
}

impl Shared {
    /// See [`Stack::reload`](super::Stack::reload).
    pub(super) fn reload(&self) -> Result<bool> {
        // Under the lock the view is current, and lookups of a transaction cannot fail here.
        if self.holds_lock.load(Ordering::Acquire) {
            return Ok(false);
        }
        let mut changed = false;
        loop {
            let view = self.view();
            let (list, seen) = match self.compare(&view)? {
                Compared::Same => return Ok(changed),
                Compared::Other(list, seen) => (list, seen),
            };
            let view_now = self.load(&view.merged, list, seen)?;
            // Another thread may have installed the view of a newer list meanwhile.
            changed = true;
            if self.install(&view.merged, view_now) {
                return Ok(true);
            }
        }
    }

    /// Compares the list with `view`.
    pub(super) fn compare(&self, view: &View) -> Result<Compared> {
        if !matches!(view.list, SeenList::Unknown) {
            match (self.storage.file_id(&self.list_path), &view.list) {
                (Ok(id), SeenList::File(seen)) if id == seen.id() => return Ok(Compared::Same),
                (Ok(_), _) => {}
                (Err(e), list) if e.kind() == io::ErrorKind::NotFound => {
                    // A clone looks for each of its refs before it writes the first list.
                    if matches!(list, SeenList::Missing) {
                        return Ok(Compared::Same);
                    }
                }
                (Err(e), _) if e.kind() == io::ErrorKind::Unsupported => {}
                (Err(e), _) => return Err(Error::io("stat", &self.list_path, e)),
            }
        }
        let (list, seen) = self.read_list()?;
        let tables = view.merged.tables();
        if !list.names().eq(tables.iter().map(|t| t.name())) {
            return Ok(Compared::Other(list, seen));
        }
        // The same names in another file: remember it, so that the next call need not read it.
        let mut state = self.lock_state();
        if Arc::ptr_eq(&state.view.merged, &view.merged) {
            state.view.list = seen;
        }
        Ok(Compared::Same)
    }

    /// Takes the list's lock. Returns it with a view that is current, which is `view` unless
    /// the list has changed.
    ///
    /// # Errors
    /// [`Error::Outdated`] if the list has changed and `on_outdated` says to fail.
    pub(super) fn lock_current(
        &self,
        view: Option<View>,
        on_outdated: OnOutdated,
    ) -> Result<(Box<dyn LockFile>, View)> {
        let lock = self.lock_list()?;
        let view = view.unwrap_or_else(|| self.view());
        match self.compare(&view)? {
            Compared::Same => Ok((lock, view)),
            Compared::Other(..) if on_outdated == OnOutdated::Fail => Err(Error::Outdated),
            Compared::Other(..) => {
                self.reload()?;
                Ok((lock, self.view()))
            }
        }
    }

    /// Reads the list; a missing file is an empty list.
    pub(super) fn read_list(&self) -> Result<(List, SeenList)> {
        match List::read(&*self.storage, &self.list_path, &self.list_path) {
            Ok((list, handle)) => Ok((list, handle.into())),
            Err(e) if is_missing(&e) && !self.is_dangling() => {
                Ok((List::default(), SeenList::Missing))
            }
            Err(e) => Err(e),
        }
    }

    /// Whether the directory is a dangling symbolic link. Its tables are elsewhere then, for
    /// instance on a disk that is not mounted, and an empty stack would turn all objects into
    /// garbage.
    fn is_dangling(&self) -> bool {
        let missing = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        matches!(self.storage.kind(&self.dir), Ok(FileKind::Symlink))
            && self.storage.file_id(&self.dir).is_err_and(|e| missing(&e))
    }

    /// Opens those tables of `list` that `base` does not have. If one is missing, a compaction
    /// may have replaced it: reads the list again, and fails if that has not changed.
    fn load(&self, base: &Merged, mut list: List, mut seen: SeenList) -> Result<View> {
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
                        list: seen,
                    });
                }
                Err(error @ Error::NotExist { .. }) => error,
                Err(error) => return Err(error),
            };
            let (newer, newly_seen) = self.read_list()?;
            let late = tries >= MIN_TRIES && self.storage.now_ms() >= deadline;
            if newer == list || late {
                return Err(missing);
            }
            (list, seen) = (newer, newly_seen);
            if tries < MIN_TRIES {
                continue;
            }
            let jitter = pause * u64::from(self.storage.random()) / u64::from(u32::MAX);
            pause = (pause + jitter + 1).min(MAX_PAUSE_MS);
            self.storage.sleep_ms(pause);
            // The tables of the list read before the pause may have been replaced meanwhile.
            (list, seen) = self.read_list()?;
        }
    }

    /// Returns the tables of `list`, taken from `open` or opened and added to it.
    pub(super) fn open_tables(
        &self,
        open: &mut Vec<Arc<Table>>,
        list: &List,
    ) -> Result<Vec<Arc<Table>>> {
        let known = open.len();
        let mut tables = Vec::new();
        // Lists keep their order: the table is usually the one after the last.
        let mut at = 0;
        let mut by_name: Option<Vec<usize>> = None;
        for name in list.names() {
            let found = match open.get(at).filter(|_| at < known) {
                Some(table) if table.name() == name => Some(at),
                _ => {
                    let numbers = by_name.get_or_insert_with(|| numbers_by_name(open));
                    let found = numbers.binary_search_by(|&n| name_at(open, n).cmp(name));
                    found.ok().and_then(|i| numbers.get(i).copied())
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

    /// Opens a table of the directory.
    pub(super) fn open_table(&self, name: &str) -> Result<Arc<Table>> {
        let path = self.path_of(name);
        let data = self
            .storage
            .open_table(&path)
            .map_err(|error| open_error(&path, error))?;
        Table::new(name, data).map(Arc::new)
    }

    /// Replaces the view by `next` if it is still `base`. Otherwise another thread has installed
    /// the view of a newer list, and this returns false.
    pub(super) fn install(&self, base: &Arc<Merged>, next: View) -> bool {
        let mut state = self.lock_state();
        let is_base = Arc::ptr_eq(&state.view.merged, base);
        if is_base {
            // This may close the tables of the old view: do it without the mutex.
            let old = std::mem::replace(&mut state.view, next);
            drop(state);
            drop(old);
        }
        is_base
    }
}

/// The positions in `tables`, sorted by name.
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
            // The storage does not report the size.
            size: 0,
        },
        _ => Error::io("open", path, error),
    }
}
