//! First and last bytes of a file.
//!
//! ```text
//! header:                                   footer:
//!   0  'REFT'                                 header again
//!   4  version                                uint64 ref_index_position
//!   5  uint24 block_size                      uint64 obj_position << 5 | obj_id_len
//!   8  uint64 min_update_index                uint64 obj_index_position
//!  16  uint64 max_update_index                uint64 log_position
//!  24  uint32 hash_id (version 2 only)        uint64 log_index_position
//!                                             uint32 CRC-32 of all before it
//! ```
#![forbid(unsafe_code)]

use super::options::Stats;
use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::layout::{footer_len, header_len, MAGIC, OBJECT_ID_LEN_BITS};
use crate::format::{Corruption, Damage, Expected, HashId, Input};

/// The checksum of footers, that of zlib.
static CRC32: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// What the file header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub version: u8,
    pub block_size: u32,
    pub min_update_index: u64,
    pub max_update_index: u64,
    pub hash_id: HashId,
}

/// Positions of sections and indexes, as the footer gives them; 0 means that there is none.
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

    /// Bytes in the file.
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

    /// Checks that the update indexes are in order. Reading does not depend on it, and git's
    /// library writes and reads tables for which it is not so.
    pub(super) fn check_limits(&self) -> Result<(), Damage> {
        if self.min_update_index > self.max_update_index {
            let (found, most) = (self.min_update_index, self.max_update_index);
            let most = Expected::AtMost(most);
            return Err(Corruption::new(8, "least update index", found, most));
        }
        Ok(())
    }

    /// Checks that object ids have the bytes to which an object section abbreviates them; `end`
    /// is the position of the footer. The format's document asks for two bytes at least, but
    /// google/reftable's writer is content with one.
    pub(super) fn check_object_id_len(&self, found: usize, end: usize) -> Result<(), Damage> {
        let most = self.hash_id.len();
        let expected = match found {
            0 => Expected::AtLeast(1),
            _ if found > most => Expected::AtMost(wide(most)),
            _ => return Ok(()),
        };
        let what = "length of abbreviated object ids";
        let place = wide(end + self.len() + 8);
        Err(Corruption::new(place, what, wide(found), expected))
    }
}

impl Footer {
    /// Reads the footer at the end of a file with this header, and checks that the two agree.
    ///
    /// Positions are taken as they are. A wrong one is damage of its section, which the cursors of
    /// the section come across; those of the others need not know.
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
        let place = input.position();
        let crc = input.array("bytes of the footer")?;
        let computed = CRC32.checksum(checked).to_be_bytes();
        if crc != computed {
            return Err(wrong(wide(place), "checksum of the footer", crc, computed));
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

    /// Checks that sections are between the header and the footer at `end`, in the order of the
    /// format, and that abbreviated object ids can have the given length.
    pub(super) fn check(&self, header: &Header, end: usize) -> Result<(), Damage> {
        let mut least = wide(header.len());
        for (at, position, what) in [
            (0, self.ref_index, "position of the ref index"),
            (8, self.objects, "position of the object section"),
            (16, self.object_index, "position of the object index"),
            (24, self.logs, "position of the log section"),
            (32, self.log_index, "position of the log index"),
        ] {
            let place = wide(end + header.len() + at);
            if position == 0 {
                continue;
            }
            if position < least {
                return Err(Corruption::new(
                    place,
                    what,
                    position,
                    Expected::AtLeast(least),
                ));
            }
            if position >= wide(end) {
                let most = Expected::AtMost(wide(end).saturating_sub(1));
                return Err(Corruption::new(place, what, position, most));
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
fn wrong(place: u64, what: &'static str, found: [u8; 4], expected: [u8; 4]) -> Damage {
    Corruption::new(
        place,
        what,
        u64::from(u32::from_be_bytes(found)),
        Expected::Exactly(u64::from(u32::from_be_bytes(expected))),
    )
}
