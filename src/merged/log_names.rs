//! The names that have a reflog.
#![forbid(unsafe_code)]

use super::MergedLogs;
use crate::format::Result;

/// Number of entries of a log to skip one by one; a seek skips the others.
const STEPS_BEFORE_SEEK: u32 = 16;

/// A cursor over the names of refs with a reflog, each once.
#[derive(Debug)]
pub(crate) struct LogNames {
    logs: MergedLogs,
    name: Vec<u8>,
}

impl LogNames {
    /// The names of a cursor before the first entry.
    pub(crate) fn new(logs: MergedLogs) -> Self {
        Self {
            logs,
            name: Vec::new(),
        }
    }

    /// The current name, after [`advance`](Self::advance) has returned `true`.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Moves to the next name; returns `false` at the end.
    ///
    /// # Errors
    /// Those of a damaged table. The same error is returned again.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        let mut steps = 0;
        while self.logs.advance()? {
            let record = self.logs.record();
            if self.name != record.name {
                self.name.clear();
                self.name.extend_from_slice(record.name);
                return Ok(true);
            }
            steps += 1;
            if steps == STEPS_BEFORE_SEEK && record.update_index > 0 {
                self.logs.seek_at(&self.name, 0)?;
            }
        }
        Ok(false)
    }
}
