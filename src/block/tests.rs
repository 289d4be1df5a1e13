//! Blocks written, read, searched and damaged.
#![forbid(unsafe_code)]

use super::writer::Entry;
use super::*;
use crate::format::key::common_prefix;
use crate::record::{Context, IndexRecords};
use proptest::prelude::*;
use std::collections::BTreeMap;

const CONTEXT: Context = Context {
    hash_len: 20,
    min_update_index: 0,
    max_delta: 0,
};

/// An index block of these keys, behind `header` bytes of file header.
fn block(model: &BTreeMap<Vec<u8>, u64>, interval: u16, header: usize) -> Vec<u8> {
    let mut writer = BlockWriter::new(1 << 20, interval);
    writer.start(BlockType::Index, header);
    let mut last: &[u8] = b"";
    for (key, value) in model {
        let entry = Entry {
            key,
            shared: common_prefix(last, key),
            extra: 0,
        };
        assert!(writer.add(&entry, |out| crate::format::varint::put(out, *value)));
        last = key;
    }
    assert_eq!(writer.entries(), model.len());
    writer.finish().unwrap().head.to_vec()
}

fn frame(data: &[u8], header_len: usize) -> Frame<'_> {
    Frame {
        data,
        header_len,
        block_size: 0,
    }
}

fn step(cursor: &mut BlockCursor, block: &Block, bytes: &[u8]) -> Result<Option<u64>, Damage> {
    let mut value = 0;
    let found = cursor.step::<IndexRecords>(block, bytes, &CONTEXT, &mut value)?;
    Ok(found.then_some(value))
}

fn seek(
    cursor: &mut BlockCursor,
    block: &Block,
    bytes: &[u8],
    want: &[u8],
) -> Result<Option<u64>, Damage> {
    let mut value = 0;
    let ahead = cursor.key.is_current() && cursor.key.bytes() < want;
    let found = cursor.seek::<IndexRecords>(block, bytes, &CONTEXT, want, ahead, &mut value)?;
    Ok(found.then_some(value))
}

fn model() -> impl Strategy<Value = BTreeMap<Vec<u8>, u64>> {
    prop::collection::btree_map(prop::collection::vec(97_u8..101, 1..8), any::<u64>(), 1..80)
}

proptest! {
    #[test]
    fn records_come_back_and_are_found(
        model in model(), interval in 1_u16..20, header in 0_usize..30,
        wants in prop::collection::vec(prop::collection::vec(96_u8..102, 0..8), 20),
    ) {
        let bytes = block(&model, interval, header);
        let mut inflater = Inflater::default();
        let block = Block::open(&frame(&bytes, header), 0, None, &mut inflater).unwrap();
        prop_assert_eq!(block.full_size, bytes.len());
        let mut cursor = BlockCursor::default();
        cursor.start(&block);
        for (key, value) in &model {
            let got = step(&mut cursor, &block, &bytes).unwrap();
            prop_assert_eq!(got, Some(*value));
            prop_assert_eq!(cursor.key.bytes(), &key[..]);
        }
        prop_assert_eq!(step(&mut cursor, &block, &bytes).unwrap(), None);
        for want in wants.iter().chain(model.keys()) {
            let got = seek(&mut cursor, &block, &bytes, want).unwrap();
            let expected = model.range(want.clone()..).next();
            prop_assert_eq!(got, expected.map(|(_, value)| *value));
            if let Some((key, _)) = expected {
                prop_assert_eq!(cursor.key.bytes(), &key[..]);
            }
        }
    }

    #[test]
    fn damaged_blocks_never_panic(
        model in model(), interval in 1_u16..5,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        wants in prop::collection::vec(prop::collection::vec(96_u8..102, 0..8), 5),
    ) {
        let mut bytes = block(&model, interval, 0);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut inflater = Inflater::default();
        let Ok(block) = Block::open(&frame(&bytes, 0), 0, None, &mut inflater) else {
            return Ok(());
        };
        let data = &bytes;
        let mut cursor = BlockCursor::default();
        cursor.start(&block);
        let mut last = Vec::new();
        while let Ok(Some(_)) = step(&mut cursor, &block, data) {
            prop_assert!(cursor.key.bytes() > &last[..]);
            last = cursor.key.bytes().to_vec();
        }
        for want in wants {
            let _ = seek(&mut cursor, &block, data, &want);
        }
    }
}

#[test]
fn a_full_block_refuses_and_stays_as_it_was() {
    let mut writer = BlockWriter::new(30, 16);
    writer.start(BlockType::Index, 0);
    let add = |writer: &mut BlockWriter, key: &[u8]| {
        let entry = Entry {
            key,
            shared: 0,
            extra: 0,
        };
        writer.add(&entry, |out| out.push(1))
    };
    assert_eq!(writer.capacity(), 21);
    assert!(!add(&mut writer, &[b'k'; 18]));
    assert_eq!((writer.entries(), writer.restarts()), (0, 0));
    assert!(add(&mut writer, &[b'k'; 17]));
    assert!(!add(&mut writer, b"z"));
    assert_eq!(writer.finish().unwrap().head.len(), 30);
}

#[test]
fn restart_tables_are_checked() {
    let model = BTreeMap::from([(b"a".to_vec(), 1), (b"b".to_vec(), 2), (b"c".to_vec(), 3)]);
    let good = block(&model, 1, 0);
    let mut inflater = Inflater::default();
    let mut open = |bytes: &[u8]| Block::open(&frame(bytes, 0), 0, None, &mut inflater);
    let len = good.len();
    for (at, byte, expected) in [
        (len - 1, 0, Expected::AtLeast(1)),
        (len - 1, 200, Expected::AtMost(6)),
        (3, 2, Expected::AtLeast(12)),
        (3, 255, Expected::AtMost(wide(len))),
        (0, b'x', Expected::Exactly(114)),
    ] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(open(&bad).unwrap_err().expected, expected, "{at} {byte}");
    }
    let block = open(&good).unwrap();
    // The middle restart points behind the records, then at the first one.
    for offset in [200, 3] {
        let mut bad = good.clone();
        bad[block.records_end + 5] = offset;
        let got = seek(&mut BlockCursor::default(), &block, &bad, b"b");
        assert!(got.is_err(), "{offset}");
    }
}

#[test]
fn padding_is_told_from_the_next_block() {
    for (block_size, len, behind, full) in [
        (0, 50, Some(0), 50),
        (0, 50, None, 50),
        (100, 50, Some(0), 100),
        (100, 50, Some(b'r'), 50),
        (100, 50, None, 100),
        (100, 100, Some(b'r'), 100),
        (100, 100, Some(0), 100),
        (100, 150, Some(0), 200),
        (100, 150, Some(b'o'), 150),
    ] {
        assert_eq!(
            full_size(block_size, len, behind),
            full,
            "{block_size} {len}"
        );
    }
}
