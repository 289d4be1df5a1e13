//! Reflog entries: their order, their limits, and blocks that deflate badly.
//!
//! Most cases are those of git's unit tests; `docs/git-suite.md` names the pairs.

use reftable::format::Error;
use reftable::record::{LogRecord, RefRecord, RefValue};
use reftable::table::Writer;

use crate::support::{log, noise, open, options, write};

/// Such a block grows when it is deflated.
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
    // Entries of one name come newest first, so these have two names.
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
fn refs_and_logs_of_long_names_are_read_back() {
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
