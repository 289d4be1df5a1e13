//! Checking that the sections of a table are where its footer says.
#![forbid(unsafe_code)]

use super::Table;
use crate::block::Inflater;
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Expected, Result};

impl Table {
    /// Follows the blocks from the first one to the logs, without reading their records, and
    /// checks that objects and logs begin where the footer says.
    ///
    /// Needed before a table is copied: if the footer's position of a section is too great, the
    /// blocks before it would silently be left out. (The ends of sections are checked while they
    /// are read.)
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt).
    pub(crate) fn check_sections(&self) -> Result<()> {
        let stop = self.logs.map_or(self.end, |logs| logs.start);
        let mut inflater = Inflater::default();
        let mut last = BlockType::Ref;
        let mut objects = self.objects.map(|section| section.start);
        let mut offset = if self.refs.is_some() { 0 } else { stop };
        while offset < stop {
            let next = self.type_at(offset)?;
            let right = match next {
                BlockType::Ref => last == BlockType::Ref,
                BlockType::Index => true,
                BlockType::Obj if last == BlockType::Obj => true,
                BlockType::Obj => objects.take() == Some(offset),
                BlockType::Log => false,
            };
            if !right {
                let what = "type of a block at this position";
                let expected = Expected::Exactly(last.byte().into());
                let damage = Corruption::new(wide(offset), what, next.byte().into(), expected);
                return Err(self.damaged(damage));
            }
            offset = self.open_block(offset, next, &mut inflater)?.next_offset();
            last = next;
        }
        // The last block of a file is not padded.
        let fits = offset == stop || stop == self.end;
        if fits && objects.is_none() {
            return Ok(());
        }
        let (what, found) = match objects {
            Some(objects) => ("position of objects, where no object block begins", objects),
            None => ("position of logs, inside a block", stop),
        };
        let damage = Corruption::new(wide(stop), what, wide(found), Expected::Exactly(0));
        Err(self.damaged(damage))
    }
}
