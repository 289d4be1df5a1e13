//! The header and the footer of a file.
//!
//! ```text
//! header
//! offset  size  content
//!      0  4     'REFT'
//!      4  1     version, 1 or 2
//!      5  3     block_size; 0 if blocks are not aligned
//!      8  8     min_update_index
//!     16  8     max_update_index
//!     24  4     hash_id, in version 2 only
//!
//! footer; h = 24 or 28
//! offset  size  content
//!      0  h     copy of the header
//!      h  8     position of the ref index
//! h +  8  8     position of the object section << 5 | length of its abbreviated ids
//! h + 16  8     position of the object index
//! h + 24  8     position of the log section
//! h + 32  8     position of the log index
//! h + 40  4     CRC-32 of all bytes of the footer before it
//! ```
//!
//! Numbers are big-endian. A position of 0 means that the section or index does not exist.
#![forbid(unsafe_code)]

use super::options::Stats;
use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::layout::{footer_len, header_len, MAGIC, OBJECT_ID_LEN_BITS};
use crate::format::{Corruption, Damage, Expected, HashId, Input};

/// The checksum of footers, the same CRC-32 as zlib's.
static CRC32: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The header of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub version: u8,
    pub block_size: u32,
    pub min_update_index: u64,
    pub max_update_index: u64,
    pub hash_id: HashId,
}

/// The fields of a footer after the copy of the header. A position is 0 if there is no such section
/// or index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Footer {
    pub ref_index: u64,
    pub objects: u64,
    pub object_id_len: usize,
    pub object_index: u64,
    pub logs: u64,
    pub log_index: u64,
}

impl Header {
    /// The header of a new file.
    pub(super) fn new(hash_id: HashId, block_size: u32) -> Self {
        Self {
            version: hash_id.version(),
            block_size,
            min_update_index: 0,
            max_update_index: 0,
            hash_id,
        }
    }

    /// Bytes of the header.
    pub(super) fn len(&self) -> usize {
        header_len(self.version).unwrap_or_default()
    }

    /// Bytes of the footer.
    pub(super) fn footer_len(&self) -> usize {
        footer_len(self.len())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.footer_len());
        out.extend_from_slice(&MAGIC);
        let [_, size @ ..] = self.block_size.to_be_bytes();
        out.push(self.version);
        out.extend_from_slice(&size);
        out.extend_from_slice(&self.min_update_index.to_be_bytes());
        out.extend_from_slice(&self.max_update_index.to_be_bytes());
        if self.version == 2 {
            out.extend_from_slice(&self.hash_id.format_id().to_be_bytes());
        }
        out
    }

    /// The footer of a file with these sections.
    pub(super) fn footer(&self, stats: &Stats) -> Vec<u8> {
        let mut out = self.encode();
        for position in [
            stats.ref_stats.index_offset,
            stats.obj_stats.offset << OBJECT_ID_LEN_BITS | u64::from(stats.object_id_len),
            stats.obj_stats.index_offset,
            stats.log_stats.offset,
            stats.log_stats.index_offset,
        ] {
            out.extend_from_slice(&position.to_be_bytes());
        }
        let crc = CRC32.checksum(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// Reads the header at the start of a file.
    pub(super) fn parse(file: &[u8]) -> Result<Self, Damage> {
        const WHAT: &str = "bytes of the file header";
        let mut input = Input::new(file, file.len());
        let magic = input.array(WHAT)?;
        if magic != MAGIC {
            return Err(wrong(0, "magic number", magic, MAGIC));
        }
        let [version] = input.array(WHAT)?;
        if header_len(version).is_none() {
            return Err(Corruption::at(4, "version", usize::from(version), 2));
        }
        let block_size = be24(input.array(WHAT)?);
        let min_update_index = u64::from_be_bytes(input.array(WHAT)?);
        let max_update_index = u64::from_be_bytes(input.array(WHAT)?);
        let hash_id = if version == 1 {
            HashId::Sha1
        } else {
            let id = input.array(WHAT)?;
            let known = HashId::Sha256.format_id().to_be_bytes();
            HashId::from_format_id(u32::from_be_bytes(id))
                .ok_or_else(|| wrong(24, "hash id, neither sha1 nor s256", id, known))?
        };
        Ok(Self {
            version,
            block_size,
            min_update_index,
            max_update_index,
            hash_id,
        })
    }

    /// Checks that the least update index is not above the greatest. Reading does not depend on
    /// it, and git's library writes and reads tables that break it.
    pub(super) fn check_limits(&self) -> Result<(), Damage> {
        if self.min_update_index > self.max_update_index {
            let (found, most) = (self.min_update_index, self.max_update_index);
            let most = Expected::AtMost(most);
            return Err(Corruption::new(8, "least update index", found, most));
        }
        Ok(())
    }

    /// Checks the length of abbreviated object ids; `end` is the position of the footer. According
    /// to the format's document it is at least two, but google/reftable's writer also uses one.
    pub(super) fn check_object_id_len(&self, found: usize, end: usize) -> Result<(), Damage> {
        let most = self.hash_id.len();
        let expected = match found {
            0 => Expected::AtLeast(1),
            _ if found > most => Expected::AtMost(wide(most)),
            _ => return Ok(()),
        };
        let what = "length of abbreviated object ids";
        let offset = wide(end + self.len() + 8);
        Err(Corruption::new(offset, what, wide(found), expected))
    }
}

impl Footer {
    /// Reads the footer at the end of a file with this header, and checks the copy of the header
    /// and the checksum.
    ///
    /// Positions are not checked. A wrong position is found by cursors of its section, and the
    /// other sections stay readable.
    pub(super) fn parse(file: &[u8], header: &Header) -> Result<Self, Damage> {
        let least = header.len() + header.footer_len();
        if file.len() < least {
            let least = Expected::AtLeast(wide(least));
            return Err(Corruption::new(0, "file length", wide(file.len()), least));
        }
        let start = file.len() - header.footer_len();
        let footer = file.get(start..).unwrap_or_default();
        for (at, (&found, &expected)) in footer.iter().zip(file).take(header.len()).enumerate() {
            if found != expected {
                return Err(Corruption::new(
                    wide(start + at),
                    "byte of the footer that repeats the header",
                    u64::from(found),
                    Expected::Exactly(u64::from(expected)),
                ));
            }
        }
        let checked = footer.get(..footer.len() - 4).unwrap_or_default();
        let mut input = Input::new(footer, file.len());
        input.bytes(header.len(), "bytes of the footer")?;
        let found = Self::positions(&mut input)?;
        let crc_at = input.position();
        let crc = input.array("bytes of the footer")?;
        let computed = CRC32.checksum(checked).to_be_bytes();
        if crc != computed {
            return Err(wrong(wide(crc_at), "checksum of the footer", crc, computed));
        }
        Ok(found)
    }

    fn positions(input: &mut Input<'_>) -> Result<Self, Damage> {
        let mut next = || -> Result<u64, Damage> {
            Ok(u64::from_be_bytes(input.array("bytes of the footer")?))
        };
        let ref_index = next()?;
        let objects = next()?;
        let len_mask = (1 << OBJECT_ID_LEN_BITS) - 1;
        Ok(Self {
            ref_index,
            objects: objects >> OBJECT_ID_LEN_BITS,
            object_id_len: usize::try_from(objects & len_mask).unwrap_or(0),
            object_index: next()?,
            logs: next()?,
            log_index: next()?,
        })
    }

    /// Checks that all positions are between the header and the footer at `end` and in the order
    /// of the format, and that the length of abbreviated object ids is possible.
    pub(super) fn check(&self, header: &Header, end: usize) -> Result<(), Damage> {
        let mut least = wide(header.len());
        for (at, position, what) in [
            (0, self.ref_index, "position of the ref index"),
            (8, self.objects, "position of the object section"),
            (16, self.object_index, "position of the object index"),
            (24, self.logs, "position of the log section"),
            (32, self.log_index, "position of the log index"),
        ] {
            let offset = wide(end + header.len() + at);
            if position == 0 {
                continue;
            }
            if position < least {
                return Err(Corruption::new(
                    offset,
                    what,
                    position,
                    Expected::AtLeast(least),
                ));
            }
            if position >= wide(end) {
                let most = Expected::AtMost(wide(end).saturating_sub(1));
                return Err(Corruption::new(offset, what, position, most));
            }
            least = position.saturating_add(1);
        }
        match self.objects {
            0 => Ok(()),
            _ => header.check_object_id_len(self.object_id_len, end),
        }
    }
}

#[cold]
fn wrong(offset: u64, what: &'static str, found: [u8; 4], expected: [u8; 4]) -> Damage {
    Corruption::new(
        offset,
        what,
        u64::from(u32::from_be_bytes(found)),
        Expected::Exactly(u64::from(u32::from_be_bytes(expected))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offset, number found and number expected.
    fn damage(footer: &Footer, hash_id: HashId, end: usize) -> Option<(u64, u64, Expected)> {
        let checked = footer.check(&Header::new(hash_id, 4096), end);
        let damage = checked.err()?;
        Some((damage.offset, damage.found, damage.expected))
    }

    #[test]
    fn positions_must_ascend_between_header_and_footer() {
        let good = Footer {
            ref_index: 28,
            objects: 29,
            object_id_len: 2,
            object_index: 50,
            logs: 60,
            log_index: 99,
        };
        let sha256 = |footer: Footer| damage(&footer, HashId::Sha256, 100);
        assert_eq!(sha256(good), None);
        assert_eq!(sha256(Footer::default()), None);
        // The footer is at 100, and the first position after 28 bytes of header.
        for (bad, found) in [
            (
                Footer {
                    ref_index: 27,
                    ..good
                },
                (128, 27, Expected::AtLeast(28)),
            ),
            (
                Footer {
                    objects: 28,
                    ..good
                },
                (136, 28, Expected::AtLeast(29)),
            ),
            (
                Footer {
                    object_index: 29,
                    ..good
                },
                (144, 29, Expected::AtLeast(30)),
            ),
            (
                Footer { logs: 100, ..good },
                (152, 100, Expected::AtMost(99)),
            ),
            (
                Footer {
                    log_index: 60,
                    ..good
                },
                (160, 60, Expected::AtLeast(61)),
            ),
        ] {
            assert_eq!(sha256(bad), Some(found));
        }
    }

    #[test]
    fn abbreviated_ids_have_at_least_one_byte_and_are_no_longer_than_ids() {
        for (hash_id, header_len) in [(HashId::Sha1, 24), (HashId::Sha256, 28)] {
            let most = hash_id.len();
            for len in 0..=most + 1 {
                let footer = Footer {
                    objects: 50,
                    object_id_len: len,
                    ..Footer::default()
                };
                let expected = match len {
                    0 => Expected::AtLeast(1),
                    _ if len > most => Expected::AtMost(wide(most)),
                    _ => {
                        assert_eq!(damage(&footer, hash_id, 100), None);
                        continue;
                    }
                };
                let offset = 100 + header_len + 8;
                let found = Some((offset, wide(len), expected));
                assert_eq!(damage(&footer, hash_id, 100), found);
            }
        }
    }
}
