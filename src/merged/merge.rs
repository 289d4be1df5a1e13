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
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::mem;

use super::Tombstones;
use crate::format::{Error, Result};
use crate::table::Cursor;

/// A cursor and its table's place in the stack; the greater, the newer.
#[derive(Debug)]
struct Lane<C> {
    cursor: C,
    rank: usize,
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
}

impl<C: Cursor> Merge<C> {
    /// Merges `cursors`, oldest first, each before its first record.
    pub(super) fn new(cursors: impl Iterator<Item = C>, tombstones: Tombstones) -> Self {
        let lanes = cursors
            .enumerate()
            .map(|(rank, cursor)| Box::new(Lane { cursor, rank }));
        Self {
            state: State::Fresh,
            top: None,
            heap: Vec::new(),
            rest: lanes.collect(),
            tombstones,
            prefix: Vec::new(),
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
            match top.cursor.key().cmp(next.cursor.key()) {
                Ordering::Less => return Ok(true),
                Ordering::Greater => {
                    mem::swap(top, next);
                    sift_down(&mut self.heap, 0);
                }
                Ordering::Equal => {
                    if top.rank < next.rank {
                        mem::swap(top, next);
                    }
                    if next.cursor.advance()? {
                        sift_down(&mut self.heap, 0);
                    } else {
                        self.rest.extend(pop(&mut self.heap));
                    }
                }
            }
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
    match a.cursor.key().cmp(b.cursor.key()) {
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
