//! Searching the records of one block for a key.
//!
//! Keys are not put together on the way. A key that shares more bytes with the previous key than
//! the previous key shares with the wanted one is less for the same reason as the previous key.
//! Any other key begins like the wanted one, so that its suffix decides.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::{Block, BlockRecords};
use crate::format::error::wide;
use crate::format::key::{self, FastHeader, KeyHeader, Window};
use crate::format::layout::RESTART_LEN;
use crate::format::words::{common_prefix, compare};
use crate::format::{Corruption, Damage, Expected, Input};
use crate::record::Records;

/// A linear search: the next record, and what is known of the previous key, which is
/// less than the wanted one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    /// Position of the next record.
    position: usize,
    /// Bytes that the previous key shares with the wanted one.
    same: usize,
    /// Length of the previous key; 0 if nothing may be shared.
    last_len: usize,
}

/// The record that a search has found: its key is `shared` bytes of the wanted key and `suffix`.
pub(super) struct Hit<'a> {
    pub position: usize,
    pub shared: usize,
    pub suffix: &'a [u8],
    /// Bits of the key that belong to the record's type.
    pub extra: u8,
    /// The block from the record's value on.
    pub value: Input<'a>,
}

impl Scan {
    /// A scan from the record at `position`, which follows one with this `key`.
    pub(super) fn after(position: usize, key: &[u8], want: &[u8]) -> Self {
        Self {
            position,
            same: common_prefix(key, want),
            last_len: key.len(),
        }
    }

    /// Finds the first record whose key is not less than `want`.
    #[inline(always)]
    pub(super) fn run<'a, R: Records>(
        &mut self,
        records: &BlockRecords<'a>,
        want: &[u8],
        span: &mut R::Span,
    ) -> Result<Option<Hit<'a>>, Damage> {
        loop {
            self.pass_fast::<R>(records, want);
            let Some(mut input) = records.input_at(self.position) else {
                return Ok(None);
            };
            let header = KeyHeader::read(&mut input)?;
            let suffix = header.suffix(&mut input, self.last_len)?;
            if header.shared <= self.same {
                let end = want.get(header.shared..).unwrap_or_default();
                let (order, same) = compare(suffix, end);
                if order != Ordering::Less {
                    return Ok(Some(Hit {
                        position: self.position,
                        shared: header.shared,
                        suffix,
                        extra: header.extra,
                        value: input,
                    }));
                }
                self.same = header.shared + same;
            }
            R::skip(header.extra, &mut input, records.context, span)?;
            self.last_len = header.shared + suffix.len();
            self.position = input.position();
        }
    }

    /// Passes records of the [fast path](crate::record::fast) whose header shows that their keys
    /// are less than `want`: they share more than `same` bytes with the previous key, or as many
    /// and continue with a lesser byte than `want`.
    #[inline(always)]
    fn pass_fast<R: Records>(&mut self, records: &BlockRecords<'_>, want: &[u8]) {
        // A single comparison covers both: keys are less, the more they share and the less the
        // byte. A negative length, which is the start of a longer varint, never passes.
        let rank = |shared: i8, byte: u8| (i32::from(shared) << 8) - i32::from(byte);
        let Ok(same) = i8::try_from(self.same) else {
            return;
        };
        let wanted = rank(same, want.get(self.same).copied().unwrap_or(0));
        while let Some(window) = records
            .buffer
            .get(self.position..)
            .and_then(|rest| rest.first_chunk::<{ size_of::<Window>() }>())
        {
            let Some(header) = FastHeader::read(window) else {
                return;
            };
            if rank(header.shared, header.first) <= wanted {
                return;
            }
            let shared = usize::from(header.shared.unsigned_abs());
            let at = header.value_at();
            let Some(end) = R::skip_fast(header.extra, window, at, records.context) else {
                return;
            };
            let next = self.position + end;
            if shared > self.last_len || next > records.block.records_end {
                return;
            }
            self.last_len = shared + usize::from(header.suffix_len);
            self.position = next;
        }
    }
}

/// A record that shares no bytes of its key with the previous one.
#[derive(Clone, Copy)]
pub(super) struct Restart {
    /// Its position.
    pub position: usize,
    /// Bytes that its key shares with the wanted one, if the key is known to be less.
    same: Option<usize>,
}

impl Restart {
    /// The record from which a search for `want` must scan: the last restart whose key is not
    /// greater, or the first record if there is none.
    ///
    /// Restart offsets are checked as they are used: each must be in the range that the offsets
    /// around it leave, inclusively.
    #[inline(always)]
    pub(super) fn before(records: &BlockRecords<'_>, want: &[u8]) -> Result<Self, Damage> {
        let &BlockRecords { block, buffer, .. } = records;
        let bytes = buffer.get(..block.records_end).unwrap_or_default();
        let (mut low, mut high) = (0, usize::from(block.restart_count));
        let (mut least, mut most) = (block.first, block.records_end.saturating_sub(1));
        let mut best = Self {
            position: block.first,
            same: None,
        };
        while low < high {
            let middle = (low + high) / 2;
            let position = block.restart(buffer, middle);
            let rest = match bytes.get(position..) {
                Some(rest) if position >= least && position <= most => rest,
                _ => return Err(bad_restart(block, middle, position, least, most)),
            };
            let key = key::at_restart(&mut Input::new(rest, block.records_end))?;
            match compare(key, want) {
                (Ordering::Less, same) => {
                    best = Self {
                        position,
                        same: Some(same),
                    };
                    least = position;
                    low = middle + 1;
                }
                (Ordering::Equal, _) => {
                    return Ok(Self {
                        position,
                        same: None,
                    })
                }
                (Ordering::Greater, _) => {
                    most = position;
                    high = middle;
                }
            }
        }
        Ok(best)
    }

    /// A scan from this restart; from the following record if the restart's key is known to be
    /// less.
    #[inline(always)]
    pub(super) fn scan<R: Records>(
        self,
        records: &BlockRecords<'_>,
        span: &mut R::Span,
    ) -> Result<Scan, Damage> {
        let mut scan = Scan {
            position: self.position,
            same: 0,
            last_len: 0,
        };
        if let Some(same) = self.same {
            let end = records.block.records_end;
            let rest = records.buffer.get(self.position..end);
            let mut input = Input::new(rest.unwrap_or_default(), end);
            let header = KeyHeader::read(&mut input)?;
            header.suffix(&mut input, 0)?;
            R::skip(header.extra, &mut input, records.context, span)?;
            scan.position = input.position();
            scan.same = same;
            scan.last_len = header.suffix_len;
        }
        Ok(scan)
    }
}

#[cold]
fn bad_restart(block: &Block, n: usize, found: usize, least: usize, most: usize) -> Damage {
    let position = block.records_end + RESTART_LEN * n;
    let offset = |position: usize| wide(position.saturating_sub(block.base));
    let expected = if found < least {
        Expected::AtLeast(offset(least))
    } else {
        Expected::AtMost(offset(most))
    };
    Corruption::new(wide(position), "restart offset", offset(found), expected)
}
