//! One table: writing, iterating, searching. Tables are in memory, so no file system is measured.
//!
//! `cargo bench --manifest-path benches/Cargo.toml --bench table`; every number is per table of [`REFS`] refs or [`LOGS`] entries, or
//! per [`LOOKUPS`] lookups.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Table, WriteOptions, Writer};
use reftable_benches::{id, name};

const REFS: usize = 100_000;
const LOGS: usize = 50_000;
const LOOKUPS: usize = 10_000;

/// Names and ids, made outside of the measured code.
fn refs() -> Vec<(String, [u8; 20])> {
    (0..REFS).map(|n| (name(n), id(n))).collect()
}

fn write_refs(refs: &[(String, [u8; 20])], skip_index_objects: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = WriteOptions {
        skip_index_objects,
        ..WriteOptions::default()
    };
    let mut writer = Writer::new(&mut bytes, &options).expect("options");
    for (name, id) in refs {
        let record = RefRecord {
            name: name.as_bytes(),
            update_index: 0,
            value: RefValue::Val1(id),
        };
        writer.add_ref(&record).expect("ref");
    }
    writer.finish().expect("footer");
    bytes
}

fn write_logs(refs: &[(String, [u8; 20])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).expect("options");
    writer.set_limits(1, 10).expect("limits");
    let ten_each = refs
        .iter()
        .flat_map(|entry| (1..=10).rev().map(move |n| (n, entry)));
    for (n, (name, id)) in ten_each.take(LOGS) {
        let update = LogUpdate {
            old_hash: &[0; 20],
            new_hash: id,
            name: b"A U Thor",
            email: b"author@example.com",
            time: 1_700_000_000,
            tz_offset: Zone::from_stored(120),
            message: b"commit: change of something",
        };
        let record = LogRecord {
            name: name.as_bytes(),
            update_index: n,
            value: LogValue::Update(update),
        };
        writer.add_log(&record).expect("log");
    }
    writer.finish().expect("footer");
    bytes
}

fn open(bytes: Vec<u8>) -> Arc<Table> {
    Arc::new(Table::new("bench", bytes.into()).expect("table"))
}

fn writing(c: &mut Criterion) {
    let refs = refs();
    let mut group = c.benchmark_group("write");
    group.sample_size(20);
    group.throughput(Throughput::Elements(REFS as u64));
    group.bench_function("refs", |b| b.iter(|| write_refs(&refs, true).len()));
    group.bench_function("refs and objects", |b| {
        b.iter(|| write_refs(&refs, false).len())
    });
    group.throughput(Throughput::Elements(LOGS as u64));
    group.bench_function("logs", |b| b.iter(|| write_logs(&refs).len()));
    group.finish();
}

fn walking(c: &mut Criterion) {
    let refs = refs();
    let mut group = c.benchmark_group("iterate");
    group.sample_size(20);
    let table = open(write_refs(&refs, false));
    group.throughput(Throughput::Elements(REFS as u64));
    group.bench_function("refs", |b| {
        b.iter(|| {
            let mut cursor = table.refs();
            let mut bytes = 0;
            while cursor.advance().expect("ref") {
                let record = cursor.record();
                bytes += record.name.len() + record.value.id().map_or(0, <[u8]>::len);
            }
            bytes
        });
    });
    let table = open(write_logs(&refs));
    group.throughput(Throughput::Elements(LOGS as u64));
    group.bench_function("logs", |b| {
        b.iter(|| {
            let mut cursor = table.logs();
            let mut bytes = 0;
            while cursor.advance().expect("log") {
                bytes += cursor.record().name.len();
            }
            bytes
        });
    });
    group.finish();
}

fn searching(c: &mut Criterion) {
    let table = open(write_refs(&refs(), false));
    let mut group = c.benchmark_group("lookup");
    group.sample_size(20);
    group.throughput(Throughput::Elements(LOOKUPS as u64));
    // A step that is coprime to the number of refs visits them all in a scattered order.
    let scattered = |n| name(n * 7_919 % REFS);
    let hits: Vec<String> = (0..LOOKUPS).map(scattered).collect();
    let misses: Vec<String> = hits.iter().map(|name| format!("{name}x")).collect();
    let sorted: Vec<String> = (0..LOOKUPS).map(|n| name(n * 10)).collect();
    for (what, names) in [("hit", &hits), ("miss", &misses), ("sorted", &sorted)] {
        group.bench_function(what, |b| {
            let mut cursor = table.refs();
            b.iter(|| {
                let mut found = 0;
                for name in names {
                    cursor.seek(black_box(name.as_bytes())).expect("seek");
                    let hit = cursor.advance().expect("ref") && cursor.key() == name.as_bytes();
                    found += usize::from(hit);
                }
                found
            });
        });
    }
    group.bench_function("by object", |b| {
        b.iter(|| {
            let mut found = 0;
            for n in 0..LOOKUPS / 10 {
                let mut refs = table.refs_for(&id(n * 100)).expect("objects");
                while refs.advance().expect("ref") {
                    found += 1;
                }
            }
            found
        });
    });
    group.finish();
}

criterion_group!(benches, writing, walking, searching);
criterion_main!(benches);
