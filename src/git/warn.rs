//! Warnings about what went wrong after a change had already landed.
#![forbid(unsafe_code)]

use super::failure::{text, Failure};
use super::sys::messages;
use crate::stack::CommitOutcome;

/// What landed is a success; trouble with flushing it, or of the compaction
/// behind it, is a warning.
pub fn commit(outcome: CommitOutcome) {
    if let Some(error) = outcome.unflushed {
        messages::warning(
            c"the update may not survive a power failure: %s",
            &[&text(&error)],
        );
    }
    if let Some(error) = outcome.compaction {
        let failure = Failure::from(error);
        messages::warning(c"unable to compact stack: %s", &[&failure.text()]);
    }
}
