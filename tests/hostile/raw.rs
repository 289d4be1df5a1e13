//! Tables assembled by hand, with any defect.
//!
//! Every number in the file can be replaced by another one. The checksum, padding, and all lengths
//! and positions that are not replaced are right, so that the check behind a replaced number is
//! reached.

use std::io::Write as _;

use flate2::{write::ZlibEncoder, Compression};

/// A position in the file, or another number in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This number.
    Number(u64),
    /// This number of bytes after the start of a block.
    Block(usize, i64),
    /// This number of bytes after the start of the footer.
    End(i64),
}

impl Place {
    pub const NONE: Self = Self::Number(0);

    pub fn block(n: usize) -> Self {
        Self::Block(n, 0)
    }

    fn number(self, offsets: &[u64], end: u64) -> u64 {
        match self {
            Self::Number(n) => n,
            Self::Block(n, plus) => {
                let offset = offsets.get(n).copied().unwrap_or_default();
                offset.wrapping_add_signed(plus)
            }
            Self::End(plus) => end.wrapping_add_signed(plus),
        }
    }
}

/// A piece of a record's value.
#[derive(Clone, Debug)]
pub enum Part {
    Bytes(Vec<u8>),
    Varint(u64),
    /// A position, as a varint.
    Place(Place),
    /// The distance from the first position to the second, as a varint.
    Distance(Place, Place),
}

/// One record; fields that are `None` get the right values.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub key: Vec<u8>,
    /// The three bits next to the suffix length.
    pub extra: u8,
    pub value: Vec<Part>,
    /// Declared length of the prefix.
    pub prefix: Option<u64>,
    /// Declared length of the suffix.
    pub suffix: Option<u64>,
    /// Replaces prefix length, suffix length and suffix.
    pub head: Option<Vec<u8>>,
}

impl Record {
    pub fn new(key: &[u8], extra: u8, value: Vec<Part>) -> Self {
        Self {
            key: key.to_vec(),
            extra,
            value,
            ..Self::default()
        }
    }

    /// An index record.
    pub fn index(key: &[u8], place: Place) -> Self {
        Self::new(key, 0, vec![Part::Place(place)])
    }

    fn encode(&self, out: &mut Vec<u8>, before: &[u8], offsets: &[u64], end: u64) {
        let same = before.iter().zip(&self.key).take_while(|(a, b)| a == b);
        let shared = same.count();
        let suffix = &self.key[shared..];
        match &self.head {
            Some(head) => out.extend_from_slice(head),
            None => {
                put_varint(out, self.prefix.unwrap_or(shared as u64));
                let len = self.suffix.unwrap_or(suffix.len() as u64);
                put_varint(out, len.wrapping_shl(3) | u64::from(self.extra));
                out.extend_from_slice(suffix);
            }
        }
        for part in &self.value {
            match part {
                Part::Bytes(bytes) => out.extend_from_slice(bytes),
                Part::Varint(n) => put_varint(out, *n),
                Part::Place(place) => put_varint(out, place.number(offsets, end)),
                Part::Distance(from, to) => {
                    let from = from.number(offsets, end);
                    put_varint(out, to.number(offsets, end).wrapping_sub(from));
                }
            }
        }
    }
}

/// How the records of a log block are deflated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Deflate {
    #[default]
    Best,
    /// As a zlib stream, but not compressed.
    Stored,
    /// Replaced by these bytes.
    Raw(Vec<u8>),
    /// The stream without its last bytes.
    Cut(usize),
    /// The stream with these bits flipped in one byte, counted from its end if negative.
    Flip(isize, u8),
    /// The stream of the content followed by this number of NUL bytes.
    More(usize),
    /// Not deflated at all.
    Plain,
}

/// One block; fields that are `None` get the right values.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub kind: u8,
    pub records: Vec<Record>,
    /// Records from one restart to the next.
    pub interval: usize,
    /// The restart offsets.
    pub restarts: Option<Vec<u32>>,
    /// Declared number of restarts.
    pub restart_count: Option<u16>,
    /// Declared length of the block.
    pub len: Option<u32>,
    /// Added to the declared length.
    pub longer: i64,
    pub deflate: Deflate,
    /// Bytes between the block and its padding.
    pub trailing: Vec<u8>,
    /// The byte that fills the padding.
    pub fill: u8,
}

impl Block {
    pub fn new(kind: u8, records: Vec<Record>) -> Self {
        Self {
            kind,
            records,
            interval: 3,
            ..Self::default()
        }
    }

    /// The last key.
    pub fn last_key(&self) -> &[u8] {
        self.records.last().map_or(&[], |record| &record.key)
    }

    /// Appends the block, whose start is `skip` bytes before the end of `out`. `deflated` caches
    /// the input and output of the last deflation.
    fn encode(
        &self,
        out: &mut Vec<u8>,
        skip: usize,
        offsets: &[u64],
        end: u64,
        deflated: &mut (Vec<u8>, Vec<u8>),
    ) {
        let mut content = Vec::new();
        let mut restarts = Vec::new();
        let mut before: &[u8] = &[];
        for (n, record) in self.records.iter().enumerate() {
            if n % self.interval.max(1) == 0 {
                restarts.push((skip + 4 + content.len()) as u32);
                before = &[];
            }
            record.encode(&mut content, before, offsets, end);
            before = &record.key;
        }
        let restarts = self.restarts.as_ref().unwrap_or(&restarts);
        for restart in restarts {
            content.extend_from_slice(&restart.to_be_bytes()[1..]);
        }
        let count = self.restart_count.unwrap_or(restarts.len() as u16);
        content.extend_from_slice(&count.to_be_bytes());
        let len = (skip + 4 + content.len()) as i64 + self.longer;
        let len = self.len.unwrap_or(len as u32);
        out.push(self.kind);
        out.extend_from_slice(&len.to_be_bytes()[1..]);
        if self.kind == b'g' {
            if deflated.0 != content || deflated.1.is_empty() {
                *deflated = (content.clone(), self.deflate.run(content));
            }
            out.extend_from_slice(&deflated.1);
        } else {
            out.extend_from_slice(&content);
        }
        out.extend_from_slice(&self.trailing);
    }
}

impl Deflate {
    fn run(&self, mut content: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => return bytes.clone(),
            Self::Plain => return content,
            // Without optimization, `resize` writes its zeros one by one.
            Self::More(more) => content.extend_from_slice(&vec![0; *more]),
            _ => {}
        }
        let mut stream = match self {
            Self::Stored => stored(&content),
            _ => {
                let mut deflater = ZlibEncoder::new(Vec::new(), Compression::best());
                deflater.write_all(&content).unwrap();
                deflater.finish().unwrap()
            }
        };
        match *self {
            Self::Cut(less) => stream.truncate(stream.len().saturating_sub(less)),
            Self::Flip(at, bits) => {
                let at = at.rem_euclid(stream.len() as isize) as usize;
                stream[at] ^= bits;
            }
            _ => {}
        }
        stream
    }
}

/// A zlib stream of stored blocks, which needs no deflater.
fn stored(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = content.len().div_ceil(0xffff).max(1);
    for n in 0..blocks {
        let block = &content[n * 0xffff..content.len().min((n + 1) * 0xffff)];
        let len = block.len() as u16;
        stream.push(u8::from(n + 1 == blocks));
        stream.extend_from_slice(&len.to_le_bytes());
        stream.extend_from_slice(&(!len).to_le_bytes());
        stream.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in content {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend_from_slice(&(b << 16 | a).to_be_bytes());
    stream
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    pub version: u8,
    pub block_size: u32,
    /// The block size for padding, if it differs from the one in the header.
    pub align: Option<u32>,
    pub min: u64,
    pub max: u64,
    /// The hash id in headers of version 2.
    pub hash_id: u32,
    pub blocks: Vec<Block>,
    /// Positions in the footer: ref index, objects, object index, logs, log index.
    pub footer: [Place; 5],
    pub object_id_len: u64,
    /// The number that holds both the position of the objects and the length of their ids.
    pub objects: Option<u64>,
    /// The magic number, at the start and in the footer.
    pub magic: [Option<[u8; 4]>; 2],
    /// Bits that are flipped in the checksum.
    pub crc_flip: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self::NONE
    }
}

impl Raw {
    fn header(&self, magic: Option<[u8; 4]>) -> Vec<u8> {
        let mut header = magic.unwrap_or(*b"REFT").to_vec();
        header.push(self.version);
        header.extend_from_slice(&self.block_size.to_be_bytes()[1..]);
        header.extend_from_slice(&self.min.to_be_bytes());
        header.extend_from_slice(&self.max.to_be_bytes());
        if self.version == 2 {
            header.extend_from_slice(&self.hash_id.to_be_bytes());
        }
        header
    }

    /// The file. Positions may point forward, so it is assembled until they are stable.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with_offsets().0
    }

    /// The file, the positions of its blocks, and last that of its footer.
    pub fn encode_with_offsets(&self) -> (Vec<u8>, Vec<u64>) {
        let mut offsets = vec![0; self.blocks.len()];
        let mut end = 0;
        let mut out = Vec::new();
        let mut deflated = vec![Default::default(); self.blocks.len()];
        for _ in 0..8 {
            let before = (offsets.clone(), end);
            out = self.header(self.magic[0]);
            for (n, block) in self.blocks.iter().enumerate() {
                let skip = if n == 0 { out.len() } else { 0 };
                let start = out.len() - skip;
                block.encode(&mut out, skip, &before.0, before.1, &mut deflated[n]);
                offsets[n] = start as u64;
                self.pad(&mut out, block, start);
            }
            end = out.len() as u64;
            if before == (offsets.clone(), end) {
                break;
            }
        }
        let footer = out.len();
        out.extend_from_slice(&self.header(self.magic[1]));
        for (field, place) in self.footer.iter().enumerate() {
            let mut position = place.number(&offsets, end);
            if field == 1 {
                let both = position.wrapping_shl(5) | (self.object_id_len & 31);
                position = self.objects.unwrap_or(both);
            }
            out.extend_from_slice(&position.to_be_bytes());
        }
        let crc = crc32fast::hash(&out[footer..]) ^ self.crc_flip;
        out.extend_from_slice(&crc.to_be_bytes());
        offsets.push(end);
        (out, offsets)
    }

    fn pad(&self, out: &mut Vec<u8>, block: &Block, start: usize) {
        let align = self.align.unwrap_or(self.block_size) as usize;
        if align > 0 && align < 1 << 16 && block.kind != b'g' {
            let len = (out.len() - start).next_multiple_of(align);
            out.resize(start + len, block.fill);
        }
    }
}

/// Corrects the copy of the header in the footer and the checksum.
pub fn repair(bytes: &mut [u8]) {
    let header = if bytes.get(4) == Some(&2) { 28 } else { 24 };
    let footer = header + 44;
    let Some(start) = bytes.len().checked_sub(footer) else {
        return;
    };
    if start < header {
        return;
    }
    let (front, back) = bytes.split_at_mut(start);
    back[..header].copy_from_slice(&front[..header]);
    let crc = crc32fast::hash(&back[..header + 40]);
    back[header + 40..].copy_from_slice(&crc.to_be_bytes());
}

/// Appends a variable-length integer.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    let mut groups = vec![(value & 0x7f) as u8];
    value >>= 7;
    while value > 0 {
        value -= 1;
        groups.push(0x80 | (value & 0x7f) as u8);
        value >>= 7;
    }
    out.extend(groups.iter().rev());
}
