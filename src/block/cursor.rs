//! Reading the records of one block in order, from its start or from a key.
#![forbid(unsafe_code)]

use super::Block;
use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::key::{self, KeyBuf};
use crate::format::layout::RESTART_LEN;
use crate::format::{Corruption, Damage, Expected, Input};
use crate::record::{Context, Records};

/// A place in a block and the key of the record before it.
///
/// Holds no borrow: the block's bytes are passed in by the owner of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockCursor {
    next: usize,
    pub(crate) key: KeyBuf,
}

impl BlockCursor {
    /// Goes to the first record. Its key must be greater than the current one.
    #[inline]
    pub(crate) fn start(&mut self, block: &Block) {
        self.next = block.first;
        self.key.start_block();
    }

    /// Reads the next record; `None` at the end of the block.
    ///
    /// `bytes` are those of `block`.
    #[inline]
    pub(crate) fn step<R: Records>(
        &mut self,
        block: &Block,
        bytes: &[u8],
        context: &Context,
    ) -> Result<Option<R::Span>, Damage> {
        let rest = match bytes.get(self.next..block.records_end) {
            Some(rest) if !rest.is_empty() => rest,
            _ => return Ok(None),
        };
        let mut input = Input::new(rest, block.records_end);
        let place = self.next;
        let old_len = self.key.bytes().len();
        let read = self.key.read(&mut input).and_then(|(extra, shared)| {
            R::check_key(self.key.bytes(), shared, old_len, place)?;
            R::decode(extra, &mut input, context)
        });
        match read {
            Ok(span) => {
                self.next = input.position();
                Ok(Some(span))
            }
            Err(damage) => Err(damage.shifted(block.offset)),
        }
    }

    /// Goes to the first record whose key is not less than `want` and reads it; `None` when the
    /// block has no such record.
    pub(crate) fn seek<R: Records>(
        &mut self,
        block: &Block,
        bytes: &[u8],
        context: &Context,
        want: &[u8],
    ) -> Result<Option<R::Span>, Damage> {
        self.next =
            restart_before(block, bytes, want).map_err(|damage| damage.shifted(block.offset))?;
        self.key.forget();
        while let Some(span) = self.step::<R>(block, bytes, context)? {
            if self.key.bytes() >= want {
                return Ok(Some(span));
            }
        }
        Ok(None)
    }
}

/// Position of the last restart whose key is not greater than `want`, or of the first record.
///
/// Offsets are checked as they are used: each stands between those around it.
fn restart_before(block: &Block, bytes: &[u8], want: &[u8]) -> Result<usize, Damage> {
    let (mut low, mut high) = (0, usize::from(block.restart_count));
    let mut best = block.first;
    let (mut least, mut most) = (block.first, block.records_end.saturating_sub(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let place = block.records_end + RESTART_LEN * middle;
        let offset = bytes
            .get(place..)
            .and_then(|rest| rest.first_chunk::<RESTART_LEN>())
            .and_then(|&three| usize::try_from(be24(three)).ok())
            .unwrap_or(usize::MAX);
        if offset < least || offset > most {
            return Err(bad_restart(place, offset, least, most));
        }
        let rest = bytes.get(offset..block.records_end).unwrap_or_default();
        let key = key::at_restart(&mut Input::new(rest, block.records_end))?;
        if key <= want {
            best = offset;
            least = offset.saturating_add(1);
            low = middle + 1;
        } else {
            most = offset.saturating_sub(1);
            high = middle;
        }
    }
    Ok(best)
}

#[cold]
fn bad_restart(place: usize, offset: usize, least: usize, most: usize) -> Damage {
    let expected = if offset < least {
        Expected::AtLeast(wide(least))
    } else {
        Expected::AtMost(wide(most))
    };
    Corruption::new(wide(place), "restart offset", wide(offset), expected)
}
