//! Indexes that do not lead to every block.
#![forbid(unsafe_code)]

use super::*;

fn position(block: usize) -> u64 {
    // The index of a sound table contains the positions of the encoder.
    let table = sound(0);
    let mut shorter = table.clone();
    shorter.blocks.truncate(block);
    shorter.footer = [None; 5];
    let header = if block == 0 { FIELDS } else { 0 };
    (shorter.encode().len() - FOOTER - header) as u64
}

fn in_ref_index(records: Vec<Record>, text: &str, found: u64) {
    broken(
        |t| t.blocks[REF_INDEX].records = records,
        FindingKind::Index,
        text,
        found,
    );
}

#[test]
fn keys() {
    let second = || Record::index(b"refs/symbolic", MORE_REFS);
    let other = vec![Record::index(b"refs/c", REFS), second()];
    in_ref_index(
        other,
        "unlike the block's last key, first differing byte",
        u64::from(b'c'),
    );
    let longer = vec![Record::index(b"refs/bb", REFS), second()];
    in_ref_index(longer, "length of a key in the index", 7);
}

#[test]
fn positions() {
    let all = |value: Value| {
        let first = Record {
            value,
            ..Record::index(b"refs/b", REFS)
        };
        vec![first, Record::index(b"refs/symbolic", MORE_REFS)]
    };
    // No block begins there, and the first block has no record.
    let nowhere = all(Value::Bytes(vec![3]));
    let mut table = sound(0);
    table.blocks[REF_INDEX].records = nowhere;
    let flaws = flaws(table.encode());
    assert_eq!(flaws.len(), 2, "{flaws:?}");
    assert!(flaws[0]
        .to_string()
        .contains("not that of the next block below"));
    assert_eq!(flaws[0].damage.found, 3);
    assert!(
        flaws[1].to_string().contains("left out before"),
        "{flaws:?}"
    );
}

#[test]
fn blocks_left_out() {
    let first = vec![Record::index(b"refs/b", REFS)];
    in_ref_index(first, "blocks that the index names", 1);
    let second = vec![Record::index(b"refs/symbolic", MORE_REFS)];
    in_ref_index(
        second,
        "blocks were left out before it",
        position(MORE_REFS),
    );
    broken(
        |t| drop(t.blocks[LOG_INDEX].records.pop()),
        FindingKind::Index,
        "blocks that the index names",
        1,
    );
    broken(
        |t| drop(t.blocks[OBJECT_INDEX].records.pop()),
        FindingKind::Index,
        "blocks that the index names",
        1,
    );
}

#[test]
fn blocks_named_twice() {
    let records = vec![
        Record::index(b"refs/b", REFS),
        Record::index(b"refs/c", REFS),
        Record::index(b"refs/symbolic", MORE_REFS),
    ];
    in_ref_index(records, "not that of the next block below", 0);
}

#[test]
fn keys_of_log_blocks() {
    broken(
        |t| t.blocks[LOG_INDEX].records[0].suffix[5] = b'A',
        FindingKind::Index,
        "unlike the block's last key",
        u64::from(b'A'),
    );
}

/// Four ref blocks and an index of two levels, of two blocks and one block.
fn two_levels() -> RawTable {
    let name = |n: usize| format!("refs/{n}").into_bytes();
    let leaf = |n| RawBlock::new(b'r', vec![Record::id(&name(n), 1)]);
    let over = |blocks: [usize; 2], keys: [usize; 2]| {
        let record = |(block, key)| Record::index(&name(key), block);
        RawBlock::new(b'i', blocks.into_iter().zip(keys).map(record).collect())
    };
    RawTable {
        blocks: vec![
            leaf(0),
            leaf(1),
            leaf(2),
            leaf(3),
            over([0, 1], [0, 1]),
            over([2, 3], [2, 3]),
            over([4, 5], [1, 3]),
        ],
        footer: [Some(6), None, None, None, None],
        ..sound(0)
    }
}

#[test]
fn levels() {
    assert_eq!(flaws(two_levels().encode()), []);
    // The position in the footer is that of the lower level.
    let mut table = two_levels();
    table.footer[0] = Some(4);
    let flaws = flaws(table.encode());
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    assert_eq!(flaws[0].kind, FindingKind::Index);
    // The upper level refers to a ref block, then lacks a block of the lower level.
    let mut table = two_levels();
    table.blocks[6].records[0].value = Value::Blocks(vec![1]);
    let flaws = super::flaws(table.encode());
    assert!(
        flaws.iter().all(|f| f.kind == FindingKind::Index),
        "{flaws:?}"
    );
    assert!(flaws[0]
        .to_string()
        .contains("not that of the next block below"));
    // A wrong key in the upper level.
    let mut table = two_levels();
    table.blocks[6].records[0].suffix = b"refs/2".to_vec();
    one(
        table.encode(),
        FindingKind::Index,
        "first differing byte",
        u64::from(b'2'),
    );
}
