//! Whether the sections of a table are where its footer says.
#![forbid(unsafe_code)]

use super::Table;
use crate::block::Inflater;
use crate::format::error::wide;
use crate::format::{BlockType, Corruption, Expected, Result};

impl Table {
    /// Follows the blocks from the first to the logs, without reading their records, and checks
    /// that objects and logs begin where the footer says.
    ///
    /// Who copies a table needs this: where a section begins too late, all that stands before it
    /// would be left out, and nobody would know. (That sections end where they should is checked
    /// while they are read.)
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
                let what = "type of a block in this place";
                let expected = Expected::Exactly(last.byte().into());
                let damage = Corruption::new(wide(offset), what, next.byte().into(), expected);
                return Err(self.damaged(damage));
            }
            offset = self.open_block(offset, next, &mut inflater)?.next_offset();
            last = next;
        }
        // The padding of the last block of a file is not written.
        let fits = offset == stop || stop == self.end;
        if fits && objects.is_none() {
            return Ok(());
        }
        let (what, found) = match objects {
            Some(objects) => ("position of objects, where none begin", objects),
            None => ("position of logs, inside of a block", stop),
        };
        let damage = Corruption::new(wide(stop), what, wide(found), Expected::Exactly(0));
        Err(self.damaged(damage))
    }
}
