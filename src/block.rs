//! One block: where its parts stand, reading and writing its records.
//!
//! ```text
//! header?          24 or 28 bytes: the file's own header, in the first block only
//! block_type       1 byte
//! block_len        3 bytes; counts everything but the padding, before deflating
//! record+                                       \
//! restart_offset   3 bytes each, ascending       > deflated in log blocks
//! restart_count    2 bytes                      /
//! padding?         NUL bytes up to the table's block size
//! ```
//!
//! Positions inside a block count from its first byte, the file header included.
#![forbid(unsafe_code)]

mod cursor;
mod search;
pub(crate) mod touch;
mod writer;
mod zlib;

pub(crate) use cursor::BlockCursor;
pub(crate) use writer::{BlockWriter, Entry};
pub(crate) use zlib::Inflater;

use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::layout::{BLOCK_HEADER_LEN, RESTART_COUNT_LEN, RESTART_LEN};
use crate::format::{BlockType, Corruption, Damage, Expected};

/// The sections of a file, as far as blocks need to know: bytes, header, alignment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// All bytes before the footer.
    pub data: &'a [u8],
    /// Bytes of the file header, which the first block contains.
    pub header_len: usize,
    /// Block size of the file's header; 0 when blocks are not aligned.
    pub block_size: usize,
}

/// Geometry of one block, checked against the bytes it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Position in the file.
    pub offset: usize,
    /// Position of the block in the buffer that holds its records: the file, or for a log block
    /// what was inflated. The positions below count in that buffer, too.
    pub base: usize,
    /// Position of the first record.
    pub first: usize,
    /// Position behind the last record, which is that of the first restart offset.
    pub records_end: usize,
    pub restart_count: u16,
    /// Bytes from this block to the next one in the file: deflated and with padding.
    pub full_size: usize,
}

impl Block {
    /// A block without records, for cursors that stand outside of all blocks.
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

    /// Type and length of the block at `offset`, before looking further.
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

    /// Opens the block at `offset`, if it is of the type wanted; a log block is inflated into
    /// `inflater`.
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

    /// Finds the restarts at the end of the block's bytes.
    fn trailer(bytes: &[u8], offset: usize, first: usize) -> Result<Self, Damage> {
        let len = bytes.len();
        // One record takes three bytes at least: two lengths and one byte of key.
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
        // Without restarts a search begins at the first record.
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

    /// What the offset of restart `n` names, as a position in the buffer; it may be out of bounds.
    #[inline(always)]
    fn restart(&self, buffer: &[u8], n: usize) -> usize {
        let place = self.records_end.wrapping_add(RESTART_LEN * n);
        buffer
            .get(place..)
            .and_then(|rest| rest.first_chunk())
            .and_then(|&offset| usize::try_from(be24(offset)).ok())
            .map_or(usize::MAX, |offset| offset.wrapping_add(self.base))
    }

    /// The offsets of all restarts, as they are written.
    #[inline(always)]
    fn restarts<'a>(&self, buffer: &'a [u8]) -> &'a [u8] {
        let len = RESTART_LEN * usize::from(self.restart_count);
        let rest = buffer.get(self.records_end..).unwrap_or_default();
        rest.get(..len).unwrap_or_default()
    }

    /// Names the file offset of damage found at a position in the buffer.
    #[cold]
    pub(crate) fn locate(&self, damage: Damage) -> Damage {
        damage.shifted(self.offset - self.base)
    }

    /// Position of the block that follows in the file.
    pub(crate) fn next_offset(&self) -> usize {
        self.offset.saturating_add(self.full_size)
    }
}

/// Bytes from a block of `len` bytes to the next one.
///
/// Whether a block is padded is not written anywhere: NUL behind it means padding up to the block
/// size, anything else is the type of the next block. git's writer names a block size in the
/// header of unpadded files, too.
fn full_size(block_size: usize, len: usize, behind: Option<u8>) -> usize {
    match behind {
        Some(byte) if byte != 0 => len,
        _ if block_size == 0 => len,
        // A longer block, as a one-level index may be, fills several times the block size.
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
