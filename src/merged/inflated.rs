//! A bound on the memory of inflated blocks.
//!
//! A block that takes twenty kilobytes of a file may inflate to 16 MiB, and each lane of a merge
//! stands in a block: so hundreds of small tables could take gigabytes. A lane that is not at the
//! front needs no more than its key: beyond a limit the blocks of such lanes are released, and
//! inflated again once their records come up.
//!
//! Blocks of usual sizes never come near the limit. Where large ones alternate, inflating them
//! again and again would take quadratic time: then the limit rises with what was inflated in
//! vain, until all of them fit.
#![forbid(unsafe_code)]

use super::merge::Lane;
use crate::table::Cursor;

/// Bytes that the blocks of all lanes but the one at the front may take.
const LIMIT: usize = 8 << 20;
/// Of what is inflated again and again, the part by which the limit rises: with a 16th, what is
/// inflated in vain is at most sixteen times what then fits.
const RISE: usize = 16;
/// How often the blocks of a lane are inflated again before that counts: some searches may look
/// at each table.
const FREE: u8 = 4;

/// What the lanes of a merge hold.
#[derive(Debug)]
pub(super) struct Inflated {
    held: usize,
    limit: usize,
    /// How many lanes' blocks were released.
    pub(super) parked: usize,
    /// The lane that is the next to be considered.
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
    /// Looks at lane `at`, which was moved.
    #[inline]
    pub(super) fn look_at<C: Cursor>(&mut self, lanes: &mut [Lane<C>], at: usize) {
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

    /// Releases blocks until those of all lanes but `at` take half of the limit. Each lane is
    /// considered in turn.
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
