//! A repository and the stacks of its worktrees.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bstr::{BString, ByteSlice};

use super::path::path_of;
use super::{Error, Layout, Result, Settings, Snapshot};
use crate::format::HashId;
use crate::stack::{Stack, StackOptions};
use crate::sys::ConfiguredStorage;
use crate::table::WriteOptions;

/// The references of a git repository, as seen from one of its worktrees.
///
/// All methods take `&self`. A repository may be shared by threads, and any number of processes,
/// of this crate and of git, may use its references at the same time. Each method sees what others
/// have published before it was called; a [`snapshot`](Self::snapshot) stays as it is.
#[derive(Debug)]
pub struct Repository {
    layout: Layout,
    /// Those of the configuration.
    pub(super) settings: OnceLock<Settings>,
    /// Those that the caller has set, which have precedence.
    pub(super) given: Option<Settings>,
    pub(super) storage: Arc<ConfiguredStorage>,
    stacks: Stacks,
}

/// The stacks, each opened at first use, so that a repository with a damaged one can be opened.
#[derive(Debug, Default)]
struct Stacks {
    main: OnceLock<Arc<Stack>>,
    /// That of the linked worktree.
    current: OnceLock<Arc<Stack>>,
    others: Mutex<BTreeMap<BString, Arc<Stack>>>,
}

impl Repository {
    /// The references of the repository with this layout, which are written with these settings.
    #[must_use]
    pub fn open_at(layout: Layout, settings: Settings) -> Self {
        let repository = Self::unconfigured(layout);
        repository.storage.configure(settings.file_options());
        Self {
            given: Some(settings),
            ..repository
        }
    }

    /// A repository that reads its settings when it needs them.
    pub(super) fn unconfigured(layout: Layout) -> Self {
        Self {
            layout,
            settings: OnceLock::new(),
            given: None,
            storage: Arc::default(),
            stacks: Stacks::default(),
        }
    }

    /// Another view of this repository, with the settings that the caller has set.
    pub(super) fn sibling(&self, layout: Layout) -> Self {
        match &self.given {
            Some(settings) => Self::open_at(layout, settings.clone()),
            None => Self::unconfigured(layout),
        }
    }

    /// Where the parts of the repository are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The hash function of the object ids.
    #[must_use]
    pub fn hash(&self) -> HashId {
        self.layout.hash
    }

    /// The references as they are now. They stay the same in the snapshot whatever is changed.
    ///
    /// # Errors
    /// If the list of a stack or one of its tables cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot<'_>> {
        Snapshot::new(self)
    }

    /// The stack of the shared refs and of the main worktree.
    pub(super) fn main_stack(&self) -> Result<Arc<Stack>> {
        open_once(&self.stacks.main, || {
            self.open_stack(&self.layout.main_stack())
        })
    }

    /// The stack of the current worktree.
    pub(super) fn current_stack(&self) -> Result<Arc<Stack>> {
        match &self.layout.worktree {
            None => self.main_stack(),
            Some(_) => open_once(&self.stacks.current, || {
                self.open_stack(&self.layout.own_stack())
            }),
        }
    }

    /// The stack of the linked worktree `name`. A worktree that does not exist has an empty one.
    pub(super) fn stack_of(&self, name: &[u8]) -> Result<Arc<Stack>> {
        if self.layout.worktree.as_ref().is_some_and(|own| own == name) {
            return self.current_stack();
        }
        let lock = || {
            let others = self.stacks.others.lock();
            others.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = lock().get(name.as_bstr()) {
            return Ok(Arc::clone(known));
        }
        // Unlocked, as opening takes time. If another thread is faster, its stack is used.
        let dir = self.layout.worktree_stack(Self::worktree_path(name)?);
        let stack = self.open_stack(&dir)?;
        if !dir.is_dir() {
            // Kept, any number of names that callers make up would use memory for good.
            return Ok(stack);
        }
        let mut others = lock();
        let stack = others.entry(name.into()).or_insert(stack);
        Ok(Arc::clone(stack))
    }

    /// Reading depends on no setting but the hash.
    fn open_stack(&self, dir: &Path) -> Result<Arc<Stack>> {
        let options = StackOptions {
            write: WriteOptions {
                hash_id: self.layout.hash,
                ..WriteOptions::default()
            },
            ..StackOptions::default()
        };
        let storage = Arc::clone(&self.storage);
        Ok(Arc::new(Stack::open_in(storage, dir, options)?))
    }

    /// The name of a worktree as a component of a path.
    pub(super) fn worktree_path(name: &[u8]) -> Result<&Path> {
        let is_component = !name.is_empty() && !name.contains(&b'/') && name != b"..";
        let path = path_of(name).filter(|_| is_component && name != b".");
        path.ok_or_else(|| Error::NoWorktree { name: name.into() })
    }
}

fn open_once(
    cell: &OnceLock<Arc<Stack>>,
    open: impl FnOnce() -> Result<Arc<Stack>>,
) -> Result<Arc<Stack>> {
    if let Some(known) = cell.get() {
        return Ok(Arc::clone(known));
    }
    let stack = open()?;
    // If another thread was faster, its stack is used by all.
    Ok(Arc::clone(cell.get_or_init(|| stack)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_can_be_shared_by_threads() {
        fn check<T: Send + Sync>() {}
        check::<Repository>();
        check::<Error>();
    }
}
