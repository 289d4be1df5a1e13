//! The records of a damaged table.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::repo::check_name;
use reftable::table::{RawRecord, RawTable, RawValue, Table};

use crate::writing::table_in_memory;

/// A ref of a damaged table.
#[derive(Debug)]
struct Ref {
    update_index: u64,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Deletion,
    Id(Vec<u8>),
    Tag(Vec<u8>, Vec<u8>),
    Symbolic(Vec<u8>),
}

/// A reflog entry of a damaged table; `None` is a deletion.
#[derive(Debug)]
struct Log {
    name: Vec<u8>,
    update_index: u64,
    update: Option<Update>,
}

#[derive(Debug)]
struct Update {
    old: Vec<u8>,
    new: Vec<u8>,
    name: Vec<u8>,
    email: Vec<u8>,
    time: u64,
    zone: Zone,
    message: Vec<u8>,
}

/// The records of a damaged table, by their keys.
#[derive(Debug, Default)]
pub struct Records {
    refs: BTreeMap<Vec<u8>, Ref>,
    logs: BTreeMap<Vec<u8>, Log>,
    /// Keys in indexes: the last key of each block.
    index_keys: BTreeSet<Vec<u8>>,
    /// Records that break the rules of the table.
    pub wrong: u64,
}

/// A record that cannot be read, but that an index names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The ref.
    pub name: Vec<u8>,
    /// The update index of a reflog entry; `None` for the ref itself.
    pub log: Option<u64>,
}

impl Records {
    pub fn count(&self) -> usize {
        self.refs.len() + self.logs.len()
    }

    /// Keeps a record, and returns the name of its ref and whether it is a reflog entry. An entry
    /// does not replace another one, and a ref that is behind others does not.
    pub fn add(
        &mut self,
        record: &RawRecord<'_>,
        raw: &RawTable,
        is_behind: bool,
    ) -> Option<(Vec<u8>, bool)> {
        let (_, most) = raw.update_indexes();
        match &record.value {
            RawValue::Ref(found) => {
                // No table can have such a target.
                let has_target = !matches!(found.value, RefValue::Symref(target) if target.is_empty() || target.contains(&0));
                let is_known = is_behind && self.refs.contains_key(found.name);
                if found.update_index > most || !is_name(found.name) || !has_target || is_known {
                    self.wrong += 1;
                    return None;
                }
                let value = match found.value {
                    RefValue::Deletion => Value::Deletion,
                    RefValue::Val1(id) => Value::Id(id.to_vec()),
                    RefValue::Val2 { value, target } => Value::Tag(value.to_vec(), target.to_vec()),
                    RefValue::Symref(target) => Value::Symbolic(target.to_vec()),
                };
                let update_index = found.update_index;
                let kept = Ref {
                    update_index,
                    value,
                };
                self.refs.insert(found.name.to_vec(), kept);
                Some((found.name.to_vec(), false))
            }
            RawValue::Log(log) => {
                let is_known = self.logs.contains_key(record.key);
                if log.update_index > most || !is_name(log.name) || is_known {
                    self.wrong += 1;
                    return None;
                }
                let update = match log.value {
                    LogValue::Deletion => None,
                    LogValue::Update(update) => Some(Update {
                        old: update.old_hash.to_vec(),
                        new: update.new_hash.to_vec(),
                        name: update.name.to_vec(),
                        email: update.email.to_vec(),
                        time: update.time,
                        zone: update.tz_offset,
                        message: update.message.to_vec(),
                    }),
                };
                let kept = Log {
                    name: log.name.to_vec(),
                    update_index: log.update_index,
                    update,
                };
                self.logs.insert(record.key.to_vec(), kept);
                Some((log.name.to_vec(), true))
            }
            RawValue::Index(_) => {
                self.index_keys.insert(record.key.to_vec());
                None
            }
            _ => None,
        }
    }

    /// The records that an index names and that were not found.
    pub fn missing(&self) -> impl Iterator<Item = Named> + '_ {
        let is_missing =
            |key: &&Vec<u8>| !self.refs.contains_key(*key) && !self.logs.contains_key(*key);
        let keys = self.index_keys.iter().filter(is_missing);
        let named = keys.map(|key| match log_key(key) {
            Some((name, update_index)) => Named {
                name: name.to_vec(),
                log: Some(update_index),
            },
            None => Named {
                name: key.clone(),
                log: None,
            },
        });
        named.filter(|named| is_name(&named.name))
    }

    /// A table with these records and the update indexes of the damaged one.
    pub fn write(&self, raw: &RawTable) -> reftable::format::Result<Option<Arc<Table>>> {
        let (min, max) = raw.update_indexes();
        table_in_memory(raw.name(), raw.hash_id(), (min.min(max), max), |writer| {
            for (name, found) in &self.refs {
                writer.add_ref(&RefRecord {
                    name,
                    update_index: found.update_index,
                    value: match &found.value {
                        Value::Deletion => RefValue::Deletion,
                        Value::Id(id) => RefValue::Val1(id),
                        Value::Tag(value, target) => RefValue::Val2 { value, target },
                        Value::Symbolic(target) => RefValue::Symref(target),
                    },
                })?;
            }
            for log in self.logs.values() {
                writer.add_log(&LogRecord {
                    name: &log.name,
                    update_index: log.update_index,
                    value: match &log.update {
                        None => LogValue::Deletion,
                        Some(update) => LogValue::Update(LogUpdate {
                            old_hash: &update.old,
                            new_hash: &update.new,
                            name: &update.name,
                            email: &update.email,
                            time: update.time,
                            tz_offset: update.zone,
                            message: &update.message,
                        }),
                    },
                })?;
            }
            Ok(())
        })
    }
}

/// The ref and the update index in the key of a reflog entry: the name, NUL, and the index
/// subtracted from the greatest one, so that newer entries come first.
fn log_key(key: &[u8]) -> Option<(&[u8], u64)> {
    let (key, index) = key.split_last_chunk::<8>()?;
    let name = key.strip_suffix(b"\0")?;
    Some((name, u64::MAX - u64::from_be_bytes(*index)))
}

/// Whether a name can be that of a ref. Bytes of a damaged block can look like a record.
pub fn is_name(name: &[u8]) -> bool {
    check_name(name).is_ok()
}
