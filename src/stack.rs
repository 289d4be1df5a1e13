//! A folder of tables, read as one and changed by adding tables.
//!
//! ```text
//!  reftable/tables.list        names of the tables, oldest first, one a line
//!  reftable/tables.list.lock   held by who changes the list; becomes the next list
//!  reftable/0x…-0x…-….ref      tables: update indexes from, to, and a random number
//!  reftable/0x…-0x…-….ref.lock held by who compacts that table
//!  reftable/0x….temp.XXXXXX    a table that is being written
//! ```
//!
//! Readers take no lock: they read the list and open what it names, and start again
//! when a table is missing because the list has changed meanwhile. Tables and lists are
//! written once, under another name, and renamed into place; so a list that is still the
//! same file is still the same list, and whatever happens to a writer, a reader sees the
//! stack before or after a change. The rules are those of git's `reftable/stack.c` and of
//! the section "Update transactions" of git's reftable document: any number of processes of
//! this library and of C git may read and write the same directory at the same time.
//!
//! JGit may read at any time, but write only while nobody else does. It takes the lock, reads
//! the list, and looks at the file's time stamp afterwards to tell whether what it has read is
//! current: a change that lands between its reading and its looking is taken for known, and
//! lost with the list that JGit writes next. That is so beside C git as well, and nothing that
//! another writer does can prevent it.
#![forbid(unsafe_code)]

mod addition;
mod check;
mod clean;
mod compact;
mod fold;
mod list;
mod locks;
mod names;
mod options;
mod reload;
#[cfg(unix)]
mod remove;
mod segment;
mod sink;

pub use addition::{Addition, CommitOutcome};
pub use check::{check, check_dir, Finding, FindingKind};
pub use compact::CompactionStats;
#[cfg(feature = "capi")]
pub(crate) use names::is_valid as is_valid_name;
pub use options::{LogExpiry, OnOutdated, StackOptions};
#[cfg(unix)]
pub use remove::{remove, RemoveError};
#[cfg(feature = "capi-internals")]
pub(crate) use segment::suggest as suggest_segment;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::format::{Error, HashId, Result};
use crate::merged::Merged;
use crate::sys::{ListHandle, LockFile, Storage};

/// Name of the list in a stack's folder.
const LIST_NAME: &str = "tables.list";

/// A stack of tables. All methods take `&self` and may be called from many threads;
/// several stacks, in one or in many processes, may share a folder.
#[derive(Debug)]
pub struct Stack {
    shared: Arc<Shared>,
}

/// What a stack and its additions have in common.
#[derive(Debug)]
struct Shared {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    list_path: PathBuf,
    options: StackOptions,
    /// Whether an addition of this stack holds the list's lock, and the view is what the
    /// list names. Common to all handles of the stack, as is the state.
    holds_lock: Arc<AtomicBool>,
    /// Locked for moments only, never during input and output or a caller's function.
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    view: View,
    stats: CompactionStats,
}

/// The tables as they were when the list was read, and the list's file.
#[derive(Clone, Debug)]
struct View {
    merged: Arc<Merged>,
    /// Nothing when there was no list, or the platform cannot tell files apart.
    list: Option<ListHandle>,
}

impl Stack {
    /// Opens the stack in the folder `dir`, which must be there; a missing list is an
    /// empty stack.
    ///
    /// # Errors
    /// Those of [`reload`](Self::reload).
    pub fn open(storage: Arc<dyn Storage>, dir: &Path, options: StackOptions) -> Result<Self> {
        let merged = Arc::new(Merged::new(Vec::new(), options.write.hash_id)?);
        let stack = Self {
            shared: Arc::new(Shared {
                storage,
                dir: dir.to_owned(),
                list_path: dir.join(LIST_NAME),
                options,
                holds_lock: Arc::default(),
                state: Arc::new(Mutex::new(State {
                    view: View { merged, list: None },
                    stats: CompactionStats::default(),
                })),
            }),
        };
        stack.reload()?;
        Ok(stack)
    }

    /// Another handle on the same stack, with the same view and lock, that writes with
    /// `options`. Reading depends on no option but the hash: a caller that learns late how to
    /// write can open the stack without knowing.
    ///
    /// # Errors
    /// [`Error::Misuse`] for another hash than the stack's.
    pub fn with_options(&self, options: StackOptions) -> Result<Self> {
        if options.write.hash_id != self.hash_id() {
            return Err(Error::Misuse("a stack has one hash function"));
        }
        let shared = &self.shared;
        Ok(Self {
            shared: Arc::new(Shared {
                storage: Arc::clone(&shared.storage),
                dir: shared.dir.clone(),
                list_path: shared.list_path.clone(),
                options,
                holds_lock: Arc::clone(&shared.holds_lock),
                state: Arc::clone(&shared.state),
            }),
        })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// The file that locks the list while it exists.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        crate::sys::lock_path(&self.shared.list_path)
    }

    /// How long the list has been locked, in milliseconds, if it is and that can be told.
    #[must_use]
    pub fn locked_for_ms(&self) -> Option<u64> {
        self.shared.storage.age_ms(&self.lock_path()).ok().flatten()
    }

    /// What the stack was opened with.
    #[must_use]
    pub fn options(&self) -> &StackOptions {
        &self.shared.options
    }

    /// The hash of all object ids in the stack.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.shared.options.write.hash_id
    }

    /// Reads the list again if it has changed since, and opens the tables that are new.
    /// True when the view is another one now. Costs one `stat` when nothing has changed, and
    /// nothing at all while an [`Addition`] of this stack keeps others from changing it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged list or table, [`Error::NotExist`] when the list
    /// names a table that is not there, [`Error::Io`]. The view then stays as it was.
    pub fn reload(&self) -> Result<bool> {
        self.shared.reload()
    }

    /// The current view. It stays valid, and the same, for as long as it is held; a
    /// reload that finds a change makes another one, which [`Arc::ptr_eq`] tells.
    #[must_use]
    pub fn merged(&self) -> Arc<Merged> {
        self.shared.view().merged
    }

    /// The least update index that a new table may use: one more than the newest table's
    /// greatest, 1 for an empty stack. `u64::MAX` also when none is left, which
    /// [`Addition::add_table`] refuses.
    #[must_use]
    pub fn next_update_index(&self) -> u64 {
        next_update_index(&self.merged()).unwrap_or(u64::MAX)
    }
}

/// The update index after the newest table's greatest, if there is one.
fn next_update_index(merged: &Merged) -> Option<u64> {
    match merged.tables().last() {
        Some(newest) => newest.max_update_index().checked_add(1),
        None => Some(1),
    }
}

impl Shared {
    fn lock_state(&self) -> MutexGuard<'_, State> {
        // A view is replaced as a whole: a thread that panicked left a whole one behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> View {
        self.lock_state().view.clone()
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Takes `tables.list.lock`. If the directory has been removed it is made again.
    fn lock_list(&self) -> Result<Box<dyn LockFile>> {
        let lock = || self.lock_file(&self.list_path, self.options.lock_timeout_ms);
        match lock() {
            Err(error) if is_missing(&error) => match self.storage.create_dir(&self.dir) {
                Ok(()) => lock(),
                // Another process was faster, or a symbolic link leads nowhere.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => lock(),
                Err(e) if e.kind() == io::ErrorKind::Unsupported => Err(error),
                Err(e) => Err(Error::io("create directory", &self.dir, e)),
            },
            done => done,
        }
    }

    fn lock_file(&self, target: &Path, timeout_ms: i64) -> Result<Box<dyn LockFile>> {
        self.storage
            .lock(target, timeout_ms)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Error::Locked {
                    path: crate::sys::lock_path(target),
                },
                _ => Error::io("create", crate::sys::lock_path(target), error),
            })
    }
}

/// Whether a file could not be made because its directory is missing.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io(failure) if failure.source.kind() == io::ErrorKind::NotFound)
}
