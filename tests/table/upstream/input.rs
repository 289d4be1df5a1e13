//! Records for both libraries to write.

use std::fmt::{self, Write as _};

use proptest::prelude::*;
use reftable::format::{Error, HashId};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{WriteOptions, Writer};

/// A record to be written; ids are seeds of [`id`].
#[derive(Clone, Debug)]
pub enum Value {
    Deletion,
    Val1(u32),
    Val2(u32, u32),
    Symref(Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Log {
    pub name: Vec<u8>,
    pub update_index: u64,
    pub update: Option<(u32, u32, u64, i16, Vec<u8>)>,
}

#[derive(Clone)]
pub struct Input {
    pub options: WriteOptions,
    pub limits: (u64, u64),
    pub refs: Vec<(Vec<u8>, u64, Value)>,
    pub logs: Vec<Log>,
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
    pub fn script(&self) -> String {
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

    pub fn write_to(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
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

pub fn input() -> impl Strategy<Value = Input> {
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
        // C's writer lets the second record of a block repeat the first one; this one does not.
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
pub fn many(count: u32, same: u32, options: WriteOptions) -> Input {
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
