//! Tables, case by case as git's `u-reftable-readwrite.c`, `u-reftable-block.c` and
//! `u-reftable-table.c` look at them; `docs/git-suite.md` says which test stands for which.
#![forbid(unsafe_code)]

use std::sync::Arc;

use reftable::format::{Error, HashId};
use reftable::internals::BlockType;
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Stats, Table, WriteOptions, Writer};

fn options(block_size: u32) -> WriteOptions {
    WriteOptions {
        block_size,
        ..WriteOptions::default()
    }
}

fn write(options: &WriteOptions, fill: impl FnOnce(&mut Writer<'_>)) -> (Stats, Arc<Table>) {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, options).unwrap();
    fill(&mut writer);
    let stats = writer.finish().unwrap();
    (stats, open(bytes))
}

fn open(bytes: Vec<u8>) -> Arc<Table> {
    Arc::new(Table::new("table", bytes.into()).unwrap())
}

fn val<'a>(name: &'a [u8], id: &'a [u8]) -> RefRecord<'a> {
    RefRecord {
        name,
        update_index: 1,
        value: RefValue::Val1(id),
    }
}

/// An entry of the reflog, at update index 1.
fn log<'a>(name: &'a [u8], old: &'a [u8], new: &'a [u8], message: &'a [u8]) -> LogRecord<'a> {
    LogRecord {
        name,
        update_index: 1,
        value: LogValue::Update(LogUpdate {
            old_hash: old,
            new_hash: new,
            name: b"Han-Wen Nienhuys",
            email: b"hanwen@google.com",
            time: 0x5e43_0672,
            tz_offset: Zone::from_stored(100),
            message,
        }),
    }
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[3]
        })
        .collect()
}

/// Fifty refs and as many log entries in blocks of 256 bytes.
fn fifty(hash_id: HashId) -> (Vec<String>, Stats, Arc<Table>) {
    let names: Vec<_> = (0..50)
        .map(|i| format!("refs/heads/branch{i:02}"))
        .collect();
    let options = WriteOptions {
        hash_id,
        ..options(256)
    };
    let (stats, table) = write(&options, |writer| {
        writer.set_limits(1, 1).unwrap();
        for (name, byte) in names.iter().zip(0..) {
            let id = vec![byte; hash_id.len()];
            writer.add_ref(&val(name.as_bytes(), &id)).unwrap();
        }
        for (name, byte) in names.iter().zip(0..) {
            let (old, new) = (vec![0; hash_id.len()], vec![byte; hash_id.len()]);
            let entry = log(name.as_bytes(), &old, &new, b"message");
            writer.add_log(&entry).unwrap();
        }
    });
    (names, stats, table)
}

#[test]
fn a_walk_gives_all_refs_in_order() {
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

/// All four kinds of values in one block, found by their keys and by shorter ones.
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
fn a_cursor_can_be_sought_again_and_again() {
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
fn blocks_of_five_hundred_refs_are_those_of_git() {
    let (_, table) = write(&options(0), |writer| {
        writer.set_limits(1, 1).unwrap();
        for i in 0..500 {
            let name = format!("refs/heads/branch-{i:03}");
            writer.add_ref(&val(name.as_bytes(), &[0; 20])).unwrap();
        }
    });
    let blocks: Vec<_> = table
        .blocks()
        .map(|block| block.unwrap())
        .map(|block| (block.block_type, block.restart_count))
        .collect();
    let expected = [
        (BlockType::Ref, 10),
        (BlockType::Ref, 10),
        (BlockType::Ref, 10),
        (BlockType::Ref, 2),
        (BlockType::Index, 1),
        (BlockType::Obj, 1),
    ];
    assert_eq!(blocks, expected);
}

#[test]
fn a_small_table_is_not_padded() {
    let (_, table) = write(&options(4096), |writer| {
        writer.set_limits(1, 1).unwrap();
        writer
            .add_ref(&val(b"refs/heads/branch00", &[0; 20]))
            .unwrap();
        let value = LogValue::Update(LogUpdate {
            old_hash: &[0; 20],
            new_hash: &[0; 20],
            name: b"",
            email: b"",
            time: 0,
            tz_offset: Zone::from_stored(0),
            message: b"message",
        });
        let entry = LogRecord {
            value,
            ..log(b"refs/heads/branch00", &[], &[], b"")
        };
        writer.add_log(&entry).unwrap();
    });
    assert!(table.size() < 200, "{} bytes", table.size());
}

/// Deflating makes such a block longer than it was.
#[test]
fn log_entries_that_do_not_compress_are_written() {
    let ids = noise(40);
    let message = noise(1500);
    let message: Vec<_> = message.iter().map(|byte| byte | 0x80).collect();
    let (_, table) = write(&options(4096), |writer| {
        writer.set_limits(1, 1).unwrap();
        let entry = log(b"refs/heads/master", &ids[..20], &ids[20..], &message);
        writer.add_log(&entry).unwrap();
    });
    let mut logs = table.logs();
    assert!(logs.advance().unwrap());
    let message = [&message[..], b"\n"].concat();
    assert_eq!(
        logs.record(),
        log(b"refs/heads/master", &ids[..20], &ids[20..], &message)
    );
}

#[test]
fn a_log_entry_longer_than_a_block_is_refused() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options(256)).unwrap();
    writer.set_limits(1, 1).unwrap();
    let entry = log(b"refs/heads/master", &[1; 20], &[2; 20], &[b'x'; 255]);
    let error = writer.add_log(&entry).unwrap_err();
    assert!(matches!(error, Error::EntryTooBig { .. }), "{error}");
    assert_eq!(error.code(), -11);
}

#[test]
fn update_indexes_of_logs_end_with_the_limits() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options(0)).unwrap();
    writer.set_limits(1, 1).unwrap();
    let at = |update_index| LogRecord {
        update_index,
        ..log(b"refs/head/master", &[1; 20], &[2; 20], b"")
    };
    // Newer entries of one name come first, so these are of two names.
    writer
        .add_log(&LogRecord {
            name: b"refs/head/a",
            ..at(0)
        })
        .unwrap();
    writer.add_log(&at(1)).unwrap();
    assert!(matches!(writer.add_log(&at(3)), Err(Error::Misuse(_))));
}

#[test]
fn log_entries_are_sorted_by_name_and_then_the_newest_first() {
    let entry = |name, update_index| LogRecord {
        update_index,
        ..log(name, &[1; 20], &[2; 20], b"")
    };
    let (a1, b1, b2, a3) = (
        entry(b"a", 1),
        entry(b"b", 1),
        entry(b"b", 2),
        entry(b"a", 3),
    );
    for (first, second, in_order) in [
        (a1, b2, true),
        (b2, a1, false),
        (a1, b1, true),
        (a1, a3, false),
        (a3, a1, true),
        (a1, a1, false),
    ] {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &options(0)).unwrap();
        writer.set_limits(1, 3).unwrap();
        writer.add_log(&first).unwrap();
        assert_eq!(writer.add_log(&second).is_ok(), in_order);
    }
}

#[test]
fn refs_and_logs_of_long_names_come_back() {
    let names: Vec<_> = (0..2).map(|i| format!("b{i:02}{:0130}", 7)).collect();
    let (stats, table) = write(&options(256), |writer| {
        writer.set_limits(0, 2).unwrap();
        for (name, update_index) in names.iter().zip(0..) {
            let record = RefRecord {
                name: name.as_bytes(),
                update_index,
                value: RefValue::Deletion,
            };
            writer.add_ref(&record).unwrap();
        }
        for (name, update_index) in names.iter().zip(0..) {
            let entry = log(name.as_bytes(), &[1; 20], &[2; 20], b"");
            writer
                .add_log(&LogRecord {
                    update_index,
                    ..entry
                })
                .unwrap();
        }
    });
    assert!(stats.log_stats.blocks > 0);
    let mut refs = table.refs();
    refs.seek(names[1].as_bytes()).unwrap();
    assert!(refs.advance().unwrap());
    assert!(!refs.advance().unwrap());
    let mut logs = table.logs();
    logs.seek(b"").unwrap();
    for (name, update_index) in names.iter().zip(0..) {
        assert!(logs.advance().unwrap());
        assert_eq!(logs.record().name, name.as_bytes());
        assert_eq!(logs.record().update_index, update_index);
    }
    assert!(!logs.advance().unwrap());
}

#[test]
fn a_deflated_block_that_is_damaged_is_an_error() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options(256)).unwrap();
    writer.set_limits(1, 1).unwrap();
    let message: Vec<_> = noise(99).iter().map(|byte| byte % 64 + b' ').collect();
    writer
        .add_log(&log(b"refname", &[2; 20], &[1; 20], &message))
        .unwrap();
    writer.finish().unwrap();
    bytes[50] ^= 0x99;
    let mut logs = open(bytes).logs();
    let error = logs
        .seek(b"refname")
        .and_then(|()| logs.advance())
        .unwrap_err();
    assert_eq!(error.code(), -7, "{error}");
}

#[test]
fn ids_in_the_object_section_are_as_short_as_can_be() {
    for (vary, len) in [(false, 2), (true, 16)] {
        let (stats, table) = write(&options(75), |writer| {
            writer.set_limits(1, 1).unwrap();
            for i in 0..=255_u8 {
                let name = format!("ref{i:05}");
                let mut id = [0; 20];
                id[0] = 42;
                if vary {
                    id[15] = i;
                }
                writer.add_ref(&val(name.as_bytes(), &id)).unwrap();
            }
        });
        assert_eq!(stats.object_id_len, len);
        let mut id = [0; 20];
        id[0] = 42;
        let mut found = table.refs_for(&id).unwrap();
        let mut count = 0;
        while found.advance().unwrap() {
            count += 1;
        }
        assert_eq!(count, if vary { 1 } else { 256 });
    }
}

/// In a block of many refs nearly all take the short way of walks; their ids begin alike.
#[test]
fn refs_of_one_block_are_told_apart_by_their_ids() {
    let id = |n: u8| {
        let mut id = [7; 20];
        id[19] = n;
        id
    };
    let names: Vec<_> = (0..60).map(|n| format!("refs/heads/{n:02}")).collect();
    let (_, table) = write(&options(4096), |writer| {
        writer.set_limits(1, 1).unwrap();
        for (name, n) in names.iter().zip(0..) {
            writer.add_ref(&val(name.as_bytes(), &id(n % 20))).unwrap();
        }
    });
    for n in 0..20 {
        let mut found = table.refs_for(&id(n)).unwrap();
        for name in names.iter().skip(n.into()).step_by(20) {
            assert!(found.advance().unwrap());
            assert_eq!(found.record(), val(name.as_bytes(), &id(n)));
        }
        assert!(!found.advance().unwrap());
    }
}

/// Fifty annotated tags, four a value; the object that both a value and a target is.
#[test]
fn refs_are_found_by_value_and_target() {
    for skip_index_objects in [false, true] {
        let options = WriteOptions {
            skip_index_objects,
            ..options(256)
        };
        let names: Vec<_> = (0..50)
            .map(|i| format!("br{i:02}{}", "x".repeat(36)))
            .collect();
        let (stats, table) = write(&options, |writer| {
            for (name, i) in names.iter().zip(0_u8..) {
                let record = RefRecord {
                    name: name.as_bytes(),
                    update_index: 0,
                    value: RefValue::Val2 {
                        value: &[i / 4; 20],
                        target: &[3 + i / 4; 20],
                    },
                };
                writer.add_ref(&record).unwrap();
            }
        });
        assert_eq!(stats.obj_stats.blocks == 0, skip_index_objects);
        let mut refs = table.refs_for(&[4; 20]).unwrap();
        for name in names[4..8].iter().chain(&names[16..20]) {
            assert!(refs.advance().unwrap());
            assert_eq!(refs.record().name, name.as_bytes());
        }
        assert!(!refs.advance().unwrap());
    }
}

#[test]
fn refs_objects_and_logs_have_indexes_of_their_own() {
    let names: Vec<_> = (0..100).map(|i| format!("refs/heads/{i:04}")).collect();
    let (stats, table) = write(&options(100), |writer| {
        writer.set_limits(1, 1).unwrap();
        for (name, byte) in names.iter().zip(0..) {
            writer.add_ref(&val(name.as_bytes(), &[byte; 20])).unwrap();
        }
        for (name, byte) in names.iter().zip(0..) {
            let value = LogValue::Update(LogUpdate {
                old_hash: &[byte; 20],
                new_hash: &[byte; 20],
                name: b"",
                email: b"",
                time: 0,
                tz_offset: Zone::from_stored(0),
                message: b"",
            });
            let entry = LogRecord {
                name: name.as_bytes(),
                update_index: 1,
                value,
            };
            writer.add_log(&entry).unwrap();
        }
    });
    for section in [&stats.ref_stats, &stats.obj_stats, &stats.log_stats] {
        assert!(section.index_offset > 0, "{section:?}");
    }
    let mut logs = table.logs();
    for name in ["", "refs/heads/0000", "refs/heads/0077"] {
        logs.seek(name.as_bytes()).unwrap();
        assert!(logs.advance().unwrap());
        assert!(logs.record().name >= name.as_bytes());
    }
    assert_eq!(logs.record().name, b"refs/heads/0077");
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

#[test]
fn what_is_empty_or_all_zeros_is_no_table() {
    for len in [0, 1, 24, 1024] {
        let error = Table::new("table", vec![0; len].into()).unwrap_err();
        assert_eq!(error.code(), -3, "{error}");
    }
}

/// Numbers stand in the file with their highest byte first.
#[test]
fn numbers_of_the_header_are_big_endian() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options(0x01_1233)).unwrap();
    writer
        .set_limits(0x1122_3344_5566_7788, 0x1122_3344_5566_7799)
        .unwrap();
    assert!(matches!(writer.finish(), Err(Error::EmptyTable)));
    let header =
        b"REFT\x01\x01\x12\x33\x11\x22\x33\x44\x55\x66\x77\x88\x11\x22\x33\x44\x55\x66\x77\x99";
    assert_eq!(&bytes[..24], header);
    let table = open(bytes);
    assert_eq!(table.block_size(), 0x01_1233);
    assert_eq!(table.min_update_index(), 0x1122_3344_5566_7788);
    assert_eq!(table.max_update_index(), 0x1122_3344_5566_7799);
}
