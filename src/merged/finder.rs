//! Point lookups of refs.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::format::Result;
use crate::record::RefRecord;
use crate::table::{RefCursor, Table};

/// Looks up refs by name. A finder reuses its buffers for later lookups.
#[derive(Debug)]
pub struct RefFinder {
    /// Newest table first.
    cursors: Vec<RefCursor>,
}

impl RefFinder {
    pub(super) fn new(tables: &[Arc<Table>]) -> Self {
        Self {
            cursors: tables.iter().rev().map(Table::refs).collect(),
        }
    }

    /// The ref called `name`; `None` if no table contains it, or the newest table that does has a
    /// tombstone. Searches tables newest first, up to the first that contains the name.
    ///
    /// # Errors
    /// That of a damaged table that was searched.
    pub fn find(&mut self, name: &[u8]) -> Result<Option<RefRecord<'_>>> {
        for cursor in &mut self.cursors {
            cursor.seek(name)?;
            if cursor.advance()? && cursor.key() == name {
                return Ok((!cursor.is_deletion()).then(|| cursor.record()));
            }
        }
        Ok(None)
    }
}
