//! A merged view of several tables, compared with a sorted map.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use reftable::format::{HashId, Result};
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, LogValue, RefRecord, RefValue};
use reftable::table::{Table, WriteOptions, Writer};

use super::check::update;
use super::hostile::raw;
use super::input::Input;

/// The newest record of each key: the first byte of an id, or None for a tombstone.
type Refs = BTreeMap<Vec<u8>, Option<u8>>;
type Logs = BTreeMap<(Vec<u8>, Reverse<u64>), Option<u8>>;

#[derive(Default)]
struct Model {
    refs: Refs,
    logs: Logs,
}

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut model = Model::default();
    let mut tables = Vec::new();
    let mut damaged = false;
    for n in 0..=input.below(4) {
        let mut bytes = table(&mut input, n as u64 * 10 + 1, &mut model);
        if input.one_in(5) {
            damaged = true;
            for _ in 0..=input.below(3) {
                let at = input.below(bytes.len());
                bytes[at] ^= input.byte();
            }
            raw::repair(&mut bytes);
        }
        match Table::new("table", bytes.into()) {
            Ok(table) => tables.push(Arc::new(table)),
            Err(error) => assert!(damaged, "{error}"),
        }
    }
    let Ok(merged) = Merged::new(tables, HashId::Sha1) else {
        assert!(damaged);
        return;
    };
    if damaged {
        let _ = read(&merged, &mut input);
        return;
    }
    compare(&merged, &model, &mut input);
}

fn name(input: &mut Input<'_>) -> Vec<u8> {
    const STARTS: [&str; 4] = ["refs/heads/", "refs/heads/topic/", "refs/tags/", "R"];
    let start = *input.pick(&STARTS).unwrap_or(&"");
    format!("{start}{:x}", input.below(24)).into_bytes()
}

/// Writes a table with few names and adds its records to the model as the newest ones.
fn table(input: &mut Input<'_>, min: u64, model: &mut Model) -> Vec<u8> {
    let mut refs = Refs::new();
    let mut logs = Logs::new();
    let with_logs = input.one_in(2);
    for _ in 0..input.below(40) {
        let value = (!input.one_in(4)).then(|| input.byte());
        let name = name(input);
        match input.below(3) {
            0 if with_logs => drop(logs.insert((name, Reverse(1 + input.below(20) as u64)), value)),
            _ => drop(refs.insert(name, value)),
        }
    }
    let options = WriteOptions {
        block_size: *input.pick(&[256, 512, 4096]).unwrap_or(&256),
        restart_interval: *input.pick(&[16, 1, 3]).unwrap_or(&16),
        unpadded: input.one_in(2),
        skip_index_objects: input.one_in(3),
        ..WriteOptions::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    writer.set_limits(min, min + 100).unwrap();
    for (name, value) in &refs {
        let id = value.map(|byte| [byte; 20]);
        let record = RefRecord {
            name,
            update_index: min,
            value: id
                .as_ref()
                .map_or(RefValue::Deletion, |id| RefValue::Val1(id)),
        };
        writer.add_ref(&record).unwrap();
    }
    for ((name, Reverse(update_index)), value) in &logs {
        let id = value.map(|byte| [byte; 20]);
        let change = id
            .as_ref()
            .map(|id| LogValue::Update(update(id, 7, b"x\n")));
        let record = LogRecord {
            name,
            update_index: *update_index,
            value: change.unwrap_or(LogValue::Deletion),
        };
        writer.add_log(&record).unwrap();
    }
    match writer.finish() {
        Ok(_) | Err(reftable::format::Error::EmptyTable) => {}
        Err(error) => panic!("{error}"),
    }
    drop(writer);
    model.refs.extend(refs);
    model.logs.extend(logs);
    bytes
}

fn id_of(record: &RefRecord<'_>) -> (Vec<u8>, Option<u8>) {
    (record.name.to_vec(), record.value.id().map(|id| id[0]))
}

fn entry_of(record: &LogRecord<'_>) -> ((Vec<u8>, Reverse<u64>), Option<u8>) {
    let key = (record.name.to_vec(), Reverse(record.update_index));
    match record.value {
        LogValue::Update(update) => (key, Some(update.new_hash[0])),
        LogValue::Deletion => (key, None),
    }
}

/// Iterates, seeks and looks up as the input chooses.
fn compare(merged: &Merged, model: &Model, input: &mut Input<'_>) {
    for tombstones in [Tombstones::Hide, Tombstones::Show] {
        let seen = |value: &Option<u8>| tombstones == Tombstones::Show || value.is_some();
        let mut refs = merged.refs(tombstones);
        for (name, value) in model.refs.iter().filter(|(_, value)| seen(value)) {
            assert!(refs.advance().unwrap());
            assert_eq!(id_of(&refs.record()), (name.clone(), *value));
        }
        assert!(!refs.advance().unwrap());
        let mut logs = merged.logs(tombstones);
        for (key, value) in model.logs.iter().filter(|(_, value)| seen(value)) {
            assert!(logs.advance().unwrap());
            assert_eq!(entry_of(&logs.record()), (key.clone(), *value));
        }
        assert!(!logs.advance().unwrap());
        for _ in 0..8 {
            let want = name(input);
            let steps = input.below(4);
            let by_prefix = input.one_in(2);
            if by_prefix {
                refs.seek_prefix(&want).unwrap();
            } else {
                refs.seek(&want).unwrap();
            }
            let all = model.refs.range(want.clone()..);
            let all =
                all.filter(|(name, value)| seen(value) && (!by_prefix || name.starts_with(&want)));
            let mut expected = all.take(steps).map(|(name, value)| (name.clone(), *value));
            for _ in 0..steps {
                let found = refs.advance().unwrap().then(|| id_of(&refs.record()));
                assert_eq!(found, expected.next());
            }
            let index = input.below(24) as u64;
            logs.seek_at(&want, index).unwrap();
            let all = model.logs.range((want, Reverse(index))..);
            let mut expected = all.filter(|(_, value)| seen(value));
            for _ in 0..steps {
                let found = logs.advance().unwrap().then(|| entry_of(&logs.record()));
                let expected = expected.next().map(|(key, value)| (key.clone(), *value));
                assert_eq!(found, expected);
            }
        }
    }
    let mut finder = merged.finder();
    for _ in 0..8 {
        let want = name(input);
        let found = finder.find(&want).unwrap().map(|record| id_of(&record).1);
        let expected = model.refs.get(&want).filter(|value| value.is_some());
        assert_eq!(found.as_ref(), expected);
    }
}

/// Reads damaged tables: names ascend, and an error is permanent.
fn read(merged: &Merged, input: &mut Input<'_>) -> Result<()> {
    let mut refs = merged.refs(Tombstones::Hide);
    let mut last = Vec::new();
    loop {
        match refs.advance() {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => {
                refs.advance().expect_err("a permanent error");
                break;
            }
        }
        assert!(refs.record().name > &last[..]);
        last = refs.record().name.to_vec();
    }
    let mut logs = merged.logs(Tombstones::Show);
    while logs.advance()? {}
    let mut finder = merged.finder();
    for _ in 0..8 {
        let want = name(input);
        refs.seek(&want)?;
        if refs.advance()? {
            assert!(refs.record().name >= &want[..]);
        }
        let _ = finder.find(&want)?;
    }
    Ok(())
}
