//! Finding the refs of a table that point at an object.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::cursor::SectionCursor;
use super::cursors::Cursor;
use super::{RefCursor, Table};
use crate::format::error::wide;
use crate::format::{Corruption, Expected, IdPrefix, Result};
use crate::record::{ObjRecords, RefRecord, RefValue};

/// The object that refs must point at.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// The object with this id.
    Id(Vec<u8>),
    /// Any object whose id begins with these digits.
    Prefix(IdPrefix),
}

impl Wanted {
    /// Whether a ref with this value points at the object, directly or peeled.
    pub(crate) fn is_in(&self, value: RefValue<'_>) -> bool {
        match self {
            Self::Id(oid) => value.id() == Some(oid) || value.peeled() == Some(oid),
            Self::Prefix(prefix) => {
                let matches = |id: Option<&[u8]>| id.is_some_and(|id| prefix.matches(id));
                matches(value.id()) || matches(value.peeled())
            }
        }
    }

    /// The bytes of the least such id, or the first of them.
    fn least(&self) -> &[u8] {
        match self {
            Self::Id(oid) => oid,
            Self::Prefix(prefix) => prefix.least(),
        }
    }

    /// Whether an object record with this key may be about the object.
    fn may_have(&self, key: &[u8]) -> bool {
        match self {
            Self::Id(oid) => oid.starts_with(key),
            Self::Prefix(prefix) => prefix.overlaps(key),
        }
    }
}

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
    wanted: Wanted,
    refs: RefCursor,
    candidates: Candidates,
}

impl RefsFor {
    pub(super) fn new(table: &Arc<Table>, wanted: Wanted) -> Result<Self> {
        Ok(Self {
            refs: table.refs(),
            candidates: candidates(table, &wanted)?,
            wanted,
        })
    }

    /// Moves to the next such ref; returns `false` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    pub fn advance(&mut self) -> Result<bool> {
        loop {
            if let Wanted::Id(oid) = &self.wanted {
                if self.refs.advance_fast_to(oid) {
                    return Ok(true);
                }
            }
            if !self.advance_to_any()? {
                return Ok(false);
            }
            if self.wanted.is_in(self.refs.record().value) {
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
fn candidates(table: &Arc<Table>, wanted: &Wanted) -> Result<Candidates> {
    let Some(section) = table.objects else {
        return Ok(Candidates::All);
    };
    table
        .header
        .check_object_id_len(table.object_id_len, table.end)
        .map_err(|damage| table.damaged(damage))?;
    let mut objects = SectionCursor::<ObjRecords>::new(Arc::clone(table), Some(section));
    let least = wanted.least();
    objects.seek(least.get(..table.object_id_len).unwrap_or(least))?;
    if !objects.advance()? {
        return Ok(Candidates::Beyond);
    }
    let mut blocks = Vec::new();
    while wanted.may_have(objects.key()) {
        let span = objects.span();
        if span.count() == 0 {
            return Ok(Candidates::All);
        }
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
        // Only a prefix may be that of several objects.
        let Wanted::Prefix(_) = wanted else { break };
        if !objects.advance()? {
            break;
        }
    }
    if let Wanted::Prefix(_) = wanted {
        blocks.sort_unstable();
        blocks.dedup();
    }
    blocks.reverse();
    Ok(Candidates::At(blocks))
}
