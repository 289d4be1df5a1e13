//! The stacks of a transaction, and those it reads.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use bstr::{BStr, ByteSlice};

use crate::format::Error as StoreError;
use crate::merged::RefFinder;
use crate::record::RefRecord;
use crate::repo::locked::{Key, LockedStack};
use crate::repo::{Error, Repository, Result};

/// The locked stacks, in the order of their keys, and the views of others.
#[derive(Debug)]
pub(super) struct Parts<'r> {
    repository: &'r Repository,
    pub(super) all: Vec<LockedStack>,
    others: Vec<(Key, RefFinder)>,
}

impl<'r> Parts<'r> {
    /// Locks the stacks of `keys`, in their order.
    pub(super) fn lock(repository: &'r Repository, keys: &BTreeSet<Key>) -> Result<Self> {
        let lock = |key: &Key| {
            let key = key.as_ref().map(|worktree| worktree.as_bstr());
            LockedStack::lock(repository, key)
        };
        Ok(Self {
            repository,
            all: keys.iter().map(lock).collect::<Result<_>>()?,
            others: Vec::new(),
        })
    }

    /// The number of the part of a locked stack.
    pub(super) fn number_of(&self, key: Option<&BStr>) -> Option<usize> {
        let is_it = |part: &LockedStack| part.key.as_ref().map(|name| name.as_bstr()) == key;
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
                let stack = self.repository.stack_by_key(key)?;
                stack.reload()?;
                let finder = stack.merged().finder();
                self.others.push((key.map(BStr::to_owned), finder));
                self.others.len() - 1
            }
        };
        let known = self.others.get_mut(at).map(|(_, finder)| finder);
        known.ok_or(Error::Store(StoreError::Misuse("no such stack")))
    }
}
