//! Keys that share their beginning with the key before them.
//!
//! ```text
//! varint( prefix_length )
//! varint( suffix_length << 3 | extra )
//! suffix
//! ```
#![forbid(unsafe_code)]

use super::{error::wide, Corruption, Damage, Expected, Input};

/// Bits below the suffix length that belong to the record's type.
const EXTRA_BITS: u32 = 3;
const EXTRA_MASK: u8 = (1 << EXTRA_BITS) - 1;

/// Number of bytes that both slices begin with.
#[inline]
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    let (mut words_a, mut words_b) = (a, b);
    while let (Some((x, rest_a)), Some((y, rest_b))) = (
        words_a.split_first_chunk::<8>(),
        words_b.split_first_chunk::<8>(),
    ) {
        let differing = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differing != 0 {
            // At most seven, so it fits anywhere.
            return same + usize::try_from(differing.trailing_zeros() / 8).unwrap_or(0);
        }
        same += 8;
        (words_a, words_b) = (rest_a, rest_b);
    }
    let tail = words_a.iter().zip(words_b).take_while(|(x, y)| x == y);
    same + tail.count()
}

/// Appends a key of which `shared` leading bytes are those of the key before it.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, key: &[u8], shared: usize, extra: u8) {
    let suffix = key.get(shared..).unwrap_or_default();
    super::varint::put(out, wide(shared));
    super::varint::put(out, (wide(suffix.len()) << EXTRA_BITS) | u64::from(extra));
    out.extend_from_slice(suffix);
}

/// What stands before a key's suffix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHeader {
    /// Leading bytes that are those of the key before; not yet compared with its length.
    pub shared: usize,
    pub suffix_len: usize,
    /// Bits that belong to the record's type.
    pub extra: u8,
}

impl KeyHeader {
    /// Reads two numbers, which are nearly always one byte each.
    #[inline(always)]
    pub(crate) fn read(input: &mut Input<'_>) -> Result<Self, Damage> {
        match input.two_digits() {
            Some((prefix, number)) => Ok(Self {
                shared: usize::from(prefix),
                suffix_len: usize::from(number >> EXTRA_BITS),
                extra: number & EXTRA_MASK,
            }),
            None => Self::read_long(input),
        }
    }

    #[inline(never)]
    fn read_long(input: &mut Input<'_>) -> Result<Self, Damage> {
        let place = input.position();
        let prefix = input.varint("length of a key's prefix")?;
        let number = input.varint("length of a key's suffix")?;
        let len = number >> EXTRA_BITS;
        let extra = number.to_le_bytes()[0] & EXTRA_MASK;
        match (usize::try_from(prefix), usize::try_from(len)) {
            (Ok(shared), Ok(suffix_len)) => Ok(Self {
                shared,
                suffix_len,
                extra,
            }),
            (Err(_), _) => Err(bad_prefix(place, prefix, 0)),
            (_, Err(_)) => Err(input.too_long(len, "length of a key's suffix")),
        }
    }

    /// Takes the suffix; `limit` is the length of what may be shared.
    #[inline(always)]
    pub(crate) fn suffix<'a>(
        &self,
        input: &mut Input<'a>,
        limit: usize,
    ) -> Result<&'a [u8], Damage> {
        if self.shared > limit {
            return Err(bad_prefix(input.position(), wide(self.shared), limit));
        }
        input.bytes(self.suffix_len, "length of a key's suffix")
    }
}

#[cold]
#[inline(never)]
fn bad_prefix(place: usize, prefix: u64, limit: usize) -> Damage {
    let most = Expected::AtMost(wide(limit));
    Corruption::new(wide(place), "length of a key's prefix", prefix, most)
}

/// The whole key of a record at a restart, without a copy.
#[inline(always)]
pub(crate) fn at_restart<'a>(input: &mut Input<'a>) -> Result<&'a [u8], Damage> {
    KeyHeader::read(input)?.suffix(input, 0)
}

/// The key of the record that a cursor stands on, from which the next one is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyBuf {
    bytes: Vec<u8>,
    /// Bytes that the next key may share: all of them, or none at the start of a block.
    shareable: usize,
}

impl KeyBuf {
    /// The current key; empty before the first.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a key was read since [`forget`](Self::forget) or
    /// [`start_block`](Self::start_block).
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.shareable != 0
    }

    /// The next key begins a block: it shares nothing, but must still be greater.
    #[inline]
    pub(crate) fn start_block(&mut self) {
        self.shareable = 0;
    }

    /// The next key stands anywhere: it shares nothing and any order is right.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.bytes.clear();
        self.shareable = 0;
    }

    /// Reads the next key; gives the extra bits and the length of the part that was shared.
    ///
    /// Keys must ascend strictly. As the shared part is equal by construction, the first byte
    /// after it usually decides.
    #[inline(always)]
    pub(crate) fn read(&mut self, input: &mut Input<'_>) -> Result<KeyHeader, Damage> {
        let header = KeyHeader::read(input)?;
        let suffix = header.suffix(input, self.shareable)?;
        let old = self.bytes.get(header.shared..).unwrap_or_default();
        let ascends = match (suffix.first(), old.first()) {
            (Some(_), None) => true,
            (Some(new), Some(old_byte)) if new != old_byte => new > old_byte,
            (Some(_), Some(_)) => suffix > old,
            (None, _) => false,
        };
        if !ascends {
            return Err(unsorted(input.position(), suffix, old));
        }
        self.replace_end(header.shared, suffix);
        Ok(header)
    }

    /// Makes the key that begins with `start` and ends with `suffix`.
    #[inline]
    pub(crate) fn set(&mut self, start: &[u8], suffix: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(start);
        self.replace_end(start.len(), suffix);
    }

    #[inline(always)]
    fn replace_end(&mut self, shared: usize, suffix: &[u8]) {
        self.bytes.truncate(shared);
        self.bytes.extend_from_slice(suffix);
        self.shareable = self.bytes.len();
    }
}

/// Keys out of order: names the first byte that differs, or the lengths when none does.
#[cold]
#[inline(never)]
fn unsorted(place: usize, new: &[u8], old: &[u8]) -> Damage {
    let same = common_prefix(new, old);
    match (new.get(same), old.get(same)) {
        (Some(&n), Some(&o)) => Corruption::new(
            wide(place),
            "key not greater than the one before, first differing byte",
            u64::from(n),
            Expected::AtLeast(u64::from(o).saturating_add(1)),
        ),
        _ => Corruption::new(
            wide(place),
            "empty key or key not greater than the one before, length",
            wide(new.len()),
            Expected::AtLeast(wide(old.len()).saturating_add(1)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(keys: &[&[u8]], shared: &[usize]) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, shared) in keys.iter().zip(shared) {
            put(&mut out, key, *shared, 3);
        }
        out
    }

    fn read_all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Damage> {
        let mut input = Input::new(bytes, bytes.len());
        let mut key = KeyBuf::default();
        let mut keys = Vec::new();
        while input.len() > 0 {
            key.read(&mut input)?;
            keys.push(key.bytes().to_vec());
        }
        Ok(keys)
    }

    #[test]
    fn order_is_checked_whatever_is_shared() {
        for (keys, shared, good) in [
            ([&b"abc"[..], b"abd"], [0, 2], true),
            ([b"abc", b"abd"], [0, 0], true),
            ([b"abc", b"abcd"], [0, 3], true),
            ([b"abc", b"abc"], [0, 3], false),
            ([b"abc", b"abc"], [0, 0], false),
            ([b"abd", b"abc"], [0, 2], false),
            ([b"abd", b"abc"], [0, 0], false),
            ([b"abcd", b"abc"], [0, 3], false),
            ([b"", b"a"], [0, 0], false),
        ] {
            let got = read_all(&encoded(&keys, &shared));
            assert_eq!(got.is_ok(), good, "{keys:?} {shared:?}");
        }
    }

    #[test]
    fn a_prefix_longer_than_the_last_key_is_damage() {
        assert!(read_all(&encoded(&[b"ab", b"xyzw"], &[0, 3])).is_err());
        let mut key = KeyBuf::default();
        let bytes = encoded(&[b"ab"], &[0]);
        key.read(&mut Input::new(&bytes, bytes.len())).unwrap();
        key.start_block();
        assert!(!key.is_current());
        let next = encoded(&[b"ac"], &[1]);
        assert!(key.read(&mut Input::new(&next, next.len())).is_err());
    }

    proptest! {
        #[test]
        fn common_prefix_counts_bytes(
            start in prop::collection::vec(any::<u8>(), 0..40),
            a in prop::collection::vec(any::<u8>(), 0..20),
            b in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let a = [&start[..], &a].concat();
            let b = [&start[..], &b].concat();
            let slow = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
            prop_assert_eq!(common_prefix(&a, &b), slow);
        }

        #[test]
        fn sorted_keys_come_back(
            keys in prop::collection::btree_set(prop::collection::vec(97_u8..100, 1..12), 1..30),
        ) {
            let keys: Vec<_> = keys.into_iter().collect();
            let mut out = Vec::new();
            let mut last: &[u8] = b"";
            for key in &keys {
                put(&mut out, key, common_prefix(last, key), 0);
                last = key;
            }
            prop_assert_eq!(read_all(&out).unwrap(), keys);
        }
    }
}
