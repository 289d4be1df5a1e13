//! Iterating over the names of refs that have a reflog.
#![forbid(unsafe_code)]

use crate::git::backend::Backend;
use crate::git::failure::{Failure, Outcome};
use crate::git::refname::is_well_formed;
use crate::git::sys::strings::NameBuffer;
use crate::merged::{LogNames, Tombstones};
use std::ffi::CStr;

/// An iterator over the names of refs with a reflog in one stack.
pub struct ReflogIter {
    names: Option<LogNames>,
    /// The current name.
    name: NameBuffer,
    failure: Option<Failure>,
}

impl ReflogIter {
    /// Reloads `backend` and returns an iterator over it. `advance` reports a failure.
    pub fn begin(backend: Outcome<&Backend>) -> Self {
        let (names, failure) = match Self::open(backend) {
            Ok(names) => (Some(names), None),
            Err(failure) => (None, Some(failure)),
        };
        Self {
            names,
            name: NameBuffer::new(),
            failure,
        }
    }

    fn open(backend: Outcome<&Backend>) -> Outcome<LogNames> {
        let backend = backend?;
        backend.stack.reload()?;
        Ok(LogNames::new(backend.stack.merged().logs(Tombstones::Hide)))
    }

    /// The current name, after `advance` has returned true.
    pub fn name(&self) -> &CStr {
        self.name.as_c_str()
    }

    /// Moves to the next name. Returns false at the end, also when called again.
    pub fn advance(&mut self) -> Outcome<bool> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let outcome = self.find_next();
        match &outcome {
            Ok(true) => {}
            Ok(false) => self.names = None,
            Err(failure) => self.failure = Some(failure.clone()),
        }
        outcome
    }

    fn find_next(&mut self) -> Outcome<bool> {
        let Some(names) = &mut self.names else {
            return Ok(false);
        };
        while names.advance()? {
            if self.name.set(names.name()) && is_well_formed(self.name.as_c_str()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
