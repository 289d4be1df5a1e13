//! Tables compared, byte for byte, with those of the C library.
//!
//! Needs `REFTABLE_UPSTREAM_SRC`, the path of an unpacked git tree of the same release in which
//! `libgit.a` has been built, and the C compiler that built it. Without the variable there is
//! nothing to compare with; with it, whatever keeps the C program from being built is a failure.

mod common;

use std::fmt::{self, Write as _};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reftable::format::{Error, HashId};
use reftable::internals::{BlockInfo, BlockType};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{Table, WriteOptions, Writer};

/// A record to be written; ids are seeds of [`id`].
#[derive(Clone, Debug)]
enum Value {
    Deletion,
    Val1(u32),
    Val2(u32, u32),
    Symref(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Log {
    name: Vec<u8>,
    update_index: u64,
    update: Option<(u32, u32, u64, i16, Vec<u8>)>,
}

#[derive(Clone)]
struct Input {
    options: WriteOptions,
    limits: (u64, u64),
    refs: Vec<(Vec<u8>, u64, Value)>,
    logs: Vec<Log>,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("options", &self.options)
            .field("limits", &self.limits)
            .field("refs", &self.refs.len())
            .field("logs", &self.logs.len())
            .finish()
    }
}

/// Spreads seeds over ids, so that abbreviations of several lengths are needed.
fn id(seed: u32, len: usize) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..len)
        .map(|_| {
            state ^= state >> 29;
            state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            state.to_be_bytes()[0]
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

impl Input {
    /// The script for the C program.
    fn script(&self) -> String {
        let o = &self.options;
        let len = o.hash_id.len();
        let mut out = format!(
            "options {} {} {} {} {} {}\nlimits {} {}\n",
            o.block_size,
            o.restart_interval,
            u8::from(o.hash_id == HashId::Sha256),
            u8::from(o.skip_index_objects),
            u8::from(o.unpadded),
            u8::from(o.exact_log_message),
            self.limits.0,
            self.limits.1
        );
        for (name, update_index, value) in &self.refs {
            let value = match value {
                Value::Deletion => "delete".to_owned(),
                Value::Val1(a) => format!("val1 {}", hex(&id(*a, len))),
                Value::Val2(a, b) => format!("val2 {} {}", hex(&id(*a, len)), hex(&id(*b, len))),
                Value::Symref(target) => format!("symref {}", hex(target)),
            };
            writeln!(out, "ref {} {update_index} {value}", hex(name)).unwrap();
        }
        for log in &self.logs {
            let value = match &log.update {
                None => "delete".to_owned(),
                Some((old, new, time, zone, message)) => format!(
                    "update {} {} {} {} {time} {zone} {}",
                    hex(&id(*old, len)),
                    hex(&id(*new, len)),
                    hex(b"A U Thor"),
                    hex(b"author@example.com"),
                    hex(message)
                ),
            };
            writeln!(out, "log {} {} {value}", hex(&log.name), log.update_index).unwrap();
        }
        out
    }

    fn write_to(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let len = self.options.hash_id.len();
        let mut writer = Writer::new(bytes, &self.options)?;
        writer.set_limits(self.limits.0, self.limits.1)?;
        for (name, update_index, value) in &self.refs {
            let (a, b) = match value {
                Value::Val1(a) => (id(*a, len), Vec::new()),
                Value::Val2(a, b) => (id(*a, len), id(*b, len)),
                _ => Default::default(),
            };
            writer.add_ref(&RefRecord {
                name,
                update_index: *update_index,
                value: match value {
                    Value::Deletion => RefValue::Deletion,
                    Value::Val1(_) => RefValue::Val1(&a),
                    Value::Val2(..) => RefValue::Val2 {
                        value: &a,
                        target: &b,
                    },
                    Value::Symref(target) => RefValue::Symref(target),
                },
            })?;
        }
        for log in &self.logs {
            let (old, new) = log.update.as_ref().map_or_else(Default::default, |update| {
                (id(update.0, len), id(update.1, len))
            });
            let value = match &log.update {
                None => LogValue::Deletion,
                Some((_, _, time, tz_offset, message)) => LogValue::Update(LogUpdate {
                    old_hash: &old,
                    new_hash: &new,
                    name: b"A U Thor",
                    email: b"author@example.com",
                    time: *time,
                    tz_offset: Zone::from_stored(*tz_offset),
                    message,
                }),
            };
            writer.add_log(&LogRecord {
                name: &log.name,
                update_index: log.update_index,
                value,
            })?;
        }
        writer.finish().map(|_| ())
    }
}

/// The C program, built once.
struct Upstream {
    program: PathBuf,
    dir: tempfile::TempDir,
}

impl Upstream {
    /// `None` when no git tree is named.
    fn build() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let program = common::upstream_program("upstream-writer", dir.path())?;
        Some(Self { program, dir })
    }

    /// Error code and bytes of the C library.
    fn write(&self, input: &Input) -> (i32, Vec<u8>) {
        let script = self.dir.path().join("script");
        let table = self.dir.path().join("table");
        std::fs::write(&script, input.script()).unwrap();
        let output = Command::new(&self.program)
            .arg(&script)
            .arg(&table)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let code = String::from_utf8(output.stdout).unwrap();
        (code.trim().parse().unwrap(), std::fs::read(&table).unwrap())
    }

    fn compare(&self, input: &Input) {
        let (code, expected) = self.write(input);
        let mut bytes = Vec::new();
        let ours = input.write_to(&mut bytes);
        assert_eq!(
            ours.as_ref().map_or_else(Error::code, |()| 0),
            code,
            "{ours:?}"
        );
        if code == Error::EmptyTable.code() {
            assert_eq!(bytes, expected);
        } else if code == 0 && !input.options.git_layout && differs_on_purpose(&expected) {
            assert!(bytes != expected, "{input:?}");
            assert!(!differs_on_purpose(&bytes), "{input:?}");
            assert_same_records(&bytes, &expected);
        } else if code == 0 && bytes != expected {
            // Two deflaters may choose different matches; nothing else may differ.
            let (ours, theirs) = (Content::of(&bytes), Content::of(&expected));
            assert!(
                ours.before_logs == theirs.before_logs,
                "{input:?}: refs or objects"
            );
            assert!(
                ours.log_blocks == theirs.log_blocks,
                "{input:?}: log blocks"
            );
            assert!(ours.log_index == theirs.log_index, "{input:?}: log index");
            assert!(ours.footer == theirs.footer, "{input:?}: footer");
            assert!(!ours.log_blocks.is_empty(), "{input:?}: padding");
        }
    }
}

/// Whether the C library has written something else than the format's document asks for: a table
/// of logs alone that does not say where they begin, or an index whose root is several blocks.
fn differs_on_purpose(file: &[u8]) -> bool {
    let header_len = if file[4] == 1 { 24 } else { 28 };
    let fields = &file[file.len() - 44..];
    let position = |n: usize| u64::from_be_bytes(fields[8 * n..8 * n + 8].try_into().unwrap());
    let table = Table::new("compared", file.to_vec().into()).unwrap();
    let blocks: Vec<BlockInfo> = table.blocks().map(Result::unwrap).collect();
    let is_index = |block: &BlockInfo| block.block_type == BlockType::Index;
    let several_roots = [0, 2, 4].map(position).into_iter().any(|root| {
        let mut from_root = blocks.iter().skip_while(|block| block.offset != root);
        root != 0 && from_root.nth(1).is_some_and(is_index)
    });
    let logs_alone = !table.has_refs() && position(3) != header_len;
    several_roots || logs_alone
}

/// Two sound tables hold the same records, and the first finds each by its key.
fn assert_same_records(ours: &[u8], theirs: &[u8]) {
    let [ours, theirs] = [ours, theirs].map(|file| {
        let table = Table::new("compared", file.to_vec().into()).unwrap();
        table.verify(&mut |flaw| panic!("a sound table has a flaw: {flaw}"));
        Arc::new(table)
    });
    let (mut refs, mut found) = (theirs.refs(), ours.refs());
    while refs.advance().unwrap() {
        found.seek(refs.record().name).unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record(), refs.record());
    }
    assert!(!found.advance().unwrap());
    let (mut logs, mut found) = (theirs.logs(), ours.logs());
    while logs.advance().unwrap() {
        let record = logs.record();
        found.seek_at(record.name, record.update_index).unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record(), record);
    }
    assert!(!found.advance().unwrap());
}

/// What a file says, whatever the lengths of its deflated blocks.
struct Content<'a> {
    before_logs: &'a [u8],
    log_blocks: Vec<Vec<u8>>,
    /// Last keys of the log blocks, and their number in the file.
    log_index: Vec<(Vec<u8>, usize)>,
    /// Without the position of the log index and the checksum, which depend on these lengths.
    footer: &'a [u8],
}

impl<'a> Content<'a> {
    fn of(file: &'a [u8]) -> Self {
        let table = Table::new("compared", file.to_vec().into()).unwrap();
        table.verify(&mut |flaw| panic!("a sound table has a flaw: {flaw}"));
        let blocks: Vec<BlockInfo> = table.blocks().map(Result::unwrap).collect();
        let header_len = if table.version() == 1 { 24 } else { 28 };
        let footer = &file[file.len() - header_len - 44..];
        let logs = blocks
            .iter()
            .position(|block| block.block_type == BlockType::Log)
            .unwrap_or(blocks.len());
        let start = |block: &BlockInfo| usize::try_from(block.offset).unwrap();
        let mut content = Self {
            before_logs: &file[..blocks.get(logs).map_or(file.len() - footer.len(), start)],
            log_blocks: Vec::new(),
            log_index: Vec::new(),
            footer: &footer[..header_len + 32],
        };
        for block in &blocks[logs..] {
            let skip = if block.offset == 0 { header_len } else { 0 };
            let bytes = &file[start(block) + skip..];
            if block.block_type == BlockType::Log {
                content.log_blocks.push(inflate(bytes));
            } else {
                let records = &bytes[4..usize::try_from(block.restart_offset).unwrap()];
                for (key, offset) in index_records(records) {
                    let child = blocks
                        .iter()
                        .position(|block| block.offset == offset)
                        .unwrap();
                    if blocks[child].block_type == BlockType::Log {
                        content.log_index.push((key, child));
                    }
                }
            }
        }
        content
    }
}

/// Header and inflated content of a log block.
fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut block = bytes[..4].to_vec();
    flate2::read::ZlibDecoder::new(&bytes[4..])
        .read_to_end(&mut block)
        .unwrap();
    block
}

fn index_records(mut bytes: &[u8]) -> Vec<(Vec<u8>, u64)> {
    fn varint(bytes: &mut &[u8]) -> usize {
        let mut value = 0;
        loop {
            let byte = usize::from(bytes[0]);
            *bytes = &bytes[1..];
            value += byte & 0x7f;
            if byte < 0x80 {
                return value;
            }
            value = (value + 1) << 7;
        }
    }
    let mut records: Vec<(Vec<u8>, u64)> = Vec::new();
    while !bytes.is_empty() {
        let shared = varint(&mut bytes);
        let suffix = varint(&mut bytes) >> 3;
        let last = records.last().map_or(&[][..], |record| &record.0);
        let key = [&last[..shared], &bytes[..suffix]].concat();
        bytes = &bytes[suffix..];
        records.push((key, varint(&mut bytes).try_into().unwrap()));
    }
    records
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => prop::collection::vec(97_u8..100, 1..6),
        1 => prop::collection::vec(1_u8..=255, 1..20),
        4 => (0_u32..100_000).prop_map(|n| format!("refs/heads/topic-{n:05}").into_bytes()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let seed = prop_oneof![0_u32..4, any::<u32>()];
    prop_oneof![
        1 => Just(Value::Deletion),
        5 => seed.clone().prop_map(Value::Val1),
        2 => (seed.clone(), seed).prop_map(|(a, b)| Value::Val2(a, b)),
        1 => prop::collection::vec(1_u8..=255, 1..40).prop_map(Value::Symref),
    ]
}

fn log_update() -> impl Strategy<Value = (u32, u32, u64, i16, Vec<u8>)> {
    let message = prop_oneof![
        9 => prop::collection::vec(32_u8..127, 0..60),
        1 => prop::collection::vec(32_u8..127, 0..10).prop_map(|text| [&text[..], b"\n\n"].concat()),
    ];
    (
        any::<u32>(),
        any::<u32>(),
        any::<u64>(),
        any::<i16>(),
        message,
    )
}

fn input() -> impl Strategy<Value = Input> {
    let options = (
        prop_oneof![Just(0), 300_u32..1000, 1000_u32..9000],
        prop_oneof![Just(0), 1_u16..40],
        any::<[bool; 5]>(),
    );
    let limits = (0_u64..1000, 0_u64..100_000);
    let refs = prop::collection::btree_map(name(), (any::<u64>(), value()), 0..1200);
    let logs = prop::collection::btree_map(
        (name(), any::<u16>()),
        prop::option::weighted(0.9, log_update()),
        0..400,
    );
    (options, limits, refs, logs).prop_map(|(options, (min, more), refs, logs)| {
        let (block_size, restart_interval, [sha256, skip, unpadded, exact, git]) = options;
        let max = min + more;
        let mut logs: Vec<Log> = logs
            .into_iter()
            .map(|((name, age), update)| Log {
                name,
                update_index: max.saturating_sub(u64::from(age)),
                update,
            })
            .collect();
        // C's writer lets the second record of a block repeat the first one; ours does not.
        logs.dedup_by(|a, b| (&a.name, a.update_index) == (&b.name, b.update_index));
        Input {
            options: WriteOptions {
                block_size,
                restart_interval,
                hash_id: if sha256 { HashId::Sha256 } else { HashId::Sha1 },
                skip_index_objects: skip,
                unpadded,
                exact_log_message: exact,
                git_layout: git,
            },
            limits: (min, max),
            refs: refs
                .into_iter()
                .map(|(name, (index, value))| (name, min + index % (more + 1), value))
                .collect(),
            logs,
        }
    })
}

/// `count` refs of one block size; every `same`-th points at the same object.
fn many(count: u32, same: u32, options: WriteOptions) -> Input {
    Input {
        options,
        limits: (1, 1),
        refs: (0..count)
            .map(|n| {
                let seed = if n % same == 0 { 7 } else { n };
                (
                    format!("refs/heads/branch-{n:07}").into_bytes(),
                    1,
                    Value::Val1(seed),
                )
            })
            .collect(),
        logs: (0..count / 10)
            .map(|n| Log {
                name: format!("refs/heads/branch-{n:07}").into_bytes(),
                update_index: 1,
                update: Some((
                    0,
                    n,
                    1_700_000_000 + u64::from(n),
                    120,
                    b"commit: change".to_vec(),
                )),
            })
            .collect(),
    }
}

#[test]
fn same_bytes_as_upstream() {
    let Some(upstream) = Upstream::build() else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let cases = ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(cases)
        .run(&input(), |input| {
            upstream.compare(&input);
            Ok(())
        })
        .unwrap();

    let sha1 = WriteOptions::default();
    let sha256 = WriteOptions {
        hash_id: HashId::Sha256,
        ..sha1
    };
    for (count, same, options) in [
        (20_000, 20_000, sha1),
        (20_000, 2, sha256),
        // So many blocks mention one object that its record does not fit.
        (
            20_000,
            1,
            WriteOptions {
                block_size: 512,
                ..sha1
            },
        ),
        (
            3_000,
            5,
            WriteOptions {
                block_size: 16_777_215,
                ..sha1
            },
        ),
        (
            3_000,
            5,
            WriteOptions {
                block_size: 65_536,
                restart_interval: 1,
                ..sha256
            },
        ),
        // One restart a record, and more records than a block can have restarts.
        (
            70_000,
            9,
            WriteOptions {
                block_size: 8_000_000,
                restart_interval: 1,
                ..sha1
            },
        ),
        (
            20_000,
            3,
            WriteOptions {
                unpadded: true,
                ..sha1
            },
        ),
        (
            20_000,
            3,
            WriteOptions {
                skip_index_objects: true,
                ..sha1
            },
        ),
    ] {
        upstream.compare(&many(count, same, options));
    }
}

/// Where the C library stops below the root of an index, or leaves out where logs begin, so that
/// JGit misses records.
#[test]
fn the_layout_of_git_is_an_option() {
    let Some(upstream) = Upstream::build() else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let small = WriteOptions {
        block_size: 300,
        hash_id: HashId::Sha256,
        ..WriteOptions::default()
    };
    // Two index blocks; some above more of them, for refs, objects and logs; logs alone.
    let only_logs = Input {
        refs: Vec::new(),
        ..many(100_000, 2, WriteOptions::default())
    };
    for mut input in [
        many(100_000, 2, WriteOptions::default()),
        many(9_000, 1, small),
        only_logs,
    ] {
        input.options.git_layout = true;
        assert!(differs_on_purpose(&upstream.write(&input).1), "{input:?}");
        upstream.compare(&input);
        input.options.git_layout = false;
        upstream.compare(&input);
    }
}

#[test]
fn same_errors_as_upstream() {
    let Some(upstream) = Upstream::build() else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let good = many(10, 2, WriteOptions::default());
    let mut inputs = vec![good.clone(); 7];
    inputs[0].refs.swap(3, 4);
    inputs[1].refs[2].1 = 2;
    inputs[2].logs[0].update_index = 2;
    inputs[3].logs[0].update.as_mut().unwrap().4 = b"two\nlines\n".to_vec();
    inputs[4].options.block_size = 16_777_216;
    inputs[5].refs[5].2 = Value::Symref(vec![b'x'; 5000]);
    inputs[6].refs.clear();
    inputs[6].logs.clear();
    for input in &inputs {
        assert_ne!(upstream.write(input).0, 0);
        upstream.compare(input);
    }
    upstream.compare(&good);
}
