//! The state shared by all handles of a stack and their additions.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::list::is_missing;
use super::names::{self, LIST_NAME};
use super::options::{CompactionStats, StackOptions};
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::sys::{lock_path, ListHandle, LockFile, Storage, TempFile, WriteFile, TEMP_INFIX};

/// A stack's directory, options and state.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) dir: PathBuf,
    pub(super) list_path: PathBuf,
    pub(super) options: StackOptions,
    /// Whether an addition of this stack holds the list's lock, so that the view is current.
    /// Common to all handles of the stack, as is `state`.
    pub(super) holds_lock: Arc<AtomicBool>,
    /// Locked only briefly, never during I/O or a callback.
    state: Arc<Mutex<StackState>>,
}

/// The mutable part of a stack.
#[derive(Debug)]
pub(super) struct StackState {
    pub(super) view: View,
    pub(super) stats: CompactionStats,
}

/// The tables as of the last read of the list, and the list's file.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) merged: Arc<Merged>,
    pub(super) list: SeenList,
}

/// What was last seen of the list's file.
#[derive(Clone, Debug)]
pub(super) enum SeenList {
    /// It has not been read, or the platform cannot tell files apart.
    Unknown,
    /// There was none, and the directory was no dangling symbolic link.
    Missing,
    File(ListHandle),
}

impl SeenList {
    pub(super) fn handle(self) -> Option<ListHandle> {
        match self {
            Self::File(handle) => Some(handle),
            Self::Unknown | Self::Missing => None,
        }
    }
}

impl From<Option<ListHandle>> for SeenList {
    fn from(handle: Option<ListHandle>) -> Self {
        handle.map_or(Self::Unknown, Self::File)
    }
}

impl View {
    /// The update index after the newest table's greatest; `None` if that was `u64::MAX`.
    pub(super) fn next_update_index(&self) -> Option<u64> {
        match self.merged.tables().last() {
            Some(newest) => newest.max_update_index().checked_add(1),
            None => Some(1),
        }
    }
}

impl Shared {
    /// The state of a stack in `dir`, with a view of no tables.
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: StackOptions,
    ) -> Result<Self> {
        let merged = Arc::new(Merged::new(Vec::new(), options.write.hash_id)?);
        let list = SeenList::Unknown;
        let view = View { merged, list };
        let stats = CompactionStats::default();
        Ok(Self {
            storage,
            dir: dir.to_owned(),
            list_path: dir.join(LIST_NAME),
            options,
            holds_lock: Arc::default(),
            state: Arc::new(Mutex::new(StackState { view, stats })),
        })
    }

    /// The same stack with other options.
    pub(super) fn with_options(&self, options: StackOptions) -> Self {
        Self {
            storage: Arc::clone(&self.storage),
            dir: self.dir.clone(),
            list_path: self.list_path.clone(),
            options,
            holds_lock: Arc::clone(&self.holds_lock),
            state: Arc::clone(&self.state),
        }
    }

    /// Whether `other` is the same stack, possibly with other options.
    pub(super) fn is_same_stack(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    pub(super) fn lock_state(&self) -> MutexGuard<'_, StackState> {
        // A view is replaced as a whole, so a thread that panicked left a valid one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn view(&self) -> View {
        self.lock_state().view.clone()
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Takes `tables.list.lock`. Creates the directory again if it has been removed.
    pub(super) fn lock_list(&self) -> Result<Box<dyn LockFile>> {
        let lock = || self.lock_file(&self.list_path, self.options.lock_timeout_ms);
        match lock() {
            Err(error) if is_missing(&error) => match self.storage.create_dir(&self.dir) {
                Ok(()) => lock(),
                // Another process was faster, or the path is a dangling symbolic link.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => lock(),
                Err(e) if e.kind() == io::ErrorKind::Unsupported => Err(error),
                Err(e) => Err(Error::io("create directory", &self.dir, e)),
            },
            done => done,
        }
    }

    /// Creates the lock file of `target`, waiting up to `timeout_ms` for it.
    pub(super) fn lock_file(&self, target: &Path, timeout_ms: i64) -> Result<Box<dyn LockFile>> {
        self.storage
            .lock(target, timeout_ms)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Error::Locked {
                    path: lock_path(target),
                },
                _ => Error::io("create", lock_path(target), error),
            })
    }

    /// Sets the permissions that the options ask for.
    pub(super) fn set_mode<F: WriteFile + ?Sized>(&self, file: &mut F) -> Result<()> {
        match self.options.default_permissions {
            0 => Ok(()),
            mode => file
                .set_mode(mode)
                .map_err(|e| Error::io("chmod", file.path(), e)),
        }
    }

    /// Creates a temporary file for a table of these update indexes.
    pub(super) fn temp_table(&self, (min, max): (u64, u64)) -> Result<Box<dyn TempFile>> {
        let prefix = self.path_of(&names::stem(min, max, self.storage.random()));
        let mut temp = self.storage.temp_file(&prefix).map_err(|e| {
            let mut pattern = prefix.into_os_string();
            pattern.push(TEMP_INFIX);
            pattern.push("XXXXXX");
            Error::io("create", pattern, e)
        })?;
        self.set_mode(&mut *temp)?;
        Ok(temp)
    }
}
