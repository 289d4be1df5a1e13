//! Baselines of the stack: transactions, compaction, merged iteration, lookups.
//!
//! ```sh
//! cargo bench --manifest-path benches/Cargo.toml --bench stack
//! ```
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use criterion::{criterion_group, criterion_main, BatchSize, BenchmarkId, Criterion, Throughput};
use reftable::format::Error;
use reftable::merged::Tombstones;
use reftable::record::{RefRecord, RefValue};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable_benches::{id, name};
use tempfile::TempDir;

const REFS: usize = 100_000;

/// In memory where possible: the disk is not to be measured.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    dir.expect("a temporary directory")
}

fn open(dir: &Path, compact: bool) -> Stack {
    let options = StackOptions {
        disable_auto_compact: !compact,
        ..StackOptions::default()
    };
    Stack::open(dir, options).expect("a stack")
}

fn add(stack: &Stack, numbers: impl Iterator<Item = usize>) {
    let next = stack.next_update_index();
    let outcome = stack.add::<Error>(OnOutdated::Fail, |writer| {
        writer.set_limits(next, next)?;
        for number in numbers {
            let value = RefValue::Val1(&id(number));
            let name = name(number);
            writer.add_ref(&RefRecord {
                name: name.as_bytes(),
                update_index: next,
                value,
            })?;
        }
        Ok(())
    });
    assert!(outcome.expect("a transaction").published);
}

/// `REFS` refs; every n-th of them is in the same one of n tables.
fn interleaved(tables: usize) -> (TempDir, Stack) {
    let dir = scratch();
    let stack = open(dir.path(), false);
    for table in 0..tables {
        add(&stack, (table..REFS).step_by(tables));
    }
    (dir, stack)
}

fn transactions(c: &mut Criterion) {
    let mut group = c.benchmark_group("transactions");
    group.sample_size(10).throughput(Throughput::Elements(1000));
    for (label, compact) in [
        ("1000 of one ref", true),
        ("1000 of one ref, never compacted", false),
    ] {
        group.bench_function(label, |b| {
            b.iter_batched(
                scratch,
                |dir| {
                    let stack = open(dir.path(), compact);
                    for number in 0..1000 {
                        add(&stack, std::iter::once(number));
                    }
                    dir
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn compaction(c: &mut Criterion) {
    let (seed, _) = interleaved(20);
    let mut group = c.benchmark_group("compact");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(REFS as u64));
    group.bench_function("20 tables of 5000 refs", |b| {
        b.iter_batched(
            || {
                let dir = scratch();
                for entry in std::fs::read_dir(seed.path()).expect("a directory") {
                    let entry = entry.expect("an entry");
                    let to = dir.path().join(entry.file_name());
                    std::fs::copy(entry.path(), to).expect("a copy");
                }
                let stack = open(dir.path(), false);
                (dir, stack)
            },
            |(dir, stack)| {
                stack.compact_all(None).expect("a compaction");
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn iteration(c: &mut Criterion) {
    let mut group = c.benchmark_group("iterate");
    group.throughput(Throughput::Elements(REFS as u64));
    for tables in [1, 5, 20] {
        let (_dir, stack) = interleaved(tables);
        let view = stack.merged();
        group.bench_function(BenchmarkId::from_parameter(tables), |b| {
            b.iter(|| {
                let mut refs = view.refs(Tombstones::Hide);
                let mut count = 0;
                while refs.advance().expect("a record") {
                    count += refs.record().name.len();
                }
                count
            });
        });
    }
    // The usual stack: nearly all refs in one table, and some small tables on top.
    let dir = scratch();
    let stack = open(dir.path(), false);
    add(&stack, 0..REFS);
    for table in 1..5 {
        add(&stack, (table..REFS).step_by(REFS / 100));
    }
    let view = stack.merged();
    group.bench_function("1 large and 4 small", |b| {
        b.iter(|| {
            let mut refs = view.refs(Tombstones::Hide);
            let mut count = 0;
            while refs.advance().expect("a record") {
                count += refs.record().name.len();
            }
            count
        });
    });
    group.finish();
}

fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("find");
    // Each ref once, in a scattered order.
    let order: Vec<usize> = (0..10_000).map(|i| i * 77_773 % REFS).collect();
    let hits: Vec<String> = order.iter().map(|&n| name(n)).collect();
    let misses: Vec<String> = hits.iter().map(|n| format!("{n}-x")).collect();
    group.throughput(Throughput::Elements(order.len() as u64));
    for tables in [1, 5, 20] {
        let (_dir, stack) = interleaved(tables);
        let view = stack.merged();
        for (label, names) in [("hit", &hits), ("miss", &misses)] {
            group.bench_function(BenchmarkId::new(label, tables), |b| {
                let mut finder = view.finder();
                b.iter(|| {
                    let found =
                        |name: &&String| finder.find(name.as_bytes()).expect("a lookup").is_some();
                    names.iter().filter(found).count()
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = transactions, compaction, iteration, lookups
}
criterion_main!(benches);
