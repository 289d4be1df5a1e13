//! What a transaction writes.
#![forbid(unsafe_code)]

use bstr::BString;

use super::change::Change;
use crate::repo::ObjectId;

/// What is written for one ref: its value, an entry of its log, or both. A change of a symbolic ref
/// has several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) name: Name,
    /// The number of the change.
    pub(super) change: usize,
    /// The value before; null if there is none.
    pub(super) old: ObjectId,
    /// The target before of a symbolic ref, as an index of [`Names`].
    pub(super) old_target: Option<usize>,
    /// Whether only the log is written.
    pub(super) is_log_only: bool,
    pub(super) log: LogChange,
}

/// The name of a ref within its stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// The name in the change without its first bytes, which name a worktree.
    OfChange { at: usize },
    /// Another name, as an index of [`Names`].
    Other(usize),
}

/// What happens to the log of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogChange {
    None,
    /// All entries are deleted.
    Remove,
    /// An entry is added, with this new id.
    Append(ObjectId),
}

/// Names of refs that are not in any change.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<BString>);

impl Names {
    /// Adds a name and returns its index.
    pub(super) fn add(&mut self, name: &[u8]) -> usize {
        self.0.push(name.into());
        self.0.len() - 1
    }

    pub(super) fn get(&self, index: usize) -> &[u8] {
        self.0.get(index).map_or(&[], |name| name.as_slice())
    }

    /// The name of a ref that change number `change` concerns.
    pub(super) fn of<'a>(&'a self, changes: &'a [Change], change: usize, name: Name) -> &'a [u8] {
        match name {
            Name::Other(index) => self.get(index),
            Name::OfChange { at } => {
                let full = changes.get(change).map(|change| change.name.as_slice());
                full.and_then(|full| full.get(at..)).unwrap_or_default()
            }
        }
    }

    /// The name of the ref of an update.
    pub(super) fn of_update<'a>(&'a self, changes: &'a [Change], update: &Update) -> &'a [u8] {
        self.of(changes, update.change, update.name)
    }
}
