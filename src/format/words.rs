//! Comparison and search in short byte strings, eight bytes at a time: for these, calls of
//! `memcmp` and `memchr` would cost more.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

/// Length of the longest common prefix.
#[inline(always)]
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    compare(a, b).1
}

/// The order of two slices, and the length of their longest common prefix.
#[inline(always)]
pub(crate) fn compare(a: &[u8], b: &[u8]) -> (Ordering, usize) {
    let len = a.len().min(b.len());
    let (start_a, start_b) = (a.get(..len).unwrap_or(a), b.get(..len).unwrap_or(b));
    // The words are little-endian: the first differing byte is the least significant one.
    let differing = |x: u64, y: u64, at: usize| {
        let same = usize::try_from((x ^ y).trailing_zeros() / 8).unwrap_or(0);
        (x.swap_bytes().cmp(&y.swap_bytes()), at + same)
    };
    let mut at = 0;
    for (x, y) in start_a.chunks_exact(8).zip(start_b.chunks_exact(8)) {
        let (x, y) = (word(x), word(y));
        if x != y {
            return differing(x, y, at);
        }
        at += 8;
    }
    // Fewer than eight bytes remain: compare them together with equal ones before them.
    if let (Some(&x), Some(&y)) = (start_a.last_chunk(), start_b.last_chunk()) {
        let (x, y) = (u64::from_le_bytes(x), u64::from_le_bytes(y));
        if x != y {
            return differing(x, y, len - 8);
        }
    } else if let Some(same) = a.iter().zip(b).position(|(x, y)| x != y) {
        return (a.get(same).cmp(&b.get(same)), same);
    }
    (a.len().cmp(&b.len()), len)
}

/// Eight bytes as a little-endian number.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |&word| u64::from_le_bytes(word))
}

/// Whether `key` begins with `start`.
#[inline(always)]
pub(crate) fn begins_with(key: &[u8], start: &[u8]) -> bool {
    let Some(mut key) = key.get(..start.len()) else {
        return false;
    };
    let lasts = (key.last_chunk::<8>(), start.last_chunk::<8>());
    let (Some(x), Some(y)) = lasts else {
        return key.iter().zip(start).all(|(x, y)| x == y);
    };
    let mut start = start;
    while let (Some((a, rest_a)), Some((b, rest_b))) =
        (key.split_first_chunk::<8>(), start.split_first_chunk::<8>())
    {
        if u64::from_le_bytes(*a) != u64::from_le_bytes(*b) {
            return false;
        }
        (key, start) = (rest_a, rest_b);
    }
    x == y
}

/// Whether `bytes` contains `byte`.
#[inline]
pub(crate) fn has_byte(bytes: &[u8], byte: u8) -> bool {
    let differing = u64::from_le_bytes([byte; 8]);
    let words = bytes.chunks_exact(8);
    let tail = words.remainder();
    let found = words.fold(false, |found, bytes| {
        found | has_zero(word(bytes) ^ differing, 8)
    });
    match bytes.last_chunk() {
        Some(&last) => found || has_zero(u64::from_le_bytes(last) ^ differing, 8),
        None => tail.contains(&byte),
    }
}

/// Whether one of the first `len` bytes of a word is zero; `len` is 1 to 8.
///
/// The subtraction sets the top bit of the first zero byte, and possibly of bytes after it, so
/// that bytes after `len` are shifted out before the test.
#[inline(always)]
pub(crate) fn has_zero(word: u64, len: usize) -> bool {
    const LOW: u64 = u64::MAX / 255;
    const HIGH: u64 = LOW << 7;
    (word.wrapping_sub(LOW) & !word & HIGH) << (64 - 8 * len) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn has_byte_finds_a_byte_at_every_index() {
        for len in 0..40 {
            let mut bytes = vec![b'x'; len];
            assert!(!has_byte(&bytes, b'\n') && !has_byte(&bytes, 0));
            for at in 0..len {
                bytes[at] = b'\n';
                assert!(
                    has_byte(&bytes, b'\n') && !has_byte(&bytes, 0),
                    "{len} {at}"
                );
                bytes[at] = b'x';
            }
        }
    }

    proptest! {
        #[test]
        fn words_agree_with_byte_by_byte_comparison(
            start in prop::collection::vec(any::<u8>(), 0..40),
            a in prop::collection::vec(any::<u8>(), 0..20),
            b in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let a = [&start[..], &a].concat();
            let b = [&start[..], &b].concat();
            let slow = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
            prop_assert_eq!(common_prefix(&a, &b), slow);
            prop_assert_eq!(compare(&a, &b), (a.cmp(&b), slow));
            prop_assert_eq!(begins_with(&a, &b), a.starts_with(&b));
            prop_assert!(begins_with(&a, &start));
        }
    }
}
