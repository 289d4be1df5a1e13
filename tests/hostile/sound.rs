//! Sound tables with every section and index, assembled by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::raw::{Block, Part, Place, Raw, Record};

/// The value of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Deletion,
    Id(Vec<u8>),
    Tag { id: Vec<u8>, peeled: Vec<u8> },
    Symref(Vec<u8>),
}

/// A ref and its update index, relative to the least one.
#[derive(Clone, Debug)]
pub struct Ref {
    pub name: Vec<u8>,
    pub delta: u64,
    pub target: Target,
}

/// An entry of a reflog.
#[derive(Clone, Debug)]
pub struct Log {
    pub name: Vec<u8>,
    pub update_index: u64,
    /// Old and new id, and the message; `None` for a tombstone.
    pub change: Option<(Vec<u8>, Vec<u8>, Vec<u8>)>,
}

impl Ref {
    pub fn record(&self) -> Record {
        let mut value = vec![Part::Varint(self.delta)];
        let extra = match &self.target {
            Target::Deletion => 0,
            Target::Id(id) => {
                value.push(Part::Bytes(id.clone()));
                1
            }
            Target::Tag { id, peeled } => {
                value.push(Part::Bytes(id.clone()));
                value.push(Part::Bytes(peeled.clone()));
                2
            }
            Target::Symref(target) => {
                value.push(Part::Varint(target.len() as u64));
                value.push(Part::Bytes(target.clone()));
                3
            }
        };
        Record::new(&self.name, extra, value)
    }

    fn ids(&self) -> Vec<&Vec<u8>> {
        match &self.target {
            Target::Id(id) => vec![id],
            Target::Tag { id, peeled } => vec![id, peeled],
            Target::Deletion | Target::Symref(_) => Vec::new(),
        }
    }
}

/// The key of a reflog entry.
pub fn log_key(name: &[u8], update_index: u64) -> Vec<u8> {
    let reversed = (u64::MAX - update_index).to_be_bytes();
    [name, b"\0", &reversed].concat()
}

impl Log {
    /// The parts of an update's value: both ids, name, email, time, time zone, message. A string
    /// has two parts.
    pub fn record(&self) -> Record {
        let key = log_key(&self.name, self.update_index);
        let Some((old, new, message)) = &self.change else {
            return Record::new(&key, 0, Vec::new());
        };
        let string = |text: &[u8]| [Part::Varint(text.len() as u64), Part::Bytes(text.to_vec())];
        let mut value = vec![Part::Bytes(old.clone()), Part::Bytes(new.clone())];
        value.extend(string(b"C O Mitter"));
        value.extend(string(b"committer@example.com"));
        value.push(Part::Varint(1_700_000_000 + self.update_index % 1000));
        value.push(Part::Bytes(vec![0, 60]));
        value.extend(string(message));
        Record::new(&key, 1, value)
    }
}

/// The layout of records.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub version: u8,
    pub hash_id: u32,
    pub block_size: u32,
    /// Records per block, in the order refs, objects, reflogs, indexes.
    pub records: [usize; 4],
    /// Whether there is an object section.
    pub objects: bool,
    pub min: u64,
    pub max: u64,
}

pub const SHA1: u32 = u32::from_be_bytes(*b"sha1");
pub const SHA256: u32 = u32::from_be_bytes(*b"s256");

impl Shape {
    /// Few records per block, so that few records make many blocks.
    pub fn small(sha256: bool, aligned: bool) -> Self {
        Self {
            version: if sha256 { 2 } else { 1 },
            hash_id: if sha256 { SHA256 } else { SHA1 },
            block_size: if aligned { 512 } else { 0 },
            records: [5, 6, 4, 3],
            objects: true,
            min: 1,
            max: 9,
        }
    }

    pub fn hash_len(&self) -> usize {
        if self.hash_id == SHA256 {
            32
        } else {
            20
        }
    }
}

/// The indexes of a table's blocks in [`Raw::blocks`]; index levels from the lowest up.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub refs: Vec<usize>,
    pub ref_index: Vec<Vec<usize>>,
    pub objects: Vec<usize>,
    pub object_index: Vec<Vec<usize>>,
    pub logs: Vec<usize>,
    pub log_index: Vec<Vec<usize>>,
}

/// Builds the table of these refs and logs, which need not be sorted.
pub fn table(shape: &Shape, refs: &[Ref], logs: &[Log]) -> (Raw, Layout) {
    let mut refs = refs.to_vec();
    refs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut logs: Vec<Record> = logs.iter().map(Log::record).collect();
    logs.sort_by(|a, b| a.key.cmp(&b.key));
    let mut raw = Raw {
        version: shape.version,
        block_size: shape.block_size,
        min: shape.min,
        max: shape.max,
        hash_id: shape.hash_id,
        ..Raw::default()
    };
    let mut layout = Layout::default();
    let [per_refs, per_objects, per_logs, per_index] = shape.records;
    let mut mentions = BTreeMap::<&Vec<u8>, BTreeSet<usize>>::new();
    for chunk in refs.chunks(per_refs) {
        for id in chunk.iter().flat_map(Ref::ids) {
            mentions.entry(id).or_default().insert(raw.blocks.len());
        }
        layout.refs.push(raw.blocks.len());
        let records = chunk.iter().map(Ref::record).collect();
        raw.blocks.push(Block::new(b'r', records));
    }
    layout.ref_index = add_index(&mut raw, &layout.refs, per_index);
    raw.footer[0] = root(&layout.ref_index);
    if shape.objects && !mentions.is_empty() {
        raw.object_id_len = distinct_len(mentions.keys().copied()) as u64;
        let records: Vec<Record> = mentions
            .iter()
            .map(|(id, blocks)| object(&id[..raw.object_id_len as usize], blocks))
            .collect();
        for chunk in records.chunks(per_objects) {
            layout.objects.push(raw.blocks.len());
            raw.blocks.push(Block::new(b'o', chunk.to_vec()));
        }
        raw.footer[1] = Place::block(layout.objects[0]);
        layout.object_index = add_index(&mut raw, &layout.objects, per_index);
        raw.footer[2] = root(&layout.object_index);
    }
    for chunk in logs.chunks(per_logs) {
        layout.logs.push(raw.blocks.len());
        raw.blocks.push(Block::new(b'g', chunk.to_vec()));
    }
    if let Some(&first) = layout.logs.first() {
        raw.footer[3] = Place::block(first);
    }
    layout.log_index = add_index(&mut raw, &layout.logs, per_index);
    raw.footer[4] = root(&layout.log_index);
    (raw, layout)
}

fn object(key: &[u8], blocks: &BTreeSet<usize>) -> Record {
    let mut value = Vec::new();
    let count = blocks.len() as u64;
    if count > 7 {
        value.push(Part::Varint(count));
    }
    let mut last = Place::NONE;
    for &block in blocks {
        value.push(Part::Distance(last, Place::block(block)));
        last = Place::block(block);
    }
    Record::new(key, if count > 7 { 0 } else { count as u8 }, value)
}

fn distinct_len<'a>(ids: impl Iterator<Item = &'a Vec<u8>>) -> usize {
    let ids: Vec<&Vec<u8>> = ids.collect();
    let same = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let longest = ids.windows(2).map(|pair| same(pair[0], pair[1]) + 1).max();
    longest.unwrap_or(0).max(2)
}

/// Adds the levels of an index of these blocks, if there is more than one block.
fn add_index(raw: &mut Raw, blocks: &[usize], fan_out: usize) -> Vec<Vec<usize>> {
    let mut levels = Vec::new();
    let mut below = blocks.to_vec();
    while below.len() > 1 {
        let records: Vec<Record> = below
            .iter()
            .map(|&n| Record::index(raw.blocks[n].last_key(), Place::block(n)))
            .collect();
        below = Vec::new();
        for chunk in records.chunks(fan_out.max(2)) {
            below.push(raw.blocks.len());
            raw.blocks.push(Block::new(b'i', chunk.to_vec()));
        }
        levels.push(below.clone());
    }
    levels
}

fn root(levels: &[Vec<usize>]) -> Place {
    levels
        .last()
        .and_then(|level| level.first())
        .map_or(Place::NONE, |&n| Place::block(n))
}
