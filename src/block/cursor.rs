//! Reading the records of one block in order, from its start or from a key.
#![forbid(unsafe_code)]

use super::search::{self, Scan};
use super::{touch, Block};
use crate::format::key::{KeyBuf, Window};
use crate::format::{BlockType, Damage, Input};
use crate::record::{Context, Records, Usual};

/// A place in a block and the key of the record before it.
///
/// Holds no borrow: the block's bytes are passed in by the owner of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockCursor {
    next: usize,
    /// Whether the last search ended at the first record.
    at_first: bool,
    pub(crate) key: KeyBuf,
}

impl BlockCursor {
    /// Goes to the first record. Its key must be greater than the current one.
    #[inline]
    pub(crate) fn start(&mut self, block: &Block) {
        self.next = block.first;
        self.key.start_block();
    }

    /// Reads the next record when it is a usual one, with its key; otherwise nothing has changed,
    /// and [`step`](Self::step) must look at it.
    ///
    /// This is what a walk does for nearly every record. All that `step` checks holds of what
    /// is read here; whatever is in doubt is left to it.
    #[inline(always)]
    pub(crate) fn step_usual<'a, R: Records>(
        &'a mut self,
        block: &Block,
        buffer: &'a [u8],
        context: &Context,
    ) -> Option<(&'a [u8], Usual<'a, R::Span>)> {
        if !R::HAS_USUAL {
            return None;
        }
        let window: &Window = buffer.get(self.next..)?.first_chunk()?;
        let key = self.key.usual(window)?;
        if key.has_nul() {
            return None;
        }
        let usual = R::usual(key.extra, window, key.end(), self.next, context)?;
        let end = self.next + usual.end;
        if end > block.records_end {
            return None;
        }
        self.next = end;
        Some((key.take(), usual))
    }

    /// Reads the next record into `span`; `false` at the end of the block.
    ///
    /// `buffer` is the one in which the block's positions count.
    #[inline(always)]
    pub(crate) fn step<R: Records>(
        &mut self,
        block: &Block,
        buffer: &[u8],
        context: &Context,
        span: &mut R::Span,
    ) -> Result<bool, Damage> {
        let rest = match buffer.get(self.next..block.records_end) {
            Some(rest) if !rest.is_empty() => rest,
            _ => return Ok(false),
        };
        let mut input = Input::new(rest, block.records_end);
        match self.read::<R>(&mut input, context, span) {
            Ok(()) => {
                self.next = input.position();
                Ok(true)
            }
            Err(damage) => Err(block.locate(damage)),
        }
    }

    #[inline(always)]
    fn read<R: Records>(
        &mut self,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut R::Span,
    ) -> Result<(), Damage> {
        let next = self.key.read(input, R::MAY_REPEAT)?;
        R::check_next(&next, &self.key, self.next)?;
        R::decode(next.extra, input, context, span)
    }

    /// Goes to the first record whose key is not less than `want` and reads it; `false` when the
    /// block has no such record.
    ///
    /// With `ahead` the current key is known to be less than `want`.
    pub(crate) fn seek<R: Records>(
        &mut self,
        block: &Block,
        buffer: &[u8],
        context: &Context,
        want: &[u8],
        ahead: bool,
        span: &mut R::Span,
    ) -> Result<bool, Damage> {
        // A block just entered is perhaps in no cache; those of indexes and inflated ones are.
        let cold = R::TYPE == BlockType::Ref && !ahead;
        if cold {
            touch::restarts_like(block, buffer, block.base);
        }
        let found = search::restart_before(block, buffer, want).and_then(|restart| {
            if cold {
                touch::records(buffer, restart.place);
            }
            let scan = if ahead && restart.place < self.next {
                Scan::behind(self.next, self.key.bytes(), want)
            } else {
                restart.scan::<R>(block, buffer, context, span)?
            };
            self.key.forget();
            self.scan::<R>(block, buffer, context, want, scan, span)
        });
        found.map_err(|damage| block.locate(damage))
    }

    /// Whether the search that read the current record found it to be the first of its block.
    pub(crate) fn is_at_first(&self) -> bool {
        self.at_first
    }

    /// Whether the current record is the last of its block.
    pub(crate) fn is_at_end(&self, block: &Block) -> bool {
        self.next == block.records_end
    }

    /// Reads the first record, from where `scan` stands on, whose key is not less than `want`.
    #[inline(always)]
    fn scan<R: Records>(
        &mut self,
        block: &Block,
        buffer: &[u8],
        context: &Context,
        want: &[u8],
        mut scan: Scan,
        span: &mut R::Span,
    ) -> Result<bool, Damage> {
        let Some(found) = scan.run::<R>(block, buffer, context, want, span)? else {
            self.next = block.records_end;
            return Ok(false);
        };
        let mut input = found.value;
        let start = want.get(..found.shared).unwrap_or(want);
        self.key.set(start, found.suffix);
        R::check_key(self.key.bytes(), found.place)?;
        R::decode(found.extra, &mut input, context, span)?;
        self.next = input.position();
        self.at_first = found.place == block.first;
        Ok(true)
    }
}
