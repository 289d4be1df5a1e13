//! The merge of sorted cursors, independent of what they are cursors of.
//!
//! It is a loser tree: each inner node holds the loser of the match between the winners of its two
//! subtrees, and the overall winner has the least key. After the winner has advanced, it replays
//! the matches on its path to the root, one per level.
//!
//! ```text
//!                    winner
//!                       |
//!                  losers[1]                 four lanes; leaf i is node lanes + i
//!               /             \
//!         losers[2]         losers[3]
//!         /      \           /      \
//!     lane 0   lane 1    lane 2   lane 3
//! ```
//!
//! Current keys mostly have a common prefix. Each player caches the eight bytes after it as a
//! number, its head. Comparing heads mostly decides a match.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::mem;

use super::inflated::Inflated;
use super::lane::{Lane, LAST};
use super::Tombstones;
use crate::format::words::common_prefix;
use crate::format::{Error, Result};
use crate::table::{Cursor, SeekCursor};

/// Number of undecided matches after which a longer common prefix is looked for.
const PATIENCE: u32 = 32;

/// A lane in the tournament.
#[derive(Clone, Copy, Debug, Default)]
struct Player {
    head: u64,
    lane: usize,
}

#[derive(Debug)]
enum MergeState {
    /// All lanes have been positioned, but none has advanced.
    Fresh,
    /// The winner is at the current record.
    Moving,
    /// There are no more records.
    Done,
    /// A cursor has failed. The error is returned until the next seek.
    Failed(Error),
}

/// Merged cursors. Of equal keys only the newest is returned.
#[derive(Debug)]
pub(super) struct Merge<C> {
    state: MergeState,
    lanes: Vec<Lane<C>>,
    winner: Player,
    /// The loser of each match. The root is at 1, the children of `n` are at `2n` and `2n + 1`. The
    /// leaves follow but are not stored: lane `i` would be at `lanes.len() + i`.
    losers: Vec<Player>,
    /// The winner of each match, leaves included, while the tree is built.
    winners: Vec<Player>,
    /// Number of lanes that have a current record.
    live: usize,
    tombstones: Tombstones,
    /// The walk ends before the first key without this prefix.
    prefix: Vec<u8>,
    /// A common prefix of the current keys of all lanes, if there are several.
    common: Vec<u8>,
    /// Matches not decided by heads since `common` was determined.
    undecided: u32,
    /// The number of undecided matches after which `common` is determined again.
    patience: u32,
    /// The memory of the lanes' inflated blocks.
    inflated: Inflated,
}

impl<C: Cursor> Merge<C> {
    /// Merges `cursors`, oldest first, each before its first record.
    pub(super) fn new(cursors: impl Iterator<Item = C>, tombstones: Tombstones) -> Self {
        let lanes: Vec<_> = cursors.map(Lane::new).collect();
        Self {
            state: MergeState::Fresh,
            winner: Player::default(),
            losers: vec![Player::default(); lanes.len()],
            winners: Vec::new(),
            live: 0,
            lanes,
            tombstones,
            prefix: Vec::new(),
            common: Vec::new(),
            undecided: 0,
            patience: PATIENCE,
            inflated: Inflated::default(),
        }
    }

    /// The cursor at the current record, after [`advance`](Self::advance) has returned `true`.
    #[inline(always)]
    pub(super) fn current(&self) -> Option<&C> {
        match self.state {
            MergeState::Moving => self.lanes.get(self.winner.lane).map(|lane| &lane.cursor),
            _ => None,
        }
    }

    /// The cursor of the only lane with records left, if no prefix bounds the walk: its next
    /// record is the next one of the merge, tombstones included.
    #[inline(always)]
    pub(super) fn fast_lane(&mut self) -> Option<&mut C> {
        let (cursor, prefix) = self.only_lane()?;
        prefix.is_empty().then_some(cursor)
    }

    /// The cursor of the only lane with records left, and the prefix that bounds the walk. Its
    /// next record, if it has the prefix, is the next one of the merge, tombstones included.
    #[inline(always)]
    pub(super) fn only_lane(&mut self) -> Option<(&mut C, &[u8])> {
        match self.state {
            MergeState::Moving if self.live == 1 => {
                let lane = self.lanes.get_mut(self.winner.lane)?;
                Some((&mut lane.cursor, &self.prefix))
            }
            _ => None,
        }
    }

    /// Moves to the next record; returns `false` at the end.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Result<bool> {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    self.state = MergeState::Done;
                    return Ok(false);
                }
                Err(error) => return Err(fail(&mut self.state, error)),
            }
            if C::INFLATES && self.inflated.parked > 0 {
                if let Err(error) = self.unpark_winner() {
                    return Err(fail(&mut self.state, error));
                }
            }
            let Some(top) = self.current() else {
                return Ok(false);
            };
            if !self.prefix.is_empty() && !top.key().starts_with(&self.prefix) {
                self.state = MergeState::Done;
                return Ok(false);
            }
            if self.tombstones == Tombstones::Show || !top.is_deletion() {
                return Ok(true);
            }
        }
    }

    /// Moves to the next distinct key, including tombstones.
    #[inline(always)]
    fn step(&mut self) -> Result<bool> {
        if !matches!(self.state, MergeState::Moving) {
            return self.start_or_end();
        }
        loop {
            let Some(lane) = self.lanes.get_mut(self.winner.lane) else {
                return Ok(false);
            };
            lane.advance()?;
            if !lane.is_live {
                self.live -= 1;
            } else if self.live == 1 {
                return Ok(true);
            }
            if C::INFLATES && lane.cursor.held() != lane.held {
                self.update_memory(self.winner.lane);
            }
            let Some(lane) = self.lanes.get(self.winner.lane) else {
                return Ok(false);
            };
            match lane.head(&self.common) {
                Some(head) => self.winner.head = head,
                None => self.find_common(),
            }
            self.play();
            match self.lanes.get(self.winner.lane) {
                Some(lane) if lane.is_hidden => {}
                _ => return Ok(self.live > 0),
            }
        }
    }

    /// A step from any other state than `Moving`.
    #[inline(never)]
    fn start_or_end(&mut self) -> Result<bool> {
        match &self.state {
            MergeState::Fresh | MergeState::Moving => self.start(),
            MergeState::Done => Ok(false),
            MergeState::Failed(error) => Err(again(error)),
        }
    }

    /// Moves every lane to its first record and builds the tree.
    fn start(&mut self) -> Result<bool> {
        self.state = MergeState::Moving;
        self.live = 0;
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(at) else {
                break;
            };
            lane.advance()?;
            self.live += usize::from(lane.is_live);
            self.update_memory(at);
        }
        self.patience = PATIENCE;
        self.set_common();
        let count = self.lanes.len();
        let mut winners = mem::take(&mut self.winners);
        winners.clear();
        winners.resize(count, Player::default());
        winners.extend((0..count).map(|lane| self.player(lane)));
        for at in (1..count).rev() {
            if let (Some(&a), Some(&b)) = (winners.get(2 * at), winners.get(2 * at + 1)) {
                let first = self.beats(a, b);
                let (winner, loser) = if first { (a, b) } else { (b, a) };
                if let (Some(up), Some(kept)) = (winners.get_mut(at), self.losers.get_mut(at)) {
                    (*up, *kept) = (winner, loser);
                }
            }
        }
        // With one lane, node 1 is its leaf.
        self.winner = winners.get(1).copied().unwrap_or_default();
        self.winners = winners;
        Ok(self.live > 0)
    }

    /// Replays the matches of the previous winner after it has moved.
    #[inline(always)]
    fn play(&mut self) {
        let mut player = self.winner;
        let mut at = (self.lanes.len() + player.lane) / 2;
        while let Some(loser) = self.losers.get_mut(at).filter(|_| at > 0) {
            let lost = if loser.head == player.head {
                self.undecided = self.undecided.saturating_add(1);
                !wins(&mut self.lanes, player.lane, loser.lane)
            } else {
                loser.head < player.head
            };
            if lost {
                mem::swap(loser, &mut player);
            }
            at /= 2;
        }
        self.winner = player;
        if self.undecided >= self.patience {
            self.lengthen_common();
        }
    }

    /// Updates the memory of lane `at`, which may release the blocks of other lanes.
    #[inline]
    fn update_memory(&mut self, at: usize) {
        if C::INFLATES {
            self.inflated.update(&mut self.lanes, at);
        }
    }

    /// Inflates the block of the winner again if it was released.
    #[cold]
    #[inline(never)]
    fn unpark_winner(&mut self) -> Result<()> {
        let at = self.winner.lane;
        if let Some(lane) = self.lanes.get_mut(at).filter(|lane| lane.is_live) {
            lane.cursor.unpark()?;
        }
        self.update_memory(at);
        Ok(())
    }

    /// Whether `a` precedes `b`.
    fn beats(&mut self, a: Player, b: Player) -> bool {
        match a.head.cmp(&b.head) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => wins(&mut self.lanes, a.lane, b.lane),
        }
    }

    /// Determines the common prefix again. If it is not longer, waits for twice as many undecided
    /// matches next time: keys may be equal, or differ after the head.
    #[cold]
    fn lengthen_common(&mut self) {
        let before = self.common.len();
        self.find_common();
        self.patience = match self.common.len() > before {
            true => PATIENCE,
            false => self.patience.saturating_mul(2),
        };
    }

    /// Determines the common prefix of all current keys and updates all heads.
    #[cold]
    #[inline(never)]
    fn find_common(&mut self) {
        self.set_common();
        self.winner = self.player(self.winner.lane);
        for at in 1..self.losers.len() {
            let lane = self.losers.get(at).map_or(0, |loser| loser.lane);
            let player = self.player(lane);
            if let Some(loser) = self.losers.get_mut(at) {
                *loser = player;
            }
        }
    }

    /// Sets `common` to the longest common prefix of all current keys.
    fn set_common(&mut self) {
        self.undecided = 0;
        let mut live = self.lanes.iter().filter(|lane| lane.is_live);
        let first = live.next().map_or(&[][..], |lane| lane.cursor.key());
        let mut shared = first;
        for lane in live {
            let same = common_prefix(shared, lane.cursor.key());
            shared = shared.get(..same).unwrap_or(shared);
        }
        self.common.clear();
        self.common.extend_from_slice(shared);
    }

    /// The player for a lane.
    fn player(&self, lane: usize) -> Player {
        let head = self.lanes.get(lane).and_then(|it| it.head(&self.common));
        Player {
            head: head.unwrap_or(LAST),
            lane,
        }
    }
}

impl<C: SeekCursor> Merge<C> {
    /// Makes the next [`advance`](Self::advance) move to the first record whose key is not less
    /// than `key`.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.prefix.clear();
        self.state = MergeState::Fresh;
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(at) else {
                break;
            };
            if let Err(error) = lane.cursor.seek_key(key) {
                return Err(fail(&mut self.state, error));
            }
            self.update_memory(at);
        }
        Ok(())
    }

    /// Seeks to `prefix` and restricts the walk to keys that begin with it.
    pub(super) fn seek_prefix(&mut self, prefix: &[u8]) -> Result<()> {
        self.seek(prefix)?;
        self.prefix.extend_from_slice(prefix);
        Ok(())
    }

    /// Seeks like [`seek`](Self::seek), but keeps the restriction of
    /// [`seek_prefix`](Self::seek_prefix).
    pub(super) fn skip_to(&mut self, key: &[u8]) -> Result<()> {
        let prefix = mem::take(&mut self.prefix);
        let result = self.seek(key);
        self.prefix = prefix;
        result
    }
}

/// Whether lane `a` precedes lane `b`, if their heads are equal: by its key, or if the keys are
/// equal too, by being newer, which hides the other record.
///
/// A hidden record is always marked before it can win. To win it must have beaten, directly or
/// through another lane, the newer record with the same key; but the newer record wins that match
/// and marks it.
#[cold]
#[inline(never)]
fn wins<C: Cursor>(lanes: &mut [Lane<C>], a: usize, b: usize) -> bool {
    let (older, newer) = (a.min(b), a.max(b));
    let Some((before, rest)) = lanes.split_at_mut_checked(newer) else {
        return true;
    };
    let (Some(old), Some(new)) = (before.get_mut(older), rest.first()) else {
        return true;
    };
    let newer_wins = match (new.is_live, old.is_live) {
        (true, true) => match new.cursor.key().cmp(old.cursor.key()) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                old.is_hidden = true;
                true
            }
        },
        (is_live, _) => is_live,
    };
    newer_wins == (a == newer)
}

/// Stores `error`, so that later steps return it again.
#[cold]
fn fail(state: &mut MergeState, error: Error) -> Error {
    let copy = again(&error);
    *state = MergeState::Failed(error);
    copy
}

/// A copy of an error of a cursor. Cursors have no other errors than the first three.
fn again(error: &Error) -> Error {
    match error {
        Error::Corrupt(what) => Error::Corrupt(what.clone()),
        Error::Compression(what) => Error::Compression(what.clone()),
        Error::OutOfMemory { size } => Error::OutOfMemory { size: *size },
        _ => Error::Misuse("the cursor has failed and needs a seek"),
    }
}

#[cfg(test)]
mod tests;
