//! A handle on a stack: opening, reloading, the current view.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::{CompactionStats, StackOptions};
use super::shared::Shared;
use crate::format::{Error, HashId, Result};
use crate::merged::Merged;
use crate::sys::{lock_path, StdStorage, Storage};

/// A stack of tables.
///
/// All methods take `&self` and may be called from many threads. Any number of stacks, in one
/// or in many processes, may share a directory.
///
/// # Examples
/// ```
/// use reftable::merged::Tombstones;
/// use reftable::record::{RefRecord, RefValue};
/// use reftable::stack::{OnOutdated, Stack, StackOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let stack = Stack::open(dir, StackOptions::default())?;
/// let mut addition = stack.begin(OnOutdated::Reload)?;
/// let update_index = addition.next_update_index();
/// addition.add_table(|writer| {
///     writer.set_limits(update_index, update_index)?;
///     writer.add_ref(&RefRecord {
///         name: b"refs/heads/main",
///         update_index,
///         value: RefValue::Val1(&[0x11; 20]),
///     })
/// })?;
/// let outcome = stack.commit(addition)?;
/// assert!(outcome.published);
///
/// let mut refs = stack.merged().refs(Tombstones::Hide);
/// while refs.advance()? {
///     assert_eq!(refs.record().name, b"refs/heads/main");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Stack {
    pub(super) shared: Arc<Shared>,
}

impl Stack {
    /// Opens the stack in the directory `dir`, which must exist. A missing list is an empty
    /// stack.
    ///
    /// # Errors
    /// As for [`reload`](Self::reload).
    pub fn open(dir: &Path, options: StackOptions) -> Result<Self> {
        Self::open_in(Arc::new(StdStorage), dir, options)
    }

    /// As [`open`](Self::open), accessing files, locks and clock through `storage`.
    ///
    /// # Errors
    /// As for [`reload`](Self::reload).
    #[doc(hidden)]
    pub fn open_in(storage: Arc<dyn Storage>, dir: &Path, options: StackOptions) -> Result<Self> {
        let shared = Arc::new(Shared::new(storage, dir, options)?);
        let stack = Self { shared };
        stack.reload()?;
        Ok(stack)
    }

    /// Returns another handle on the same stack, with the same view and lock, that writes with
    /// `options`.
    ///
    /// Reading depends on no option but the hash: a caller that learns late how to write can
    /// open the stack first.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the hash is not the stack's.
    pub fn with_options(&self, options: StackOptions) -> Result<Self> {
        if options.write.hash_id != self.hash_id() {
            return Err(Error::Misuse("a stack has one hash function"));
        }
        Ok(Self {
            shared: Arc::new(self.shared.with_options(options)),
        })
    }

    /// The stack's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// The file that locks the list while it exists.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        lock_path(&self.shared.list_path)
    }

    /// How long the list has been locked, in milliseconds; `None` if it is not locked or the
    /// platform cannot tell.
    #[must_use]
    pub fn locked_for_ms(&self) -> Option<u64> {
        self.shared.storage.age_ms(&self.lock_path()).ok().flatten()
    }

    /// The options of this handle.
    #[must_use]
    pub fn options(&self) -> &StackOptions {
        &self.shared.options
    }

    /// The hash function of all object IDs in the stack.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.shared.options.write.hash_id
    }

    /// Reads the list again if it has changed, and opens the new tables. Returns whether the
    /// view has changed.
    ///
    /// Costs one `stat` if nothing has changed, and no system call while an
    /// [`Addition`](super::Addition) of this stack holds the list's lock.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged list or table, [`Error::NotExist`] if a listed table is
    /// missing, [`Error::Io`]. The view is then unchanged.
    pub fn reload(&self) -> Result<bool> {
        self.shared.reload()
    }

    /// The current view. It stays valid and unchanged for as long as it is held; a reload that
    /// finds a change creates another one, which [`Arc::ptr_eq`] detects.
    #[must_use]
    pub fn merged(&self) -> Arc<Merged> {
        self.shared.view().merged
    }

    /// The least update index that a new table may use: one more than the newest table's
    /// greatest, or 1 for an empty stack.
    ///
    /// Returns `u64::MAX` also if no update index is left; [`Addition::add_table`] then fails.
    ///
    /// [`Addition::add_table`]: super::Addition::add_table
    #[must_use]
    pub fn next_update_index(&self) -> u64 {
        self.shared.view().next_update_index().unwrap_or(u64::MAX)
    }

    /// Counts of this stack's compactions so far.
    #[must_use]
    pub fn stats(&self) -> CompactionStats {
        self.shared.lock_state().stats
    }
}
