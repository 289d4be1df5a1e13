//! Prefetching what a search of a large table will need.
//!
//! If a block is not in the processor's caches, a search waits for one cache line after another:
//! the header leads to the restarts at the end of the block, these to some keys, and each record
//! to the next. Independent loads overlap instead. The loaded bytes are discarded and unchecked;
//! the search reads them again.
#![forbid(unsafe_code)]

use std::hint::black_box;

use super::Block;
use crate::format::input::be24;
use crate::format::layout::RESTART_LEN;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Maximum number of restarts to load: a block of 4 KiB with short names has about as many.
const RESTARTS: usize = 16;
/// Cache lines that the records between two restarts usually occupy.
const LINES: usize = 6;

/// Loads the restarts of the block at `offset`, which are at its end if blocks are aligned.
#[inline]
pub(crate) fn end_of_block(data: &[u8], offset: usize, block_size: usize) {
    let end = offset.saturating_add(block_size).saturating_sub(LINE);
    black_box(data.get(end).copied());
}

/// Loads keys at restarts of the block at `offset`. Blocks of a table are similar, so the
/// restarts are assumed to be where those of the block `like` are.
#[inline]
pub(crate) fn restarts_like(like: &Block, buffer: &[u8], offset: usize) {
    let block = buffer.get(offset..).unwrap_or_default();
    // Of many restarts, load every few.
    let step = RESTART_LEN * (1 + usize::from(like.restart_count) / RESTARTS);
    let (mut offsets, mut sum) = (like.restarts(buffer), 0);
    while let [a, b, c, ..] = *offsets {
        let restart = usize::try_from(be24([a, b, c])).unwrap_or(usize::MAX);
        sum ^= block.get(restart).copied().unwrap_or(0);
        offsets = offsets.get(step..).unwrap_or_default();
    }
    black_box(sum);
}

/// Loads the records that follow `position`.
#[inline]
pub(super) fn records(buffer: &[u8], position: usize) {
    let line = |n| {
        buffer
            .get(position.wrapping_add(n * LINE))
            .copied()
            .unwrap_or(0)
    };
    black_box((1..=LINES).fold(0, |sum, n| sum ^ line(n)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_out_of_bounds_are_harmless() {
        let bytes = [0xff; 200];
        for (records_end, restart_count) in [(0, 0), (100, 1), (100, 40), (199, 1), (300, 9)] {
            for base in [0, 50, 200, 300] {
                let block = Block {
                    base,
                    records_end,
                    restart_count,
                    ..Block::nowhere()
                };
                restarts_like(&block, &bytes, base);
            }
        }
        for position in [0, 150, 200, usize::MAX] {
            records(&bytes, position);
            end_of_block(&bytes, position, 4096);
            end_of_block(&bytes, position, 0);
        }
    }
}
