//! Tables written and read back, compared with a sorted map.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use reftable::format::{Error, HashId};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{LogCursor, RefCursor, Table, WriteOptions, Writer};

const MIN: u64 = 100;
const MAX: u64 = 1_000_000;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Deletion,
    Val1(u8),
    Val2(u8, u8),
    Symref(Vec<u8>),
}

type Refs = BTreeMap<Vec<u8>, (u64, Value)>;
/// Name and inverted update index.
type Logs = BTreeMap<(Vec<u8>, u64), Option<Log>>;

#[derive(Clone, Debug, PartialEq)]
struct Log {
    ids: (u8, u8),
    name: Vec<u8>,
    time: u64,
    tz_offset: i16,
    message: Vec<u8>,
}

/// An object id; few ids have long common prefixes.
fn id(seed: u8, len: usize) -> Vec<u8> {
    let mut id = vec![seed / 16; len];
    id[len / 2] = seed;
    id
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(97_u8..100, 1..5),
        prop::collection::vec(1_u8..=255, 1..20),
        (0_u32..100_000).prop_map(|n| format!("refs/heads/branch-{n:05}").into_bytes()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Deletion),
        any::<u8>().prop_map(Value::Val1),
        any::<(u8, u8)>().prop_map(|(a, b)| Value::Val2(a, b)),
        prop::collection::vec(1_u8..=255, 0..30).prop_map(Value::Symref),
    ]
}

fn refs() -> impl Strategy<Value = Refs> {
    prop::collection::btree_map(name(), (MIN..=MAX, value()), 0..400)
}

fn logs() -> impl Strategy<Value = Logs> {
    let log = (
        any::<(u8, u8)>(),
        prop::collection::vec(32_u8..127, 0..12),
        any::<u64>(),
        any::<i16>(),
        prop::collection::vec(32_u8..127, 0..40),
    )
        .prop_map(|(ids, name, time, tz_offset, message)| Log {
            ids,
            name,
            time,
            tz_offset,
            message,
        });
    prop::collection::btree_map(
        (name(), (0..=MAX).prop_map(|n| u64::MAX - n)),
        prop::option::weighted(0.9, log),
        0..150,
    )
}

fn options() -> impl Strategy<Value = WriteOptions> {
    (
        prop_oneof![Just(0), 256_u32..1024, 1024_u32..20_000],
        prop_oneof![Just(0), 1_u16..40],
        any::<[bool; 5]>(),
    )
        .prop_map(
            |(block_size, restart_interval, [sha256, skip, unpadded, exact, git])| WriteOptions {
                block_size,
                restart_interval,
                hash_id: if sha256 { HashId::Sha256 } else { HashId::Sha1 },
                skip_index_objects: skip,
                unpadded,
                exact_log_message: exact,
                git_layout: git,
            },
        )
}

/// Calls `f` with the record of a model's value.
fn with_ref<T>(
    name: &[u8],
    (update_index, value): &(u64, Value),
    len: usize,
    f: impl FnOnce(&RefRecord<'_>) -> T,
) -> T {
    let (a, b) = match value {
        Value::Val1(a) => (id(*a, len), Vec::new()),
        Value::Val2(a, b) => (id(*a, len), id(*b, len)),
        Value::Symref(target) => (target.clone(), Vec::new()),
        Value::Deletion => Default::default(),
    };
    let value = match value {
        Value::Deletion => RefValue::Deletion,
        Value::Val1(_) => RefValue::Val1(&a),
        Value::Val2(..) => RefValue::Val2 {
            value: &a,
            target: &b,
        },
        Value::Symref(_) => RefValue::Symref(&a),
    };
    f(&RefRecord {
        name,
        update_index: *update_index,
        value,
    })
}

fn with_log<T>(
    (name, inverted): &(Vec<u8>, u64),
    log: Option<&Log>,
    len: usize,
    f: impl FnOnce(&LogRecord<'_>) -> T,
) -> T {
    let ids = log.map(|log| (id(log.ids.0, len), id(log.ids.1, len)));
    let value = match (log, &ids) {
        (Some(log), Some((old, new))) => LogValue::Update(LogUpdate {
            old_hash: old,
            new_hash: new,
            name: &log.name,
            email: b"who@example.com",
            time: log.time,
            tz_offset: Zone::from_stored(log.tz_offset),
            message: &log.message,
        }),
        _ => LogValue::Deletion,
    };
    f(&LogRecord {
        name,
        update_index: u64::MAX - inverted,
        value,
    })
}

fn write(refs: &Refs, logs: &Logs, options: &WriteOptions) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, options)?;
    writer.set_limits(MIN, MAX)?;
    let len = options.hash_id.len();
    for (name, value) in refs {
        with_ref(name, value, len, |record| writer.add_ref(record))?;
    }
    for (key, log) in logs {
        with_log(key, log.as_ref(), len, |record| writer.add_log(record))?;
    }
    writer.finish()?;
    Ok(bytes)
}

fn open(bytes: Vec<u8>) -> Arc<Table> {
    Arc::new(Table::new("test.ref", bytes.into()).unwrap())
}

fn message(log: &Log, options: &WriteOptions) -> Vec<u8> {
    let mut message = log.message.clone();
    if !options.exact_log_message {
        message.push(b'\n');
    }
    message
}

/// Checks the next record of a cursor.
fn next_ref(
    cursor: &mut RefCursor,
    (name, value): (&Vec<u8>, &(u64, Value)),
    len: usize,
) -> Result<(), TestCaseError> {
    prop_assert!(cursor.advance().unwrap());
    with_ref(name, value, len, |record| {
        prop_assert_eq!(cursor.record(), *record);
        Ok(())
    })
}

fn walk_refs(cursor: &mut RefCursor, refs: &Refs, len: usize) -> Result<(), TestCaseError> {
    for expected in refs {
        next_ref(cursor, expected, len)?;
    }
    prop_assert!(!cursor.advance().unwrap());
    prop_assert!(!cursor.advance().unwrap());
    Ok(())
}

fn walk_logs(
    cursor: &mut LogCursor,
    logs: &Logs,
    options: &WriteOptions,
) -> Result<(), TestCaseError> {
    for (key, log) in logs {
        prop_assert!(cursor.advance().unwrap());
        let cleaned = log.as_ref().map(|log| Log {
            message: message(log, options),
            ..log.clone()
        });
        with_log(key, cleaned.as_ref(), options.hash_id.len(), |record| {
            prop_assert_eq!(cursor.record(), *record);
            Ok(())
        })?;
    }
    prop_assert!(!cursor.advance().unwrap());
    Ok(())
}

/// Seeks to `want` and checks the next records, up to three.
fn seek_ref(
    cursor: &mut RefCursor,
    refs: &Refs,
    want: &[u8],
    len: usize,
) -> Result<(), TestCaseError> {
    cursor.seek(want).unwrap();
    for expected in refs.range(want.to_vec()..).take(3) {
        next_ref(cursor, expected, len)?;
    }
    if refs.range(want.to_vec()..).nth(2).is_none() {
        prop_assert!(!cursor.advance().unwrap());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn refs_and_logs_are_read_back(
        refs in refs(), logs in logs(), options in options(),
        wants in prop::collection::vec(name(), 20),
    ) {
        let bytes = match write(&refs, &logs, &options) {
            Err(Error::EmptyTable) => {
                prop_assert!(refs.is_empty() && logs.is_empty());
                return Ok(());
            }
            other => other.unwrap(),
        };
        let table = open(bytes);
        let len = options.hash_id.len();
        prop_assert_eq!(table.hash_id(), options.hash_id);
        prop_assert_eq!((table.min_update_index(), table.max_update_index()), (MIN, MAX));

        // Searches with one cursor, in any order, with walks in between.
        let mut cursor = table.refs();
        walk_refs(&mut cursor, &refs, len)?;
        let inside = refs.keys().rev().step_by(7).chain(refs.keys());
        for want in wants.iter().chain(inside) {
            seek_ref(&mut cursor, &refs, want, len)?;
        }
        let mut log_cursor = table.logs();
        walk_logs(&mut log_cursor, &logs, &options)?;
        for (key, _) in logs.iter().rev().step_by(5).chain(&logs) {
            log_cursor.seek_at(&key.0, u64::MAX - key.1).unwrap();
            prop_assert!(log_cursor.advance().unwrap());
            prop_assert_eq!(log_cursor.record().name, &key.0[..]);
            prop_assert_eq!(log_cursor.record().update_index, u64::MAX - key.1);
        }
        for want in &wants {
            log_cursor.seek(want).unwrap();
            let expected = logs.range((want.clone(), 0)..).next();
            prop_assert_eq!(log_cursor.advance().unwrap(), expected.is_some());
            if let Some((key, _)) = expected {
                prop_assert_eq!(log_cursor.record().name, &key.0[..]);
            }
        }
    }

    #[test]
    fn refs_are_found_by_object(refs in refs(), options in options(), seed: u8) {
        prop_assume!(!refs.is_empty());
        let len = options.hash_id.len();
        let table = open(write(&refs, &Logs::new(), &options).unwrap());
        let seeds = refs.values().filter_map(|(_, value)| match value {
            Value::Val1(a) => Some(*a),
            Value::Val2(_, b) => Some(*b),
            _ => None,
        });
        for seed in seeds.take(20).chain([seed]) {
            let expected = refs.iter().filter(|(_, (_, value))| match value {
                Value::Val1(a) => *a == seed,
                Value::Val2(a, b) => *a == seed || *b == seed,
                _ => false,
            });
            let mut found = table.refs_for(&id(seed, len)).unwrap();
            for (name, value) in expected {
                prop_assert!(found.advance().unwrap());
                with_ref(name, value, len, |record| {
                    prop_assert_eq!(found.record(), *record);
                    Ok(())
                })?;
            }
            prop_assert!(!found.advance().unwrap());
        }
    }

    #[test]
    fn blocks_cover_the_file(refs in refs(), logs in logs(), options in options()) {
        prop_assume!(!refs.is_empty() || !logs.is_empty());
        let table = open(write(&refs, &logs, &options).unwrap());
        // A first block of logs does not include the header, except in git's layout.
        let header = if options.hash_id == HashId::Sha1 { 24 } else { 28 };
        let apart = refs.is_empty() && !options.git_layout;
        let mut next = if apart { header } else { 0 };
        for block in table.blocks() {
            let block = block.unwrap();
            prop_assert_eq!(block.offset, next);
            prop_assert!(block.restart_count > 0);
            next += u64::from(block.full_size);
        }
        let footer = if options.hash_id == HashId::Sha1 { 68 } else { 72 };
        prop_assert!(next >= table.size() - footer);
    }
}
