//! What a transaction writes.
#![forbid(unsafe_code)]

use bstr::BString;

use super::change::Change;
use crate::format::Error as StoreError;
use crate::repo::{ObjectId, Result};

/// What is written for one ref: its value, an entry of its log, or both. A change of a symbolic ref
/// has several. A transaction may have a million of these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) name: Name,
    /// The number of the change.
    pub(super) change: u32,
    /// The target before of a symbolic ref, as an index of [`Names`].
    pub(super) old_target: Option<u32>,
    /// Whether only the log is written.
    pub(super) is_log_only: bool,
    pub(super) log: LogChange,
    /// The value before; null if there is none.
    pub(super) old: ObjectId,
}

/// The name of a ref within its stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// The name in the change without its first bytes, which name a worktree.
    OfChange { at: u32 },
    /// Another name, as an index of [`Names`].
    Other(u32),
}

/// What happens to the log of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogChange {
    None,
    /// All entries are deleted.
    Remove,
    /// An entry is added. Its new id is that of the change, or null if it deletes the ref.
    Append,
    /// An entry is added whose new id has this index in [`Names`].
    AppendResolved(u32),
}

/// Names of refs, and ids, that are not in any change.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<BString>,
    ids: Vec<ObjectId>,
}

impl Names {
    /// Adds a name and returns its index.
    pub(super) fn add(&mut self, name: &[u8]) -> Result<u32> {
        self.names.push(name.into());
        index(self.names.len() - 1)
    }

    pub(super) fn get(&self, index: u32) -> &[u8] {
        let name = usize::try_from(index)
            .ok()
            .and_then(|at| self.names.get(at));
        name.map_or(&[], |name| name.as_slice())
    }

    /// Adds an id and returns its index.
    pub(super) fn add_id(&mut self, id: ObjectId) -> Result<u32> {
        self.ids.push(id);
        index(self.ids.len() - 1)
    }

    pub(super) fn id(&self, index: u32) -> Option<&ObjectId> {
        self.ids.get(usize::try_from(index).ok()?)
    }

    /// The name of a ref that change number `change` concerns.
    pub(super) fn of<'a>(&'a self, changes: &'a [Change], change: u32, name: Name) -> &'a [u8] {
        match name {
            Name::Other(index) => self.get(index),
            Name::OfChange { at } => {
                let change = usize::try_from(change).ok().and_then(|at| changes.get(at));
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let name = change.and_then(|change| change.name.get(at..));
                name.unwrap_or_default()
            }
        }
    }

    /// The name of the ref of an update.
    pub(super) fn of_update<'a>(&'a self, changes: &'a [Change], update: &Update) -> &'a [u8] {
        self.of(changes, update.change, update.name)
    }
}

/// Numbers within a transaction have 32 bits.
pub(super) fn index(number: usize) -> Result<u32> {
    let too_large = StoreError::Misuse("a transaction, or a refname in it, is too large");
    u32::try_from(number).map_err(|_| too_large.into())
}

impl Update {
    /// The change in the list of all.
    pub(super) fn change_of<'a>(&self, changes: &'a [Change]) -> Option<&'a Change> {
        changes.get(usize::try_from(self.change).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_are_small() {
        assert!(size_of::<Update>() <= 72);
    }
}
