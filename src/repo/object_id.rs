//! Object ids.
#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use crate::format::id_prefix::hex_digit;
use crate::format::{HashId, MAX_HASH_LEN};

/// The name of an object: its SHA-1 or SHA-256 hash.
///
/// Its text, in [`Display`](fmt::Display) and [`FromStr`], is 40 or 64 hexadecimal digits.
///
/// ```
/// use reftable::{HashId, ObjectId};
///
/// let text = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
/// let id: ObjectId = text.parse()?;
/// assert_eq!(id.hash(), HashId::Sha1);
/// assert_eq!(id.to_string(), text);
/// # Ok::<(), reftable::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    hash: HashId,
    /// Followed by zeros if the hash is shorter.
    bytes: [u8; MAX_HASH_LEN],
}

impl ObjectId {
    /// The id that consists of zeros. Git uses it in reflogs for the value of a ref that does not
    /// exist.
    #[must_use]
    pub const fn null(hash: HashId) -> Self {
        Self {
            hash,
            bytes: [0; MAX_HASH_LEN],
        }
    }

    /// The id with these bytes: 20 of SHA-1, 32 of SHA-256. Returns `None` for any other number of
    /// bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let hash = match bytes.len() {
            20 => HashId::Sha1,
            32 => HashId::Sha256,
            _ => return None,
        };
        let mut id = Self::null(hash);
        id.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(id)
    }

    /// The id in a record of a table, whose reader has checked its length.
    #[inline(always)]
    pub(super) fn stored(bytes: &[u8], hash: HashId) -> Self {
        let mut id = Self::null(hash);
        // Copying a fixed number of bytes takes a few instructions.
        match hash {
            HashId::Sha1 => copy::<20>(bytes, &mut id.bytes),
            HashId::Sha256 => copy::<32>(bytes, &mut id.bytes),
        }
        id
    }

    /// The hash function.
    #[inline]
    #[must_use]
    pub const fn hash(&self) -> HashId {
        self.hash
    }

    /// The bytes of the hash: 20 or 32.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.hash.len()).unwrap_or(&self.bytes)
    }

    /// Whether this is the [`null`](Self::null) id.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.bytes == [0; MAX_HASH_LEN]
    }
}

impl AsRef<[u8]> for ObjectId {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// Copies the first `N` bytes, if there are as many.
#[inline(always)]
fn copy<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut()) {
        *to = *from;
    }
}

/// A text that is no object id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object id has 40 or 64 hexadecimal digits")
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for ObjectId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Self::from_hex(text.as_bytes()).ok_or(ParseIdError)
    }
}

impl ObjectId {
    /// The id with this text, in upper or lower case.
    pub(super) fn from_hex(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_HASH_LEN];
        let used = bytes.get_mut(..text.len() / 2)?;
        for (byte, digits) in used.iter_mut().zip(text.chunks(2)) {
            let &[high, low] = digits else { return None };
            *byte = hex_digit(high)? << 4 | hex_digit(low)?;
        }
        if text.len() % 2 != 0 {
            return None;
        }
        Self::from_bytes(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for digits in [40, 64] {
            let text: String = "0123456789abcdef".chars().cycle().take(digits).collect();
            let id: ObjectId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(text.to_uppercase().parse(), Ok(id));
            assert_eq!(id.as_bytes().len() * 2, digits);
            assert_eq!(ObjectId::from_bytes(id.as_bytes()), Some(id));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let id = "0".repeat(40);
        for text in [
            "",
            "0",
            &id[1..],
            &format!("{id}0"),
            &format!("g{}", &id[1..]),
        ] {
            assert_eq!(text.parse::<ObjectId>(), Err(ParseIdError), "{text}");
        }
        assert!("0".repeat(66).parse::<ObjectId>().is_err());
    }

    #[test]
    fn null_ids_of_the_two_hashes_differ() {
        let [sha1, sha256] = [HashId::Sha1, HashId::Sha256].map(ObjectId::null);
        assert!(sha1.is_null() && sha256.is_null());
        assert_ne!(sha1, sha256);
    }
}
