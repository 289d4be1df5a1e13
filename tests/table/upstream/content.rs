//! The common contents of two tables with the same records.

use std::io::Read as _;
use std::sync::Arc;

use reftable::internals::{BlockInfo, BlockType};
use reftable::table::Table;

/// Whether the C library's file deviates from the format: a table of logs alone that does not store
/// their position, or an index whose root is several blocks.
pub fn differs_on_purpose(file: &[u8]) -> bool {
    let header_len = if file[4] == 1 { 24 } else { 28 };
    let fields = &file[file.len() - 44..];
    let position = |n: usize| u64::from_be_bytes(fields[8 * n..8 * n + 8].try_into().unwrap());
    let table = Table::new("compared", file.to_vec().into()).unwrap();
    let blocks: Vec<BlockInfo> = table.blocks().map(Result::unwrap).collect();
    let is_index = |block: &BlockInfo| block.block_type == BlockType::Index;
    let several_roots = [0, 2, 4].map(position).into_iter().any(|root| {
        let mut from_root = blocks.iter().skip_while(|block| block.offset != root);
        root != 0 && from_root.nth(1).is_some_and(is_index)
    });
    let logs_alone = !table.has_refs() && position(3) != header_len;
    several_roots || logs_alone
}

/// Two sound tables contain the same records, and the first finds each by its key.
pub fn assert_same_records(ours: &[u8], theirs: &[u8]) {
    let [ours, theirs] = [ours, theirs].map(|file| {
        let table = Table::new("compared", file.to_vec().into()).unwrap();
        table.verify(&mut |flaw| panic!("a sound table has a flaw: {flaw}"));
        Arc::new(table)
    });
    let (mut refs, mut found) = (theirs.refs(), ours.refs());
    while refs.advance().unwrap() {
        found.seek(refs.record().name).unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record(), refs.record());
    }
    assert!(!found.advance().unwrap());
    let (mut logs, mut found) = (theirs.logs(), ours.logs());
    while logs.advance().unwrap() {
        let record = logs.record();
        found.seek_at(record.name, record.update_index).unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record(), record);
    }
    assert!(!found.advance().unwrap());
}

/// The contents of a file, independent of the lengths of its deflated blocks.
pub struct Content<'a> {
    pub before_logs: &'a [u8],
    pub log_blocks: Vec<Vec<u8>>,
    /// Last keys of the log blocks, and the number of each block in the file.
    pub log_index: Vec<(Vec<u8>, usize)>,
    /// Without the position of the log index and the checksum, which depend on these lengths.
    pub footer: &'a [u8],
}

impl<'a> Content<'a> {
    pub fn of(file: &'a [u8]) -> Self {
        let table = Table::new("compared", file.to_vec().into()).unwrap();
        table.verify(&mut |flaw| panic!("a sound table has a flaw: {flaw}"));
        let blocks: Vec<BlockInfo> = table.blocks().map(Result::unwrap).collect();
        let header_len = if table.version() == 1 { 24 } else { 28 };
        let footer = &file[file.len() - header_len - 44..];
        let logs = blocks
            .iter()
            .position(|block| block.block_type == BlockType::Log)
            .unwrap_or(blocks.len());
        let start = |block: &BlockInfo| usize::try_from(block.offset).unwrap();
        let mut content = Self {
            before_logs: &file[..blocks.get(logs).map_or(file.len() - footer.len(), start)],
            log_blocks: Vec::new(),
            log_index: Vec::new(),
            footer: &footer[..header_len + 32],
        };
        for block in &blocks[logs..] {
            let skip = if block.offset == 0 { header_len } else { 0 };
            let bytes = &file[start(block) + skip..];
            if block.block_type == BlockType::Log {
                content.log_blocks.push(inflate(bytes));
            } else {
                let records = &bytes[4..usize::try_from(block.restart_offset).unwrap()];
                for (key, offset) in index_records(records) {
                    let child = blocks
                        .iter()
                        .position(|block| block.offset == offset)
                        .unwrap();
                    if blocks[child].block_type == BlockType::Log {
                        content.log_index.push((key, child));
                    }
                }
            }
        }
        content
    }
}

/// Header and inflated content of a log block.
fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut block = bytes[..4].to_vec();
    flate2::read::ZlibDecoder::new(&bytes[4..])
        .read_to_end(&mut block)
        .unwrap();
    block
}

fn index_records(mut bytes: &[u8]) -> Vec<(Vec<u8>, u64)> {
    fn varint(bytes: &mut &[u8]) -> usize {
        let mut value = 0;
        loop {
            let byte = usize::from(bytes[0]);
            *bytes = &bytes[1..];
            value += byte & 0x7f;
            if byte < 0x80 {
                return value;
            }
            value = (value + 1) << 7;
        }
    }
    let mut records: Vec<(Vec<u8>, u64)> = Vec::new();
    while !bytes.is_empty() {
        let shared = varint(&mut bytes);
        let suffix = varint(&mut bytes) >> 3;
        let last = records.last().map_or(&[][..], |record| &record.0);
        let key = [&last[..shared], &bytes[..suffix]].concat();
        bytes = &bytes[suffix..];
        records.push((key, varint(&mut bytes).try_into().unwrap()));
    }
    records
}
