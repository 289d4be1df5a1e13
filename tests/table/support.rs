//! Tables for the tests, and records to fill them with.

use std::sync::Arc;

use reftable::format::HashId;
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Stats, Table, WriteOptions, Writer};

pub fn options(block_size: u32) -> WriteOptions {
    WriteOptions {
        block_size,
        ..WriteOptions::default()
    }
}

pub fn write(options: &WriteOptions, fill: impl FnOnce(&mut Writer<'_>)) -> (Stats, Arc<Table>) {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, options).unwrap();
    fill(&mut writer);
    let stats = writer.finish().unwrap();
    (stats, open(bytes))
}

pub fn open(bytes: Vec<u8>) -> Arc<Table> {
    Arc::new(Table::new("table", bytes.into()).unwrap())
}

pub fn val<'a>(name: &'a [u8], id: &'a [u8]) -> RefRecord<'a> {
    RefRecord {
        name,
        update_index: 1,
        value: RefValue::Val1(id),
    }
}

/// A reflog entry at update index 1.
pub fn log<'a>(name: &'a [u8], old: &'a [u8], new: &'a [u8], message: &'a [u8]) -> LogRecord<'a> {
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
pub fn noise(len: usize) -> Vec<u8> {
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
pub fn fifty(hash_id: HashId) -> (Vec<String>, Stats, Arc<Table>) {
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
