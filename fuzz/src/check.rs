//! Checks that must hold for arbitrary bytes as a table.

use std::sync::Arc;

use reftable::format::{Error, FindingKind, Result};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Flaw, Table, WriteOptions, Writer};

/// The number of records that are looked up in a larger table.
const LOOKUPS: usize = 16;

/// A ref: name, update index, value type, ids or target.
pub type RefCopy = (Vec<u8>, u64, u8, Vec<u8>);
/// A reflog entry: name, update index, and the update unless it is a tombstone.
pub type LogCopy = (Vec<u8>, u64, Option<Vec<u8>>);

/// Reads, searches and verifies a table in every way.
///
/// Reading returns ascending records or an error. If reading fails, verifying reports a flaw. A
/// table without flaws returns the same records in every way, and can be rewritten.
pub fn table(bytes: Vec<u8>) {
    let size = bytes.len();
    let opened = Table::new("table", bytes.clone().into());
    let inspected = Table::inspect("table", bytes.into());
    let mut flaws = Vec::new();
    let table = match (opened, inspected) {
        (Ok(table), Ok(_)) => {
            table.verify(&mut |flaw| flaws.push(flaw));
            Arc::new(table)
        }
        // Reading depends neither on the order of the limits nor on sections that are not read.
        (Ok(table), Err(flaw))
            if matches!(flaw.kind, FindingKind::UpdateIndex | FindingKind::Footer) =>
        {
            flaws.push(flaw);
            Arc::new(table)
        }
        (Err(_), Err(_)) => return,
        (opened, inspected) => panic!("{:?}, {:?}", opened.err(), inspected.err()),
    };
    let refs = all_refs(&table, size);
    let logs = all_logs(&table, size);
    let blocks = table.blocks().take(size + 1).count();
    assert!(blocks <= size, "{blocks} blocks in {size} bytes");
    search(&table);
    match (refs, logs) {
        (Ok(refs), Ok(logs)) if flaws.is_empty() => {
            sound(&table, &refs, &logs);
            rewrite(&table, &refs, &logs);
        }
        (refs, logs) => {
            for error in [refs.map(drop), logs.map(drop)] {
                assert_reported(&flaws, error);
            }
        }
    }
}

/// Asserts that verifying has reported damage if reading failed.
fn assert_reported(flaws: &[Flaw], read: Result<()>) {
    if let Err(error) = read {
        assert!(matches!(error.code(), -3 | -7), "{error}");
        assert!(!flaws.is_empty(), "reading fails: {error}");
    }
}

/// Returns all refs of a table; asserts that names ascend and that the iteration ends.
pub fn all_refs(table: &Arc<Table>, size: usize) -> Result<Vec<RefCopy>> {
    let mut refs = Vec::<RefCopy>::new();
    let mut cursor = table.refs();
    while cursor.advance()? {
        let copy = copy_ref(&cursor.record());
        assert!(!copy.0.contains(&0), "{copy:?}");
        assert!(refs.last().is_none_or(|last| last.0 < copy.0), "{copy:?}");
        refs.push(copy);
        // Each takes at least three bytes.
        assert!(refs.len() <= size);
    }
    Ok(refs)
}

/// Returns all log entries of a table; asserts that keys do not descend and that the iteration
/// ends.
pub fn all_logs(table: &Arc<Table>, size: usize) -> Result<Vec<LogCopy>> {
    let mut logs = Vec::<LogCopy>::new();
    let mut cursor = table.logs();
    let mut last = Vec::new();
    while cursor.advance()? {
        assert!(cursor.key() >= &last[..]);
        last = cursor.key().to_vec();
        let copy = copy_log(&cursor.record());
        assert!(!copy.0.is_empty() && !copy.0.contains(&0), "{copy:?}");
        logs.push(copy);
        // Deflating compresses by a factor of at most 1032.
        assert!(logs.len() <= 1032 * size);
    }
    Ok(logs)
}

pub fn copy_ref(record: &RefRecord<'_>) -> RefCopy {
    let (kind, value) = match record.value {
        RefValue::Deletion => (0, Vec::new()),
        RefValue::Val1(id) => (1, id.to_vec()),
        RefValue::Val2 { value, target } => (2, [value, target].concat()),
        RefValue::Symref(target) => (3, target.to_vec()),
    };
    (record.name.to_vec(), record.update_index, kind, value)
}

pub fn copy_log(record: &LogRecord<'_>) -> LogCopy {
    let update = match record.value {
        LogValue::Deletion => None,
        LogValue::Update(update) => {
            let mut text = [update.old_hash, update.new_hash].concat();
            for string in [update.name, update.email, update.message] {
                text.extend_from_slice(&(string.len() as u64).to_be_bytes());
                text.extend_from_slice(string);
            }
            text.extend_from_slice(&update.time.to_be_bytes());
            text.extend_from_slice(&update.tz_offset.stored().to_be_bytes());
            Some(text)
        }
    };
    (record.name.to_vec(), record.update_index, update)
}

/// Seeks existing and missing keys with one cursor in an arbitrary table.
fn search(table: &Arc<Table>) {
    let (mut refs, mut logs) = (table.refs(), table.logs());
    for want in [
        &b""[..],
        b"HEAD",
        b"a",
        b"b",
        b"refs/heads/b03",
        b"refs/heads/b05x",
        b"refs/heads/main",
        b"refs/heads/b01",
        b"\xff",
    ] {
        let _: Result<()> = (|| {
            refs.seek(want)?;
            for _ in 0..4 {
                if !refs.advance()? {
                    break;
                }
                assert!(refs.key() >= want);
            }
            Ok(())
        })();
        let _: Result<()> = (|| {
            logs.seek(want)?;
            for _ in 0..4 {
                if !logs.advance()? {
                    break;
                }
                assert!(logs.record().name >= want);
            }
            Ok(())
        })();
    }
    for byte in [0, 1, 7] {
        let id = vec![byte; table.hash_id().len()];
        let _: Result<()> = (|| {
            let mut found = table.refs_for(&id)?;
            while found.advance()? {
                let value = found.record().value;
                assert!(value.id() == Some(&id[..]) || value.peeled() == Some(&id[..]));
            }
            Ok(())
        })();
    }
}

/// Asserts that every record of a table without flaws is found by its key and by its objects.
fn sound(table: &Arc<Table>, refs: &[RefCopy], logs: &[LogCopy]) {
    let step = refs.len().div_ceil(LOOKUPS).max(1);
    let mut reused = table.refs();
    for (n, copy) in refs.iter().enumerate().step_by(step) {
        // Seek forward, and every third time backward.
        let copy = if n % 3 == 2 { &refs[n / 2] } else { copy };
        for cursor in [&mut table.refs(), &mut reused] {
            cursor.seek(&copy.0).unwrap();
            assert!(cursor.advance().unwrap(), "{copy:?}");
            assert_eq!(&copy_ref(&cursor.record()), copy);
        }
    }
    let len = table.hash_id().len();
    for copy in refs
        .iter()
        .step_by(step)
        .filter(|copy| copy.2 == 1 || copy.2 == 2)
    {
        for id in copy.3.chunks(len) {
            let mut found = table.refs_for(id).unwrap();
            let mut names = Vec::new();
            while found.advance().unwrap() {
                names.push(found.record().name.to_vec());
            }
            let mentions =
                |r: &&RefCopy| (r.2 == 1 || r.2 == 2) && r.3.chunks(len).any(|other| other == id);
            let expected: Vec<_> = refs.iter().filter(mentions).map(|r| r.0.clone()).collect();
            assert_eq!(names, expected, "refs of {id:x?}");
        }
    }
    let step = logs.len().div_ceil(LOOKUPS).max(1);
    let mut reused = table.logs();
    for copy in logs.iter().step_by(step) {
        for cursor in [&mut table.logs(), &mut reused] {
            cursor.seek_at(&copy.0, copy.1).unwrap();
            assert!(cursor.advance().unwrap(), "{copy:?}");
            assert_eq!(&copy_log(&cursor.record()), copy);
        }
    }
}

/// Writes the records of a table without flaws to another table; asserts that it has them all.
fn rewrite(table: &Arc<Table>, refs: &[RefCopy], logs: &[LogCopy]) {
    let options = WriteOptions {
        hash_id: table.hash_id(),
        block_size: 1 << 16,
        exact_log_message: true,
        ..WriteOptions::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    match write_all(table, &mut writer) {
        Ok(()) => {}
        // Records may be larger than this block size.
        Err(Error::EntryTooBig { .. } | Error::EmptyTable) => return,
        Err(error) => panic!("{error}"),
    }
    drop(writer);
    let size = bytes.len() + 1;
    let again = Arc::new(Table::new("again", bytes.into()).unwrap());
    again.verify(&mut |flaw| panic!("{flaw}"));
    assert_eq!(all_refs(&again, size).unwrap(), refs);
    assert_eq!(all_logs(&again, size).unwrap(), logs);
}

fn write_all(table: &Arc<Table>, writer: &mut Writer<'_>) -> Result<()> {
    writer.set_limits(table.min_update_index(), table.max_update_index())?;
    let mut refs = table.refs();
    while refs.advance()? {
        writer.add_ref(&refs.record())?;
    }
    let mut logs = table.logs();
    while logs.advance()? {
        writer.add_log(&logs.record())?;
    }
    writer.finish().map(drop)
}

/// A reflog update for tables that the fuzzers write.
pub fn update<'a>(id: &'a [u8], time: u64, message: &'a [u8]) -> LogUpdate<'a> {
    LogUpdate {
        old_hash: id,
        new_hash: id,
        name: b"A U Thor",
        email: b"author@example.com",
        time,
        tz_offset: Zone::from_stored(-60),
        message,
    }
}
