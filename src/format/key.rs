//! Keys, which are prefix-compressed against the previous key of their block.
//!
//! ```text
//! offset  size        content
//!      0  a           varint( prefix_len )               bytes shared with the previous key
//!      a  b           varint( suffix_len << 3 | extra )  `extra` belongs to the record's type
//!  a + b  suffix_len  suffix                             the remaining bytes of the key
//! ```
#![forbid(unsafe_code)]

mod fast;

pub(crate) use fast::{FastHeader, Window};

use std::cmp::Ordering;

use super::words::{common_prefix, compare, has_byte, has_zero};
use super::{error::wide, Corruption, Damage, Expected, Input};

/// Low bits of the second number, which belong to the record's type.
const EXTRA_BITS: u32 = 3;
const EXTRA_MASK: u8 = (1 << EXTRA_BITS) - 1;

/// Appends a key that shares its first `shared` bytes with the previous one.
#[inline(always)]
pub(crate) fn put(out: &mut Vec<u8>, key: &[u8], shared: usize, extra: u8) {
    let suffix = key.get(shared..).unwrap_or_default();
    super::varint::put(out, wide(shared));
    super::varint::put(out, (wide(suffix.len()) << EXTRA_BITS) | u64::from(extra));
    out.extend_from_slice(suffix);
}

/// The two numbers before a key's suffix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHeader {
    /// Bytes shared with the previous key; not yet checked against its length.
    pub shared: usize,
    pub suffix_len: usize,
    /// Bits that belong to the record's type.
    pub extra: u8,
}

impl KeyHeader {
    /// Reads the header. The first number nearly always has one byte, the second one or two.
    #[inline(always)]
    pub(crate) fn read(input: &mut Input<'_>) -> Result<Self, Damage> {
        // Every record has at least three bytes.
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
        let position = input.position();
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
            (Err(_), _) => Err(bad_prefix(position, prefix, 0)),
            (_, Err(_)) => Err(input.too_long(len, "length of a key's suffix")),
        }
    }

    /// Takes the suffix; at most `limit` bytes may be shared with the previous key.
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
fn bad_prefix(position: usize, prefix: u64, limit: usize) -> Damage {
    let most = Expected::AtMost(wide(limit));
    Corruption::new(wide(position), "length of a key's prefix", prefix, most)
}

/// The key of a record at a restart. It shares nothing, so that it is complete in the file.
#[inline(always)]
pub(crate) fn at_restart<'a>(input: &mut Input<'a>) -> Result<&'a [u8], Damage> {
    KeyHeader::read(input)?.suffix(input, 0)
}

/// Bytes copied for a suffix of any length, where both buffers have them: a copy of fixed size
/// needs no call. Keys at restarts are whole names, hence more than on the fast path.
const COPY_LEN: usize = 64;

/// The key of a cursor's current record. The next key is built in the same buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyBuf {
    /// The key, followed by bytes without meaning.
    bytes: Vec<u8>,
    len: usize,
    /// Bytes that the next key may share: `len`, or 0 at the start of a block.
    shareable: usize,
}

impl KeyBuf {
    /// The current key; empty before the first record.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Length of the current key.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether a key has been read since the last [`forget`](Self::forget) or
    /// [`start_block`](Self::start_block).
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.shareable != 0
    }

    /// Prepares for the first key of the next block: it shares nothing, but must be greater.
    #[inline]
    pub(crate) fn start_block(&mut self) {
        self.shareable = 0;
    }

    /// Prepares for a key anywhere in the table: it shares nothing, and may also be less.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.len = 0;
        self.shareable = 0;
    }

    /// Reads the next key.
    ///
    /// Keys must ascend, strictly unless they `may_repeat`. The shared bytes are equal by
    /// construction, so that the byte after them usually decides.
    #[inline(always)]
    pub(crate) fn read<'a>(
        &mut self,
        input: &mut Input<'a>,
        may_repeat: bool,
    ) -> Result<NextKey<'a>, Damage> {
        let header = KeyHeader::read(input)?;
        let following = input.rest();
        let suffix = header.suffix(input, self.shareable)?;
        let next = NextKey {
            shared: header.shared,
            extra: header.extra,
            suffix,
            following,
            last_len: self.len,
        };
        match (suffix.first(), self.bytes.get(header.shared)) {
            (Some(new), Some(old)) if new > old => {}
            _ => self.check_order(header.shared, suffix, input.position(), may_repeat)?,
        }
        self.replace_end(header.shared, suffix, following);
        Ok(next)
    }

    /// Checks the order where the first byte of the suffix does not decide.
    #[inline(always)]
    fn check_order(
        &self,
        shared: usize,
        suffix: &[u8],
        position: usize,
        may_repeat: bool,
    ) -> Result<(), Damage> {
        let old = self.bytes.get(shared..self.len).unwrap_or_default();
        match compare(suffix, old).0 {
            Ordering::Greater => Ok(()),
            Ordering::Equal if may_repeat => Ok(()),
            _ => Err(unsorted(position, suffix, old)),
        }
    }

    /// Sets the key to `start` followed by `suffix`.
    pub(crate) fn set(&mut self, start: &[u8], suffix: &[u8]) {
        self.replace_end_slowly(0, start);
        self.replace_end_slowly(start.len(), suffix);
    }

    /// Replaces everything after the first `shared` bytes by `suffix`; `following` begins with it.
    #[inline(always)]
    fn replace_end(&mut self, shared: usize, suffix: &[u8], following: &[u8]) {
        let target = self
            .bytes
            .get_mut(shared..)
            .and_then(|bytes| bytes.first_chunk_mut::<COPY_LEN>());
        match (target, following.first_chunk::<COPY_LEN>()) {
            (Some(target), Some(chunk)) if suffix.len() <= COPY_LEN => {
                *target = *chunk;
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
        if self.bytes.len() < self.len + COPY_LEN {
            self.bytes.resize(self.len + 2 * COPY_LEN, 0);
        }
        if let Some(target) = self.bytes.get_mut(shared..self.len) {
            target.copy_from_slice(suffix);
        }
    }
}

/// A key that was read, as its difference from the previous one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextKey<'a> {
    /// Bytes shared with the previous key.
    pub shared: usize,
    /// Bits that belong to the record's type.
    pub extra: u8,
    /// The bytes after the shared ones.
    pub suffix: &'a [u8],
    /// Bytes of the buffer from the suffix on.
    following: &'a [u8],
    /// Length of the previous key.
    pub last_len: usize,
}

impl NextKey<'_> {
    /// Whether the suffix contains a NUL.
    #[inline(always)]
    pub(crate) fn has_nul(&self) -> bool {
        let len = self.suffix.len();
        match self.following.first_chunk::<8>() {
            Some(word) if len.wrapping_sub(1) < 8 => has_zero(u64::from_le_bytes(*word), len),
            _ => has_byte(self.suffix, 0),
        }
    }
}

/// Damage for keys out of order: names the first byte that differs, or the lengths if none does.
#[cold]
#[inline(never)]
fn unsorted(position: usize, new: &[u8], old: &[u8]) -> Damage {
    let same = common_prefix(new, old);
    match (new.get(same), old.get(same)) {
        (Some(&n), Some(&o)) => Corruption::new(
            wide(position),
            "key not greater than the previous one, first differing byte",
            u64::from(n),
            Expected::AtLeast(u64::from(o).saturating_add(1)),
        ),
        _ => Corruption::new(
            wide(position),
            "empty key or key not greater than the previous one, length",
            wide(new.len()),
            Expected::AtLeast(wide(old.len()).saturating_add(1)),
        ),
    }
}

#[cfg(test)]
mod tests;
