//! Variable-length integers.
//!
//! ```text
//! byte    bit 7 (0x80)                          bits 6 to 0
//! 0       1 if another byte follows, else 0     most significant seven bits
//! 1       "                                     next seven bits
//! ...     0 in the last byte, at most the 10th  least significant seven bits
//! ```
//!
//! Each byte after the first adds one before the shift, so that no number has two encodings:
//! `value = ((value + 1) << 7) | bits`. The `ofs-delta` offsets of pack files use the same
//! encoding.
#![forbid(unsafe_code)]

/// Maximum bytes of a number.
pub(crate) const MAX_LEN: usize = 10;

/// Reads a number from the front of `rest` and advances past it.
///
/// Returns `None`, with `rest` unchanged, if the bytes end early or the number does not fit into
/// 64 bits.
#[inline]
pub(crate) fn take(rest: &mut &[u8]) -> Option<u64> {
    let (&first, after) = rest.split_first()?;
    if first < 0x80 {
        *rest = after;
        return Some(u64::from(first));
    }
    take_long(rest, first, after)
}

/// Encoded length of the number at the start of `bytes`, if it ends within them.
#[inline(always)]
pub(crate) fn short_len(bytes: [u8; 4]) -> Option<usize> {
    // The last byte of a number is the first one whose top bit is clear.
    let last = !u32::from_le_bytes(bytes) & 0x8080_8080;
    let bits = usize::try_from(last.trailing_zeros()).ok()?;
    (last != 0).then_some(1 + bits / 8)
}

fn take_long<'a>(rest: &mut &'a [u8], first: u8, mut after: &'a [u8]) -> Option<u64> {
    let mut value = u64::from(first & 0x7f);
    loop {
        let (&byte, next) = after.split_first()?;
        after = next;
        value += 1;
        if value >> (u64::BITS - 7) != 0 {
            return None;
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte < 0x80 {
            *rest = after;
            return Some(value);
        }
    }
}

/// Appends `value` to `out`.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, value: u64) {
    match u8::try_from(value) {
        Ok(byte) if byte < 0x80 => out.push(byte),
        _ => put_long(out, value),
    }
}

fn put_long(out: &mut Vec<u8>, mut value: u64) {
    let mut groups = [0; MAX_LEN];
    let mut used = 0;
    for slot in groups.iter_mut().rev() {
        let more = if used == 0 { 0 } else { 0x80 };
        *slot = more | (value.to_le_bytes()[0] & 0x7f);
        used += 1;
        value >>= 7;
        if value == 0 {
            break;
        }
        value -= 1;
    }
    if let Some(bytes) = groups.get(MAX_LEN - used..) {
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, value);
        out
    }

    #[test]
    fn known_encodings() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x00]),
            (4096, &[0x9f, 0x00]),
            (16_511, &[0xff, 0x7f]),
            (16_512, &[0x80, 0x80, 0x00]),
            (
                u64::MAX,
                &[0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x7f],
            ),
        ] {
            assert_eq!(encode(value), bytes, "{value}");
            assert_eq!(take(&mut &bytes[..]), Some(value));
        }
    }

    #[test]
    fn truncated_and_too_large_numbers_are_refused() {
        for bytes in [
            &[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00][..],
            &[0xff; 10],
            &[0x80; 40],
            &[],
            &[0x80],
            &[0xff, 0xff],
        ] {
            let mut rest = bytes;
            assert_eq!(take(&mut rest), None, "{bytes:x?}");
            assert_eq!(rest, bytes);
        }
    }

    proptest! {
        #[test]
        fn numbers_round_trip(value: u64, shift in 0_u32..64, tail: [u8; 3]) {
            let value = value >> shift;
            let mut bytes = encode(value);
            prop_assert!(bytes.len() <= MAX_LEN);
            bytes.extend_from_slice(&tail);
            let mut rest = &bytes[..];
            prop_assert_eq!(take(&mut rest), Some(value));
            prop_assert_eq!(rest, &tail[..]);
        }

        #[test]
        fn every_number_has_one_encoding(bytes: [u8; 12]) {
            let mut rest = &bytes[..];
            if let Some(value) = take(&mut rest) {
                let used = bytes.len() - rest.len();
                prop_assert_eq!(encode(value), &bytes[..used]);
            }
        }
    }
}
