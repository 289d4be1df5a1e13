//! Reading the records of one block in order, from its start or from a key.
#![forbid(unsafe_code)]

use super::{touch, Block};
use crate::format::error::wide;
use crate::format::key::{self, KeyBuf, KeyHeader, Window};
use crate::format::layout::RESTART_LEN;
use crate::format::words::common_prefix;
use crate::format::{BlockType, Corruption, Damage, Expected, Input};
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

    /// Reads the next record when it is a usual one; otherwise nothing has changed, and
    /// [`step`](Self::step) must look at it.
    ///
    /// This is what a walk does for nearly every record. All that `step` checks holds of what
    /// is read here; whatever is in doubt is left to it.
    #[inline(always)]
    pub(crate) fn step_usual<'a, R: Records>(
        &mut self,
        block: &Block,
        buffer: &'a [u8],
        context: &Context,
    ) -> Option<Usual<'a, R::Span>> {
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
        key.take();
        self.next = end;
        Some(usual)
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
            touch::restarts(block, buffer);
        }
        let found = restart_before(block, buffer, want).and_then(|restart| {
            if cold {
                touch::records(buffer, restart);
            }
            let mut scan = Scan::default();
            if ahead && restart < self.next {
                scan.same = common_prefix(self.key.bytes(), want);
                scan.last_len = self.key.len();
            } else {
                self.next = restart;
            }
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

    /// Reads on, from a record whose key is less than `want`, to the first one whose is not.
    ///
    /// No key is put together before that: one that shares more with its predecessor than the
    /// predecessor shares with `want` is less for the same reason, and any other begins like
    /// `want`.
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
        let rest = buffer.get(self.next..block.records_end).unwrap_or_default();
        let mut input = Input::new(rest, block.records_end);
        while input.len() > 0 {
            let place = input.position();
            let header = KeyHeader::read(&mut input)?;
            let suffix = header.suffix(&mut input, scan.last_len)?;
            scan.last_len = header.shared + suffix.len();
            if header.shared <= scan.same {
                let (start, end) = want.split_at_checked(header.shared).unwrap_or((want, &[]));
                let same = common_prefix(suffix, end);
                // Where both go on they differ; what ends first is less; both may end.
                if suffix.get(same) >= end.get(same) {
                    self.key.set(start, suffix);
                    R::check_key(self.key.bytes(), place)?;
                    R::decode(header.extra, &mut input, context, span)?;
                    self.next = input.position();
                    self.at_first = place == block.first;
                    return Ok(true);
                }
                scan.same = header.shared + same;
            }
            R::skip(header.extra, &mut input, context, span)?;
        }
        self.next = block.records_end;
        Ok(false)
    }
}

/// What a search remembers of the key before.
#[derive(Default)]
struct Scan {
    /// Leading bytes that are those of the key wanted.
    same: usize,
    last_len: usize,
}

/// Position of the last restart whose key is not greater than `want`, or of the first record.
///
/// Offsets are checked as they are used: each stands between those around it.
fn restart_before(block: &Block, buffer: &[u8], want: &[u8]) -> Result<usize, Damage> {
    let (mut low, mut high) = (0, usize::from(block.restart_count));
    let mut best = block.first;
    let (mut least, mut most) = (block.first, block.records_end.saturating_sub(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let restart = block.restart(buffer, middle);
        if restart < least || restart > most {
            let place = block.records_end + RESTART_LEN * middle;
            return Err(bad_restart(block, place, restart, least, most));
        }
        let rest = buffer.get(restart..block.records_end).unwrap_or_default();
        let key = key::at_restart(&mut Input::new(rest, block.records_end))?;
        if key <= want {
            best = restart;
            least = restart + 1;
            low = middle + 1;
        } else {
            most = restart - 1;
            high = middle;
        }
    }
    Ok(best)
}

#[cold]
fn bad_restart(block: &Block, place: usize, found: usize, least: usize, most: usize) -> Damage {
    let offset = |position: usize| wide(position.saturating_sub(block.base));
    let expected = if found < least {
        Expected::AtLeast(offset(least))
    } else {
        Expected::AtMost(offset(most))
    };
    Corruption::new(wide(place), "restart offset", offset(found), expected)
}
