//! The blocks that this thread has inflated last.
//!
//! A walk over the logs of many refs has a cursor for each, and a block has the entries of up to
//! dozens of refs. Without this, each of them would inflate the block again, in every table of
//! the stack.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::mem;

use super::{GROWTH, SPARE_ROOM};

/// How many blocks are kept: one for each table of a usual stack.
const COUNT: usize = 8;
/// Largest size of a block that is kept, inflated or not, and of its buffer.
const MOST: usize = GROWTH + SPARE_ROOM;

thread_local! {
    /// The oldest first.
    static RECENT: Cell<Vec<Inflated>> = const { Cell::new(Vec::new()) };
}

/// A buffer, the block in it, and the bytes that it was inflated from.
///
/// A block is found by these bytes, not by its place: files may change and mappings may be
/// replaced, but the same bytes always inflate to the same block.
#[derive(Default)]
pub(super) struct Inflated {
    /// As long as the longest block so far.
    pub(super) buffer: Vec<u8>,
    /// Bytes of the block; 0 if there is none.
    pub(super) len: usize,
    /// The block in the file, or nothing if it is too long to be kept.
    source: Vec<u8>,
    /// Bytes of `source` that are not deflated.
    header: usize,
}

impl Inflated {
    /// The number of bytes of the block in the file if `bytes` begin with them.
    fn size_in(&self, bytes: &[u8], header: usize, len: usize) -> Option<usize> {
        let same = len > 0 && self.len == len && self.header == header && !self.source.is_empty();
        (same && bytes.starts_with(&self.source)).then_some(self.source.len())
    }

    /// Notes that the buffer has the `len` bytes that `source` inflates to.
    pub(super) fn set(&mut self, source: &[u8], header: usize, len: usize) {
        self.source.clear();
        if source.len() <= MOST && self.source.try_reserve(source.len()).is_ok() {
            self.source.extend_from_slice(source);
        }
        (self.len, self.header) = (len, header);
    }

    /// Looks for the block at the start of `bytes` in this buffer and among the recent ones, and
    /// makes it the block of this buffer. Returns its bytes in the file.
    pub(super) fn find(&mut self, bytes: &[u8], header: usize, len: usize) -> Option<usize> {
        if let Some(size) = self.size_in(bytes, header, len) {
            return Some(size);
        }
        let mut recent = RECENT.try_with(Cell::take).ok()?;
        let found = recent
            .iter()
            .enumerate()
            .find_map(|(at, each)| each.size_in(bytes, header, len).map(|size| (at, size)));
        let own = match found {
            Some((at, _)) => mem::replace(self, recent.remove(at)),
            None if self.buffer.is_empty() && recent.len() == COUNT => {
                let mut oldest = recent.remove(0);
                oldest.len = 0;
                mem::replace(self, oldest)
            }
            None => Self::default(),
        };
        let _ = RECENT.try_with(|kept| kept.set(recent));
        own.keep();
        found.map(|(_, size)| size)
    }

    /// Keeps the block for the next cursors, unless its buffer is large.
    pub(super) fn keep(self) {
        if self.buffer.is_empty() || self.buffer.capacity() > MOST {
            return;
        }
        // Fails while the thread ends.
        let _ = RECENT.try_with(|kept| {
            let mut recent = kept.take();
            if recent.len() == COUNT {
                recent.remove(0);
            }
            if recent.try_reserve(1).is_ok() {
                recent.push(self);
            }
            kept.set(recent);
        });
    }
}

/// Drops all kept blocks of this thread.
#[cfg(test)]
pub(crate) fn forget() {
    RECENT.take();
}
