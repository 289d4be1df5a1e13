//! Constants and tags of the file format.
#![forbid(unsafe_code)]

/// First bytes of the header and of the footer.
pub(crate) const MAGIC: [u8; 4] = *b"REFT";

/// Bytes of the longest object id (SHA-256).
pub const MAX_HASH_LEN: usize = 32;
/// Maximum block size in bytes: block lengths are 24-bit numbers.
pub const MAX_BLOCK_SIZE: u32 = (1 << 24) - 1;
/// Default block size of writers, in bytes.
pub const DEFAULT_BLOCK_SIZE: u32 = 4096;
/// Default number of records between two restarts in writers.
pub const DEFAULT_RESTART_INTERVAL: u16 = 16;
/// Maximum number of restarts in a block: their count is a 16-bit number.
pub const MAX_RESTARTS: usize = 65_535;

/// Bytes of a block header: type and 24-bit length.
pub(crate) const BLOCK_HEADER_LEN: usize = 4;
/// Bytes of one restart offset.
pub(crate) const RESTART_LEN: usize = 3;
/// Bytes of the restart count, with which a block ends.
pub(crate) const RESTART_COUNT_LEN: usize = 2;
/// Low bits of the footer's object position, which hold the abbreviation length.
pub(crate) const OBJECT_ID_LEN_BITS: u32 = 5;
/// Maximum length of an abbreviated object id: the largest number in these bits.
pub(crate) const MAX_OBJECT_ID_LEN: usize = (1 << OBJECT_ID_LEN_BITS) - 1;
/// Minimum length of an abbreviated object id according to the format.
pub(crate) const MIN_OBJECT_ID_LEN: usize = 2;

/// The hash function of a table's object ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashId {
    /// 20-byte ids.
    #[default]
    Sha1,
    /// 32-byte ids.
    Sha256,
}

#[expect(clippy::len_without_is_empty, reason = "no hash has ids of no bytes")]
impl HashId {
    /// Bytes of one object id.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => MAX_HASH_LEN,
        }
    }

    /// The hash id field of a version 2 header: `sha1` or `s256` in ASCII.
    #[must_use]
    pub const fn format_id(self) -> u32 {
        match self {
            Self::Sha1 => u32::from_be_bytes(*b"sha1"),
            Self::Sha256 => u32::from_be_bytes(*b"s256"),
        }
    }

    /// The inverse of [`format_id`](Self::format_id).
    #[must_use]
    pub const fn from_format_id(id: u32) -> Option<Self> {
        if id == Self::Sha1.format_id() {
            Some(Self::Sha1)
        } else if id == Self::Sha256.format_id() {
            Some(Self::Sha256)
        } else {
            None
        }
    }

    /// The format version that writers use for this hash.
    #[must_use]
    pub const fn version(self) -> u8 {
        match self {
            Self::Sha1 => 1,
            Self::Sha256 => 2,
        }
    }

    /// An all-zero id of this hash.
    #[must_use]
    pub const fn zero_id(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0; 20],
            Self::Sha256 => &[0; MAX_HASH_LEN],
        }
    }
}

/// Bytes of the file header of `version`; `None` for an unknown version.
pub(crate) const fn header_len(version: u8) -> Option<usize> {
    // Magic 4, version 1, block size 3, two update indexes of 8 each; version 2 adds the hash id.
    match version {
        1 => Some(24),
        2 => Some(28),
        _ => None,
    }
}

/// Bytes of the footer of a file with a header of `header_len` bytes.
pub(crate) const fn footer_len(header_len: usize) -> usize {
    // A copy of the header, five positions of 8 bytes, CRC-32.
    header_len + 5 * 8 + 4
}

/// The type of a block, which is its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum BlockType {
    /// Refs.
    Ref = b'r',
    /// Reflog entries; the only blocks that are deflated.
    Log = b'g',
    /// Abbreviated object ids and the ref blocks that contain them.
    Obj = b'o',
    /// Last keys of other blocks.
    Index = b'i',
}

impl BlockType {
    /// The byte in the file.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ref => b'r',
            Self::Log => b'g',
            Self::Obj => b'o',
            Self::Index => b'i',
        }
    }
}

impl TryFrom<u8> for BlockType {
    type Error = u8;

    /// Returns the byte as the error if it is not a block type.
    fn try_from(byte: u8) -> std::result::Result<Self, u8> {
        match byte {
            b'r' => Ok(Self::Ref),
            b'g' => Ok(Self::Log),
            b'o' => Ok(Self::Obj),
            b'i' => Ok(Self::Index),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_ids_round_trip() {
        for id in [HashId::Sha1, HashId::Sha256] {
            assert_eq!(HashId::from_format_id(id.format_id()), Some(id));
            assert_eq!(id.zero_id().len(), id.len());
        }
        assert_eq!(HashId::from_format_id(0), None);
        assert_eq!(HashId::Sha1.format_id(), 0x7368_6131);
        assert_eq!(HashId::Sha256.format_id(), 0x7332_3536);
    }

    #[test]
    fn block_types_round_trip() {
        let known: Vec<u8> = (0..=255)
            .filter(|&b| BlockType::try_from(b).is_ok_and(|t| t.byte() == b))
            .collect();
        assert_eq!(known, b"gior");
    }

    #[test]
    fn header_and_footer_lengths() {
        assert_eq!(header_len(1).map(footer_len), Some(68));
        assert_eq!(header_len(2).map(footer_len), Some(72));
        assert_eq!(header_len(0), None);
        assert_eq!(header_len(3), None);
    }
}
