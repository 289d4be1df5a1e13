//! Index records: the last key of a block, and where that block begins.
//!
//! ```text
//! key:    last key of the block
//! value:  varint( block_position )
//! ```
#![forbid(unsafe_code)]

use super::{Context, Records};
use crate::format::key::{KeyBuf, NextKey};
use crate::format::{BlockType, Damage, Input};

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
    fn decode(_: u8, input: &mut Input<'_>, _: &Context, span: &mut u64) -> Result<(), Damage> {
        *span = input.varint("position of an indexed block")?;
        Ok(())
    }

    #[inline(always)]
    fn skip(_: u8, input: &mut Input<'_>, _: &Context, _: &mut u64) -> Result<(), Damage> {
        input.skip_varint("position of an indexed block")
    }
}
