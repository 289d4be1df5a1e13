//! Point lookups of refs.
#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;

use super::Merged;
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

/// The finder of the last lookup, for reuse while the view stays the same: its buffers and
/// positions serve the next lookup.
#[derive(Default)]
pub struct CachedFinder(Option<(Arc<Merged>, RefFinder)>);

impl CachedFinder {
    /// The finder for `view`: the cached one, unless that is for another view.
    pub fn for_view(&mut self, view: Arc<Merged>) -> &mut RefFinder {
        let (_, finder) = match self.0.take() {
            Some((cached, finder)) if Arc::ptr_eq(&cached, &view) => self.0.insert((view, finder)),
            _ => {
                let finder = view.finder();
                self.0.insert((view, finder))
            }
        };
        finder
    }

    /// Drops the finder, and with it the tables that it keeps open.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}

impl fmt::Debug for CachedFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedFinder").finish_non_exhaustive()
    }
}
