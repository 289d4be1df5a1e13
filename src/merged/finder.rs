//! Point lookups.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::format::Result;
use crate::record::RefRecord;
use crate::table::{RefCursor, Table};

/// Looks up refs by name. One finder serves many lookups with the same buffers.
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

    /// The ref of that name, or nothing when no table has it or the newest one that has
    /// it says it is deleted. Tables are asked newest first, up to the first answer.
    ///
    /// # Errors
    /// That of a damaged table that was asked.
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
