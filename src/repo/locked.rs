//! A locked stack of a repository.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::path::path_of;
use super::rules::{owner_of, Owner};
use super::{Error, Repository, Result};
use crate::merged::{Merged, MergedLogs, RefFinder, Tombstones};
use crate::stack::{Addition, CommitOutcome, OnOutdated, Stack};

/// The stack of a linked worktree, by its name; `None` for the main stack. In this order stacks are
/// locked.
pub(super) type Key = Option<BString>;

/// The stack that has the ref `name`, and the name of the ref there.
pub(super) fn route<'k, 'n: 'k>(
    repository: &'k Repository,
    name: &'n [u8],
) -> (Option<&'k BStr>, &'n [u8]) {
    let (owner, bare) = owner_of(name);
    let key = match owner {
        Owner::Current => repository.layout().worktree(),
        Owner::Main | Owner::Shared => None,
        Owner::Other(worktree) => Some(worktree.as_bstr()),
    };
    (key, bare)
}

impl Repository {
    /// The stack `key`.
    pub(super) fn stack_by_key(&self, key: Option<&BStr>) -> Result<Arc<Stack>> {
        match key {
            None => self.main_stack(),
            Some(worktree) => self.stack_of(worktree),
        }
    }

    /// The directory of the stack of the linked worktree `name`.
    pub(super) fn worktree_stack_dir(&self, name: &BStr) -> Result<PathBuf> {
        let layout = self.layout();
        if layout.worktree() == Some(name) {
            return Ok(layout.own_stack());
        }
        let path = path_of(name).ok_or_else(|| Error::NoWorktree { name: name.into() })?;
        Ok(layout.worktree_stack(path))
    }
}

/// A locked stack.
#[derive(Debug)]
pub(super) struct LockedStack {
    pub(super) key: Key,
    /// Writes with the options of the repository.
    pub(super) stack: Stack,
    pub(super) addition: Addition,
    /// The view, which cannot change while the stack is locked.
    pub(super) view: Arc<Merged>,
    pub(super) finder: RefFinder,
    pub(super) logs: MergedLogs,
    /// Whether any ref has a log.
    has_logs: Option<bool>,
}

impl LockedStack {
    /// Locks the stack `key`.
    pub(super) fn lock(repository: &Repository, key: Option<&BStr>) -> Result<Self> {
        let options = repository.settings()?.stack_options(repository.hash());
        if let Some(worktree) = key {
            check_worktree(repository, worktree)?;
        }
        let stack = repository.stack_by_key(key)?.with_options(options)?;
        let addition = stack.begin(OnOutdated::Reload)?;
        let view = stack.merged();
        Ok(Self {
            key: key.map(BStr::to_owned),
            addition,
            finder: view.finder(),
            logs: view.logs(Tombstones::Hide),
            has_logs: None,
            view,
            stack,
        })
    }

    /// Publishes what has been written.
    pub(super) fn commit(self) -> Result<CommitOutcome> {
        Ok(self.stack.commit(self.addition)?)
    }

    /// Whether the ref `name` has a log.
    pub(super) fn has_log(&mut self, name: &[u8]) -> Result<bool> {
        let has_logs = match self.has_logs {
            Some(known) => known,
            None => {
                self.logs.seek(b"")?;
                *self.has_logs.insert(self.logs.advance()?)
            }
        };
        if !has_logs {
            return Ok(false);
        }
        self.logs.seek_only(name)?;
        Ok(self.logs.advance()?)
    }
}

/// Fails if the worktree does not exist. Its stack would otherwise be created.
fn check_worktree(repository: &Repository, worktree: &BStr) -> Result<()> {
    let missing = || Error::NoWorktree {
        name: worktree.into(),
    };
    let stack = repository.worktree_stack_dir(worktree)?;
    match stack.parent().is_some_and(Path::is_dir) {
        true => Ok(()),
        false => Err(missing()),
    }
}
