//! Searching the records of one block for a key.
//!
//! No key is put together on the way. One that shares more with its predecessor than the
//! predecessor shares with the key wanted is less for the same reason, and any other begins like
//! the key wanted.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::Block;
use crate::format::error::wide;
use crate::format::key::{self, KeyHeader, ShortHeader, Window};
use crate::format::layout::RESTART_LEN;
use crate::format::words::{common_prefix, compare};
use crate::format::{Corruption, Damage, Expected, Input};
use crate::record::{Context, Records};

/// Where a search goes on: before a record, and behind one whose key is less than the key wanted,
/// if any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    /// Position of the record.
    place: usize,
    /// Leading bytes of the key before it that are those of the key wanted.
    same: usize,
    /// Length of the key before it.
    last_len: usize,
}

/// A record that was searched for: its key is `shared` bytes of the key wanted and `suffix`.
pub(super) struct Found<'a> {
    pub place: usize,
    pub shared: usize,
    pub suffix: &'a [u8],
    /// Bits of the key that belong to the record's type.
    pub extra: u8,
    /// The rest of the block, from the record's value on.
    pub value: Input<'a>,
}

impl Scan {
    /// Before the record at `place`, behind one with this `key`.
    pub(super) fn behind(place: usize, key: &[u8], want: &[u8]) -> Self {
        Self {
            place,
            same: common_prefix(key, want),
            last_len: key.len(),
        }
    }

    /// Finds the first record whose key is not less than `want`.
    #[inline(always)]
    pub(super) fn run<'a, R: Records>(
        &mut self,
        block: &Block,
        buffer: &'a [u8],
        context: &Context,
        want: &[u8],
        span: &mut R::Span,
    ) -> Result<Option<Found<'a>>, Damage> {
        loop {
            self.pass_usual::<R>(block, buffer, context, want);
            let rest = match buffer.get(self.place..block.records_end) {
                Some(rest) if !rest.is_empty() => rest,
                _ => return Ok(None),
            };
            let mut input = Input::new(rest, block.records_end);
            let header = KeyHeader::read(&mut input)?;
            let suffix = header.suffix(&mut input, self.last_len)?;
            if header.shared <= self.same {
                let end = want.get(header.shared..).unwrap_or_default();
                let (order, same) = compare(suffix, end);
                if order != Ordering::Less {
                    return Ok(Some(Found {
                        place: self.place,
                        shared: header.shared,
                        suffix,
                        extra: header.extra,
                        value: input,
                    }));
                }
                self.same = header.shared + same;
            }
            R::skip(header.extra, &mut input, context, span)?;
            self.last_len = header.shared + suffix.len();
            self.place = input.position();
        }
    }

    /// Passes records that are usual ones, and less than `want` at a first look: they share more
    /// than is `same`, or as much and go on with a lesser byte.
    #[inline(always)]
    fn pass_usual<R: Records>(
        &mut self,
        block: &Block,
        buffer: &[u8],
        context: &Context,
        want: &[u8],
    ) {
        // One comparison tells both: the more is shared, and the less the byte, the greater. A
        // negative number of shared bytes, which is none, is never enough.
        let rank = |shared: i8, byte: u8| (i32::from(shared) << 8) - i32::from(byte);
        let Ok(same) = i8::try_from(self.same) else {
            return;
        };
        let wanted = rank(same, want.get(self.same).copied().unwrap_or(0));
        while let Some(window) = buffer
            .get(self.place..)
            .and_then(|rest| rest.first_chunk::<{ size_of::<Window>() }>())
        {
            let Some(header) = ShortHeader::read(window) else {
                return;
            };
            if rank(header.shared, header.first) <= wanted {
                return;
            }
            let shared = usize::from(header.shared.unsigned_abs());
            let Some(end) = R::usual_end(header.extra, window, header.end(), context) else {
                return;
            };
            let next = self.place + end;
            if shared > self.last_len || next > block.records_end {
                return;
            }
            self.last_len = shared + usize::from(header.len);
            self.place = next;
        }
    }
}

/// Where a search among the records of a block begins: at the last restart whose key is not
/// greater than `want`, or at the first record if there is none.
///
/// Offsets are checked as they are used: each is between those around it, or the same.
#[inline(always)]
pub(super) fn restart_before(block: &Block, buffer: &[u8], want: &[u8]) -> Result<Restart, Damage> {
    let records = buffer.get(..block.records_end).unwrap_or_default();
    let (mut low, mut high) = (0, usize::from(block.restart_count));
    let (mut least, mut most) = (block.first, block.records_end.saturating_sub(1));
    let mut best = Restart {
        place: block.first,
        same: None,
    };
    while low < high {
        let middle = (low + high) / 2;
        let place = block.restart(buffer, middle);
        let rest = match records.get(place..) {
            Some(rest) if place >= least && place <= most => rest,
            _ => return Err(bad_restart(block, middle, place, least, most)),
        };
        let key = key::at_restart(&mut Input::new(rest, block.records_end))?;
        match compare(key, want) {
            (Ordering::Less, same) => {
                best = Restart {
                    place,
                    same: Some(same),
                };
                least = place;
                low = middle + 1;
            }
            (Ordering::Equal, _) => return Ok(Restart { place, same: None }),
            (Ordering::Greater, _) => {
                most = place;
                high = middle;
            }
        }
    }
    Ok(best)
}

/// A record that shares no bytes of its key with the one before.
#[derive(Clone, Copy)]
pub(super) struct Restart {
    /// Its position.
    pub place: usize,
    /// If its key is known to be less than the one wanted: leading bytes that are the same.
    same: Option<usize>,
}

impl Restart {
    /// Where the search goes on: behind the restart if its key is known to be less.
    #[inline(always)]
    pub(super) fn scan<R: Records>(
        self,
        block: &Block,
        buffer: &[u8],
        context: &Context,
        span: &mut R::Span,
    ) -> Result<Scan, Damage> {
        let mut scan = Scan {
            place: self.place,
            same: 0,
            last_len: 0,
        };
        if let Some(same) = self.same {
            let rest = buffer.get(self.place..block.records_end);
            let mut input = Input::new(rest.unwrap_or_default(), block.records_end);
            let header = KeyHeader::read(&mut input)?;
            header.suffix(&mut input, 0)?;
            R::skip(header.extra, &mut input, context, span)?;
            scan.place = input.position();
            scan.same = same;
            scan.last_len = header.suffix_len;
        }
        Ok(scan)
    }
}

#[cold]
fn bad_restart(block: &Block, n: usize, found: usize, least: usize, most: usize) -> Damage {
    let place = block.records_end + RESTART_LEN * n;
    let offset = |position: usize| wide(position.saturating_sub(block.base));
    let expected = if found < least {
        Expected::AtLeast(offset(least))
    } else {
        Expected::AtMost(offset(most))
    };
    Corruption::new(wide(place), "restart offset", offset(found), expected)
}
