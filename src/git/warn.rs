//! Warnings about what went wrong after a change had already landed.
#![forbid(unsafe_code)]

use super::failure::Failure;
use super::sys::messages;
use crate::stack::CommitOutcome;
use std::ffi::CString;

/// What landed is a success; trouble with flushing it, or of the compaction
/// behind it, is a warning.
pub fn commit(outcome: CommitOutcome) {
    if let Some(error) = outcome.unflushed {
        let reason = CString::new(error.to_string()).unwrap_or_default();
        messages::warning(
            c"the update may not survive a power failure: %s",
            &[&reason],
        );
    }
    if let Some(error) = outcome.compaction {
        let failure = Failure::from(error);
        messages::warning(c"unable to compact stack: %s", &[failure.text()]);
    }
}
