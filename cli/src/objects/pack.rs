//! Packs of objects.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use flate2::bufread::ZlibDecoder;
use reftable::table::TableData;
use reftable::{HashId, ObjectId};

use super::{Kind, Object, MAX_SIZE};

/// The most deltas between an entry and its base; git makes 50 by default.
const MAX_DEPTH: usize = 4096;

/// A pack and its index.
#[derive(Debug)]
pub struct Pack {
    /// Mapped.
    index: TableData,
    /// The form of the index: 1 or 2.
    version: u32,
    count: usize,
    hash: HashId,
    pack: File,
}

/// What is in an entry.
enum Content {
    /// An object of this type.
    Object(u8),
    /// A delta to the entry at this position.
    Delta(u64),
}

/// The number of the type of a tag.
const TAG: u8 = 4;

impl Pack {
    /// Opens the pack with the index `path`. `None` if they cannot be used.
    pub fn open(path: &Path, hash: HashId) -> Option<Self> {
        let mut pack = Self {
            index: TableData::open(path).ok()?,
            version: 1,
            count: 0,
            hash,
            pack: File::open(path.with_extension("pack")).ok()?,
        };
        if pack.index.starts_with(b"\xfftOc") {
            pack.version = pack.number(4)?;
        }
        pack.count = usize::try_from(pack.fan_out(255)?).ok()?;
        matches!(pack.version, 1 | 2).then_some(pack)
    }

    fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.index.get(at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    }

    /// Where the table of counts begins.
    fn start(&self) -> usize {
        if self.version == 1 {
            0
        } else {
            8
        }
    }

    /// The number of objects whose first byte is at most `byte`.
    fn fan_out(&self, byte: usize) -> Option<u32> {
        self.number(self.start() + 4 * byte)
    }

    /// The id of the object with this number.
    fn id(&self, number: usize) -> Option<&[u8]> {
        let len = self.hash.len();
        let names = self.start() + 4 * 256;
        let at = match self.version {
            1 => names + number * (4 + len) + 4,
            _ => names + number * len,
        };
        self.index.get(at..at.checked_add(len)?)
    }

    /// The position of an object.
    pub fn offset_of(&self, id: &ObjectId) -> Option<u64> {
        let wanted = id.as_bytes();
        let first = usize::from(*wanted.first()?);
        let mut low = match first.checked_sub(1) {
            None => 0,
            Some(before) => usize::try_from(self.fan_out(before)?).ok()?,
        };
        let mut high = usize::try_from(self.fan_out(first)?).ok()?;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle)?.cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.offset(middle),
            }
        }
        None
    }

    /// The position of the object with this number.
    fn offset(&self, number: usize) -> Option<u64> {
        let names = self.start() + 4 * 256;
        if self.version == 1 {
            let at = names + number * (4 + self.hash.len());
            return self.number(at).map(u64::from);
        }
        // The names are followed by checksums and by the positions.
        let offsets = names + self.count * (self.hash.len() + 4);
        let offset = self.number(offsets + 4 * number)?;
        const IS_LARGE: u32 = 1 << 31;
        if offset & IS_LARGE == 0 {
            return Some(offset.into());
        }
        let large = usize::try_from(offset & !IS_LARGE).ok()?;
        let at = offsets + 4 * self.count + 8 * large;
        let bytes = self.index.get(at..)?.first_chunk()?;
        Some(u64::from_be_bytes(*bytes))
    }

    /// The object at a position, with its content if it is a tag.
    pub fn tag_at(&mut self, offset: u64) -> Option<Object> {
        // The entries from that of the object to that of its last base.
        let mut chain = Vec::new();
        let mut at = offset;
        let kind = loop {
            match self.entry(at, false)?.0 {
                Content::Object(kind) => break kind,
                Content::Delta(base) => {
                    chain.push(at);
                    at = base;
                }
            }
            if chain.len() > MAX_DEPTH {
                return None;
            }
        };
        if kind != TAG {
            return Some((Kind::Other, Vec::new()));
        }
        let mut content = self.entry(at, true)?.1;
        for &at in chain.iter().rev() {
            let (_, delta) = self.entry(at, true)?;
            content = apply(&content, &delta)?;
        }
        Some((Kind::Tag, content))
    }

    /// The entry at a position: what it is and, if it is wanted, its inflated data.
    fn entry(&mut self, offset: u64, wants_data: bool) -> Option<(Content, Vec<u8>)> {
        let mut reader = BufReader::with_capacity(512, &self.pack);
        reader.seek(SeekFrom::Start(offset)).ok()?;
        let mut byte = || {
            let mut one = [0];
            reader.read_exact(&mut one).ok().map(|()| one[0])
        };
        let first = byte()?;
        let kind = (first >> 4) & 7;
        let mut size = u64::from(first & 15);
        let (mut shift, mut last) = (4, first);
        while last & 0x80 != 0 {
            last = byte()?;
            size |= u64::from(last & 0x7f).checked_shl(shift)?;
            shift += 7;
        }
        let content = match kind {
            1..=TAG => Content::Object(kind),
            6 => {
                let mut byte_of_distance = byte()?;
                let mut distance = u64::from(byte_of_distance & 0x7f);
                while byte_of_distance & 0x80 != 0 {
                    byte_of_distance = byte()?;
                    let bits = u64::from(byte_of_distance & 0x7f);
                    distance = distance.checked_add(1)?.checked_mul(128)? | bits;
                }
                Content::Delta(offset.checked_sub(distance).filter(|_| distance > 0)?)
            }
            7 => {
                let mut id = vec![0; self.hash.len()];
                reader.read_exact(&mut id).ok()?;
                Content::Delta(self.offset_of(&ObjectId::from_bytes(&id)?)?)
            }
            _ => return None,
        };
        let mut data = Vec::new();
        if wants_data {
            if size > MAX_SIZE {
                return None;
            }
            let stream = ZlibDecoder::new(reader);
            stream.take(size).read_to_end(&mut data).ok()?;
        }
        Some((content, data))
    }
}

/// The object that a delta makes of its base.
fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    let base_size = size(&mut rest)?;
    let result_size = size(&mut rest)?;
    if base_size != base.len() || u64::try_from(result_size).ok()? > MAX_SIZE {
        return None;
    }
    let mut result = Vec::new();
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & 0x80 == 0 {
            // Bytes of the delta.
            let (bytes, after) = rest.split_at_checked(command.into())?;
            result.extend_from_slice(bytes);
            rest = after;
            if command == 0 {
                return None;
            }
        } else {
            // Bytes of the base: four bytes of position and three of length, without zeros.
            let mut numbers = [0_u8; 8];
            for (bit, number) in (0..7).zip(&mut numbers) {
                if command & 1 << bit != 0 {
                    let (&byte, after) = rest.split_first()?;
                    *number = byte;
                    rest = after;
                }
            }
            let [a, b, c, d, e, f, g, _] = numbers.map(usize::from);
            let start = a | b << 8 | c << 16 | d << 24;
            let len = match e | f << 8 | g << 16 {
                0 => 0x10000,
                len => len,
            };
            result.extend_from_slice(base.get(start..start.checked_add(len)?)?);
        }
        if result.len() > result_size {
            return None;
        }
    }
    (result.len() == result_size).then_some(result)
}

/// A number of seven bits in each byte, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let (mut size, mut shift) = (0_usize, 0);
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        size |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_copy_and_insert() {
        let delta = [5, 8, 0x91, 1, 3, 2, b'x', b'y', 0x90, 3];
        assert_eq!(apply(b"abcde", &delta).unwrap(), b"bcdxyabc");
        for wrong in [
            &delta[..9],
            &[4, 8],
            &[5, 3, 0x90, 9],
            &[5, 1, 0],
            &[5, 9, 1],
        ] {
            assert_eq!(apply(b"abcde", wrong), None, "{wrong:?}");
        }
    }
}
