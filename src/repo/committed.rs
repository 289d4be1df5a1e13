//! The outcome of a change.
#![forbid(unsafe_code)]

use std::fmt;

use crate::format::Error as StoreError;
use crate::stack::CommitOutcome;

/// The outcome of a change that has been made.
#[derive(Debug, Default)]
pub struct Committed {
    warnings: Vec<Warning>,
}

impl Committed {
    /// The outcome of one stack.
    pub(super) fn of(outcome: CommitOutcome) -> Self {
        let mut committed = Self::default();
        committed.add(outcome);
        committed
    }

    /// What went wrong afterwards. The refs are changed nevertheless.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(super) fn add(&mut self, outcome: CommitOutcome) {
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
