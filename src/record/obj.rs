//! Object records: an abbreviated object id and the ref blocks that contain it.
//!
//! ```text
//! key     leading bytes of the id; the extra bits hold the count if it is 1 to 7
//! value
//! offset  size
//!      0  0 or a  varint( count )             only if the extra bits are 0
//!      a          count times                 positions of ref blocks, ascending
//!                   varint( position_delta )  difference from the previous position
//! ```
//!
//! A count of 0 means that any ref block may contain the id.
#![forbid(unsafe_code)]

use super::{part, Context, Records};
use crate::format::key::{KeyBuf, NextKey};
use crate::format::{error::wide, varint, BlockType, Corruption, Damage, Expected, Input};

/// Maximum count in the extra bits.
const MAX_SMALL_COUNT: usize = 7;

/// The extra bits of a record with `count` positions.
pub(crate) fn value_type(count: usize) -> u8 {
    match u8::try_from(count) {
        Ok(small) if count <= MAX_SMALL_COUNT => small,
        _ => 0,
    }
}

/// Appends the value; there are `count` ascending `offsets`.
pub(crate) fn encode(out: &mut Vec<u8>, count: usize, offsets: impl Iterator<Item = u64>) {
    if value_type(count) == 0 {
        varint::put(out, wide(count));
    }
    let mut last = 0;
    for offset in offsets {
        varint::put(out, offset.wrapping_sub(last));
        last = offset;
    }
}

/// Position of an object record's list in its block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ObjSpan {
    count: u64,
    start: usize,
    len: usize,
}

impl ObjSpan {
    /// Number of positions; 0 means that every ref must be checked.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The positions, ascending.
    pub(crate) fn offsets<'a>(&self, block: &'a [u8]) -> impl Iterator<Item = u64> + 'a {
        let mut rest = part(block, self.start, self.len);
        let mut last = 0_u64;
        std::iter::from_fn(move || {
            last = last.checked_add(varint::take(&mut rest)?)?;
            Some(last)
        })
    }
}

/// The records of object blocks.
#[derive(Debug)]
pub(crate) enum ObjRecords {}

impl Records for ObjRecords {
    const TYPE: BlockType = BlockType::Obj;
    type Span = ObjSpan;

    #[inline(always)]
    fn check_key(_: &[u8], _: usize) -> Result<(), Damage> {
        Ok(())
    }

    #[inline(always)]
    fn check_next(_: &NextKey<'_>, _: &KeyBuf, _: usize) -> Result<(), Damage> {
        Ok(())
    }

    fn decode(
        extra: u8,
        input: &mut Input<'_>,
        _: &Context,
        span: &mut ObjSpan,
    ) -> Result<(), Damage> {
        let count = match extra {
            0 => input.varint("number of an object's positions")?,
            small => u64::from(small),
        };
        // Each position takes at least one byte.
        if count > wide(input.len()) {
            return Err(input.too_long(count, "number of an object's positions"));
        }
        let start = input.position();
        let mut last = 0_u64;
        for n in 0..count {
            let position = input.position();
            let delta = input.varint("position of a ref block")?;
            let next = last.checked_add(delta).filter(|_| n == 0 || delta > 0);
            let Some(next) = next else {
                return Err(Corruption::new(
                    wide(position),
                    "distance to an object's next ref block",
                    delta,
                    match delta {
                        0 => Expected::AtLeast(1),
                        _ => Expected::AtMost(u64::MAX - last),
                    },
                ));
            };
            last = next;
        }
        *span = ObjSpan {
            count,
            start,
            len: input.position().saturating_sub(start),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context = Context::new(20, 0, 0);

    fn decode(extra: u8, bytes: &[u8]) -> Result<ObjSpan, Damage> {
        let mut span = ObjSpan::default();
        ObjRecords::decode(
            extra,
            &mut Input::new(bytes, bytes.len()),
            &CONTEXT,
            &mut span,
        )?;
        Ok(span)
    }

    #[test]
    fn counts_round_trip() {
        for count in [0_usize, 1, 7, 8, 200] {
            let offsets: Vec<u64> = (0..).step_by(4096).take(count).collect();
            let mut bytes = Vec::new();
            encode(&mut bytes, count, offsets.iter().copied());
            let span = decode(value_type(count), &bytes).unwrap();
            assert_eq!(span.count(), wide(count));
            assert_eq!(span.offsets(&bytes).collect::<Vec<_>>(), offsets);
        }
        // A key has three extra bits.
        assert_eq!((value_type(7), value_type(8)), (7, 0));
    }

    #[test]
    fn impossible_positions_are_damage() {
        let expected = |extra, bytes: &[u8]| decode(extra, bytes).unwrap_err().expected;
        // More positions than bytes.
        assert_eq!(expected(0, &[100, 1, 2]), Expected::AtMost(2));
        // The same position again.
        assert_eq!(expected(2, &[5, 0]), Expected::AtLeast(1));
        // Overflow.
        let mut bytes = Vec::new();
        varint::put(&mut bytes, u64::MAX - 2);
        varint::put(&mut bytes, 3);
        assert_eq!(expected(2, &bytes), Expected::AtMost(2));
    }
}
