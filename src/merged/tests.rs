//! How many log blocks are deflated and inflated.
#![forbid(unsafe_code)]

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::block::counts::{self, DEFLATED, INFLATED};
use crate::format::HashId;
use crate::merged::{Merged, MergedLogs, Tombstones};
use crate::record::{LogRecord, LogUpdate, LogValue, Zone};
use crate::table::{Table, WriteOptions, Writer};

const NAMES: [&str; 3] = ["HEAD", "refs/heads/main", "refs/heads/other"];
/// Entries of each log, which take many blocks.
const ENTRIES: u64 = 500;

/// One table with the logs, and how many blocks were deflated to write it.
fn logs() -> (Merged, usize) {
    let before = DEFLATED.get();
    let table = table(&NAMES, 1..=ENTRIES);
    (merged(vec![table]), DEFLATED.get() - before)
}

fn merged(tables: Vec<Arc<Table>>) -> Merged {
    Merged::new(tables, HashId::Sha1).unwrap()
}

/// A table with an entry of each update index for each name.
fn table(names: &[impl AsRef<str>], indexes: RangeInclusive<u64>) -> Arc<Table> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
    writer.set_limits(*indexes.start(), *indexes.end()).unwrap();
    let mut id = [0; 20];
    for name in names {
        for update_index in indexes.clone().rev() {
            let old = id;
            // Ids that hardly compress.
            for (i, byte) in id.iter_mut().enumerate() {
                let number = update_index * 2_654_435_761 * (i as u64 * 2 + 1);
                *byte = number.to_be_bytes()[4] ^ number.to_be_bytes()[5];
            }
            let update = LogUpdate {
                old_hash: &old,
                new_hash: &id,
                name: b"name",
                email: b"mail",
                time: update_index,
                tz_offset: Zone::from_stored(0),
                message: b"message\n",
            };
            let record = LogRecord {
                name: name.as_ref().as_bytes(),
                update_index,
                value: LogValue::Update(update),
            };
            writer.add_log(&record).unwrap();
        }
    }
    writer.finish().unwrap();
    drop(writer);
    Arc::new(Table::new("a.ref", bytes.into()).unwrap())
}

/// The number of blocks that `read` inflates with a new cursor, none of them recent.
fn inflated(merged: &Merged, read: impl FnOnce(&mut MergedLogs)) -> usize {
    counts::forget();
    let before = INFLATED.get();
    read(&mut merged.logs(Tombstones::Hide));
    INFLATED.get() - before
}

#[test]
fn each_block_is_deflated_once() {
    let (merged, deflated) = logs();
    let all = inflated(&merged, |logs| while logs.advance().unwrap() {});
    assert!(all > 20, "{all} blocks");
    assert_eq!(deflated, all);
}

#[test]
fn the_newest_entry_takes_one_block() {
    let (merged, _) = logs();
    for name in NAMES {
        let blocks = inflated(&merged, |logs| {
            logs.seek_only(name.as_bytes()).unwrap();
            assert!(logs.advance().unwrap());
            assert_eq!(logs.record().update_index, ENTRIES);
        });
        assert_eq!(blocks, 1, "{name}");
    }
}

#[test]
fn an_entry_by_update_index_takes_one_block() {
    let (merged, _) = logs();
    for index in 1..=ENTRIES {
        let blocks = inflated(&merged, |logs| {
            logs.seek_at(b"refs/heads/main", index).unwrap();
            assert!(logs.advance().unwrap());
            assert_eq!(logs.record().update_index, index);
        });
        assert_eq!(blocks, 1, "{index}");
    }
}

#[test]
fn a_missing_log_takes_at_most_one_block() {
    let (merged, _) = logs();
    for name in ["A", "refs/heads/", "refs/heads/n", "refs/heads/z"] {
        let blocks = inflated(&merged, |logs| {
            logs.seek_only(name.as_bytes()).unwrap();
            assert!(!logs.advance().unwrap());
        });
        assert!(blocks <= 1, "{name}: {blocks}");
    }
}

#[test]
fn a_whole_log_takes_each_of_its_blocks_once() {
    let (merged, all) = logs();
    let one = NAMES.map(|name| {
        inflated(&merged, |logs| {
            logs.seek_only(name.as_bytes()).unwrap();
            while logs.advance().unwrap() {}
        })
    });
    // Neighbouring logs share a block.
    let sum: usize = one.iter().sum();
    assert!(sum <= all + NAMES.len(), "{one:?} of {all}");
}

#[test]
fn a_cursor_for_each_log_takes_each_block_once() {
    let names: Vec<_> = (0..500).map(|n| format!("refs/heads/{n:04}")).collect();
    let before = DEFLATED.get();
    let tables = [1..=3, 4..=4, 5..=5].map(|indexes| table(&names, indexes));
    let deflated = DEFLATED.get() - before;
    assert!(deflated > 40, "{deflated} blocks");
    let merged = merged(tables.into());
    counts::forget();
    let before = INFLATED.get();
    for name in &names {
        let mut logs = merged.logs(Tombstones::Hide);
        logs.seek_only(name.as_bytes()).unwrap();
        let mut indexes = Vec::new();
        while logs.advance().unwrap() {
            indexes.push(logs.record().update_index);
        }
        assert_eq!(indexes, [5, 4, 3, 2, 1]);
    }
    assert_eq!(INFLATED.get() - before, deflated);
}
