//! An encoder of tables that does not check anything.
#![forbid(unsafe_code)]

use flate2::{write::ZlibEncoder, Compression};
use std::io::Write as _;

use crate::format::error::wide;
use crate::format::varint;
use crate::record::log_key;

/// The value of a record.
#[derive(Clone)]
pub(super) enum Value {
    Bytes(Vec<u8>),
    /// Positions of these blocks, each as the difference from the previous one.
    Blocks(Vec<usize>),
}

#[derive(Clone)]
pub(super) struct Record {
    pub shared: usize,
    pub suffix: Vec<u8>,
    pub extra: u8,
    pub value: Value,
}

impl Record {
    pub(super) fn new(suffix: &[u8], extra: u8, value: &[u8]) -> Self {
        Self {
            shared: 0,
            suffix: suffix.to_vec(),
            extra,
            value: Value::Bytes(value.to_vec()),
        }
    }

    /// A ref with the least update index and an id of twenty equal bytes.
    pub(super) fn id(name: &[u8], byte: u8) -> Self {
        let mut value = vec![0];
        value.extend_from_slice(&[byte; 20]);
        Self::new(name, 1, &value)
    }

    /// A tombstone of a reflog entry.
    pub(super) fn log(name: &[u8], update_index: u64) -> Self {
        let mut key = Vec::new();
        log_key(&mut key, name, update_index);
        Self::new(&key, 0, b"")
    }

    pub(super) fn index(key: &[u8], block: usize) -> Self {
        Self {
            value: Value::Blocks(vec![block]),
            ..Self::new(key, 0, b"")
        }
    }

    pub(super) fn object(abbreviation: &[u8], blocks: &[usize]) -> Self {
        Self {
            value: Value::Blocks(blocks.to_vec()),
            ..Self::new(abbreviation, u8::try_from(blocks.len()).unwrap(), b"")
        }
    }
}

/// One block. A field that is `None` is encoded correctly.
#[derive(Clone)]
pub(super) struct RawBlock {
    pub kind: u8,
    pub records: Vec<Record>,
    pub restarts: Option<Vec<u32>>,
    /// Added to the declared length.
    pub longer: i32,
    /// Bytes after the block.
    pub after: Vec<u8>,
}

impl RawBlock {
    pub(super) fn new(kind: u8, records: Vec<Record>) -> Self {
        Self {
            kind,
            records,
            restarts: None,
            longer: 0,
            after: Vec::new(),
        }
    }
}

/// A table of version 1.
#[derive(Clone)]
pub(super) struct RawTable {
    pub block_size: u32,
    pub min: u64,
    pub max: u64,
    pub blocks: Vec<RawBlock>,
    /// Blocks whose positions are in the footer: ref index, objects, object index, logs, log index.
    pub footer: [Option<usize>; 5],
    pub object_id_len: u64,
}

impl RawTable {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut header = b"REFT\x01".to_vec();
        header.extend_from_slice(&self.block_size.to_be_bytes()[1..]);
        header.extend_from_slice(&self.min.to_be_bytes());
        header.extend_from_slice(&self.max.to_be_bytes());
        let mut out = header.clone();
        let mut offsets: Vec<usize> = Vec::new();
        for block in &self.blocks {
            let header = if offsets.is_empty() { header.len() } else { 0 };
            offsets.push(out.len() - header);
            block.encode(&mut out, header, &offsets);
            if self.block_size > 0 && block.kind != b'g' && block.after.is_empty() {
                out.resize(out.len().next_multiple_of(self.block_size as usize), 0);
            }
        }
        let footer = out.len();
        out.extend_from_slice(&header);
        for (field, block) in self.footer.iter().enumerate() {
            let mut position = block.map_or(0, |n| wide(offsets[n]));
            if field == 1 && block.is_some() {
                position = position << 5 | self.object_id_len;
            }
            out.extend_from_slice(&position.to_be_bytes());
        }
        let crc = crc32fast::hash(&out[footer..]);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }
}

impl RawBlock {
    fn encode(&self, out: &mut Vec<u8>, header: usize, offsets: &[usize]) {
        let mut content = Vec::new();
        let mut restarts = Vec::new();
        for record in &self.records {
            if record.shared == 0 {
                restarts.push(u32::try_from(header + 4 + content.len()).unwrap());
            }
            record.encode(&mut content, offsets);
        }
        let restarts = self.restarts.clone().unwrap_or(restarts);
        for restart in &restarts {
            content.extend_from_slice(&restart.to_be_bytes()[1..]);
        }
        content.extend_from_slice(&u16::try_from(restarts.len()).unwrap().to_be_bytes());
        let len = i32::try_from(header + 4 + content.len()).unwrap() + self.longer;
        out.push(self.kind);
        out.extend_from_slice(&len.to_be_bytes()[1..]);
        if self.kind == b'g' {
            let mut deflater = ZlibEncoder::new(Vec::new(), Compression::best());
            deflater.write_all(&content).unwrap();
            content = deflater.finish().unwrap();
        }
        out.extend_from_slice(&content);
        out.extend_from_slice(&self.after);
    }
}

impl Record {
    fn encode(&self, out: &mut Vec<u8>, offsets: &[usize]) {
        varint::put(out, wide(self.shared));
        varint::put(out, wide(self.suffix.len()) << 3 | u64::from(self.extra));
        out.extend_from_slice(&self.suffix);
        match &self.value {
            Value::Bytes(bytes) => out.extend_from_slice(bytes),
            Value::Blocks(blocks) => {
                let mut last = 0;
                for &block in blocks {
                    varint::put(out, wide(offsets[block] - last));
                    last = offsets[block];
                }
            }
        }
    }
}

/// Blocks of [`sound`].
pub(super) const REFS: usize = 0;
pub(super) const MORE_REFS: usize = 1;
pub(super) const REF_INDEX: usize = 2;
pub(super) const OBJECTS: usize = 3;
pub(super) const MORE_OBJECTS: usize = 4;
pub(super) const OBJECT_INDEX: usize = 5;
pub(super) const LOGS: usize = 6;
pub(super) const MORE_LOGS: usize = 7;
pub(super) const LOG_INDEX: usize = 8;

/// A table without flaws: two blocks of each type, and their indexes.
///
/// `a` and `c` point at the same object; the objects of `b` and `d` differ in their first byte.
pub(super) fn sound(block_size: u32) -> RawTable {
    RawTable {
        block_size,
        min: 5,
        max: 9,
        blocks: [ref_blocks(), object_blocks(), log_blocks()].concat(),
        footer: [
            Some(REF_INDEX),
            Some(OBJECTS),
            Some(OBJECT_INDEX),
            Some(LOGS),
            Some(LOG_INDEX),
        ],
        object_id_len: 2,
    }
}

fn ref_blocks() -> Vec<RawBlock> {
    let target = Record::new(b"refs/symbolic", 3, b"\0\x06refs/c");
    let first = vec![Record::id(b"refs/a", 1), shared(Record::id(b"b", 2), 5)];
    let second = vec![
        Record::id(b"refs/c", 1),
        shared(Record::id(b"d", 4), 5),
        target,
    ];
    let index = vec![
        Record::index(b"refs/b", REFS),
        Record::index(b"refs/symbolic", MORE_REFS),
    ];
    vec![
        RawBlock::new(b'r', first),
        RawBlock::new(b'r', second),
        RawBlock::new(b'i', index),
    ]
}

fn object_blocks() -> Vec<RawBlock> {
    let first = vec![
        Record::object(&[1, 1], &[REFS, MORE_REFS]),
        Record::object(&[2, 2], &[REFS]),
    ];
    let second = vec![Record::object(&[4, 4], &[MORE_REFS])];
    let index = vec![
        Record::index(&[2, 2], OBJECTS),
        Record::index(&[4, 4], MORE_OBJECTS),
    ];
    vec![
        RawBlock::new(b'o', first),
        RawBlock::new(b'o', second),
        RawBlock::new(b'i', index),
    ]
}

fn log_blocks() -> Vec<RawBlock> {
    let key = |name: &[u8], index| Record::log(name, index).suffix;
    let first = vec![Record::log(b"refs/a", 9), Record::log(b"refs/a", 3)];
    let second = vec![Record::log(b"refs/b", 9)];
    let index = vec![
        Record::index(&key(b"refs/a", 3), LOGS),
        Record::index(&key(b"refs/b", 9), MORE_LOGS),
    ];
    vec![
        RawBlock::new(b'g', first),
        RawBlock::new(b'g', second),
        RawBlock::new(b'i', index),
    ]
}

/// `record` with a key that shares `shared` bytes with the previous one.
pub(super) fn shared(record: Record, shared: usize) -> Record {
    Record { shared, ..record }
}
