//! A limit on the memory of inflated blocks.
//!
//! A block of 20 KB in the file may inflate to 16 MiB, and each lane of a merge has a current
//! block, so that hundreds of small tables could use gigabytes. Only the winning lane needs its
//! block; the others need only their keys. Above a limit, blocks of other lanes are released, and
//! inflated again when their records win.
//!
//! Blocks of usual sizes never reach the limit. If large blocks alternate, inflating each of them
//! for every record would take quadratic time. The limit therefore rises with the bytes that were
//! inflated again, until all blocks fit.
#![forbid(unsafe_code)]

use super::lane::Lane;
use crate::table::Cursor;

/// Initial limit, in bytes, for the blocks of all lanes but the winner.
const LIMIT: usize = 8 << 20;
/// Bytes inflated again that raise the limit by one byte: at most 16 times the final limit is
/// inflated again.
const RISE: usize = 16;
/// How often a lane's blocks may be inflated again before that raises the limit: a few searches
/// may read each table.
const FREE: u8 = 4;

/// The memory of all lanes of a merge.
#[derive(Debug)]
pub(super) struct Inflated {
    held: usize,
    limit: usize,
    /// Number of lanes whose block is released.
    pub(super) parked: usize,
    /// The next lane whose block may be released.
    hand: usize,
}

impl Default for Inflated {
    fn default() -> Self {
        Self {
            held: 0,
            limit: LIMIT,
            parked: 0,
            hand: 0,
        }
    }
}

impl Inflated {
    /// Updates the count after lane `at` has moved, and releases other blocks if the limit is
    /// exceeded.
    #[inline]
    pub(super) fn update<C: Cursor>(&mut self, lanes: &mut [Lane<C>], at: usize) {
        let Some(lane) = lanes.get_mut(at) else {
            return;
        };
        let held = lane.cursor.held();
        if held == lane.held {
            return;
        }
        self.held = self.held.saturating_sub(lane.held).saturating_add(held);
        lane.held = held;
        if lane.is_parked {
            lane.is_parked = false;
            self.parked -= 1;
            lane.revivals = lane.revivals.saturating_add(1);
            if lane.revivals > FREE {
                self.limit = self.limit.saturating_add(held / RISE);
            }
        }
        if self.held.saturating_sub(held) > self.limit {
            self.park_others(lanes, at);
        }
    }

    /// Releases blocks, lane by lane in turn, until those of all lanes but `at` use at most half
    /// of the limit.
    #[cold]
    #[inline(never)]
    fn park_others<C: Cursor>(&mut self, lanes: &mut [Lane<C>], at: usize) {
        let own = lanes.get(at).map_or(0, |lane| lane.held);
        for _ in 0..lanes.len() {
            if self.held.saturating_sub(own) <= self.limit / 2 {
                break;
            }
            let hand = self.hand;
            self.hand = (hand + 1) % lanes.len().max(1);
            let Some(lane) = lanes.get_mut(hand).filter(|lane| lane.held > 0) else {
                continue;
            };
            if hand != at {
                lane.cursor.park();
                self.held = self.held.saturating_sub(lane.held);
                lane.held = 0;
                lane.is_parked = true;
                self.parked += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
