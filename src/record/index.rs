//! Index records: the last key of a block, and where that block begins.
//!
//! ```text
//! key:    last key of the block; its extra bits are 0
//! value:  varint( block_position )
//! ```
#![forbid(unsafe_code)]

use super::{Context, Records};
use crate::format::key::{KeyBuf, NextKey, Window};
use crate::format::{varint, BlockType, Corruption, Damage, Input};

/// The records of index blocks; their value is the position of the block in the file.
#[derive(Debug)]
pub(crate) enum IndexRecords {}

impl Records for IndexRecords {
    const TYPE: BlockType = BlockType::Index;
    type Span = u64;

    #[inline(always)]
    fn check_key(_: &[u8], _: usize) -> Result<(), Damage> {
        Ok(())
    }

    #[inline(always)]
    fn check_next(_: &NextKey<'_>, _: &KeyBuf, _: usize) -> Result<(), Damage> {
        Ok(())
    }

    #[inline(always)]
    fn decode(extra: u8, input: &mut Input<'_>, _: &Context, span: &mut u64) -> Result<(), Damage> {
        if extra != 0 {
            return Err(unknown_type(input.position(), extra));
        }
        *span = input.varint("position of an indexed block")?;
        Ok(())
    }

    #[inline(always)]
    fn skip(extra: u8, input: &mut Input<'_>, _: &Context, _: &mut u64) -> Result<(), Damage> {
        if extra != 0 {
            return Err(unknown_type(input.position(), extra));
        }
        input.skip_varint("position of an indexed block")
    }

    #[inline(always)]
    fn usual_end(extra: u8, window: &Window, at: usize, _: &Context) -> Option<usize> {
        let position = window.get(at..)?.first_chunk()?;
        let len = varint::short_len(*position)?;
        (extra == 0).then_some(at + len)
    }
}

#[cold]
fn unknown_type(place: usize, extra: u8) -> Damage {
    let what = "value type of an index record";
    Corruption::at(place, what, usize::from(extra), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_bits_are_zero() {
        let context = Context::new(20, 0, 0);
        for extra in 0..8 {
            let mut span = 0;
            let read = IndexRecords::decode(extra, &mut Input::new(&[7], 1), &context, &mut span);
            assert_eq!(read.is_ok(), extra == 0);
            let passed = IndexRecords::skip(extra, &mut Input::new(&[7], 1), &context, &mut span);
            assert_eq!(passed.is_ok(), extra == 0);
            let end = IndexRecords::usual_end(extra, &[7; 64], 10, &context);
            assert_eq!(end, (extra == 0).then_some(11));
        }
    }
}
