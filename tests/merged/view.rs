//! The merged view of real tables.

use std::sync::Arc;

use reftable::format::{Error, HashId};
use reftable::merged::{CachedFinder, Merged, Tombstones};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Table, WriteOptions, Writer};

/// A table of refs and log entries, at one update index, without tombstones.
fn table(index: u64, refs: &[(&str, Option<u8>)], logs: &[(&str, u64, bool)]) -> Arc<Table> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
    writer.set_limits(index, index).unwrap();
    for (name, id) in refs {
        let id = id.map(|byte| [byte; 20]);
        writer
            .add_ref(&RefRecord {
                name: name.as_bytes(),
                update_index: index,
                value: id
                    .as_ref()
                    .map_or(RefValue::Deletion, |id| RefValue::Val1(id)),
            })
            .unwrap();
    }
    for &(name, update_index, is_deletion) in logs {
        let update = LogUpdate {
            old_hash: &[0; 20],
            new_hash: &[1; 20],
            name: b"A",
            email: b"a@b",
            time: index,
            tz_offset: Zone::from_stored(0),
            message: b"m\n",
        };
        writer
            .add_log(&LogRecord {
                name: name.as_bytes(),
                update_index,
                value: match is_deletion {
                    true => LogValue::Deletion,
                    false => LogValue::Update(update),
                },
            })
            .unwrap();
    }
    writer.finish().unwrap();
    Arc::new(Table::new(&format!("{index}.ref"), bytes.into()).unwrap())
}

/// A table of log entries in one large block each, with the messages `message(name, index)`.
fn table_of_large_logs(index: u64, names: &[String]) -> Arc<Table> {
    let options = WriteOptions {
        block_size: (1 << 24) - 1,
        ..WriteOptions::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    writer.set_limits(index, index).unwrap();
    for name in names {
        let update = LogUpdate {
            old_hash: &[0; 20],
            new_hash: &[1; 20],
            name: b"A",
            email: b"a@b",
            time: index,
            tz_offset: Zone::from_stored(0),
            message: &large_message(name, index),
        };
        let record = LogRecord {
            name: name.as_bytes(),
            update_index: index,
            value: LogValue::Update(update),
        };
        writer.add_log(&record).unwrap();
    }
    writer.finish().unwrap();
    Arc::new(Table::new(&format!("{index}.ref"), bytes.into()).unwrap())
}

fn large_message(name: &str, index: u64) -> Vec<u8> {
    let mut message = format!("{name} {index} ").repeat(18_000).into_bytes();
    message.push(b'\n');
    message
}

/// Blocks that together exceed the cache of inflated blocks are read correctly in any order, also
/// after searches backward and forward.
#[test]
fn large_log_blocks_are_inflated_again_when_they_are_needed() {
    const TABLES: u64 = 10;
    let names: Vec<_> = (0..4).map(|n| format!("refs/heads/{n}")).collect();
    let tables: Vec<_> = (1..=TABLES)
        .map(|index| table_of_large_logs(index, &names))
        .collect();
    let messages: Vec<Vec<_>> = names
        .iter()
        .map(|name| {
            (0..=TABLES)
                .map(|index| large_message(name, index))
                .collect()
        })
        .collect();
    let mut logs = merged(&tables).logs(Tombstones::Hide);
    for from in [0, 3, 1, 2, 0] {
        logs.seek(names[from].as_bytes()).unwrap();
        for (name, messages) in names.iter().zip(&messages).skip(from) {
            for index in (1..=TABLES).rev() {
                assert!(logs.advance().unwrap());
                let record = logs.record();
                assert_eq!(record.name, name.as_bytes());
                assert_eq!(record.update_index, index);
                let LogValue::Update(update) = record.value else {
                    panic!("{record:?}");
                };
                assert!(update.message == messages[usize::try_from(index).unwrap()]);
            }
        }
        assert!(!logs.advance().unwrap());
    }
}

fn merged(tables: &[Arc<Table>]) -> Merged {
    Merged::new(tables.to_vec(), HashId::Sha1).unwrap()
}

fn names(view: &Merged, tombstones: Tombstones) -> Vec<(String, u64)> {
    let mut refs = view.refs(tombstones);
    let mut names = Vec::new();
    while refs.advance().unwrap() {
        let record = refs.record();
        names.push((
            String::from_utf8_lossy(record.name).into(),
            record.update_index,
        ));
    }
    names
}

fn pairs<const N: usize>(pairs: [(&str, u64); N]) -> Vec<(String, u64)> {
    pairs.map(|(name, index)| (name.to_owned(), index)).to_vec()
}

#[test]
fn an_empty_view_has_nothing() {
    let view = merged(&[]);
    assert_eq!((view.min_update_index(), view.max_update_index()), (0, 0));
    assert!(!view.refs(Tombstones::Show).advance().unwrap());
    assert!(!view.logs(Tombstones::Show).advance().unwrap());
    assert!(view.finder().find(b"a").unwrap().is_none());
    assert_eq!(view.refs(Tombstones::Hide).record().name, b"");
}

#[test]
fn newer_tables_hide_older_ones() {
    let tables = [
        table(1, &[("a", Some(1)), ("b", Some(1)), ("c", Some(1))], &[]),
        table(2, &[("b", None), ("d", Some(2))], &[]),
        table(3, &[("a", Some(3)), ("d", None)], &[]),
        table(4, &[("d", Some(4))], &[]),
    ];
    let view = merged(&tables);
    assert_eq!((view.min_update_index(), view.max_update_index()), (1, 4));
    assert_eq!(
        names(&view, Tombstones::Hide),
        pairs([("a", 3), ("c", 1), ("d", 4)])
    );
    assert_eq!(
        names(&view, Tombstones::Show),
        pairs([("a", 3), ("b", 2), ("c", 1), ("d", 4)])
    );
    let mut finder = view.finder();
    for (name, expected) in [
        ("a", Some(3)),
        ("b", None),
        ("c", Some(1)),
        ("d", Some(4)),
        ("e", None),
    ] {
        let found = finder.find(name.as_bytes()).unwrap();
        assert_eq!(found.map(|r| r.update_index), expected, "{name}");
    }
}

#[test]
fn a_view_of_one_table_hides_tombstones_too() {
    let view = merged(&[table(
        1,
        &[("a", Some(1)), ("b", None), ("c", Some(1))],
        &[],
    )]);
    assert_eq!(names(&view, Tombstones::Hide), pairs([("a", 1), ("c", 1)]));
    assert_eq!(names(&view, Tombstones::Show).len(), 3);
    let mut refs = view.refs(Tombstones::Hide);
    refs.seek(b"b").unwrap();
    assert!(refs.advance().unwrap());
    assert_eq!(refs.record().name, b"c");
}

#[test]
fn log_entries_are_newest_first_and_can_be_deleted() {
    let tables = [
        table(1, &[], &[("a", 1, false), ("b", 1, false)]),
        table(2, &[], &[("a", 2, false)]),
        table(3, &[], &[("a", 3, false), ("a", 1, true)]),
    ];
    let view = merged(&tables);
    let mut logs = view.logs(Tombstones::Hide);
    let mut seen = Vec::new();
    while logs.advance().unwrap() {
        let record = logs.record();
        seen.push((
            String::from_utf8_lossy(record.name).into_owned(),
            record.update_index,
        ));
    }
    assert_eq!(seen, pairs([("a", 3), ("a", 2), ("b", 1)]));
    logs.seek_at(b"a", 2).unwrap();
    assert!(logs.advance().unwrap());
    assert_eq!(logs.record().update_index, 2);
    assert!(logs.advance().unwrap());
    assert_eq!(logs.record().name, b"b");
    logs.seek(b"a").unwrap();
    assert!(logs.advance().unwrap());
    assert_eq!(logs.record().update_index, 3);
}

#[test]
fn tables_of_another_hash_are_refused() {
    let error = Merged::new(vec![table(1, &[("a", Some(1))], &[])], HashId::Sha256).unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)));
    assert!(error.to_string().contains("1.ref"), "{error}");
    let sha256 = Merged::new(Vec::new(), HashId::Sha256).unwrap();
    assert_eq!(sha256.hash_id(), HashId::Sha256);
}

#[test]
fn a_cached_finder_belongs_to_one_view_and_keeps_its_tables_until_it_is_cleared() {
    let tables = [
        table(1, &[("a", Some(1))], &[]),
        table(1, &[("b", Some(1))], &[]),
    ];
    let views = tables.clone().map(|table| Arc::new(merged(&[table])));
    let mut cache = CachedFinder::default();
    for (view, name, other) in [
        (&views[0], b"a", b"b"),
        (&views[1], b"b", b"a"),
        (&views[1], b"b", b"a"),
    ] {
        let finder = cache.for_view(Arc::clone(view));
        assert!(finder.find(other).unwrap().is_none());
        assert!(finder.find(name).unwrap().is_some());
    }
    assert_eq!(Arc::strong_count(&views[1]), 2);
    cache.clear();
    assert_eq!(Arc::strong_count(&views[1]), 1);
}

/// A hundred thousand tombstones over as many refs: a walk passes each of them once.
#[test]
fn long_runs_of_tombstones_are_passed_once() {
    let all: Vec<_> = (0..100_000).map(|i| format!("refs/heads/{i:06}")).collect();
    let live: Vec<_> = all.iter().map(|n| (n.as_str(), Some(1))).collect();
    let dead: Vec<_> = all.iter().map(|n| (n.as_str(), None)).collect();
    let view = merged(&[
        table(1, &live, &[]),
        table(2, &dead, &[]),
        table(3, &[("refs/zero", Some(1))], &[]),
    ]);
    assert_eq!(names(&view, Tombstones::Hide), pairs([("refs/zero", 3)]));
    // With a prefix, each search passes only the tombstones that begin with it.
    let mut refs = view.refs(Tombstones::Hide);
    for name in &all {
        refs.seek_prefix(format!("{name}/").as_bytes()).unwrap();
        assert!(!refs.advance().unwrap());
    }
}

#[test]
fn a_search_for_one_log_returns_only_that_log() {
    let old = table(
        2,
        &[],
        &[
            ("a", 1, false),
            ("b", 2, false),
            ("b", 1, false),
            ("b.c", 1, false),
            ("c", 1, false),
        ],
    );
    let new = table(3, &[], &[("b", 2, true), ("b.c", 1, true), ("c", 1, true)]);
    let view = merged(&[old, new]);
    let entries = |tombstones, name: &str| {
        let mut logs = view.logs(tombstones);
        logs.seek_only(name.as_bytes()).unwrap();
        let mut found = Vec::new();
        while logs.advance().unwrap() {
            assert_eq!(logs.record().name, name.as_bytes());
            found.push(logs.record().update_index);
        }
        found
    };
    assert_eq!(entries(Tombstones::Hide, "a"), [1]);
    assert_eq!(entries(Tombstones::Hide, "b"), [1]);
    assert_eq!(entries(Tombstones::Show, "b"), [2, 1]);
    assert_eq!(entries(Tombstones::Hide, "b.c"), [0; 0]);
    assert_eq!(entries(Tombstones::Show, "bb"), [0; 0]);
}

/// Without a prefix each search would pass the tombstones of all greater names: five billion.
#[test]
fn a_search_for_one_log_passes_no_tombstones_of_others() {
    let names: Vec<_> = (0..100_000).map(|i| format!("refs/heads/{i:06}")).collect();
    let dead: Vec<_> = names.iter().map(|n| (n.as_str(), 1, true)).collect();
    let view = merged(&[table(1, &[], &dead)]);
    let mut logs = view.logs(Tombstones::Hide);
    for name in &names {
        logs.seek_only(name.as_bytes()).unwrap();
        assert!(!logs.advance().unwrap());
    }
}
