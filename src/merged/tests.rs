//! How many log blocks are deflated and inflated.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::block::counts::{DEFLATED, INFLATED};
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
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
    writer.set_limits(1, ENTRIES).unwrap();
    let mut id = [0; 20];
    for name in NAMES {
        for update_index in (1..=ENTRIES).rev() {
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
                name: name.as_bytes(),
                update_index,
                value: LogValue::Update(update),
            };
            writer.add_log(&record).unwrap();
        }
    }
    writer.finish().unwrap();
    drop(writer);
    let table = Table::new("a.ref", bytes.into()).unwrap();
    let merged = Merged::new(vec![Arc::new(table)], HashId::Sha1).unwrap();
    (merged, DEFLATED.get() - before)
}

/// The number of blocks that `read` inflates with a new cursor.
fn inflated(merged: &Merged, read: impl FnOnce(&mut MergedLogs)) -> usize {
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
