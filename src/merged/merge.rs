//! The merge of sorted cursors, free of what they are cursors of.
//!
//! ```text
//!  top     the cursor that stands on the current record
//!  heap    the others that have records left, the least key first
//!  rest    those that are exhausted, or not yet moved since the last seek
//! ```
//!
//! Most records of a repository are in one large table, so that the top cursor mostly
//! stays the top: a step then costs one comparison, with the heap's least, and none at
//! all when the heap is empty.
//!
//! Keys that stand side by side begin alike. Each lane keeps the eight bytes that follow
//! what all current keys have in common, as a number: comparing these mostly decides.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::mem;

use super::Tombstones;
use crate::format::{Error, Result};
use crate::table::Cursor;

/// How many comparisons beyond the heads make it worth to look for a longer common start.
const PATIENCE: u32 = 32;

/// A cursor and its table's place in the stack; the greater, the newer.
#[derive(Debug)]
struct Lane<C> {
    cursor: C,
    rank: usize,
    /// The eight bytes of the key after the common start, zeros where it is shorter: when
    /// two differ, the keys differ in the same way.
    head: u64,
}

impl<C: Cursor> Lane<C> {
    /// Takes the head of the current key; false when it has not the common start.
    #[inline]
    fn take_head(&mut self, common: &[u8]) -> bool {
        let key = self.cursor.key();
        let Some(tail) = key.strip_prefix(common) else {
            return false;
        };
        self.head = match (tail.first_chunk(), key.last_chunk()) {
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
        };
        true
    }

    #[inline]
    fn cmp_key(&self, other: &Self) -> Ordering {
        self.head
            .cmp(&other.head)
            .then_with(|| self.cursor.key().cmp(other.cursor.key()))
    }
}

/// Boxed, so that the heap moves pointers and not whole cursors.
type Boxed<C> = Box<Lane<C>>;

#[derive(Debug)]
enum State {
    /// All lanes are in `rest`, sought but not moved.
    Fresh,
    /// `top` stands on the record given last.
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
    top: Option<Boxed<C>>,
    heap: Vec<Boxed<C>>,
    rest: Vec<Boxed<C>>,
    tombstones: Tombstones,
    /// Keys that do not begin so are beyond the end.
    prefix: Vec<u8>,
    /// What the current keys of all lanes begin with, when there are several.
    common: Vec<u8>,
    /// Comparisons that the heads did not decide, since `common` was looked for.
    undecided: u32,
    /// How many of them are borne.
    patience: u32,
}

impl<C: Cursor> Merge<C> {
    /// Merges `cursors`, oldest first, each before its first record.
    pub(super) fn new(cursors: impl Iterator<Item = C>, tombstones: Tombstones) -> Self {
        let lanes = cursors.enumerate().map(|(rank, cursor)| {
            Box::new(Lane {
                cursor,
                rank,
                head: 0,
            })
        });
        Self {
            state: State::Fresh,
            top: None,
            heap: Vec::new(),
            rest: lanes.collect(),
            tombstones,
            prefix: Vec::new(),
            common: Vec::new(),
            undecided: 0,
            patience: PATIENCE,
        }
    }

    /// The cursor on the current record, after [`advance`](Self::advance) gave true.
    #[inline]
    pub(super) fn current(&self) -> Option<&C> {
        match self.state {
            State::Moving => self.top.as_deref().map(|lane| &lane.cursor),
            _ => None,
        }
    }

    /// The next record will be the first at or after `key`.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.prefix.clear();
        self.rest.extend(self.top.take());
        self.rest.append(&mut self.heap);
        self.state = State::Fresh;
        for lane in &mut self.rest {
            if let Err(error) = lane.cursor.seek_key(key) {
                return Err(fail(&mut self.state, error));
            }
        }
        Ok(())
    }

    /// As [`seek`](Self::seek), and ends before the first key that does not begin with `prefix`.
    pub(super) fn seek_prefix(&mut self, prefix: &[u8]) -> Result<()> {
        self.seek(prefix)?;
        self.prefix.extend_from_slice(prefix);
        Ok(())
    }

    /// Moves to the next record; false at the end.
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
            let Some(top) = self.top.as_deref() else {
                continue;
            };
            if !self.prefix.is_empty() && !top.cursor.key().starts_with(&self.prefix) {
                self.state = State::Done;
                return Ok(false);
            }
            if self.tombstones == Tombstones::Show || !top.cursor.is_deletion() {
                return Ok(true);
            }
        }
    }

    /// Moves to the next distinct key, tombstones included.
    #[inline]
    fn step(&mut self) -> Result<bool> {
        match &self.state {
            State::Moving => {}
            State::Fresh => {
                self.start()?;
                return self.settle();
            }
            State::Done => return Ok(false),
            State::Failed(error) => return Err(again(error)),
        }
        if let Some(top) = self.top.as_deref_mut() {
            if !top.cursor.advance()? {
                self.rest.extend(self.top.take());
                self.top = pop(&mut self.heap);
            } else if self.heap.is_empty() {
                return Ok(true);
            } else if !top.take_head(&self.common) {
                self.find_common();
            }
        }
        self.settle()
    }

    /// Moves every lane to its first record, and the least of them to the top.
    fn start(&mut self) -> Result<()> {
        self.state = State::Moving;
        let mut i = 0;
        while let Some(lane) = self.rest.get_mut(i) {
            if lane.cursor.advance()? {
                self.heap.push(self.rest.swap_remove(i));
            } else {
                i += 1;
            }
        }
        self.patience = PATIENCE;
        self.find_common();
        for parent in (0..self.heap.len() / 2).rev() {
            sift_down(&mut self.heap, parent);
        }
        self.top = pop(&mut self.heap);
        Ok(())
    }

    /// Gives the top to the least key's newest record and moves the older ones of the
    /// same key on. False when nothing is left.
    #[inline]
    fn settle(&mut self) -> Result<bool> {
        loop {
            let Some(top) = &mut self.top else {
                return Ok(false);
            };
            let Some(next) = self.heap.first_mut() else {
                return Ok(true);
            };
            if top.head == next.head {
                self.undecided += 1;
            }
            match top.cmp_key(next) {
                Ordering::Less => break,
                Ordering::Greater => {
                    mem::swap(top, next);
                    sift_down(&mut self.heap, 0);
                }
                Ordering::Equal => {
                    if top.rank < next.rank {
                        mem::swap(top, next);
                    }
                    if !next.cursor.advance()? {
                        self.rest.extend(pop(&mut self.heap));
                        continue;
                    }
                    if !next.take_head(&self.common) {
                        self.find_common();
                    }
                    sift_down(&mut self.heap, 0);
                }
            }
        }
        if self.undecided >= self.patience {
            let before = self.common.len();
            self.find_common();
            // Keys that differ late, or not at all, are not worth to look at each time.
            self.patience = match self.common.len() > before {
                true => PATIENCE,
                false => self.patience.saturating_mul(2),
            };
        }
        Ok(true)
    }

    /// Finds what all current keys begin with, and takes all heads anew.
    #[cold]
    fn find_common(&mut self) {
        self.undecided = 0;
        let mut lanes = self.top.iter().chain(&self.heap);
        let first = lanes.next().map_or(&[][..], |lane| lane.cursor.key());
        let mut shared = first;
        for lane in lanes {
            let key = lane.cursor.key();
            let same = shared.iter().zip(key).take_while(|(a, b)| a == b).count();
            shared = shared.get(..same).unwrap_or(shared);
        }
        self.common.clear();
        self.common.extend_from_slice(shared);
        for lane in self.top.iter_mut().chain(&mut self.heap) {
            lane.take_head(&self.common);
        }
    }
}

/// Takes the least lane out of the heap.
fn pop<C: Cursor>(heap: &mut Vec<Boxed<C>>) -> Option<Boxed<C>> {
    if heap.is_empty() {
        return None;
    }
    let least = heap.swap_remove(0);
    sift_down(heap, 0);
    Some(least)
}

/// Restores the heap below `start`, whose lane alone may be out of place.
///
/// When the lane has to sink at all it goes down to a leaf first, at one comparison a
/// level, and climbs from there: that is where it mostly belongs.
fn sift_down<C: Cursor>(heap: &mut [Boxed<C>], start: usize) {
    match (least_child(heap, start), heap.get(start)) {
        (Some((_, child)), Some(lane)) if before(child, lane) => {}
        _ => return,
    }
    let mut hole = start;
    while let Some((at, _)) = least_child(heap, hole) {
        heap.swap(hole, at);
        hole = at;
    }
    while hole > start {
        let parent = (hole - 1) / 2;
        match (heap.get(parent), heap.get(hole)) {
            (Some(above), Some(lane)) if before(lane, above) => heap.swap(hole, parent),
            _ => return,
        }
        hole = parent;
    }
}

#[inline]
fn least_child<C: Cursor>(heap: &[Boxed<C>], parent: usize) -> Option<(usize, &Lane<C>)> {
    let at = 2 * parent + 1;
    let left = heap.get(at)?;
    match heap.get(at + 1) {
        Some(right) if before(right, left) => Some((at + 1, right)),
        _ => Some((at, left)),
    }
}

/// Whether `a` comes out before `b`: the lesser key, or the newer table of equal keys.
#[inline]
fn before<C: Cursor>(a: &Lane<C>, b: &Lane<C>) -> bool {
    match a.cmp_key(b) {
        Ordering::Less => true,
        Ordering::Equal => a.rank > b.rank,
        Ordering::Greater => false,
    }
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
#[path = "merge_tests.rs"]
mod tests;
