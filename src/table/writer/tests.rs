//! The contracts of the writer; its bytes are compared with git's in `tests/table/upstream.rs`.
#![forbid(unsafe_code)]

use super::*;
use crate::format::HashId;
use crate::record::{LogRecord, LogUpdate, LogValue, Zone};
use crate::table::Table;
use std::sync::Arc;

const ID: [u8; 20] = [7; 20];

fn val(name: &[u8], update_index: u64) -> RefRecord<'_> {
    RefRecord {
        name,
        update_index,
        value: RefValue::Val1(&ID),
    }
}

fn log<'a>(name: &'a [u8], update_index: u64, message: &'a [u8]) -> LogRecord<'a> {
    LogRecord {
        name,
        update_index,
        value: LogValue::Update(LogUpdate {
            old_hash: &ID,
            new_hash: &ID,
            name: b"n",
            email: b"e",
            time: 1,
            tz_offset: Zone::from_stored(0),
            message,
        }),
    }
}

fn is_misuse<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::Misuse(_)))
}

/// Records the order of calls.
#[derive(Default)]
struct Calls {
    bytes: Vec<u8>,
    synced_at: Option<usize>,
    fail: bool,
}

impl Sink for Calls {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if std::mem::take(&mut self.fail) {
            return Err(Error::OutOfMemory { size: 1 });
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        assert_eq!(self.synced_at, None);
        self.synced_at = Some(self.bytes.len());
        Ok(())
    }
}

#[test]
fn sync_includes_the_footer() {
    let mut calls = Calls::default();
    let mut writer = Writer::new(&mut calls, &WriteOptions::default()).unwrap();
    writer.add_ref(&val(b"a", 0)).unwrap();
    writer.finish().unwrap();
    assert_eq!(calls.synced_at, Some(calls.bytes.len()));
    assert!(Table::new("t", calls.bytes.into()).is_ok());
}

#[test]
fn an_empty_table_is_complete_but_an_error() {
    for hash_id in [HashId::Sha1, HashId::Sha256] {
        let options = WriteOptions {
            hash_id,
            ..WriteOptions::default()
        };
        let mut calls = Calls::default();
        let mut writer = Writer::new(&mut calls, &options).unwrap();
        writer.set_limits(3, 9).unwrap();
        assert!(matches!(writer.finish(), Err(Error::EmptyTable)));
        assert_eq!(calls.synced_at, None);
        let table = Arc::new(Table::new("t", calls.bytes.into()).unwrap());
        assert_eq!((table.min_update_index(), table.max_update_index()), (3, 9));
        assert!(!table.refs().advance().unwrap());
        assert!(!table.logs().advance().unwrap());
        assert_eq!(table.blocks().count(), 0);
    }
}

#[test]
fn misuse_is_refused() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
    assert!(is_misuse(writer.set_limits(2, 1)));
    writer.set_limits(10, 20).unwrap();
    assert_eq!(writer.limits(), (10, 20));
    for bad in [val(b"a", 9), val(b"a", 21), val(b"", 10), val(b"a\0b", 10)] {
        assert!(is_misuse(writer.add_ref(&bad)), "{bad:?}");
    }
    for value in [
        RefValue::Val1(&ID[1..]),
        RefValue::Val2 {
            value: &ID,
            target: &[0; 32],
        },
        RefValue::Symref(b"a\0b"),
    ] {
        let bad = RefRecord {
            name: b"a",
            update_index: 10,
            value,
        };
        assert!(is_misuse(writer.add_ref(&bad)), "{bad:?}");
    }
    writer.set_limits(10, 20).unwrap();
    writer.add_ref(&val(b"b", 20)).unwrap();
    assert!(is_misuse(writer.set_limits(10, 20)));
    for name in [&b"b"[..], b"a", b"B"] {
        assert!(is_misuse(writer.add_ref(&val(name, 10))), "{name:?}");
    }
    assert!(is_misuse(writer.add_log(&log(b"", 10, b"m"))));
    assert!(is_misuse(writer.add_log(&log(b"a\0", 10, b"m"))));
    assert!(is_misuse(writer.add_log(&log(b"a", 21, b"m"))));
    assert!(is_misuse(writer.add_log(&log(b"a", 10, b"m\nn"))));
    // None of these has ended the refs.
    writer.add_ref(&val(b"c", 10)).unwrap();
    writer.add_log(&log(b"a", 1, b"m")).unwrap();
    assert!(is_misuse(writer.add_ref(&val(b"d", 10))));
    assert!(is_misuse(writer.add_log(&log(b"a", 2, b"m"))));
    let stats = writer.finish().unwrap();
    assert_eq!((stats.ref_stats.entries, stats.log_stats.entries), (2, 1));
    assert!(is_misuse(writer.finish()));
    assert!(is_misuse(writer.add_log(&log(b"z", 1, b"m"))));
    assert!(is_misuse(writer.set_limits(1, 1)));
    let options = WriteOptions {
        block_size: 1 << 24,
        ..WriteOptions::default()
    };
    assert!(is_misuse(Writer::new(&mut Vec::new(), &options)));
}

#[test]
fn messages_become_one_line_unless_exact() {
    for (exact, message, expected) in [
        (false, &b"m"[..], Some(&b"m\n"[..])),
        (false, b"m\n\n\n", Some(b"m\n")),
        (false, b"", Some(b"\n")),
        (false, b"m\nn\n", None),
        (true, b"m\nn", Some(b"m\nn")),
        (true, b"", Some(b"")),
    ] {
        let mut bytes = Vec::new();
        let options = WriteOptions {
            exact_log_message: exact,
            ..WriteOptions::default()
        };
        let mut writer = Writer::new(&mut bytes, &options).unwrap();
        let added = writer.add_log(&log(b"a", 0, message));
        assert_eq!(added.is_ok(), expected.is_some());
        if let Some(expected) = expected {
            writer.finish().unwrap();
            let table = Arc::new(Table::new("t", bytes.into()).unwrap());
            let mut logs = table.logs();
            assert!(logs.advance().unwrap());
            assert!(matches!(
                logs.record().value,
                LogValue::Update(update) if update.message == expected
            ));
        }
    }
}

/// As git's C library compacts, which libgit2 relies on.
#[test]
fn a_copied_entry_without_a_message_gets_an_empty_line() {
    for (exact, message, expected) in [
        (false, &b""[..], &b"\n"[..]),
        (false, b"m", b"m"),
        (false, b"m\nn", b"m\nn"),
        (true, b"", b""),
    ] {
        let mut bytes = Vec::new();
        let options = WriteOptions {
            exact_log_message: exact,
            ..WriteOptions::default()
        };
        let mut writer = Writer::new(&mut bytes, &options).unwrap();
        writer.copy_log(&log(b"a", 0, message)).unwrap();
        writer.put_log(&log(b"b", 0, message)).unwrap();
        writer.finish().unwrap();
        let table = Arc::new(Table::new("t", bytes.into()).unwrap());
        let mut logs = table.logs();
        for _ in 0..2 {
            assert!(logs.advance().unwrap());
            assert!(matches!(
                logs.record().value,
                LogValue::Update(update) if update.message == expected
            ));
        }
    }
}

#[test]
fn records_can_be_added_after_one_that_does_not_fit() {
    let mut bytes = Vec::new();
    let options = WriteOptions {
        block_size: 64,
        ..WriteOptions::default()
    };
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    writer.add_ref(&val(b"a", 0)).unwrap();
    let big = writer.add_ref(&val(&[b'b'; 40], 0));
    assert!(
        matches!(
            big,
            Err(Error::EntryTooBig {
                size: 64,
                limit: 55
            })
        ),
        "{big:?}"
    );
    writer.add_ref(&val(b"c", 0)).unwrap();
    writer.finish().unwrap();
    let table = Arc::new(Table::new("t", bytes.into()).unwrap());
    let mut refs = table.refs();
    let mut names = Vec::new();
    while refs.advance().unwrap() {
        names.push(refs.key().to_vec());
    }
    assert_eq!(names, [b"a", b"c"]);
}

#[test]
fn an_index_whose_levels_do_not_shrink_is_an_error() {
    let mut bytes = Vec::new();
    let options = WriteOptions {
        block_size: 128,
        ..WriteOptions::default()
    };
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    for n in 0..20 {
        let name = format!("{n:02}{}", "x".repeat(60));
        writer.add_ref(&val(name.as_bytes(), 0)).unwrap();
    }
    assert!(matches!(writer.finish(), Err(Error::EntryTooBig { .. })));
}

#[test]
fn tiny_block_sizes_are_supported() {
    for block_size in 1..60 {
        let mut bytes = Vec::new();
        let options = WriteOptions {
            block_size,
            ..WriteOptions::default()
        };
        let mut writer = Writer::new(&mut bytes, &options).unwrap();
        let added = writer.add_ref(&val(b"a", 0));
        assert_eq!(added.is_ok(), block_size >= 57, "{block_size}");
    }
}

#[test]
fn nothing_is_written_after_a_failure() {
    let mut calls = Calls {
        fail: true,
        ..Calls::default()
    };
    let mut writer = Writer::new(&mut calls, &WriteOptions::default()).unwrap();
    let failed = (0..100_000_u32).find_map(|n| {
        let name = format!("refs/{n:06}");
        writer.add_ref(&val(name.as_bytes(), 0)).err()
    });
    assert!(matches!(failed, Some(Error::OutOfMemory { .. })));
    assert!(writer.finish().is_err());
    assert_eq!(calls.synced_at, None);
}
