//! Cursors in tables with and without an index: walks, seeks, and the end of the section.
//!
//! Most cases are those of git's unit tests; `docs/git-suite.md` names the pairs.

use reftable::format::HashId;
use reftable::record::{RefRecord, RefValue};
use reftable::table::WriteOptions;

use crate::support::{fifty, log, options, val, write};

#[test]
fn a_walk_returns_all_refs_in_order() {
    let (names, _, table) = fifty(HashId::Sha1);
    let mut refs = table.refs();
    refs.seek(b"").unwrap();
    for name in &names {
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record().name, name.as_bytes());
        assert_eq!(refs.record().update_index, 1);
    }
    assert!(!refs.advance().unwrap());
}

#[test]
fn each_ref_is_found_with_an_index() {
    for hash_id in [HashId::Sha1, HashId::Sha256] {
        let (names, stats, table) = fifty(hash_id);
        assert!(stats.ref_stats.index_offset > 0);
        assert_eq!(table.hash_id(), hash_id);
        for (name, byte) in names.iter().zip(0..) {
            let mut refs = table.refs();
            refs.seek(name.as_bytes()).unwrap();
            assert!(refs.advance().unwrap());
            let id = vec![byte; hash_id.len()];
            assert_eq!(refs.record(), val(name.as_bytes(), &id));
        }
        let mut refs = table.refs();
        refs.seek(b"refs/heads/branch49/").unwrap();
        assert!(!refs.advance().unwrap());
    }
}

/// Three blocks need no index.
#[test]
fn each_ref_is_found_without_an_index() {
    for hash_id in [HashId::Sha1, HashId::Sha256] {
        let names: Vec<_> = (0..15)
            .map(|i| format!("refs/heads/branch{i:02}"))
            .collect();
        let options = WriteOptions {
            hash_id,
            ..options(300)
        };
        let id = vec![7; hash_id.len()];
        let (stats, table) = write(&options, |writer| {
            writer.set_limits(1, 1).unwrap();
            for name in &names {
                writer.add_ref(&val(name.as_bytes(), &id)).unwrap();
            }
        });
        assert!((2..=3).contains(&stats.ref_stats.blocks));
        assert_eq!(stats.ref_stats.index_offset, 0);
        for name in &names {
            let mut refs = table.refs();
            refs.seek(name.as_bytes()).unwrap();
            assert!(refs.advance().unwrap());
            assert_eq!(refs.record(), val(name.as_bytes(), &id));
        }
        let mut refs = table.refs();
        refs.seek(b"refs/heads/branch14/").unwrap();
        assert!(!refs.advance().unwrap());
    }
}

/// All four kinds of values in one block, found by their keys and by prefixes of them.
#[test]
fn refs_of_one_block_are_found_between_restarts() {
    let names: Vec<_> = (0..30).map(|i| format!("branch{i:02}")).collect();
    let value = |i: usize| match i % 4 {
        0 => RefValue::Deletion,
        1 => RefValue::Val1(&[1; 20]),
        2 => RefValue::Val2 {
            value: &[2; 20],
            target: &[3; 20],
        },
        _ => RefValue::Symref(b"branch"),
    };
    let record = |i: usize| RefRecord {
        name: names[i].as_bytes(),
        update_index: 1,
        value: value(i),
    };
    let (stats, table) = write(&options(4096), |writer| {
        writer.set_limits(1, 1).unwrap();
        for i in 0..names.len() {
            writer.add_ref(&record(i)).unwrap();
        }
    });
    assert_eq!(stats.ref_stats.blocks, 1);
    let mut refs = table.refs();
    for (i, name) in names.iter().enumerate() {
        for (want, found) in [(name.as_str(), i), (&name[..name.len() - 1], i / 10 * 10)] {
            refs.seek(want.as_bytes()).unwrap();
            assert!(refs.advance().unwrap());
            assert_eq!(refs.record(), record(found));
        }
    }
}

#[test]
fn log_entries_of_one_block_are_found_between_restarts() {
    let names: Vec<_> = (0..30).map(|i| format!("branch{i:02}")).collect();
    let (stats, table) = write(&options(4096), |writer| {
        writer.set_limits(1, 1).unwrap();
        for name in &names {
            let entry = log(name.as_bytes(), &[1; 20], &[2; 20], b"");
            writer.add_log(&entry).unwrap();
        }
    });
    assert_eq!(stats.log_stats.blocks, 1);
    let mut logs = table.logs();
    for (i, name) in names.iter().enumerate() {
        for (want, found) in [(name.as_str(), i), (&name[..name.len() - 1], i / 10 * 10)] {
            logs.seek(want.as_bytes()).unwrap();
            assert!(logs.advance().unwrap());
            let expected = log(names[found].as_bytes(), &[1; 20], &[2; 20], b"\n");
            assert_eq!(logs.record(), expected);
        }
    }
}

#[test]
fn a_cursor_can_be_sought_repeatedly() {
    let (_, table) = write(&options(0), |writer| {
        writer
            .add_ref(&RefRecord {
                update_index: 0,
                ..val(b"refs/heads/main", &[42; 20])
            })
            .unwrap();
    });
    let mut refs = table.refs();
    for _ in 0..5 {
        refs.seek(b"").unwrap();
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record().name, b"refs/heads/main");
        assert_eq!(refs.record().value, RefValue::Val1(&[42; 20]));
        assert!(!refs.advance().unwrap());
    }
}

#[test]
fn an_index_has_several_levels() {
    let (stats, table) = write(&options(100), |writer| {
        writer.set_limits(1, 1).unwrap();
        for i in 0..200_u8 {
            let name = format!("refs/heads/{i:03}");
            writer.add_ref(&val(name.as_bytes(), &[i; 20])).unwrap();
        }
    });
    assert_eq!(stats.ref_stats.max_index_level, 2);
    let mut refs = table.refs();
    for i in [199_u8, 0, 100, 198] {
        let name = format!("refs/heads/{i:03}");
        refs.seek(name.as_bytes()).unwrap();
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record(), val(name.as_bytes(), &[i; 20]));
    }
}
