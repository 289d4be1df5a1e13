//! Keys that share their beginning with the key before them.
//!
//! ```text
//! varint( prefix_length )
//! varint( suffix_length << 3 | extra )
//! suffix
//! ```
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::words::{common_prefix, compare, has_byte, has_zero};
use super::{error::wide, Corruption, Damage, Expected, Input};

/// Bits below the suffix length that belong to the record's type.
const EXTRA_BITS: u32 = 3;
const EXTRA_MASK: u8 = (1 << EXTRA_BITS) - 1;

/// Appends a key of which `shared` leading bytes are those of the key before it.
#[inline(always)]
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
    /// Reads two numbers, of which the first has nearly always one byte and the second two at
    /// most.
    #[inline(always)]
    pub(crate) fn read(input: &mut Input<'_>) -> Result<Self, Damage> {
        // A record has three bytes at least.
        if let [prefix, number, third, ..] = *input.rest() {
            if (prefix | number) < 0x80 {
                input.pass(2);
                return Ok(Self {
                    shared: usize::from(prefix),
                    suffix_len: usize::from(number >> EXTRA_BITS),
                    extra: number & EXTRA_MASK,
                });
            }
            if (prefix | third) < 0x80 {
                input.pass(3);
                let number = (usize::from(number & 0x7f) + 1) << 7 | usize::from(third);
                return Ok(Self {
                    shared: usize::from(prefix),
                    suffix_len: number >> EXTRA_BITS,
                    extra: third & EXTRA_MASK,
                });
            }
        }
        let (header, rest) = Self::read_long(*input)?;
        input.continue_at(rest);
        Ok(header)
    }

    #[inline(never)]
    fn read_long(mut input: Input<'_>) -> Result<(Self, &[u8]), Damage> {
        let place = input.position();
        let prefix = input.varint("length of a key's prefix")?;
        let number = input.varint("length of a key's suffix")?;
        let len = number >> EXTRA_BITS;
        let extra = number.to_le_bytes()[0] & EXTRA_MASK;
        match (usize::try_from(prefix), usize::try_from(len)) {
            (Ok(shared), Ok(suffix_len)) => {
                let header = Self {
                    shared,
                    suffix_len,
                    extra,
                };
                Ok((header, input.rest()))
            }
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

/// Bytes copied at once for suffixes of usual keys, whatever stands behind them.
const SLACK: usize = 16;
/// The same for other keys: those at restarts are whole names.
const WIDE: usize = 64;

/// The bytes from the beginning of a record on, whatever is behind it: enough for a usual key,
/// one byte, and an object id. Behind the records of a file there are so many always.
pub(crate) type Window = [u8; 64];
/// Where in them the suffix of a usual key is.
const KEY_AT: usize = 2;

/// What stands before the suffix of a usual key, and its first byte.
pub(crate) struct ShortHeader {
    /// Leading bytes that are those of the key before; negative if the number has more than one
    /// byte.
    pub shared: i8,
    /// Bytes behind them, 1 to 15.
    pub len: u8,
    /// The first of these.
    pub first: u8,
    /// Bits that belong to the record's type.
    pub extra: u8,
}

impl ShortHeader {
    /// Reads it, if the second number has one byte and the key has a byte of its own.
    #[inline(always)]
    pub(crate) fn read(window: &Window) -> Option<Self> {
        let [shared, number, first, ..] = *window;
        ((1 << EXTRA_BITS)..0x80).contains(&number).then_some(Self {
            shared: i8::from_ne_bytes([shared]),
            len: number >> EXTRA_BITS,
            first,
            extra: number & EXTRA_MASK,
        })
    }

    /// Where the value begins in the window.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        KEY_AT + usize::from(self.len)
    }
}

/// A key that is read but not yet put together. Its lengths have one byte each, so that fewer
/// than [`SLACK`] bytes are its own.
pub(crate) struct UsualKey<'a> {
    /// Leading bytes that are those of the key before.
    shared: usize,
    /// Bytes behind them, one at least.
    len: usize,
    /// Bits that belong to the record's type.
    pub extra: u8,
    /// Its own bytes and what is behind them.
    suffix: &'a [u8; SLACK],
    /// The key before; from `shared` on there is room for a suffix.
    bytes: &'a mut [u8],
    /// The length of the key before, and how much of it may be shared.
    lens: (&'a mut usize, &'a mut usize),
}

impl<'a> UsualKey<'a> {
    /// Where the value begins in the window.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        KEY_AT + self.len
    }

    /// Whether there is a NUL in its own bytes.
    #[inline(always)]
    pub(crate) fn has_nul(&self) -> bool {
        let words = (self.suffix.first_chunk(), self.suffix.last_chunk());
        let (Some(first), Some(second)) = words else {
            return true;
        };
        let first = u64::from_le_bytes(*first);
        if self.len <= 8 {
            has_zero(first, self.len)
        } else {
            has_zero(first, 8) || has_zero(u64::from_le_bytes(*second), self.len - 8)
        }
    }

    /// Puts the key together.
    #[inline(always)]
    pub(crate) fn take(self) -> &'a [u8] {
        let place = self.bytes.get_mut(self.shared..self.shared + SLACK);
        if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
            *place = *self.suffix;
        }
        let len = self.shared + self.len;
        (*self.lens.0, *self.lens.1) = (len, len);
        self.bytes.get(..len).unwrap_or_default()
    }
}

/// The key of the record that a cursor stands on, from which the next one is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyBuf {
    /// The key, then bytes of no meaning.
    bytes: Vec<u8>,
    len: usize,
    /// Bytes that the next key may share: all of them, or none at the start of a block.
    shareable: usize,
}

impl KeyBuf {
    /// The current key; empty before the first.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Length of the current key.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
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
        self.len = 0;
        self.shareable = 0;
    }

    /// Reads the next key.
    ///
    /// Keys must ascend, strictly unless they `may_repeat`. As the shared part is equal by
    /// construction, the first byte after it usually decides.
    #[inline(always)]
    pub(crate) fn read<'a>(
        &mut self,
        input: &mut Input<'a>,
        may_repeat: bool,
    ) -> Result<NextKey<'a>, Damage> {
        let header = KeyHeader::read(input)?;
        let behind = input.rest();
        let suffix = header.suffix(input, self.shareable)?;
        let next = NextKey {
            shared: header.shared,
            extra: header.extra,
            suffix,
            behind,
            last_len: self.len,
        };
        match (suffix.first(), self.bytes.get(header.shared)) {
            (Some(new), Some(old)) if new > old => {}
            _ => self.check_order(header.shared, suffix, input.position(), may_repeat)?,
        }
        self.replace_end(header.shared, suffix, behind);
        Ok(next)
    }

    /// The next key, when it is a usual one: both lengths before it have one byte each, and the
    /// first byte of its own says that it is greater than the key before. Otherwise
    /// [`read`](Self::read) must look at it.
    #[inline(always)]
    pub(crate) fn usual<'a>(&'a mut self, window: &'a Window) -> Option<UsualKey<'a>> {
        let header = ShortHeader::read(window)?;
        let shared = usize::try_from(header.shared).ok()?;
        if shared > self.shareable {
            return None;
        }
        let suffix = window.get(KEY_AT..)?.first_chunk()?;
        let place = self.bytes.get(shared..shared + SLACK)?;
        // A byte behind the end of the key before has no meaning: what is greater than it is
        // so all the same, as it is longer.
        (header.first > *place.first()?).then_some(UsualKey {
            shared,
            len: usize::from(header.len),
            extra: header.extra,
            suffix,
            bytes: &mut self.bytes,
            lens: (&mut self.len, &mut self.shareable),
        })
    }

    /// The cases in which a look at one byte is not enough.
    #[inline(always)]
    fn check_order(
        &self,
        shared: usize,
        suffix: &[u8],
        place: usize,
        may_repeat: bool,
    ) -> Result<(), Damage> {
        let old = self.bytes.get(shared..self.len).unwrap_or_default();
        match compare(suffix, old).0 {
            Ordering::Greater => Ok(()),
            Ordering::Equal if may_repeat => Ok(()),
            _ => Err(unsorted(place, suffix, old)),
        }
    }

    /// Makes the key that begins with `start` and ends with `suffix`.
    pub(crate) fn set(&mut self, start: &[u8], suffix: &[u8]) {
        self.replace_end_slowly(0, start);
        self.replace_end_slowly(start.len(), suffix);
    }

    /// Replaces all behind the first `shared` bytes; `behind` begins with `suffix`.
    #[inline(always)]
    fn replace_end(&mut self, shared: usize, suffix: &[u8], behind: &[u8]) {
        let place = self
            .bytes
            .get_mut(shared..)
            .and_then(|bytes| bytes.first_chunk_mut::<WIDE>());
        match (place, behind.first_chunk::<WIDE>()) {
            (Some(place), Some(chunk)) if suffix.len() <= WIDE => {
                *place = *chunk;
                self.len = shared + suffix.len();
                self.shareable = self.len;
            }
            _ => self.replace_end_slowly(shared, suffix),
        }
    }

    #[inline(never)]
    fn replace_end_slowly(&mut self, shared: usize, suffix: &[u8]) {
        self.len = shared + suffix.len();
        self.shareable = self.len;
        if self.bytes.len() < self.len + WIDE {
            self.bytes.resize(self.len + 2 * WIDE, 0);
        }
        if let Some(place) = self.bytes.get_mut(shared..self.len) {
            place.copy_from_slice(suffix);
        }
    }
}

/// A key as it was read: how it differs from the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextKey<'a> {
    /// Leading bytes that are those of the key before.
    pub shared: usize,
    /// Bits that belong to the record's type.
    pub extra: u8,
    /// The key behind the shared bytes.
    pub suffix: &'a [u8],
    /// Bytes of the file, the suffix first.
    behind: &'a [u8],
    /// Length of the key before.
    pub last_len: usize,
}

impl NextKey<'_> {
    /// Whether there is a NUL in the suffix.
    #[inline(always)]
    pub(crate) fn has_nul(&self) -> bool {
        let len = self.suffix.len();
        match self.behind.first_chunk::<8>() {
            Some(word) if len.wrapping_sub(1) < 8 => has_zero(u64::from_le_bytes(*word), len),
            _ => has_byte(self.suffix, 0),
        }
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
mod tests;
