//! Warnings about what went wrong after a change had already landed.
#![forbid(unsafe_code)]

use super::failure::Failure;
use super::sys::messages;
use crate::stack::CommitOutcome;

/// What landed is a success; the trouble of the compaction behind it is a
/// warning.
pub fn compaction(outcome: CommitOutcome) {
    if let Some(error) = outcome.compaction {
        let failure = Failure::from(error);
        messages::warning(c"unable to compact stack: %s", &[failure.text()]);
    }
}
