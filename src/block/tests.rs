//! Blocks written, read, searched and damaged.
#![forbid(unsafe_code)]

use super::*;
use crate::format::key::{KeyBuf, NextKey};
use crate::format::words::common_prefix;
use crate::format::Input;
use crate::record::{encode_ref, Context, IndexRecords, Records, RefRecords, RefSpan, RefValue};
use proptest::prelude::*;
use std::collections::BTreeMap;

const CONTEXT: Context = Context::new(20, 0, 0);

/// An index block of these keys, after `header` bytes of file header.
fn block(model: &BTreeMap<Vec<u8>, u64>, interval: u16, header: usize) -> Vec<u8> {
    let mut writer = BlockWriter::new(1 << 20, interval);
    writer.start(BlockType::Index, header);
    let mut last: &[u8] = b"";
    for (key, value) in model {
        let record_key = RecordKey {
            bytes: key,
            shared: common_prefix(last, key),
            extra: 0,
        };
        assert!(writer.add(&record_key, |out| crate::format::varint::put(out, *value)));
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

fn records<'b>(block: &'b Block, buffer: &'b [u8], context: &'b Context) -> BlockRecords<'b> {
    BlockRecords {
        block,
        buffer,
        context,
    }
}

fn step(cursor: &mut BlockCursor, block: &Block, bytes: &[u8]) -> Result<Option<u64>, Damage> {
    let mut value = 0;
    let found = cursor.step::<IndexRecords>(&records(block, bytes, &CONTEXT), &mut value)?;
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
    let records = records(block, bytes, &CONTEXT);
    let found = cursor.seek::<IndexRecords>(&records, want, ahead, &mut value)?;
    Ok(found.then_some(value))
}

fn model() -> impl Strategy<Value = BTreeMap<Vec<u8>, u64>> {
    prop::collection::btree_map(prop::collection::vec(97_u8..101, 1..8), any::<u64>(), 1..80)
}

proptest! {
    #[test]
    fn records_round_trip_and_are_found(
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
fn a_full_block_refuses_records_and_stays_unchanged() {
    let mut writer = BlockWriter::new(30, 16);
    writer.start(BlockType::Index, 0);
    let add = |writer: &mut BlockWriter, key: &[u8]| {
        let record_key = RecordKey {
            bytes: key,
            shared: 0,
            extra: 0,
        };
        writer.add(&record_key, |out| out.push(1))
    };
    assert_eq!(writer.capacity(), 21);
    assert!(!add(&mut writer, &[b'k'; 18]));
    assert_eq!((writer.entries(), writer.restarts()), (0, 0));
    assert!(add(&mut writer, &[b'k'; 17]));
    assert!(!add(&mut writer, b"z"));
    assert_eq!(writer.finish().unwrap().head.len(), 30);
}

#[test]
fn wrong_restarts_are_damage() {
    let model = BTreeMap::from([(b"a".to_vec(), 1), (b"b".to_vec(), 2), (b"c".to_vec(), 3)]);
    let good = block(&model, 1, 0);
    let mut inflater = Inflater::default();
    let mut open = |bytes: &[u8]| Block::open(&frame(bytes, 0), 0, None, &mut inflater);
    let len = good.len();
    for (at, byte, expected) in [
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
    // The middle restart is the first record again, from which a search may begin.
    let mut same = good.clone();
    same[block.records_end + 5] = u8::try_from(block.first).unwrap();
    let got = seek(&mut BlockCursor::default(), &block, &same, b"b");
    assert!(got.unwrap().is_some());
}

/// Each restart must be in the range that those around it leave.
#[test]
fn restarts_out_of_order_are_damage() {
    let model: BTreeMap<_, _> = (b'a'..=b'g').map(|byte| (vec![byte], 1)).collect();
    let header = 28;
    let good = block(&model, 1, header);
    let mut inflater = Inflater::default();
    let block = Block::open(&frame(&good, header), 0, None, &mut inflater).unwrap();
    let first = header + 4;
    assert_eq!(block.first, first);
    let last = first + 6 * 4;
    let end = block.records_end;
    // The search compares the middle one, d, first, and then c or f.
    for (restart, offset, want, expected) in [
        (3, end + 100, b'd', Expected::AtMost(wide(end - 1))),
        (3, end, b'd', Expected::AtMost(wide(end - 1))),
        (3, first - 1, b'd', Expected::AtLeast(wide(first))),
        (1, last, b'b', Expected::AtMost(wide(first + 3 * 4))),
        (5, first, b'f', Expected::AtLeast(wide(first + 3 * 4))),
    ] {
        let mut bad = good.clone();
        let at = end + 3 * restart;
        bad[at + 2] = u8::try_from(offset).unwrap();
        let damage = seek(&mut BlockCursor::default(), &block, &bad, &[want]).unwrap_err();
        let what = (damage.offset, damage.found, damage.expected);
        assert_eq!(what, (wide(at), wide(offset), expected));
    }
}

#[test]
fn padding_is_distinguished_from_the_next_block() {
    for (block_size, len, following, full) in [
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
            full_size(block_size, len, following),
            full,
            "{block_size} {len}"
        );
    }
}

/// git's C code reads such blocks too.
#[test]
fn records_are_read_without_restarts() {
    let model = BTreeMap::from([(b"a".to_vec(), 1), (b"b".to_vec(), 2)]);
    let good = block(&model, 1, 0);
    let mut inflater = Inflater::default();
    let whole = Block::open(&frame(&good, 0), 0, None, &mut inflater).unwrap();
    let mut bytes = good[..whole.records_end].to_vec();
    bytes.extend_from_slice(&[0, 0]);
    bytes[3] = u8::try_from(bytes.len()).unwrap();
    let block = Block::open(&frame(&bytes, 0), 0, None, &mut inflater).unwrap();
    assert_eq!(block.restart_count, 0);
    for (want, found) in [(b"a", true), (b"b", true), (b"c", false)] {
        let got = seek(&mut BlockCursor::default(), &block, &bytes, want).unwrap();
        assert_eq!(got.is_some(), found);
    }
}

/// A block of refs of all types, followed by as many bytes as a footer has.
fn ref_block(names: &BTreeMap<Vec<u8>, u8>) -> Vec<u8> {
    let mut writer = BlockWriter::new(1 << 20, 16);
    writer.start(BlockType::Ref, 0);
    let mut last: &[u8] = b"";
    for (name, kind) in names {
        let id = [*kind; 20];
        let value = match kind % 8 {
            0 => RefValue::Deletion,
            1 => RefValue::Symref(b"refs/heads/main"),
            2 => RefValue::Val2 {
                value: &id,
                target: &[0; 20],
            },
            _ => RefValue::Val1(&id),
        };
        let record_key = RecordKey {
            bytes: name,
            shared: common_prefix(last, name),
            extra: value.value_type(),
        };
        assert!(writer.add(&record_key, |out| encode_ref(out, 0, &value)));
        last = name;
    }
    [writer.finish().unwrap().head, &mut [0; 68]].concat()
}

/// All refs of a block, how the walk ends, and how many refs the fast path has read, if it is used.
fn walk(bytes: &[u8], block: &Block, fast: bool) -> (Vec<String>, Option<Damage>, usize) {
    let context = Context::new(20, 0, 3);
    let records = records(block, bytes, &context);
    let (mut cursor, mut refs, mut count) = (BlockCursor::default(), Vec::new(), 0);
    cursor.start(block);
    let mut span = RefSpan::default();
    loop {
        let found = fast
            .then(|| cursor.step_fast::<RefRecords>(&records))
            .flatten();
        if let Some(found) = found {
            assert_eq!(found.span.value(bytes), RefValue::Val1(found.id));
            let key = found.key.to_vec();
            span = found.span;
            count += 1;
            assert_eq!(cursor.key.bytes(), key);
        } else {
            match cursor.step::<RefRecords>(&records, &mut span) {
                Ok(true) => {}
                Ok(false) => return (refs, None, count),
                Err(damage) => return (refs, Some(damage), count),
            }
        }
        let (name, value) = (cursor.key.bytes(), span.value(bytes));
        refs.push(format!("{name:?} {} {value:?}", span.update_index));
    }
}

proptest! {
    #[test]
    fn the_fast_path_reads_what_the_careful_path_does(
        names in prop::collection::btree_map("[a-c]{1,20}", any::<u8>(), 1..60),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 200),
    ) {
        let names = names.into_iter().map(|(name, kind)| (name.into_bytes(), kind)).collect();
        let bytes = ref_block(&names);
        let len = bytes.len() - 68;
        let mut inflater = Inflater::default();
        let block = Block::open(&frame(&bytes[..len], 0), 0, None, &mut inflater).unwrap();
        let (fast, end, _) = walk(&bytes, &block, true);
        prop_assert_eq!((fast.len(), end), (names.len(), None));
        prop_assert_eq!(&fast, &walk(&bytes, &block, false).0);
        for (at, byte) in damage {
            let mut broken = bytes.clone();
            broken[4 + at.index(len - 4)] = byte;
            let fast = walk(&broken, &block, true);
            let careful = walk(&broken, &block, false);
            prop_assert_eq!((fast.0, fast.1), (careful.0, careful.1));
        }
    }
}

/// Refs without a fast path.
#[derive(Debug)]
enum CarefulRefs {}

impl Records for CarefulRefs {
    const TYPE: BlockType = BlockType::Ref;
    type Span = RefSpan;

    fn check_key(key: &[u8], position: usize) -> Result<(), Damage> {
        RefRecords::check_key(key, position)
    }

    fn check_next(next: &NextKey<'_>, key: &KeyBuf, position: usize) -> Result<(), Damage> {
        RefRecords::check_next(next, key, position)
    }

    fn decode(
        extra: u8,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut RefSpan,
    ) -> Result<(), Damage> {
        RefRecords::decode(extra, input, context, span)
    }
}

/// The key that a search finds, and the keys after it; or the damage.
fn search<R: Records>(bytes: &[u8], block: &Block, want: &[u8]) -> Result<Vec<Vec<u8>>, Damage> {
    let context = Context::new(20, 0, 3);
    let records = records(block, bytes, &context);
    let (mut cursor, mut keys, mut span) = (BlockCursor::default(), Vec::new(), R::Span::default());
    let mut more = cursor.seek::<R>(&records, want, false, &mut span)?;
    while more {
        keys.push(cursor.key.bytes().to_vec());
        more = cursor.step::<R>(&records, &mut span)?;
    }
    Ok(keys)
}

proptest! {
    #[test]
    fn a_search_finds_the_first_key_that_is_not_less(
        names in prop::collection::btree_map("[a-c]{1,20}", any::<u8>(), 1..60),
        wanted in prop::collection::vec("[a-d]{0,20}", 20),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 40),
    ) {
        let names: BTreeMap<_, _> =
            names.into_iter().map(|(name, kind)| (name.into_bytes(), kind)).collect();
        let bytes = ref_block(&names);
        let len = bytes.len() - 68;
        let mut inflater = Inflater::default();
        let block = Block::open(&frame(&bytes[..len], 0), 0, None, &mut inflater).unwrap();
        let wanted = wanted.iter().map(|want| want.as_bytes());
        for want in wanted.chain(names.keys().map(Vec::as_slice)) {
            let expected: Vec<_> = names.range(want.to_vec()..).map(|(name, _)| name.clone()).collect();
            prop_assert_eq!(&search::<RefRecords>(&bytes, &block, want), &Ok(expected));
        }
        // The fast path passes the same records as the careful path, damaged or not.
        for ((at, byte), want) in damage.into_iter().zip(names.keys().cycle()) {
            let mut broken = bytes.clone();
            broken[4 + at.index(len - 4)] = byte;
            let fast = search::<RefRecords>(&broken, &block, want);
            prop_assert_eq!(fast, search::<CarefulRefs>(&broken, &block, want));
        }
    }
}

#[test]
fn a_fast_search_of_damaged_records_ends_like_a_careful_one() {
    let names = ["a", "aab", "aabc", "ab", "abb"].map(|name| (name.as_bytes().to_vec(), 3));
    let bytes = ref_block(&names.into());
    let len = bytes.len() - 68;
    let mut inflater = Inflater::default();
    let block = Block::open(&frame(&bytes[..len], 0), 0, None, &mut inflater).unwrap();
    for at in 4..len {
        let mut broken = bytes.clone();
        for byte in 0..=u8::MAX {
            broken[at] = byte;
            for want in [&b"a"[..], b"aabb", b"abb", b"z"] {
                let fast = search::<RefRecords>(&broken, &block, want);
                let careful = search::<CarefulRefs>(&broken, &block, want);
                assert_eq!(fast, careful, "{at} {byte} {want:?}");
            }
        }
    }
}

#[test]
fn the_fast_path_reads_nearly_all_refs() {
    let name = |n: u32| format!("refs/heads/{n:03}").into_bytes();
    let names = (0..160).map(|n| (name(n), 7)).collect();
    let bytes = ref_block(&names);
    let len = bytes.len() - 68;
    let mut inflater = Inflater::default();
    let block = Block::open(&frame(&bytes[..len], 0), 0, None, &mut inflater).unwrap();
    let (refs, end, count) = walk(&bytes, &block, true);
    assert_eq!((refs.len(), end), (160, None));
    // All but those at restarts, one in 16, whose keys are complete.
    assert_eq!(count, 150);
}
