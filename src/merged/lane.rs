//! One cursor of a merge.
#![forbid(unsafe_code)]

use crate::format::words::begins_with;
use crate::format::Result;
use crate::table::Cursor;

/// The head of a cursor without further records. A key may have the same head.
pub(super) const LAST: u64 = u64::MAX;

/// A cursor. Lanes have the order of their tables in the stack, newest last.
#[derive(Debug)]
pub(super) struct Lane<C> {
    pub(super) cursor: C,
    /// Whether it has a current record.
    pub(super) is_live: bool,
    /// Whether a newer lane has or had the same key.
    pub(super) is_hidden: bool,
    /// Bytes of the cursor's inflated block, when last checked.
    pub(super) held: usize,
    /// Whether that block is released.
    pub(super) is_parked: bool,
    /// How often a released block had to be inflated again.
    pub(super) revivals: u8,
}

impl<C: Cursor> Lane<C> {
    /// A lane before its first record.
    pub(super) fn new(cursor: C) -> Self {
        Self {
            cursor,
            is_live: false,
            is_hidden: false,
            held: 0,
            is_parked: false,
            revivals: 0,
        }
    }

    /// Moves to the next record.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Result<()> {
        self.is_hidden = false;
        self.is_live = self.cursor.advance()?;
        Ok(())
    }

    /// The eight bytes of the current key after the common prefix, padded with zeros: if two heads
    /// differ, the keys have the same order. `None` if the key does not have the prefix.
    #[inline(always)]
    pub(super) fn head(&self, common: &[u8]) -> Option<u64> {
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
            // Fewer than eight bytes: take the key's last eight and shift out those before them.
            (None, Some(last)) if !tail.is_empty() => {
                u64::from_be_bytes(*last) << (64 - 8 * tail.len())
            }
            _ => tail
                .iter()
                .zip((0..8).rev())
                .fold(0, |head, (&byte, at)| head | u64::from(byte) << (8 * at)),
        })
    }
}
