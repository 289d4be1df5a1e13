//! The merge of sorted cursors, free of what they are cursors of.
//!
//! The cursors play a tournament: each inner node of a tree keeps the loser of the match
//! between the winners of its two halves, and the winner of all stands on the least key.
//! When that one goes on, it plays the losers on its way up again, one match a level.
//!
//! Keys that stand side by side begin alike. Each player brings the eight bytes that follow
//! what all current keys have in common, as a number: comparing these mostly decides.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::mem;

use super::inflated::Inflated;
use super::Tombstones;
use crate::format::words::{begins_with, common_prefix};
use crate::format::{Error, Result};
use crate::table::Cursor;

/// How many comparisons beyond the heads make it worth to look for a longer common start.
const PATIENCE: u32 = 32;
/// The head of a cursor without further records; others may have it too.
const LAST: u64 = u64::MAX;

/// A cursor; its place among the lanes is that of its table in the stack, the newest last.
#[derive(Debug)]
pub(super) struct Lane<C> {
    pub(super) cursor: C,
    /// Whether it stands on a record.
    is_live: bool,
    /// Whether a newer lane has had the key that it stands on.
    is_hidden: bool,
    /// What the cursor's inflated block took when it was last looked at.
    pub(super) held: usize,
    /// Whether that block was released.
    pub(super) is_parked: bool,
    /// How often one was released and had to be inflated again.
    pub(super) revivals: u8,
}

impl<C: Cursor> Lane<C> {
    /// Goes to the next record.
    #[inline(always)]
    fn advance(&mut self) -> Result<()> {
        self.is_hidden = false;
        self.is_live = self.cursor.advance()?;
        Ok(())
    }

    /// The eight bytes of the current key after the common start, zeros where it is shorter:
    /// when two differ, the keys differ in the same way. Nothing when it begins otherwise.
    #[inline(always)]
    fn head(&self, common: &[u8]) -> Option<u64> {
        if !self.is_live {
            return Some(LAST);
        }
        let key = self.cursor.key();
        if !begins_with(key, common) {
            return None;
        }
        let tail = key.get(common.len()..)?;
        Some(match (tail.first_chunk(), key.last_chunk()) {
            (Some(head), _) => u64::from_be_bytes(*head),
            // Fewer than eight bytes: the key's last eight, less those before the tail.
            (None, Some(last)) if !tail.is_empty() => {
                u64::from_be_bytes(*last) << (64 - 8 * tail.len())
            }
            _ => tail
                .iter()
                .zip((0..8).rev())
                .fold(0, |head, (&byte, place)| {
                    head | u64::from(byte) << (8 * place)
                }),
        })
    }
}

/// A lane in the tournament.
#[derive(Clone, Copy, Debug, Default)]
struct Player {
    head: u64,
    lane: usize,
}

#[derive(Debug)]
enum State {
    /// All lanes are sought but not moved.
    Fresh,
    /// The winner stands on the record given last.
    Moving,
    /// There are no more records.
    Done,
    /// A cursor failed; only a seek helps.
    Failed(Error),
}

/// Merged cursors; newest first among equal keys, older ones dropped.
#[derive(Debug)]
pub(super) struct Merge<C> {
    state: State,
    lanes: Vec<Lane<C>>,
    winner: Player,
    /// The loser of each match: that of all lanes is at 1, and below `n` are `2n` and `2n + 1`.
    /// Leaves, which are not kept, follow: lane `i` is at `lanes.len() + i`.
    losers: Vec<Player>,
    /// The winner of each match, while the first ones are played; the leaves, too.
    winners: Vec<Player>,
    /// How many lanes stand on a record.
    live: usize,
    tombstones: Tombstones,
    /// Keys that do not begin so are beyond the end.
    prefix: Vec<u8>,
    /// What the current keys of all lanes begin with, when there are several.
    common: Vec<u8>,
    /// Comparisons that the heads did not decide, since `common` was looked for.
    undecided: u32,
    /// How many of them are borne.
    patience: u32,
    /// What the lanes' inflated blocks take together.
    inflated: Inflated,
}

impl<C: Cursor> Merge<C> {
    /// Merges `cursors`, oldest first, each before its first record.
    pub(super) fn new(cursors: impl Iterator<Item = C>, tombstones: Tombstones) -> Self {
        let lanes: Vec<_> = cursors
            .map(|cursor| Lane {
                cursor,
                is_live: false,
                is_hidden: false,
                held: 0,
                is_parked: false,
                revivals: 0,
            })
            .collect();
        Self {
            state: State::Fresh,
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

    /// The cursor on the current record, after [`advance`](Self::advance) gave true.
    #[inline(always)]
    pub(super) fn current(&self) -> Option<&C> {
        match self.state {
            State::Moving => self.lanes.get(self.winner.lane).map(|lane| &lane.cursor),
            _ => None,
        }
    }

    /// The cursor of the only lane with records left, if no prefix bounds the walk: its next
    /// record is the next one of the merge, tombstones included.
    #[inline(always)]
    pub(super) fn fast_lane(&mut self) -> Option<&mut C> {
        match self.state {
            State::Moving if self.live == 1 && self.prefix.is_empty() => {
                let lane = self.lanes.get_mut(self.winner.lane);
                lane.map(|lane| &mut lane.cursor)
            }
            _ => None,
        }
    }

    /// The next record will be the first at or after `key`.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.prefix.clear();
        self.state = State::Fresh;
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(at) else {
                break;
            };
            if let Err(error) = lane.cursor.seek_key(key) {
                return Err(fail(&mut self.state, error));
            }
            self.look_at_memory(at);
        }
        Ok(())
    }

    /// As [`seek`](Self::seek), and ends before the first key that does not begin with `prefix`.
    pub(super) fn seek_prefix(&mut self, prefix: &[u8]) -> Result<()> {
        self.seek(prefix)?;
        self.prefix.extend_from_slice(prefix);
        Ok(())
    }

    /// As [`seek`](Self::seek), but the prefix set by [`seek_prefix`](Self::seek_prefix) still
    /// bounds the walk.
    pub(super) fn skip_to(&mut self, key: &[u8]) -> Result<()> {
        let prefix = mem::take(&mut self.prefix);
        let outcome = self.seek(key);
        self.prefix = prefix;
        outcome
    }

    /// Moves to the next record; false at the end.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Result<bool> {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    self.state = State::Done;
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
                self.state = State::Done;
                return Ok(false);
            }
            if self.tombstones == Tombstones::Show || !top.is_deletion() {
                return Ok(true);
            }
        }
    }

    /// Moves to the next distinct key, tombstones included.
    #[inline(always)]
    fn step(&mut self) -> Result<bool> {
        if !matches!(self.state, State::Moving) {
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
                self.look_at_memory(self.winner.lane);
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

    /// The first step, or one beyond the end.
    #[inline(never)]
    fn start_or_end(&mut self) -> Result<bool> {
        match &self.state {
            State::Fresh | State::Moving => self.start(),
            State::Done => Ok(false),
            State::Failed(error) => Err(again(error)),
        }
    }

    /// Moves every lane to its first record, and has them play.
    fn start(&mut self) -> Result<bool> {
        self.state = State::Moving;
        self.live = 0;
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(at) else {
                break;
            };
            lane.advance()?;
            self.live += usize::from(lane.is_live);
            self.look_at_memory(at);
        }
        self.patience = PATIENCE;
        self.share();
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
        // Of one lane alone, 1 is the leaf.
        self.winner = winners.get(1).copied().unwrap_or_default();
        self.winners = winners;
        Ok(self.live > 0)
    }

    /// Has the winner, which has gone on, play its way up again.
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
            self.look_further();
        }
    }

    /// Counts what the block of lane `at` takes, and releases those of others when all take too
    /// much.
    #[inline]
    fn look_at_memory(&mut self, at: usize) {
        if C::INFLATES {
            self.inflated.look_at(&mut self.lanes, at);
        }
    }

    /// Inflates the block of the winner's record again, if it was released.
    #[cold]
    #[inline(never)]
    fn unpark_winner(&mut self) -> Result<()> {
        let at = self.winner.lane;
        if let Some(lane) = self.lanes.get_mut(at).filter(|lane| lane.is_live) {
            lane.cursor.unpark()?;
        }
        self.look_at_memory(at);
        Ok(())
    }

    /// Whether `a` comes out before `b`.
    fn beats(&mut self, a: Player, b: Player) -> bool {
        match a.head.cmp(&b.head) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => wins(&mut self.lanes, a.lane, b.lane),
        }
    }

    /// Looks for a longer common start. Keys that differ late, or not at all, are not worth to
    /// look at each time.
    #[cold]
    fn look_further(&mut self) {
        let before = self.common.len();
        self.find_common();
        self.patience = match self.common.len() > before {
            true => PATIENCE,
            false => self.patience.saturating_mul(2),
        };
    }

    /// Finds what all current keys begin with, and takes all heads anew.
    #[cold]
    #[inline(never)]
    fn find_common(&mut self) {
        self.share();
        self.winner = self.player(self.winner.lane);
        for at in 1..self.losers.len() {
            let lane = self.losers.get(at).map_or(0, |loser| loser.lane);
            let player = self.player(lane);
            if let Some(loser) = self.losers.get_mut(at) {
                *loser = player;
            }
        }
    }

    /// Finds what all current keys begin with.
    fn share(&mut self) {
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

    /// A lane with its head.
    fn player(&self, lane: usize) -> Player {
        let head = self.lanes.get(lane).and_then(|it| it.head(&self.common));
        Player {
            head: head.unwrap_or(LAST),
            lane,
        }
    }
}

/// Whether lane `a` comes out before lane `b`, whose heads are the same: the lesser key, or the
/// newer one of equal keys, which hides the other.
///
/// A key that is hidden meets the one that hides it, or another one hidden by that, before it
/// can win: a lane wins only over those that it has met, or that have lost to these.
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

/// Remembers `error` so that later steps give it again.
#[cold]
fn fail(state: &mut State, error: Error) -> Error {
    let copy = again(&error);
    *state = State::Failed(error);
    copy
}

/// The same error once more, as far as it can be copied.
fn again(error: &Error) -> Error {
    match error {
        Error::Corrupt(what) => Error::Corrupt(what.clone()),
        Error::Compression(what) => Error::Compression(what.clone()),
        Error::OutOfMemory { size } => Error::OutOfMemory { size: *size },
        _ => Error::Misuse("the cursor failed before and must be sought again"),
    }
}

#[cfg(test)]
mod tests;
