//! One block: its layout, and reading and writing its records.
//!
//! ```text
//!        offset  size     content
//!             0  h        header of the file, in the first block only: h = 24 or 28, else 0
//!             h  1        block_type: 'r', 'g', 'o' or 'i'
//!         h + 1  3        block_len: all bytes but the padding, before deflating
//!         h + 4  r        records
//!     h + 4 + r  3 * n    restart offsets, ascending: positions of records that share nothing
//! block_len - 2  2        restart count n
//!     block_len  .        padding: NUL bytes up to the table's block size, or nothing
//! ```
//!
//! Offsets count from the start of the block, including the file header. In log blocks the bytes
//! from h + 4 to block_len are stored as a zlib stream; the offsets are those after inflating.
#![forbid(unsafe_code)]

mod cursor;
pub(crate) mod prefetch;
mod search;
mod writer;
mod zlib;

pub(crate) use cursor::BlockCursor;
pub(crate) use writer::{BlockWriter, RecordKey};
#[cfg(test)]
pub(crate) use zlib::counts;
pub(crate) use zlib::Inflater;

use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::layout::{BLOCK_HEADER_LEN, RESTART_COUNT_LEN, RESTART_LEN};
use crate::format::{BlockType, Corruption, Damage, Expected, Input};
use crate::record::Context;

/// The properties of a file that are needed to find its blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// All bytes before the footer.
    pub data: &'a [u8],
    /// Bytes of the file header, which the first block includes.
    pub header_len: usize,
    /// Block size in the file header; 0 if blocks are not aligned.
    pub block_size: usize,
}

/// Layout of one block, checked against the bytes that contain it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Position in the file.
    pub offset: usize,
    /// Position of the block in the buffer that holds its records, which is the file, or for a log
    /// block the inflated block. The following positions are in that buffer too.
    pub base: usize,
    /// Position of the first record.
    pub first: usize,
    /// Position after the last record, where the restart offsets begin.
    pub records_end: usize,
    pub restart_count: u16,
    /// Bytes of the block in the file, deflated and with padding.
    pub full_size: usize,
}

impl Block {
    /// A block without records, for cursors that are in no block.
    pub(crate) const fn nowhere() -> Self {
        Self {
            offset: 0,
            base: 0,
            first: 0,
            records_end: 0,
            restart_count: 0,
            full_size: 0,
        }
    }

    /// Type and length of the block at `offset`, and the length of its headers.
    fn header(frame: &Frame<'_>, offset: usize) -> Result<(BlockType, usize, usize), Damage> {
        let skip = if offset == 0 { frame.header_len } else { 0 };
        let header = offset
            .checked_add(skip)
            .and_then(|start| frame.data.get(start..))
            .and_then(|rest| rest.first_chunk::<BLOCK_HEADER_LEN>());
        let Some(&[byte, a, b, c]) = header else {
            return Err(Corruption::at(
                offset,
                "end of a block's header",
                offset.saturating_add(skip + BLOCK_HEADER_LEN),
                frame.data.len(),
            ));
        };
        let block_type = BlockType::try_from(byte).map_err(|byte| unknown_type(offset, byte))?;
        let len = usize::try_from(be24([a, b, c])).unwrap_or(usize::MAX);
        Ok((block_type, len, skip + BLOCK_HEADER_LEN))
    }

    /// The type of the block at `offset`.
    pub(crate) fn type_at(frame: &Frame<'_>, offset: usize) -> Result<BlockType, Damage> {
        Self::header(frame, offset).map(|(block_type, ..)| block_type)
    }

    /// Opens the block at `offset`, which must be of type `want` if that is given. A log block is
    /// inflated into `inflater`.
    pub(crate) fn open(
        frame: &Frame<'_>,
        offset: usize,
        want: Option<BlockType>,
        inflater: &mut Inflater,
    ) -> Result<Self, Damage> {
        let (block_type, len, skip) = Self::header(frame, offset)?;
        if want.is_some_and(|want| want != block_type) {
            return Err(wrong_type(offset, block_type, want));
        }
        let rest = frame.data.get(offset..).unwrap_or_default();
        if block_type == BlockType::Log {
            let full_size = inflater
                .inflate(rest, skip, len)
                .map_err(|damage| damage.shifted(offset))?;
            return Self::trailer(inflater.block(), offset, skip)
                .map(|block| Self { full_size, ..block });
        }
        let Some(bytes) = rest.get(..len) else {
            return Err(Corruption::at(offset, "block length", len, rest.len()));
        };
        let block = Self::trailer(bytes, offset, skip)?;
        Ok(Self {
            base: offset,
            first: offset.saturating_add(block.first),
            records_end: offset.saturating_add(block.records_end),
            full_size: full_size(frame.block_size, len, rest.get(len).copied()),
            ..block
        })
    }

    /// Finds the restarts at the end of a block's bytes, whose headers have `first` bytes.
    fn trailer(bytes: &[u8], offset: usize, first: usize) -> Result<Self, Damage> {
        let len = bytes.len();
        // A record has at least three bytes: two lengths and one byte of key.
        let least = first + 3 + RESTART_LEN + RESTART_COUNT_LEN;
        let Some(count) = bytes
            .last_chunk::<RESTART_COUNT_LEN>()
            .filter(|_| len >= least)
        else {
            return Err(Corruption::new(
                wide(offset),
                "block length",
                wide(len),
                Expected::AtLeast(wide(least)),
            ));
        };
        let restart_count = u16::from_be_bytes(*count);
        let table = RESTART_LEN * usize::from(restart_count);
        let room = len - RESTART_COUNT_LEN - first;
        // A block without restarts is readable: searches then begin at the first record.
        if table >= room {
            return Err(Corruption::new(
                wide(offset).saturating_add(wide(len - RESTART_COUNT_LEN)),
                "number of restarts",
                u64::from(restart_count),
                Expected::AtMost(wide((room - 1) / RESTART_LEN)),
            ));
        }
        Ok(Self {
            offset,
            base: 0,
            first,
            records_end: len - RESTART_COUNT_LEN - table,
            restart_count,
            full_size: len,
        })
    }

    /// The offset of restart `n`, as a position in the buffer. Not checked against the records.
    #[inline(always)]
    fn restart(&self, buffer: &[u8], n: usize) -> usize {
        let position = self.records_end.wrapping_add(RESTART_LEN * n);
        buffer
            .get(position..)
            .and_then(|rest| rest.first_chunk())
            .and_then(|&offset| usize::try_from(be24(offset)).ok())
            .map_or(usize::MAX, |offset| offset.wrapping_add(self.base))
    }

    /// The encoded offsets of all restarts.
    #[inline(always)]
    fn restarts<'a>(&self, buffer: &'a [u8]) -> &'a [u8] {
        let len = RESTART_LEN * usize::from(self.restart_count);
        let rest = buffer.get(self.records_end..).unwrap_or_default();
        rest.get(..len).unwrap_or_default()
    }

    /// Converts the position of damage from one in the buffer to one in the file.
    #[cold]
    pub(crate) fn locate(&self, damage: Damage) -> Damage {
        damage.shifted(self.offset - self.base)
    }

    /// Position of the next block in the file.
    pub(crate) fn next_offset(&self) -> usize {
        self.offset.saturating_add(self.full_size)
    }
}

/// The records of a block: all that is needed to read them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRecords<'b> {
    pub block: &'b Block,
    /// The bytes to which the block's positions refer: the file or the inflated block.
    pub buffer: &'b [u8],
    pub context: &'b Context,
}

impl<'b> BlockRecords<'b> {
    /// The records from `position` on; `None` at their end.
    #[inline(always)]
    fn input_at(&self, position: usize) -> Option<Input<'b>> {
        match self.buffer.get(position..self.block.records_end) {
            Some(rest) if !rest.is_empty() => Some(Input::new(rest, self.block.records_end)),
            _ => None,
        }
    }
}

/// Bytes from the start of a block of `len` bytes to the next block; `following` is the byte after
/// the block.
///
/// The file does not say whether a block is padded: a NUL after it is padding up to the block
/// size, any other byte is the type of the next block. git's writer stores a block size in the
/// header of unpadded files too.
fn full_size(block_size: usize, len: usize, following: Option<u8>) -> usize {
    match following {
        Some(byte) if byte != 0 => len,
        _ if block_size == 0 => len,
        // A longer block, such as an index of one level, is padded to a multiple of the size.
        _ => len.div_ceil(block_size).saturating_mul(block_size),
    }
}

#[cold]
fn wrong_type(offset: usize, found: BlockType, want: Option<BlockType>) -> Damage {
    let want = want.map_or(0, |want| u64::from(want.byte()));
    let found = u64::from(found.byte());
    Corruption::new(wide(offset), "block type", found, Expected::Exactly(want))
}

#[cold]
fn unknown_type(offset: usize, byte: u8) -> Damage {
    Corruption::new(
        wide(offset),
        "block type, neither 'r' (114) nor 'o', 'g' or 'i'",
        u64::from(byte),
        Expected::Exactly(u64::from(BlockType::Ref.byte())),
    )
}

#[cfg(test)]
mod tests;
