//! Iterating over the names of refs that have a reflog.
#![forbid(unsafe_code)]

use crate::git::backend::Backend;
use crate::git::failure::{Failure, Outcome};
use crate::git::refname::is_well_formed;
use crate::merged::{MergedLogs, Tombstones};
use std::ffi::CStr;

/// Number of entries of a log to skip one by one; a seek skips the others.
const STEPS_BEFORE_SEEK: u32 = 16;

/// An iterator over the names of refs with a reflog in one stack.
pub struct ReflogIter {
    logs: Option<MergedLogs>,
    /// The current name, with a NUL.
    name: Vec<u8>,
    failure: Option<Failure>,
}

impl ReflogIter {
    /// Reloads `backend` and returns an iterator over it. `advance` reports a failure.
    pub fn begin(backend: Outcome<&Backend>) -> Self {
        let (logs, failure) = match Self::open(backend) {
            Ok(logs) => (Some(logs), None),
            Err(failure) => (None, Some(failure)),
        };
        Self {
            logs,
            name: Vec::new(),
            failure,
        }
    }

    fn open(backend: Outcome<&Backend>) -> Outcome<MergedLogs> {
        let backend = backend?;
        backend.stack.reload()?;
        Ok(backend.stack.merged().logs(Tombstones::Hide))
    }

    /// The current name, after `advance` has returned true.
    pub fn name(&self) -> &CStr {
        CStr::from_bytes_with_nul(&self.name).unwrap_or_default()
    }

    /// Moves to the next name. Returns false at the end, also when called again.
    pub fn advance(&mut self) -> Outcome<bool> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let outcome = self.find_next();
        match &outcome {
            Ok(true) => {}
            Ok(false) => self.logs = None,
            Err(failure) => self.failure = Some(failure.clone()),
        }
        outcome
    }

    fn find_next(&mut self) -> Outcome<bool> {
        let Some(logs) = &mut self.logs else {
            return Ok(false);
        };
        let mut steps = 0;
        while logs.advance()? {
            let record = logs.record();
            let seen = self
                .name
                .split_last()
                .is_some_and(|(_, name)| name == record.name);
            if seen {
                steps += 1;
                if steps == STEPS_BEFORE_SEEK && record.update_index > 0 {
                    let name = record.name.to_vec();
                    logs.seek_at(&name, 0)?;
                }
                continue;
            }
            self.name.clear();
            self.name.extend_from_slice(record.name);
            self.name.push(0);
            let well_formed = CStr::from_bytes_with_nul(&self.name).is_ok_and(is_well_formed);
            if well_formed {
                return Ok(true);
            }
            steps = 0;
        }
        Ok(false)
    }
}
