//! Tables from writers have no flaws.
#![forbid(unsafe_code)]

use proptest::prelude::*;
use std::collections::BTreeMap;

use super::flaws;
use super::raw::{shared, sound, RawBlock, RawTable, Record};
use crate::format::HashId;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use crate::table::{Table, WriteOptions, Writer};

#[test]
fn handmade_tables_are_sound() {
    for block_size in [0, 256, 4096] {
        assert_eq!(flaws(sound(block_size).encode()), [], "{block_size}");
    }
}

/// A small file with 100,000 keys of a megabyte each in one deflated block. Checking each key from
/// its start would take minutes.
#[test]
fn time_is_linear_in_the_bytes_that_keys_do_not_share() {
    const LEN: usize = 1 << 20;
    let start = vec![b'a'; LEN];
    let mut records = vec![Record::log(&start, 9)];
    records.extend((0..100_000_usize).map(|n| {
        let mut end = format!("{n:06}").into_bytes();
        end.resize(6 + n % 2, b'x');
        shared(Record::log(&end, 9), LEN)
    }));
    let table = RawTable {
        blocks: vec![RawBlock::new(b'g', records)],
        footer: [None; 5],
        ..sound(0)
    };
    let bytes = table.encode();
    assert!(bytes.len() < LEN);
    assert_eq!(flaws(bytes), []);
}

/// The value of a ref or a reflog entry; numbers are seeds of ids.
#[derive(Clone, Debug)]
enum Value {
    Deletion,
    Val1(u8),
    Val2(u8, u8),
    Symref,
}

#[derive(Clone, Debug)]
struct Input {
    options: WriteOptions,
    refs: BTreeMap<Vec<u8>, (u64, Value)>,
    /// By name and inverted update index.
    logs: BTreeMap<(Vec<u8>, u64), Value>,
}

const MIN: u64 = 10;
const MAX: u64 = 500;

/// An id. A few ids have long common prefixes.
fn id(seed: u8) -> [u8; 32] {
    let mut id = [seed / 16; 32];
    id[3 + usize::from(seed % 13)] = seed;
    id
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(1_u8..=255, 1..20),
        (0_u32..100_000).prop_map(|n| format!("refs/heads/branch-{n:05}").into_bytes()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Deletion),
        Just(Value::Symref),
        any::<u8>().prop_map(Value::Val1),
        any::<(u8, u8)>().prop_map(|(a, b)| Value::Val2(a, b)),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let options = (
        prop_oneof![Just(0), 256_u32..1024, 1024_u32..20_000],
        prop_oneof![Just(0), 1_u16..40],
        any::<[bool; 4]>(),
    );
    let refs = prop::collection::btree_map(name(), (MIN..=MAX, value()), 0..400);
    let log_key = (name(), (0..=MAX).prop_map(|n| u64::MAX - n));
    let logs = prop::collection::btree_map(log_key, value(), 0..150);
    (options, refs, logs).prop_map(|((block_size, restart_interval, flags), refs, logs)| {
        let [sha256, skip_index_objects, unpadded, git_layout] = flags;
        let options = WriteOptions {
            block_size,
            restart_interval,
            hash_id: if sha256 { HashId::Sha256 } else { HashId::Sha1 },
            skip_index_objects,
            unpadded,
            git_layout,
            ..WriteOptions::default()
        };
        Input {
            options,
            refs,
            logs,
        }
    })
}

impl Input {
    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &self.options).unwrap();
        writer.set_limits(MIN, MAX).unwrap();
        let len = self.options.hash_id.len();
        for (name, (update_index, value)) in &self.refs {
            let (a, b) = match value {
                Value::Val1(a) => (id(*a), [0; 32]),
                Value::Val2(a, b) => (id(*a), id(*b)),
                _ => ([0; 32], [0; 32]),
            };
            let value = match value {
                Value::Deletion => RefValue::Deletion,
                Value::Val1(_) => RefValue::Val1(&a[..len]),
                Value::Val2(..) => RefValue::Val2 {
                    value: &a[..len],
                    target: &b[..len],
                },
                Value::Symref => RefValue::Symref(b"refs/heads/main"),
            };
            let record = RefRecord {
                name,
                update_index: *update_index,
                value,
            };
            writer.add_ref(&record).unwrap();
        }
        for ((name, inverted), value) in &self.logs {
            let new_hash = match value {
                Value::Val1(a) | Value::Val2(a, _) => id(*a),
                _ => [7; 32],
            };
            let update = LogUpdate {
                old_hash: &[0; 32][..len],
                new_hash: &new_hash[..len],
                name: b"A U Thor",
                email: b"author@example.com",
                time: 1_700_000_000,
                tz_offset: Zone::from_stored(-130),
                message: b"a message",
            };
            let value = match value {
                Value::Deletion => LogValue::Deletion,
                _ => LogValue::Update(update),
            };
            let record = LogRecord {
                name,
                update_index: u64::MAX - inverted,
                value,
            };
            writer.add_log(&record).unwrap();
        }
        if !self.refs.is_empty() || !self.logs.is_empty() {
            writer.finish().unwrap();
        } else {
            writer.finish().unwrap_err();
        }
        bytes
    }
}

proptest! {
    #[test]
    fn written_tables_are_sound(input in input()) {
        prop_assert_eq!(flaws(input.write()), []);
    }

    /// A change that goes unnoticed is one of a value, not of the structure.
    #[test]
    fn changed_tables_do_no_harm(
        input in input(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = input.write();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let header = if bytes[4] == 2 { 28 } else { 24 };
        let end = bytes.len().saturating_sub(header + 44);
        bytes.copy_within(..header, end);
        let crc = crc32fast::hash(&bytes[end..bytes.len() - 4]);
        let offset = bytes.len() - 4;
        bytes[offset..].copy_from_slice(&crc.to_be_bytes());
        let found = flaws(bytes.clone());
        prop_assert!(found.len() <= 8 * 21);
        if found.is_empty() {
            // Then reading succeeds in every way.
            let table = std::sync::Arc::new(Table::new("table", bytes.into()).unwrap());
            let (mut refs, mut seeker) = (table.refs(), table.refs());
            while refs.advance().unwrap() {
                seeker.seek(refs.key()).unwrap();
                prop_assert!(seeker.advance().unwrap());
                prop_assert_eq!(seeker.record(), refs.record());
                if let Some(id) = refs.record().id() {
                    let mut found = table.refs_for(id).unwrap();
                    let mut names = Vec::new();
                    while found.advance().unwrap() {
                        names.push(found.record().name.to_vec());
                    }
                    prop_assert!(names.contains(&refs.key().to_vec()));
                }
            }
            let (mut logs, mut seeker) = (table.logs(), table.logs());
            while logs.advance().unwrap() {
                let record = logs.record();
                seeker.seek_at(record.name, record.update_index).unwrap();
                prop_assert!(seeker.advance().unwrap());
                prop_assert_eq!(seeker.record(), record);
            }
        }
    }
}
