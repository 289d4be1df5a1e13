//! The geometric rule: which tables to compact.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;

use super::shared::Shared;
use crate::format::error::wide;
use crate::format::layout;
use crate::table::Table;

/// Factor of the geometric rule if the options have 0.
const DEFAULT_FACTOR: u8 = 2;

/// The tables to compact so that afterwards each is at least `factor` times as large as the next
/// newer one; an empty range if they are already. `sizes` are those of the tables, oldest first,
/// without the bytes that every table has.
///
/// Searching from the newest table to the oldest, the segment ends with the first table that is
/// too large for the one before it. It starts with the oldest table that is too small for the
/// sum of those between it and the end, which estimates the size of the compacted table.
pub(crate) fn suggest(sizes: &[u64], factor: u8) -> Range<usize> {
    let factor = u64::from(if factor == 0 { DEFAULT_FACTOR } else { factor });
    let too_small = |older: u64, newer: u64| older < newer.saturating_mul(factor);

    let mut end = None;
    let mut start = 0;
    let mut sum: u64 = 0;
    let pairs = (1..sizes.len()).rev().zip(sizes.windows(2).rev());
    for (at, pair) in pairs {
        let &[older, newer] = pair else { continue };
        if end.is_none() && too_small(older, newer) {
            end = Some(at + 1);
            sum = newer;
        }
        if end.is_some() {
            if too_small(older, sum) {
                start = at - 1;
            }
            sum = sum.saturating_add(older);
        }
    }
    end.map_or(0..0, |end| start..end)
}

impl Shared {
    /// The tables that the geometric rule wants compacted if a table of `next` bytes, footer
    /// excluded, follows them.
    pub(super) fn segment(&self, tables: &[Arc<Table>], next: Option<u64>) -> Range<usize> {
        // As in git, one byte of the header counts, so that no table has the size 0.
        let version = self.options.write.hash_id.version();
        let overhead = layout::header_len(version).map_or(0, |len| wide(len - 1));
        let sizes: Vec<u64> = tables
            .iter()
            .map(|t| t.size_without_footer())
            .chain(next)
            .map(|size| size.saturating_sub(overhead))
            .collect();
        suggest(&sizes, self.options.auto_compaction_factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loops of git's `suggest_compaction_segment()`, for comparison.
    fn reference(sizes: &[u64], factor: u8) -> Range<usize> {
        let factor = if factor == 0 { 2 } else { u64::from(factor) };
        let (mut start, mut end, mut bytes) = (0, 0, 0);
        if sizes.len() <= 1 {
            return 0..0;
        }
        let mut i = sizes.len() - 1;
        while i > 0 {
            if sizes[i - 1] < sizes[i] * factor {
                end = i + 1;
                bytes = sizes[i];
                break;
            }
            i -= 1;
        }
        while i > 0 {
            let current = bytes;
            bytes += sizes[i - 1];
            if sizes[i - 1] < current * factor {
                start = i - 1;
            }
            i -= 1;
        }
        start..end
    }

    #[test]
    fn examples_of_git() {
        assert_eq!(suggest(&[], 2), 0..0);
        assert_eq!(suggest(&[5], 2), 0..0);
        assert_eq!(suggest(&[64, 32, 16, 8, 4, 2, 1], 2), 0..0);
        assert_eq!(suggest(&[64, 32, 16, 8, 4, 3, 1], 2), 0..6);
        assert_eq!(suggest(&[128, 32, 16, 8, 4, 3, 1], 2), 1..6);
        assert_eq!(suggest(&[512, 64, 17, 16, 9, 9, 9, 16, 2, 16], 2), 1..10);
        assert_eq!(suggest(&[64, 32, 16, 8, 4, 2], 0), 0..0);
        assert_eq!(suggest(&[u64::MAX - 1, u64::MAX], 255), 0..2);
        assert_eq!(suggest(&[u64::MAX, 7, 7], 255), 1..3);
    }

    proptest::proptest! {
        #[test]
        fn segments_are_those_of_git(sizes in proptest::collection::vec(0u64..2000, 0..12), factor in 0u8..6) {
            let ours = suggest(&sizes, factor);
            assert_eq!(ours, reference(&sizes, factor));
        }
    }
}
