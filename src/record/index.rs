//! Index records: the last key of a block and the position of that block.
//!
//! ```text
//! key     last key of the block; the extra bits are 0, which readers do not check
//! value
//! offset  size
//!      0  1 to 10  varint( block_position )    in the file
//! ```
#![forbid(unsafe_code)]

use super::{Context, Records};
use crate::format::key::{KeyBuf, NextKey, Window};
use crate::format::{varint, BlockType, Damage, Input};

/// The records of index blocks; the span is the value itself.
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
    fn decode(_: u8, input: &mut Input<'_>, _: &Context, span: &mut u64) -> Result<(), Damage> {
        *span = input.varint("position of an indexed block")?;
        Ok(())
    }

    #[inline(always)]
    fn skip(_: u8, input: &mut Input<'_>, _: &Context, _: &mut u64) -> Result<(), Damage> {
        input.skip_varint("position of an indexed block")
    }

    #[inline(always)]
    fn skip_fast(_: u8, window: &Window, at: usize, _: &Context) -> Option<usize> {
        let position = window.get(at..)?.first_chunk()?;
        varint::short_len(*position).map(|len| at + len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They should be zero, but git's C code does not check them either.
    #[test]
    fn extra_bits_are_ignored() {
        let context = Context::new(20, 0, 0);
        for extra in 0..8 {
            let mut span = 0;
            IndexRecords::decode(extra, &mut Input::new(&[7], 1), &context, &mut span).unwrap();
            assert_eq!(span, 7);
            IndexRecords::skip(extra, &mut Input::new(&[7], 1), &context, &mut span).unwrap();
            let end = IndexRecords::skip_fast(extra, &[7; 64], 10, &context);
            assert_eq!(end, Some(11));
        }
    }
}
