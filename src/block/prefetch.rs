//! Loading what a search of a large table is going to need, before it asks.
//!
//! A block that no processor's cache holds is waited for line by line: its header leads to the
//! restarts at its end, these to some keys, and from there each record to the next. Loads that do
//! not depend on each other are waited for together. What is loaded here is thrown away, and
//! nothing is checked: whoever needs it reads it again.
#![forbid(unsafe_code)]

use std::hint::black_box;

use super::Block;
use crate::format::input::be24;
use crate::format::layout::RESTART_LEN;

/// Bytes that a processor loads at once.
const LINE: usize = 64;
/// Restarts of a block of 4 KiB with short names; there are more in larger ones.
const RESTARTS: usize = 16;
/// Lines that the records up to the next restart take, mostly.
const LINES: usize = 6;

/// Where the block at `offset` of a table probably ends, if blocks are aligned: the restarts.
#[inline]
pub(crate) fn end_of_block(data: &[u8], offset: usize, block_size: usize) {
    let end = offset.saturating_add(block_size).saturating_sub(LINE);
    black_box(data.get(end).copied());
}

/// The keys at the restarts of the block at `offset`, or some of them, where they probably are:
/// blocks of a table are alike, so where they are in another one, `like`.
#[inline]
pub(crate) fn restarts_like(like: &Block, buffer: &[u8], offset: usize) {
    let block = buffer.get(offset..).unwrap_or_default();
    // Not more of them than a usual block has.
    let step = RESTART_LEN * (1 + usize::from(like.restart_count) / RESTARTS);
    let (mut offsets, mut sum) = (like.restarts(buffer), 0);
    while let [a, b, c, ..] = *offsets {
        let place = usize::try_from(be24([a, b, c])).unwrap_or(usize::MAX);
        sum ^= block.get(place).copied().unwrap_or(0);
        offsets = offsets.get(step..).unwrap_or_default();
    }
    black_box(sum);
}

/// The records that follow at `place`.
#[inline]
pub(super) fn records(buffer: &[u8], place: usize) {
    let line = |n| {
        buffer
            .get(place.wrapping_add(n * LINE))
            .copied()
            .unwrap_or(0)
    };
    black_box((1..=LINES).fold(0, |sum, n| sum ^ line(n)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is checked here, so nothing may depend on it.
    #[test]
    fn anything_may_be_touched() {
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
        for place in [0, 150, 200, usize::MAX] {
            records(&bytes, place);
            end_of_block(&bytes, place, 4096);
            end_of_block(&bytes, place, 0);
        }
    }
}
