//! What differs between a store in files and a stack.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::path::Path;

use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, LogValue, RefRecord, RefValue};
use reftable::repo::TargetRef;
use reftable::{ObjectId, Target};

use super::logs::{LogText, TableLogs};
use super::meter::{line_len, Meter};
use super::tables;
use crate::failure::Result;
use crate::files::packed::Peeled;
use crate::files::store::{FileRef, FilesStore};
use crate::objects::Objects;

/// What is in files and not in the stack, or the other way around.
#[derive(Debug, Default)]
pub struct Differences {
    pub refs: Vec<Difference>,
    pub logs: Vec<LogDifference>,
}

/// A ref that differs.
#[derive(Debug)]
pub struct Difference {
    pub name: Vec<u8>,
    /// Its value in files; `None` if it is only in the stack.
    pub target: Option<Target>,
    pub peeled: Peeled,
    /// Its value in the stack.
    pub found: Option<Target>,
}

/// A log that differs.
#[derive(Debug)]
pub struct LogDifference {
    pub name: Vec<u8>,
    /// The log in files; `None` if it is only in the stack.
    pub text: Option<LogText>,
    /// The update indexes of its entries in the stack, the greatest first.
    pub indexes: Vec<u64>,
}

/// Whether refs and logs that are only in the stack count as differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Counts,
    /// The files are only those that were modified lately.
    Ignored,
}

impl Differences {
    pub fn new(
        files: &FilesStore,
        view: &Merged,
        missing: Missing,
        meter: &Meter<'_>,
    ) -> Result<Self> {
        let mut found = Self::default();
        found.compare_refs(files, view, missing, meter)?;
        found.compare_logs(files, view, missing, meter)?;
        Ok(found)
    }

    pub fn is_empty(&self) -> bool {
        self.refs.is_empty() && self.logs.is_empty()
    }

    fn compare_refs(
        &mut self,
        files: &FilesStore,
        view: &Merged,
        missing: Missing,
        meter: &Meter<'_>,
    ) -> Result<()> {
        let mut records = view.refs(Tombstones::Hide);
        let mut has_record = records.advance()?;
        let mut refs = files.refs().peekable();
        loop {
            let order = match (refs.peek(), has_record) {
                (None, false) => return Ok(()),
                (Some(_), false) => Ordering::Less,
                (None, true) => Ordering::Greater,
                (Some(found), true) => found.name.cmp(records.record().name),
            };
            if order == Ordering::Greater {
                let record = records.record();
                if missing == Missing::Counts {
                    self.refs.push(Difference {
                        name: record.name.to_vec(),
                        target: None,
                        peeled: Peeled::Not,
                        found: target_of(&record),
                    });
                }
                has_record = records.advance()?;
                continue;
            }
            let Some(found) = refs.next() else {
                return Ok(());
            };
            meter.add(0, line_len(found.name, view.hash_id()))?;
            let record = (order == Ordering::Equal).then(|| records.record());
            let is_same = record.is_some_and(|record| is_same(&found, &record));
            if !is_same {
                self.refs.push(Difference {
                    name: found.name.to_vec(),
                    target: Some(found.target.to_owned()),
                    peeled: found.peeled,
                    found: record.as_ref().and_then(target_of),
                });
            }
            if order == Ordering::Equal {
                has_record = records.advance()?;
            }
        }
    }

    fn compare_logs(
        &mut self,
        files: &FilesStore,
        view: &Merged,
        missing: Missing,
        meter: &Meter<'_>,
    ) -> Result<()> {
        let mut records = TableLogs::new(view)?;
        let mut has_log = records.advance()?;
        let mut logs = files.logs.iter().peekable();
        loop {
            let order = match (logs.peek(), has_log) {
                (None, false) => return Ok(()),
                (Some(_), false) => Ordering::Less,
                (None, true) => Ordering::Greater,
                (Some(log), true) => log.name.cmp(&records.name),
            };
            let text = match order {
                Ordering::Greater => None,
                _ => match logs.next() {
                    None => return Ok(()),
                    Some(log) => LogText::of_file(log, view.hash_id())?.map(|text| (log, text)),
                },
            };
            if let Some((_, text)) = &text {
                meter.add(0, text.len())?;
            }
            let is_in_stack = order != Ordering::Less;
            match text {
                Some((_, text)) if is_in_stack && text.lines == records.text.lines => {}
                Some((log, text)) => self.logs.push(LogDifference {
                    name: log.name.clone(),
                    text: Some(text),
                    indexes: match is_in_stack {
                        true => records.indexes.clone(),
                        false => Vec::new(),
                    },
                }),
                None if is_in_stack && missing == Missing::Counts => {
                    self.logs.push(LogDifference {
                        name: records.name.clone(),
                        text: None,
                        indexes: records.indexes.clone(),
                    });
                }
                None => {}
            }
            if is_in_stack {
                has_log = records.advance()?;
            }
        }
    }

    /// Writes what is in files into the stack in `dir`, whose view was compared.
    pub fn write(&self, dir: &Path, view: &Merged, objects: &mut Objects) -> Result<()> {
        let hash = view.hash_id();
        let next = view.max_update_index() + 1;
        let entries = |log: &LogDifference| log.text.as_ref().map_or(0, |text| text.entries);
        let most = self.logs.iter().map(entries).max().unwrap_or(0);
        let last = next + most;
        let mut peeled = Vec::new();
        for difference in &self.refs {
            peeled.push(objects.peeled(difference.target.as_ref(), difference.peeled)?);
        }
        tables::add(dir, hash, (next, last), |writer| {
            for (difference, peeled) in self.refs.iter().zip(&peeled) {
                writer.add_ref(&RefRecord {
                    name: &difference.name,
                    update_index: next,
                    value: value_of(difference.target.as_ref(), peeled.as_ref()),
                })?;
            }
            for log in &self.logs {
                if let Some(text) = &log.text {
                    text.write(writer, &log.name, next, hash)?;
                }
                for &update_index in &log.indexes {
                    writer.add_log(&LogRecord {
                        name: &log.name,
                        update_index,
                        value: LogValue::Deletion,
                    })?;
                }
            }
            Ok(())
        })
    }
}

/// The value of a ref in a table.
pub fn value_of<'v>(target: Option<&'v Target>, peeled: Option<&'v ObjectId>) -> RefValue<'v> {
    match (target, peeled) {
        (None, _) => RefValue::Deletion,
        (Some(Target::Symbolic(target)), _) => RefValue::Symref(target),
        (Some(Target::Id(id)), None) => RefValue::Val1(id.as_bytes()),
        (Some(Target::Id(id)), Some(peeled)) => RefValue::Val2 {
            value: id.as_bytes(),
            target: peeled.as_bytes(),
        },
    }
}

/// The target of a record that is not a tombstone.
pub fn target_of(record: &RefRecord<'_>) -> Option<Target> {
    match record.value {
        RefValue::Deletion => None,
        RefValue::Symref(target) => Some(Target::Symbolic(target.into())),
        RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
            ObjectId::from_bytes(id).map(Target::Id)
        }
    }
}

fn is_same(found: &FileRef<'_>, record: &RefRecord<'_>) -> bool {
    let is_peeled_same = match found.peeled {
        Peeled::Unknown => true,
        Peeled::Not => record.value.peeled().is_none(),
        Peeled::Id(id) => record.value.peeled() == Some(id.as_bytes()),
    };
    let is_target_same = match (found.target, record.value) {
        (TargetRef::Symbolic(target), RefValue::Symref(other)) => target == other,
        (TargetRef::Id(id), value) => value.id() == Some(id.as_bytes()),
        _ => false,
    };
    is_target_same && is_peeled_same
}
