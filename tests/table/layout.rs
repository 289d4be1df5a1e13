//! Sections, blocks and header of a table.
//!
//! Most cases are those of git's unit tests; `docs/git-suite.md` names the pairs.

use reftable::format::Error;
use reftable::internals::BlockType;
use reftable::record::{LogRecord, LogUpdate, LogValue, Zone};
use reftable::table::{Table, Writer};

use crate::support::{log, open, options, val, write};

#[test]
fn blocks_of_five_hundred_refs_match_git() {
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

#[test]
fn refs_objects_and_logs_have_separate_indexes() {
    let names: Vec<_> = (0..100).map(|i| format!("refs/heads/{i:04}")).collect();
    let (stats, table) = write(&options(100), |writer| {
        writer.set_limits(1, 1).unwrap();
        for (name, byte) in names.iter().zip(0..) {
            writer.add_ref(&val(name.as_bytes(), &[byte; 20])).unwrap();
        }
        for (name, byte) in names.iter().zip(0..) {
            let id = [byte; 20];
            let value = LogValue::Update(LogUpdate {
                old_hash: &id,
                new_hash: &id,
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
fn empty_and_zeroed_files_are_not_tables() {
    for len in [0, 1, 24, 1024] {
        let error = Table::new("table", vec![0; len].into()).unwrap_err();
        assert_eq!(error.code(), -3, "{error}");
    }
}

/// Numbers in the file are big-endian.
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
