//! Tests of the limit, with cursors that only claim to use memory.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::rc::Rc;

use crate::format::Result;
use crate::merged::merge::Merge;
use crate::merged::Tombstones;
use crate::table::{Cursor, SeekCursor};

const MIB: usize = 1 << 20;

/// What all cursors together hold and have inflated, in bytes.
#[derive(Debug, Default)]
struct Total {
    held: Cell<usize>,
    peak: Cell<usize>,
    inflated: Cell<usize>,
}

/// A table with the keys `first`, `first + step`, ..., `in_block` of them in each block.
#[derive(Debug)]
struct Heavy {
    total: Rc<Total>,
    /// Bytes of a block, but those of the first one.
    block: usize,
    first_block: usize,
    in_block: u32,
    first: u32,
    step: u32,
    count: u32,
    /// The number of the record to which `advance` moves.
    next: u32,
    key: [u8; 4],
    /// The current inflated block.
    held: Option<u32>,
    /// Whether a search has read the record to which `advance` moves.
    found: bool,
}

impl Heavy {
    fn hold(&mut self, block: Option<u32>) {
        if self.held == block {
            return;
        }
        let total = &self.total;
        total.held.set(total.held.get() - self.bytes(self.held));
        let new = self.bytes(block);
        total.held.set(total.held.get() + new);
        total.inflated.set(total.inflated.get() + new);
        total.peak.set(total.peak.get().max(total.held.get()));
        self.held = block;
    }

    fn bytes(&self, block: Option<u32>) -> usize {
        match block {
            None => 0,
            Some(0) => self.first_block,
            Some(_) => self.block,
        }
    }

    fn current_block(&self) -> Option<u32> {
        self.next.checked_sub(1).map(|n| n / self.in_block)
    }

    /// Whether the value of the current record can be read.
    fn has_value(&self) -> bool {
        self.held.is_some() && self.held == self.current_block()
    }
}

impl Drop for Heavy {
    fn drop(&mut self) {
        self.hold(None);
    }
}

impl SeekCursor for Heavy {
    fn seek_key(&mut self, key: &[u8]) -> Result<()> {
        let mut want = [0; 4];
        want[..key.len()].copy_from_slice(key);
        let want = u32::from_be_bytes(want);
        self.next = want.saturating_sub(self.first).div_ceil(self.step);
        self.found = self.next < self.count;
        self.hold(self.found.then_some(self.next / self.in_block));
        Ok(())
    }
}

impl Cursor for Heavy {
    fn advance(&mut self) -> Result<bool> {
        if self.next >= self.count {
            return Ok(false);
        }
        self.key = (self.first + self.next * self.step).to_be_bytes();
        self.next += 1;
        if !std::mem::take(&mut self.found) {
            self.hold(self.current_block());
        }
        Ok(true)
    }

    fn key(&self) -> &[u8] {
        &self.key
    }

    fn is_deletion(&self) -> bool {
        false
    }

    const INFLATES: bool = true;

    fn held(&self) -> usize {
        self.bytes(self.held)
    }

    fn park(&mut self) {
        self.hold(None);
    }

    fn unpark(&mut self) -> Result<()> {
        self.hold(self.current_block());
        Ok(())
    }
}

/// Merges `lanes` tables of `count` records; table `n` begins at `first(n)`. Returns the peak
/// memory and the total inflated, both in MiB.
fn merge(
    lanes: u32,
    (first_block, block, in_block): (usize, usize, u32),
    (count, step): (u32, u32),
    first: impl Fn(u32) -> u32,
) -> (usize, usize) {
    let total = Rc::new(Total::default());
    let cursors: Vec<_> = (0..lanes)
        .map(|n| Heavy {
            total: Rc::clone(&total),
            block,
            first_block,
            in_block,
            first: first(n),
            step,
            count,
            next: 0,
            key: [0; 4],
            held: None,
            found: false,
        })
        .collect();
    let mut expected: Vec<u32> = (0..lanes)
        .flat_map(|n| (0..count).map(move |i| (n, i)))
        .map(|(n, i)| first(n) + i * step)
        .collect();
    expected.sort_unstable();
    let mut merge = Merge::new(cursors.into_iter(), Tombstones::Hide);
    for start in [0, expected[expected.len() / 2]] {
        merge.seek(&start.to_be_bytes()).unwrap();
        for &key in expected.iter().filter(|&&key| key >= start) {
            assert!(merge.advance().unwrap());
            let current = merge.current().unwrap();
            assert_eq!(current.key(), key.to_be_bytes());
            assert!(current.has_value());
        }
        assert!(!merge.advance().unwrap());
    }
    (total.peak.get() / MIB, total.inflated.get() / MIB)
}

#[test]
fn consecutive_bombs_use_little_memory_and_are_inflated_few_times() {
    // Each table has greater keys than the previous one, like the logs of one ref.
    let (peak, inflated) = merge(300, (16 * MIB, 16 * MIB, 1), (1, 1), |n| n);
    assert!(peak <= 16 + 16 + 8, "{peak}");
    assert!(inflated <= (300 + 150) * 16 * 2, "{inflated}");
}

#[test]
fn large_blocks_after_small_ones_are_counted() {
    let lanes = 300;
    let (peak, _) = merge(lanes, (1, 16 * MIB, 1), (2, lanes), |n| n);
    assert!(peak <= 16 + 16 + 8, "{peak}");
}

#[test]
fn alternating_large_blocks_are_inflated_a_bounded_number_of_times() {
    let (blocks, lanes) = (4, 10);
    let block = (16 * MIB, 16 * MIB, 1000);
    let (_, inflated) = merge(lanes, block, (1000 * blocks, lanes), |n| n);
    let once = usize::try_from(lanes * blocks).unwrap() * 16;
    assert!(inflated < 20 * once, "{inflated}, {once}");
}

#[test]
fn usual_blocks_are_inflated_once() {
    let lanes = 500;
    let (peak, inflated) = merge(lanes, (16 << 10, 16 << 10, 50), (100, lanes), |n| n);
    let once = usize::try_from(lanes).unwrap() * 2 * 16 / 1024;
    assert!(peak <= 8, "{peak}");
    // The second walk begins in the middle.
    assert!(inflated <= once + once / 2 + 1 + 8, "{inflated}, {once}");
}
