//! The stacks of a transaction: which refs live where, their locks and their views.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use crate::merged::{Merged, MergedLogs, RefFinder, Tombstones};
use crate::record::RefRecord;
use crate::repo::path::path_of;
use crate::repo::rules::{owner_of, Owner};
use crate::repo::{Error, Repository, Result};
use crate::stack::{Addition, OnOutdated, Stack, StackOptions};

/// The stack of a linked worktree, by its name; `None` for the main stack. In this order stacks are
/// locked.
pub(super) type Key = Option<BString>;

/// The stack that has the ref `name`, and the name of the ref there.
pub(super) fn route<'n>(
    repository: &'n Repository,
    name: &'n [u8],
) -> (Option<&'n BStr>, &'n [u8]) {
    let (owner, bare) = owner_of(name);
    let key = match owner {
        Owner::Current => repository.layout().worktree(),
        Owner::Main | Owner::Shared => None,
        Owner::Other(worktree) => Some(worktree.as_bstr()),
    };
    (key, bare)
}

/// A locked stack.
#[derive(Debug)]
pub(super) struct Part {
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

impl Part {
    fn lock(repository: &Repository, key: Key, options: StackOptions) -> Result<Self> {
        let stack = match &key {
            None => repository.main_stack()?,
            Some(worktree) => {
                check_worktree(repository, worktree.as_bstr())?;
                repository.stack_of(worktree)?
            }
        };
        let stack = stack.with_options(options)?;
        let addition = stack.begin(OnOutdated::Reload)?;
        let view = stack.merged();
        Ok(Self {
            key,
            addition,
            finder: view.finder(),
            logs: view.logs(Tombstones::Hide),
            has_logs: None,
            view,
            stack,
        })
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
    let name = path_of(worktree).ok_or_else(missing)?;
    let stack = repository.layout().worktree_stack(name);
    match stack.parent().is_some_and(std::path::Path::is_dir) {
        true => Ok(()),
        false => Err(missing()),
    }
}

/// The locked stacks, in the order of their keys, and the views of others.
#[derive(Debug)]
pub(super) struct Parts<'r> {
    repository: &'r Repository,
    pub(super) all: Vec<Part>,
    others: Vec<(Key, RefFinder)>,
}

impl<'r> Parts<'r> {
    /// Locks the stacks of `keys`, in their order.
    pub(super) fn lock(
        repository: &'r Repository,
        keys: &BTreeSet<Key>,
        options: &StackOptions,
    ) -> Result<Self> {
        let lock = |key: &Key| Part::lock(repository, key.clone(), options.clone());
        Ok(Self {
            repository,
            all: keys.iter().map(lock).collect::<Result<_>>()?,
            others: Vec::new(),
        })
    }

    /// The number of the part of a locked stack.
    pub(super) fn number_of(&self, key: Option<&BStr>) -> Option<usize> {
        let is_it = |part: &Part| part.key.as_ref().map(|name| name.as_bstr()) == key;
        self.all.iter().position(is_it)
    }

    /// The ref `bare` of the stack `key`, which need not be locked.
    pub(super) fn find(
        &mut self,
        key: Option<&BStr>,
        bare: &[u8],
    ) -> Result<Option<RefRecord<'_>>> {
        let finder = match self.number_of(key) {
            Some(number) => self.all.get_mut(number).map(|part| &mut part.finder),
            None => Some(self.other(key)?),
        };
        match finder {
            Some(finder) => Ok(finder.find(bare)?),
            None => Ok(None),
        }
    }

    /// The finder of a stack that is not locked.
    fn other(&mut self, key: Option<&BStr>) -> Result<&mut RefFinder> {
        let is_it =
            |(other, _): &(Key, RefFinder)| other.as_ref().map(|name| name.as_bstr()) == key;
        let at = match self.others.iter().position(is_it) {
            Some(at) => at,
            None => {
                let stack = match key {
                    None => self.repository.main_stack()?,
                    Some(worktree) => self.repository.stack_of(worktree)?,
                };
                stack.reload()?;
                let finder = stack.merged().finder();
                self.others.push((key.map(BStr::to_owned), finder));
                self.others.len() - 1
            }
        };
        let known = self.others.get_mut(at).map(|(_, finder)| finder);
        known.ok_or(Error::Store(crate::format::Error::Misuse("no such stack")))
    }
}
