//! Cases of git's `u-reftable-merged.c`; `docs/git-suite.md` names the test for each.

use std::sync::Arc;

use reftable::format::HashId;
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Table, WriteOptions, Writer};

/// A table of refs: name, update index, and a byte of the id or `None` for a tombstone.
fn refs(records: &[(&str, u64, Option<u8>)]) -> Arc<Table> {
    let mut bytes = Vec::new();
    let options = WriteOptions {
        block_size: 256,
        ..WriteOptions::default()
    };
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    let indexes = || records.iter().map(|record| record.1);
    writer
        .set_limits(indexes().min().unwrap(), indexes().max().unwrap())
        .unwrap();
    for &(name, update_index, id) in records {
        let id = id.map(|byte| [byte; 20]);
        let value = id
            .as_ref()
            .map_or(RefValue::Deletion, |id| RefValue::Val1(id));
        writer
            .add_ref(&RefRecord {
                name: name.as_bytes(),
                update_index,
                value,
            })
            .unwrap();
    }
    writer.finish().unwrap();
    Arc::new(Table::new("table", bytes.into()).unwrap())
}

fn update(message: &[u8]) -> LogValue<'_> {
    LogValue::Update(LogUpdate {
        old_hash: &[1; 20],
        new_hash: &[2; 20],
        name: b"jane doe",
        email: b"jane@invalid",
        time: 0,
        tz_offset: Zone::from_stored(0),
        message,
    })
}

/// A table of log entries of the ref "a".
fn logs(records: &[(u64, LogValue<'_>)]) -> Arc<Table> {
    let mut bytes = Vec::new();
    let options = WriteOptions {
        block_size: 256,
        exact_log_message: true,
        ..WriteOptions::default()
    };
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    let indexes = || records.iter().map(|record| record.0);
    writer
        .set_limits(indexes().min().unwrap(), indexes().max().unwrap())
        .unwrap();
    for &(update_index, value) in records {
        writer
            .add_log(&LogRecord {
                name: b"a",
                update_index,
                value,
            })
            .unwrap();
    }
    writer.finish().unwrap();
    Arc::new(Table::new("table", bytes.into()).unwrap())
}

fn merged(tables: Vec<Arc<Table>>) -> Merged {
    Merged::new(tables, HashId::Sha1).unwrap()
}

#[test]
fn a_tombstone_without_a_ref_is_shown_on_demand() {
    let view = merged(vec![
        refs(&[("b", 1, Some(1))]),
        refs(&[("a", 2, None)]),
        refs(&[("c", 3, None)]),
    ]);
    for (tombstones, name) in [(Tombstones::Show, b"a"), (Tombstones::Hide, b"b")] {
        let mut found = view.refs(tombstones);
        found.seek(b"a").unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record().name, name);
    }
}

#[test]
fn three_tables_are_merged() {
    let view = merged(vec![
        refs(&[("a", 1, Some(1)), ("b", 1, Some(1)), ("c", 1, Some(1))]),
        refs(&[("a", 2, None)]),
        refs(&[("c", 3, Some(2)), ("d", 3, Some(1))]),
    ]);
    assert_eq!(view.hash_id(), HashId::Sha1);
    assert_eq!((view.min_update_index(), view.max_update_index()), (1, 3));
    let mut found = view.refs(Tombstones::Show);
    found.seek(b"a").unwrap();
    let record = |name, update_index, value| RefRecord {
        name,
        update_index,
        value,
    };
    for expected in [
        record(b"a", 2, RefValue::Deletion),
        record(b"b", 1, RefValue::Val1(&[1; 20])),
        record(b"c", 3, RefValue::Val1(&[2; 20])),
        record(b"d", 3, RefValue::Val1(&[1; 20])),
    ] {
        assert!(found.advance().unwrap());
        assert_eq!(found.record(), expected);
    }
    assert!(!found.advance().unwrap());
}

fn two_tables() -> Merged {
    merged(vec![
        refs(&[("a", 1, Some(1)), ("c", 1, Some(2))]),
        refs(&[("b", 2, Some(3)), ("d", 2, Some(4))]),
    ])
}

#[test]
fn a_cursor_at_its_end_can_be_sought_again() {
    let mut found = two_tables().refs(Tombstones::Hide);
    for _ in 0..5 {
        found.seek(b"c").unwrap();
        for (name, id) in [(b"c", [2; 20]), (b"d", [4; 20])] {
            assert!(found.advance().unwrap());
            assert_eq!(found.record().name, name);
            assert_eq!(found.record().value, RefValue::Val1(&id));
        }
        assert!(!found.advance().unwrap());
    }
}

#[test]
fn a_cursor_in_the_middle_can_be_sought_again() {
    let mut found = two_tables().refs(Tombstones::Hide);
    for (name, id) in [(b"b", [3; 20]), (b"a", [1; 20])] {
        found.seek(name).unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record().name, name);
        assert_eq!(found.record().value, RefValue::Val1(&id));
    }
}

#[test]
fn log_entries_are_replaced_by_tombstones_of_the_same_index() {
    let view = merged(vec![
        logs(&[(2, update(b"message2")), (1, update(b"message1"))]),
        logs(&[(3, update(b"message3"))]),
        logs(&[(2, LogValue::Deletion)]),
    ]);
    assert_eq!((view.min_update_index(), view.max_update_index()), (1, 3));
    let mut found = view.logs(Tombstones::Show);
    found.seek(b"a").unwrap();
    for (update_index, value) in [
        (3, update(b"message3")),
        (2, LogValue::Deletion),
        (1, update(b"message1")),
    ] {
        assert!(found.advance().unwrap());
        assert_eq!(found.record().update_index, update_index);
        assert_eq!(found.record().value, value);
    }
    assert!(!found.advance().unwrap());
    found.seek_at(b"a", 2).unwrap();
    assert!(found.advance().unwrap());
    assert_eq!(found.record().value, LogValue::Deletion);
    let mut found = view.logs(Tombstones::Hide);
    found.seek_at(b"a", 2).unwrap();
    assert!(found.advance().unwrap());
    assert_eq!(found.record().update_index, 1);
}

/// If several tables have the same name, the newest wins, regardless of their order in the merge.
#[test]
fn the_newest_table_wins_for_equal_names() {
    for count in [1, 2, 3, 13] {
        let tables = (1..=count).map(|index| {
            let id = u8::try_from(index).unwrap();
            refs(&[("refs/heads/master", index, Some(id))])
        });
        let view = merged(tables.collect());
        let mut found = view.refs(Tombstones::Hide);
        assert!(found.advance().unwrap());
        assert_eq!(found.record().update_index, count);
        assert!(!found.advance().unwrap());
    }
}

/// One name per table, in unsorted tables.
#[test]
fn names_of_many_tables_are_merged_in_order() {
    let mut i = 1;
    let mut tables = Vec::new();
    loop {
        tables.push(refs(&[(&format!("{i:02}"), 1, Some(1))]));
        i = i * 7 % 53;
        if i == 1 {
            break;
        }
    }
    let count = tables.len();
    let mut found = merged(tables).refs(Tombstones::Hide);
    let mut names = Vec::new();
    while found.advance().unwrap() {
        names.push(found.record().name.to_vec());
    }
    assert_eq!(names.len(), count);
    assert!(names.is_sorted());
}
