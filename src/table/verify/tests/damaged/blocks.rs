//! Blocks, restarts, padding and records.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn types() {
    let only_refs = |kind| {
        let mut table = sound(0);
        table.blocks.truncate(2);
        table.blocks[1].kind = kind;
        table.footer = [None; 5];
        table.encode()
    };
    assert_eq!(flaws(only_refs(b'r')), []);
    one(
        only_refs(b'o'),
        FindingKind::Block,
        "type of a block in this section",
        111,
    );
    one(only_refs(b'x'), FindingKind::Block, "block type", 120);
    // The type of the first block determines the sections of the table.
    let bytes = patched(0, |bytes| bytes[24] = b'i');
    one(
        bytes,
        FindingKind::Block,
        "type of a block in this section",
        105,
    );
    let again = |table: &mut RawTable| {
        let block = table.blocks[MORE_REFS].clone();
        table.blocks.insert(OBJECTS, block);
        table.footer = [Some(2), Some(4), Some(6), Some(7), Some(9)];
        table.blocks[4].records[0].value = Value::Blocks(vec![0, 1]);
        table.blocks[6].records[0].value = Value::Blocks(vec![4]);
        table.blocks[6].records[1].value = Value::Blocks(vec![5]);
        table.blocks[9].records[0].value = Value::Blocks(vec![7]);
        table.blocks[9].records[1].value = Value::Blocks(vec![8]);
    };
    broken(
        again,
        FindingKind::Block,
        "type of a block in this section",
        114,
    );
}

#[test]
fn lengths() {
    let flaws = flaws(patched(0, |bytes| bytes[25] = 1));
    assert_eq!(flaws[0].kind, FindingKind::Block);
    assert_eq!(flaws[0].damage.what, "block length");
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    let longer = |table: &mut RawTable| table.blocks[REF_INDEX].longer = 1;
    let mut table = sound(0);
    longer(&mut table);
    let flaws = super::flaws(table.encode());
    assert!(!flaws.is_empty());
    assert!(
        flaws.iter().all(|f| f.kind == FindingKind::Block),
        "{flaws:?}"
    );
    let mut table = sound(256);
    table.blocks[REFS].records = (0..60)
        .map(|n| Record::id(format!("refs/{n:03}").as_bytes(), 1))
        .collect();
    table.blocks.truncate(1);
    table.footer = [None; 5];
    let len = 28 + 60 * (2 + 8 + 21) + 3 * 60 + 2;
    one(
        table.encode(),
        FindingKind::Block,
        "larger than the block size",
        len,
    );
}

#[test]
fn restarts() {
    let restarts = |offsets: &'static [u32]| {
        move |table: &mut RawTable| table.blocks[REFS].restarts = Some(offsets.to_vec())
    };
    let same_kind = |offsets, text: &str, found| {
        let mut table = sound(0);
        table.blocks.truncate(2);
        table.footer = [None; 5];
        restarts(offsets)(&mut table);
        one(table.encode(), FindingKind::Block, text, found);
    };
    // Records at 28, with a complete key, and at 57, which shares "refs/".
    same_kind(&[29], "first restart offset", 29);
    same_kind(&[28, 30], "restart offset between records", 30);
    same_kind(&[28, 28], "restart offset that does not ascend", 28);
    same_kind(
        &[28, 81],
        "restart offset after the last possible record",
        81,
    );
    same_kind(&[28, 57], "length of the key's prefix at a restart", 5);
    same_kind(&[], "number of restarts", 0);
}

#[test]
fn restarts_of_log_blocks() {
    broken(
        |table| table.blocks[MORE_LOGS].restarts = Some(vec![5]),
        FindingKind::Block,
        "first restart offset",
        5,
    );
}

#[test]
fn padding() {
    let bytes = patched(256, |bytes| bytes[255] = 7);
    one(
        bytes,
        FindingKind::Block,
        "byte of a block's padding at offset 255",
        7,
    );
}

#[test]
fn log_blocks_that_do_not_inflate_to_their_declared_length() {
    let stops_the_walk = |change: fn(&mut RawTable), text: &str| {
        let mut table = sound(0);
        change(&mut table);
        let flaws = flaws(table.encode());
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        assert_eq!(flaws[0].kind, FindingKind::Block);
        assert!(flaws[0].to_string().contains(text), "{}", flaws[0]);
    };
    stops_the_walk(|t| t.blocks[LOGS].longer = 1, "fewer bytes than declared");
    stops_the_walk(|t| t.blocks[LOGS].longer = -1, "more bytes than declared");
    stops_the_walk(|t| t.blocks[MORE_LOGS].after = vec![0], "block type");
    stops_the_walk(
        |t| t.blocks[LOG_INDEX].after = vec![0],
        "end of a block's header",
    );
}

#[test]
fn records_that_cannot_be_read() {
    let in_refs = |record: Record, text: &str, found| {
        let mut table = sound(0);
        table.blocks.truncate(1);
        table.blocks[REFS].records.push(record);
        table.footer = [None; 5];
        one(table.encode(), FindingKind::Block, text, found);
    };
    in_refs(Record::new(b"refs/c", 7, b"\0"), "value type of a ref", 7);
    in_refs(
        Record::new(b"refs/c", 1, b"\0abc"),
        "object id of a ref",
        20,
    );
    in_refs(
        Record::new(b"refs/c\0x", 0, b"\0"),
        "NUL inside a ref name",
        6,
    );
    in_refs(
        Record::new(b"refs/c", 3, b"\0\x03a\0b"),
        "NUL in the target",
        1,
    );
    in_refs(
        shared(Record::id(b"c", 1), 90),
        "length of a key's prefix",
        90,
    );
    in_refs(
        Record::new(b"refs/c", 0, b"\xff"),
        "update index of a ref",
        2,
    );
}

#[test]
fn malformed_keys_of_logs() {
    let in_logs = |key: &[u8], text: &str, found| {
        let mut table = sound(0);
        table.blocks = vec![RawBlock::new(b'g', vec![Record::new(key, 0, b"")])];
        table.footer = [None; 5];
        one(table.encode(), FindingKind::Block, text, found);
    };
    in_logs(b"short", "length of a reflog entry's key", 5);
    in_logs(
        b"\0\xff\xff\xff\xff\xff\xff\xff\xf8",
        "reflog entry's ref name",
        0,
    );
    in_logs(
        b"refs/a12345678x",
        "byte between ref name and update index",
        49,
    );
    in_logs(
        b"refs/\0a\0\xff\xff\xff\xff\xff\xff\xff\xf8",
        "NUL inside a ref name",
        5,
    );
}
