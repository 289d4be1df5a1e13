//! Fixed numbers of the file format, and the tags that stand in its bytes.
#![forbid(unsafe_code)]

/// First bytes of every table and of its footer.
pub(crate) const MAGIC: [u8; 4] = *b"REFT";

/// Bytes of the longest object id (SHA-256).
pub const MAX_HASH_LEN: usize = 32;
/// Largest block size in bytes: block lengths are 24-bit numbers.
pub const MAX_BLOCK_SIZE: u32 = (1 << 24) - 1;
/// Block size in bytes that a writer uses when none is asked for.
pub const DEFAULT_BLOCK_SIZE: u32 = 4096;
/// Records between two restarts that a writer uses when none is asked for.
pub const DEFAULT_RESTART_INTERVAL: u16 = 16;
/// Most restarts that a block can hold: their count is a 16-bit number.
pub const MAX_RESTARTS: usize = 65_535;

/// Bytes of a block's own header: type and 24-bit length.
pub(crate) const BLOCK_HEADER_LEN: usize = 4;
/// Bytes of one restart offset.
pub(crate) const RESTART_LEN: usize = 3;
/// Bytes of the number of restarts that ends a block.
pub(crate) const RESTART_COUNT_LEN: usize = 2;
/// Bits of the footer's object position that hold the abbreviation length.
pub(crate) const OBJECT_ID_LEN_BITS: u32 = 5;
/// Longest abbreviation that these bits can express.
pub(crate) const MAX_OBJECT_ID_LEN: usize = (1 << OBJECT_ID_LEN_BITS) - 1;
/// Shortest abbreviation that the format allows.
pub(crate) const MIN_OBJECT_ID_LEN: usize = 2;

/// The hash function whose ids a table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

    /// The number that stands for the hash in a version 2 header: `sha1` or `s256` in ASCII.
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

    /// The table version that a writer chooses for this hash.
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

/// Bytes of the file header of `version`; `None` for a version that does not exist.
pub(crate) const fn header_len(version: u8) -> Option<usize> {
    // magic 4, version 1, block size 3, two update indexes 8 each; version 2 adds the hash id.
    match version {
        1 => Some(24),
        2 => Some(28),
        _ => None,
    }
}

/// Bytes of the footer of a file whose header has `header_len` bytes.
pub(crate) const fn footer_len(header_len: usize) -> usize {
    // The header again, five positions of 8 bytes, CRC-32.
    header_len + 5 * 8 + 4
}

/// The first byte of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum BlockType {
    /// Refs.
    Ref = b'r',
    /// Reflog entries; the only blocks that are deflated.
    Log = b'g',
    /// Abbreviated object ids and the ref blocks that mention them.
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

    /// Gives the byte back when it is not a block type.
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
    fn format_ids_are_their_own_inverse() {
        for id in [HashId::Sha1, HashId::Sha256] {
            assert_eq!(HashId::from_format_id(id.format_id()), Some(id));
            assert_eq!(id.zero_id().len(), id.len());
        }
        assert_eq!(HashId::from_format_id(0), None);
        assert_eq!(HashId::Sha1.format_id(), 0x7368_6131);
        assert_eq!(HashId::Sha256.format_id(), 0x7332_3536);
    }

    #[test]
    fn block_types_are_their_bytes() {
        let known: Vec<u8> = (0..=255)
            .filter(|&b| BlockType::try_from(b).is_ok_and(|t| t.byte() == b))
            .collect();
        assert_eq!(known, b"gior");
    }

    #[test]
    fn sizes_of_both_versions() {
        assert_eq!(header_len(1).map(footer_len), Some(68));
        assert_eq!(header_len(2).map(footer_len), Some(72));
        assert_eq!(header_len(0), None);
        assert_eq!(header_len(3), None);
    }
}
