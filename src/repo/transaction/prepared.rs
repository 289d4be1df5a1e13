//! A transaction whose refs are locked and checked.
#![forbid(unsafe_code)]

use bstr::{BStr, BString, ByteSlice};

use super::change::{Change, New};
use super::prepare::Plan;
use super::update::{Names, Update};
use super::write::{self, Context};
use crate::repo::author::Author;
use crate::repo::locked::LockedStack;
use crate::repo::{Committed, Repository, Result, Target};

/// A [transaction](super::Transaction) that holds its locks and can be committed.
///
/// Dropping it releases the locks and changes nothing.
#[derive(Debug)]
#[must_use = "a transaction changes nothing until it is committed"]
pub struct Prepared<'r> {
    repository: &'r Repository,
    changes: Vec<Change>,
    names: Names,
    parts: Vec<(LockedStack, Vec<Update>)>,
    author: Option<Author>,
}

/// What a [`Prepared`] transaction will do to one ref.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreparedChange {
    /// The name of the ref. If the transaction changes a symbolic ref this is the ref that it points
    /// at.
    pub name: BString,
    /// The value that it has; `None` if it does not exist.
    pub old: Option<Target>,
    /// The value that it will have; `None` if it will be deleted.
    pub new: Option<Target>,
}

impl<'r> Prepared<'r> {
    pub(super) fn new(
        repository: &'r Repository,
        changes: Vec<Change>,
        plan: Plan,
        author: Option<Author>,
    ) -> Self {
        Self {
            repository,
            changes,
            names: plan.names,
            parts: plan.parts,
            author,
        }
    }

    /// What will be changed: for hooks and messages. Refs that are only checked, or have the new
    /// value already, are left out.
    pub fn changes(&self) -> impl Iterator<Item = PreparedChange> + '_ {
        let all = self.parts.iter().flat_map(|(part, updates)| {
            let key = part.key.as_ref().map(|worktree| worktree.as_bstr());
            updates.iter().map(move |update| (key, update))
        });
        all.filter(|(_, update)| !update.is_log_only)
            .filter_map(|(key, update)| self.shown(key, update))
    }

    fn shown(&self, key: Option<&BStr>, update: &Update) -> Option<PreparedChange> {
        let change = update.change_of(&self.changes)?;
        let old = match update.old_target {
            Some(target) => Some(Target::Symbolic(self.names.get(target).into())),
            None if update.old.is_null() => None,
            None => Some(Target::Id(update.old)),
        };
        let name = self.names.of_update(&self.changes, update);
        Some(PreparedChange {
            name: self.repository.layout().long_name(key, name),
            old,
            new: match &change.new {
                New::Id(id) => Some(Target::Id(*id)),
                New::Symbolic(target) => Some(Target::Symbolic(target.clone())),
                New::Deleted | New::Same => None,
            },
        })
    }

    /// Writes and publishes the changes. All tables are written before the first is published.
    ///
    /// # Errors
    /// If a table cannot be written or published. Then nothing has been changed, except if the
    /// transaction spans several stacks: those published before the failure stay changed.
    pub fn commit(mut self) -> Result<Committed> {
        let context = Context {
            changes: &self.changes,
            names: &self.names,
            author: self.author.as_ref(),
        };
        for (part, updates) in &mut self.parts {
            write::write(&context, part, updates)?;
        }
        let mut committed = Committed::default();
        for (part, _) in self.parts {
            committed.add(part.commit()?);
        }
        Ok(committed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_can_be_sent_to_other_threads() {
        fn check<T: Send>() {}
        check::<Prepared<'_>>();
        check::<super::super::Transaction<'_>>();
        check::<Committed>();
    }
}
