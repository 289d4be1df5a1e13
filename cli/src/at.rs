//! A stack as it was after an earlier transaction, as far as its tables can tell.
#![forbid(unsafe_code)]

use std::sync::Arc;

use reftable::format::Error;
use reftable::merged::{Merged, MergedLogs, Tombstones};
use reftable::record::{LogValue, RefRecord, RefValue};
use reftable::table::Table;

use crate::failure::Result;
use crate::text::{plural, quoted};
use crate::writing::table_in_memory;

/// The view of a stack at an update index, and what is not known of it.
pub struct Past {
    pub view: Arc<Merged>,
    /// Texts about what is missing or not certain.
    pub notes: Vec<String>,
}

/// The name of the table with what merged tables tell of the past.
pub const MADE_UP: &str = "past";

/// The most refs of unknown value that are named.
const NAMED: usize = 10;

/// The value of a ref in the past.
enum Value {
    Missing,
    Id(Vec<u8>),
    Unknown,
}

impl Past {
    /// What `view` was after the transaction with this update index.
    ///
    /// Tables that end by then are as they were. In a table that was merged later, a newer record
    /// hides what the ref was before; then the oldest newer reflog entry tells it.
    pub fn new(view: &Arc<Merged>, update_index: u64) -> Result<Self> {
        let tables = view.tables().iter();
        let until = |table: &&Arc<Table>| table.min_update_index() <= update_index;
        let tables: Vec<Arc<Table>> = tables.filter(until).cloned().collect();
        let later = |table: &&Arc<Table>| table.max_update_index() > update_index;
        let merged_later: Vec<String> = tables
            .iter()
            .filter(later)
            .map(|table| table.name().to_owned())
            .collect();
        let past = Arc::new(Merged::new(tables, view.hash_id())?);
        if merged_later.is_empty() {
            return Ok(Self {
                view: past,
                notes: Vec::new(),
            });
        }
        let mut unknown = Vec::new();
        let least = past.min_update_index();
        let table = table_in_memory(MADE_UP, past.hash_id(), (least, update_index), |writer| {
            unknown.clear();
            let mut refs = past.refs(Tombstones::Show);
            let mut logs = view.logs(Tombstones::Hide);
            while refs.advance()? {
                let record = refs.record();
                if record.update_index <= update_index {
                    if !record.is_deletion() {
                        writer.add_ref(&record)?;
                    }
                    continue;
                }
                match value_before(&mut logs, record.name, update_index)? {
                    Value::Missing => {}
                    Value::Unknown => unknown.push(record.name.to_vec()),
                    Value::Id(id) => writer.add_ref(&RefRecord {
                        name: record.name,
                        update_index,
                        value: RefValue::Val1(&id),
                    })?,
                }
            }
            let mut logs = past.logs(Tombstones::Hide);
            while logs.advance()? {
                let record = logs.record();
                if record.update_index <= update_index {
                    writer.add_log(&record)?;
                }
            }
            Ok(())
        })?;
        let table = table.into_iter().collect();
        Ok(Self {
            view: Arc::new(Merged::new(table, past.hash_id())?),
            notes: notes(&merged_later, &unknown, update_index),
        })
    }
}

/// The value of a ref before its oldest change after `update_index` that is logged.
fn value_before(
    logs: &mut MergedLogs,
    name: &[u8],
    update_index: u64,
) -> std::result::Result<Value, Error> {
    let mut value = Value::Unknown;
    logs.seek_only(name)?;
    while logs.advance()? {
        let record = logs.record();
        if record.update_index <= update_index {
            break;
        }
        if let LogValue::Update(update) = record.value {
            value = match update.old_hash.iter().all(|&byte| byte == 0) {
                true => Value::Missing,
                false => Value::Id(update.old_hash.to_vec()),
            };
        }
    }
    Ok(value)
}

fn notes(tables: &[String], unknown: &[Vec<u8>], update_index: u64) -> Vec<String> {
    let mut notes = Vec::new();
    for table in tables {
        notes.push(format!(
            "the table {table} was merged after update index {update_index}: refs that were \
             deleted since are missing"
        ));
    }
    for name in unknown.iter().take(NAMED) {
        notes.push(format!(
            "the value of {} at update index {update_index} is not known",
            quoted(name)
        ));
    }
    if unknown.len() > NAMED {
        let more = plural(unknown.len() - NAMED, "other ref");
        notes.push(format!("neither are those of {more}"));
    }
    notes
}
