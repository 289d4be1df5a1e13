//! The key of a record on the fast path, which `record::fast` defines.
#![forbid(unsafe_code)]

use super::{KeyBuf, EXTRA_BITS, EXTRA_MASK};
use crate::format::words::has_zero;

/// Bytes copied for every suffix, which has at most 15; the rest is overwritten by the next key.
pub(super) const SUFFIX_COPY_LEN: usize = 16;

/// The bytes of a buffer from the start of a record on: enough for two lengths, a suffix of 15
/// bytes, an update index of one byte and a SHA-256 id. They may include later records. In a
/// file they always exist, because the footer is longer.
pub(crate) type Window = [u8; 64];

/// Offset of a suffix in the window: the two lengths before it have one byte each.
const SUFFIX_AT: usize = 2;

/// The two lengths of a key and the first byte of its suffix.
pub(crate) struct FastHeader {
    /// Bytes shared with the previous key; negative if the length has several bytes.
    pub shared: i8,
    /// Bytes of the suffix, 1 to 15.
    pub suffix_len: u8,
    /// First byte of the suffix.
    pub first: u8,
    /// Bits that belong to the record's type.
    pub extra: u8,
}

impl FastHeader {
    /// Reads the header of a record whose second length has one byte and is not zero.
    #[inline(always)]
    pub(crate) fn read(window: &Window) -> Option<Self> {
        let [shared, number, first, ..] = *window;
        ((1 << EXTRA_BITS)..0x80).contains(&number).then_some(Self {
            shared: i8::from_ne_bytes([shared]),
            suffix_len: number >> EXTRA_BITS,
            first,
            extra: number & EXTRA_MASK,
        })
    }

    /// Offset of the value in the window.
    #[inline(always)]
    pub(crate) fn value_at(&self) -> usize {
        SUFFIX_AT + usize::from(self.suffix_len)
    }
}

/// A key that has been read but not yet stored in the [`KeyBuf`].
pub(crate) struct FastKey<'a> {
    /// Bytes shared with the previous key.
    shared: usize,
    /// Bytes of the suffix, 1 to 15.
    suffix_len: usize,
    /// Bits that belong to the record's type.
    pub extra: u8,
    /// The suffix and the bytes that follow it.
    suffix: &'a [u8; SUFFIX_COPY_LEN],
    /// The previous key, with room for a suffix after the shared bytes.
    bytes: &'a mut [u8],
    /// `KeyBuf::len` and `KeyBuf::shareable`.
    lens: (&'a mut usize, &'a mut usize),
}

impl<'a> FastKey<'a> {
    /// Offset of the value in the window.
    #[inline(always)]
    pub(crate) fn value_at(&self) -> usize {
        SUFFIX_AT + self.suffix_len
    }

    /// Whether the suffix contains a NUL.
    #[inline(always)]
    pub(crate) fn has_nul(&self) -> bool {
        let words = (self.suffix.first_chunk(), self.suffix.last_chunk());
        let (Some(first), Some(second)) = words else {
            return true;
        };
        let first = u64::from_le_bytes(*first);
        if self.suffix_len <= 8 {
            has_zero(first, self.suffix_len)
        } else {
            has_zero(first, 8) || has_zero(u64::from_le_bytes(*second), self.suffix_len - 8)
        }
    }

    /// Makes this the current key of its [`KeyBuf`] and returns it.
    #[inline(always)]
    pub(crate) fn store(self) -> &'a [u8] {
        let target = self
            .bytes
            .get_mut(self.shared..self.shared + SUFFIX_COPY_LEN);
        if let Some(target) = target.and_then(<[u8]>::first_chunk_mut) {
            *target = *self.suffix;
        }
        let len = self.shared + self.suffix_len;
        (*self.lens.0, *self.lens.1) = (len, len);
        self.bytes.get(..len).unwrap_or_default()
    }
}

impl KeyBuf {
    /// Reads the next key if the fast path can: both lengths have one byte, and the first byte
    /// of the suffix proves that the key is greater than the previous one. Otherwise
    /// [`read`](Self::read) decides.
    #[inline(always)]
    pub(crate) fn read_fast<'a>(&'a mut self, window: &'a Window) -> Option<FastKey<'a>> {
        let header = FastHeader::read(window)?;
        let shared = usize::try_from(header.shared).ok()?;
        if shared > self.shareable {
            return None;
        }
        let suffix = window.get(SUFFIX_AT..)?.first_chunk()?;
        let old = self.bytes.get(shared..shared + SUFFIX_COPY_LEN)?;
        // If the previous key ends here, this compares with a byte that means nothing. A longer
        // key is greater in any case.
        (header.first > *old.first()?).then_some(FastKey {
            shared,
            suffix_len: usize::from(header.suffix_len),
            extra: header.extra,
            suffix,
            bytes: &mut self.bytes,
            lens: (&mut self.len, &mut self.shareable),
        })
    }
}
