//! A transaction whose refs are locked and checked.
#![forbid(unsafe_code)]

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

use super::change::{Change, New};
use super::parts::Part;
use super::prepare::Plan;
use super::update::{Names, Update};
use super::write::{self, Author, Context};
use crate::format::Error as StoreError;
use crate::repo::{Repository, Result, Value};
use crate::stack::CommitOutcome;

/// A [transaction](super::Transaction) that holds its locks and can be committed.
///
/// Dropping it releases the locks and changes nothing.
#[derive(Debug)]
#[must_use = "a transaction changes nothing until it is committed"]
pub struct Prepared<'r> {
    repository: &'r Repository,
    changes: Vec<Change>,
    names: Names,
    parts: Vec<(Part, Vec<Update>)>,
    author: Option<Author>,
}

/// What a [`Prepared`] transaction will do to one ref.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreparedChange {
    /// The name of the ref. If the transaction changes a symbolic ref this is the ref that it points
    /// at.
    pub name: BString,
    /// The value that it has.
    pub old: Value,
    /// The value that it will have: [`Value::Missing`] if it will be deleted.
    pub new: Value,
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
        let change = self.changes.get(update.change)?;
        let old = match update.old_target {
            Some(target) => Value::Symbolic(self.names.get(target).into()),
            None if update.old.is_null() => Value::Missing,
            None => Value::Id(update.old),
        };
        let name = self.names.of_update(&self.changes, update);
        Some(PreparedChange {
            name: self.repository.layout().long_name(key, name),
            old,
            new: match &change.new {
                New::Id(id) => Value::Id(*id),
                New::Symbolic(target) => Value::Symbolic(target.clone()),
                New::Deleted | New::Same => Value::Missing,
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
            committed.add(part.stack.commit(part.addition)?);
        }
        Ok(committed)
    }
}

/// The outcome of a transaction that has been committed.
#[derive(Debug, Default)]
pub struct Committed {
    warnings: Vec<Warning>,
}

impl Committed {
    /// What went wrong afterwards. The refs are changed nevertheless.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(in crate::repo) fn add(&mut self, outcome: CommitOutcome) {
        let compaction = outcome.compaction.map(Warning::NotCompacted);
        let unflushed = outcome.unflushed.map(Warning::Unflushed);
        self.warnings
            .extend(compaction.into_iter().chain(unflushed));
    }
}

/// A problem that did not prevent a change.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// The tables could not be compacted afterwards. The next change tries again.
    NotCompacted(StoreError),
    /// The directory could not be flushed: the change may not survive a power failure.
    Unflushed(StoreError),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompacted(error) => write!(f, "tables not compacted: {error}"),
            Self::Unflushed(error) => write!(f, "change not flushed to disk: {error}"),
        }
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
