//! Finding the refs of a table that point at an object.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::cursor::SectionCursor;
use super::cursors::Cursor;
use super::{RefCursor, Table};
use crate::format::error::wide;
use crate::format::{Corruption, Expected, Result};
use crate::record::{ObjRecords, RefRecord};

/// The ref blocks to search.
#[derive(Debug)]
enum Candidates {
    /// All ref blocks.
    All,
    /// The blocks at these positions, last block first.
    At(Vec<usize>),
    /// None, because all objects of the section are less.
    Beyond,
}

/// A cursor over the refs that point at an object, directly or peeled.
#[derive(Debug)]
pub struct RefsFor {
    oid: Vec<u8>,
    refs: RefCursor,
    candidates: Candidates,
}

impl RefsFor {
    pub(super) fn new(table: &Arc<Table>, oid: &[u8]) -> Result<Self> {
        Ok(Self {
            oid: oid.to_vec(),
            refs: table.refs(),
            candidates: candidates(table, oid)?,
        })
    }

    /// Moves to the next such ref; returns `false` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    pub fn advance(&mut self) -> Result<bool> {
        loop {
            if self.refs.advance_fast_to(&self.oid) {
                return Ok(true);
            }
            if !self.advance_to_any()? {
                return Ok(false);
            }
            let value = self.refs.record().value;
            if value.id() == Some(&self.oid) || value.peeled() == Some(&self.oid) {
                return Ok(true);
            }
        }
    }

    /// Moves to the next ref of the candidate blocks, regardless of its value.
    fn advance_to_any(&mut self) -> Result<bool> {
        let blocks = match &mut self.candidates {
            Candidates::All => return self.refs.advance(),
            Candidates::At(blocks) => blocks,
            Candidates::Beyond => return Ok(false),
        };
        while !self.refs.advance_in_block()? {
            match blocks.pop() {
                Some(offset) => self.refs.enter(offset)?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether the object section has determined the blocks to search.
    pub(crate) fn by_objects(&self) -> bool {
        !matches!(self.candidates, Candidates::All)
    }

    /// Whether all objects of the object section are less.
    pub(crate) fn is_beyond_objects(&self) -> bool {
        matches!(self.candidates, Candidates::Beyond)
    }

    /// The current ref, valid after `advance` has returned `true`.
    #[must_use]
    pub fn record(&self) -> RefRecord<'_> {
        self.refs.record()
    }
}

impl Cursor for RefsFor {
    fn advance(&mut self) -> Result<bool> {
        self.advance()
    }

    fn key(&self) -> &[u8] {
        self.refs.key()
    }

    /// A tombstone points at no object.
    fn is_deletion(&self) -> bool {
        false
    }
}

/// Looks up the object in the object section, if there is one.
fn candidates(table: &Arc<Table>, oid: &[u8]) -> Result<Candidates> {
    let Some(section) = table.objects else {
        return Ok(Candidates::All);
    };
    table
        .header
        .check_object_id_len(table.object_id_len, table.end)
        .map_err(|damage| table.damaged(damage))?;
    let mut objects = SectionCursor::<ObjRecords>::new(Arc::clone(table), Some(section));
    objects.seek(oid.get(..table.object_id_len).unwrap_or(oid))?;
    if !objects.advance()? {
        return Ok(Candidates::Beyond);
    }
    if !oid.starts_with(objects.key()) {
        return Ok(Candidates::At(Vec::new()));
    }
    let span = objects.span();
    if span.count() == 0 {
        return Ok(Candidates::All);
    }
    let mut blocks = Vec::new();
    for position in span.offsets(objects.buffer()) {
        // Ref blocks precede object blocks.
        match usize::try_from(position) {
            Ok(offset) if offset < section.start => blocks.push(offset),
            _ => {
                let most = Expected::AtMost(wide(section.start).saturating_sub(1));
                let what = "position of a ref block in an object record";
                let damage = Corruption::new(wide(section.start), what, position, most);
                return Err(table.damaged(damage));
            }
        }
    }
    blocks.reverse();
    Ok(Candidates::At(blocks))
}
