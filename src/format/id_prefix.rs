//! Abbreviated object ids.
#![forbid(unsafe_code)]

/// The first hexadecimal digits of an object id.
///
/// ```
/// use reftable::format::IdPrefix;
///
/// let prefix = IdPrefix::from_hex("e69de").unwrap();
/// assert!(prefix.matches(&[0xe6, 0x9d, 0xe2, 0x9b]));
/// assert!(!prefix.matches(&[0xe6, 0x9d, 0x12, 0x9b]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    /// If the number of digits is odd, the lower half of the last byte is zero.
    bytes: Vec<u8>,
    is_odd: bool,
}

impl IdPrefix {
    /// The prefix with these digits, in upper or lower case. Returns `None` if `text` has any other
    /// character.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let byte = |pair: &[u8]| match *pair {
            [high, low] => Some(hex_digit(high)? << 4 | hex_digit(low)?),
            [high] => Some(hex_digit(high)? << 4),
            _ => None,
        };
        Some(Self {
            bytes: digits.chunks(2).map(byte).collect::<Option<_>>()?,
            is_odd: digits.len() % 2 != 0,
        })
    }

    /// Whether the object id begins with these digits.
    #[must_use]
    pub fn matches(&self, id: &[u8]) -> bool {
        id.len() >= self.bytes.len() && self.overlaps(id)
    }

    /// Whether the digits begin with those of `key`, or the other way round.
    pub(crate) fn overlaps(&self, key: &[u8]) -> bool {
        let Some((&last, whole)) = self.bytes.split_last().filter(|_| self.is_odd) else {
            let len = key.len().min(self.bytes.len());
            return key.get(..len) == self.bytes.get(..len);
        };
        let len = key.len().min(whole.len());
        key.get(..len) == whole.get(..len)
            && key.get(whole.len()).is_none_or(|byte| byte & 0xf0 == last)
    }

    /// The least bytes that begin with these digits.
    pub(crate) fn least(&self) -> &[u8] {
        &self.bytes
    }
}

/// The value of a hexadecimal digit.
pub(crate) fn hex_digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 4] = [0xe6, 0x9d, 0xe2, 0x9b];

    #[test]
    fn prefixes_may_have_an_odd_number_of_digits() {
        for (digits, expected) in [
            ("", true),
            ("e", true),
            ("d", false),
            ("E69d", true),
            ("e69de", true),
            ("e69d1", false),
            ("e69e", false),
            ("e69de29", true),
            ("e69de29b", true),
            ("e69de29c", false),
            ("e69de29b0", false),
        ] {
            let prefix = IdPrefix::from_hex(digits).unwrap();
            assert_eq!(prefix.matches(&ID), expected, "{digits}");
        }
        assert_eq!(IdPrefix::from_hex("e69g"), None);
    }

    #[test]
    fn prefixes_and_shorter_keys_overlap() {
        for (digits, key, expected) in [
            ("e69", &ID[..2], true),
            ("e69", &ID[..1], true),
            ("e69de2", &ID[..2], true),
            ("e69ce2", &ID[..2], false),
            ("e6ade2", &ID[..2], false),
            ("e6", &[], true),
            ("e", &ID[..1], true),
        ] {
            let prefix = IdPrefix::from_hex(digits).unwrap();
            assert_eq!(prefix.overlaps(key), expected, "{digits} {key:?}");
        }
    }
}
