//! Log entries that outlive the cursor they were read with.
#![forbid(unsafe_code)]

use crate::format::HashId;
use crate::git::abi::ObjectId;
use crate::git::failure::Outcome;
use crate::merged::MergedLogs;
use crate::record::{LogRecord, LogUpdate, LogValue};
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// The person of an entry. Neighbours are most often the same and share it.
#[derive(Debug, PartialEq, Eq)]
pub struct Who {
    pub name: CString,
    pub email: CString,
}

/// One entry of a reflog.
#[derive(Clone, Debug)]
pub struct Entry {
    pub update_index: u64,
    pub old: ObjectId,
    pub new: ObjectId,
    pub who: Rc<Who>,
    /// Seconds since the epoch.
    pub time: u64,
    pub tz_offset: i16,
    pub message: CString,
}

impl Entry {
    /// Copies an update out of a cursor; `last` is the person of the entry read before.
    pub fn new(
        update_index: u64,
        update: &LogUpdate<'_>,
        hash: HashId,
        last: Option<&Rc<Who>>,
    ) -> Self {
        Self {
            update_index,
            old: ObjectId::new(update.old_hash, hash),
            new: ObjectId::new(update.new_hash, hash),
            who: match last {
                Some(last) if last.is(update) => last.clone(),
                _ => Rc::new(Who {
                    name: until_nul(update.name),
                    email: until_nul(update.email),
                }),
            },
            time: update.time,
            tz_offset: update.tz_offset,
            message: until_nul(update.message),
        }
    }

    /// Whether the entry only says that the log exists: git does not see it.
    pub fn is_marker(&self) -> bool {
        self.old.is_null() && self.new.is_null()
    }

    /// The entry as a record of the log of `name`.
    pub fn record<'a>(&'a self, name: &'a CStr, hash: HashId) -> LogRecord<'a> {
        LogRecord {
            name: name.to_bytes(),
            update_index: self.update_index,
            value: LogValue::Update(LogUpdate {
                old_hash: self.old.raw(hash),
                new_hash: self.new.raw(hash),
                name: self.who.name.as_bytes(),
                email: self.who.email.as_bytes(),
                time: self.time,
                tz_offset: self.tz_offset,
                message: self.message.as_bytes(),
            }),
        }
    }

    /// The tombstone of the entry in the log of `name`.
    pub fn tombstone<'a>(&self, name: &'a CStr) -> LogRecord<'a> {
        LogRecord {
            name: name.to_bytes(),
            update_index: self.update_index,
            value: LogValue::Deletion,
        }
    }
}

impl Who {
    fn is(&self, update: &LogUpdate<'_>) -> bool {
        self.name.as_bytes() == update.name && self.email.as_bytes() == update.email
    }
}

/// All entries of the log of `name`, newest first, markers included.
pub fn read_entries(logs: &mut MergedLogs, name: &CStr, hash: HashId) -> Outcome<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    logs.seek(name.to_bytes())?;
    while logs.advance()? {
        let record = logs.record();
        if record.name != name.to_bytes() {
            break;
        }
        if let LogValue::Update(update) = &record.value {
            let last = entries.last().map(|entry| &entry.who);
            let entry = Entry::new(record.update_index, update, hash, last);
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// `bytes` as C sees them: up to the first NUL.
fn until_nul(bytes: &[u8]) -> CString {
    CString::new(bytes).unwrap_or_else(|nul| {
        let text = bytes.get(..nul.nul_position());
        CString::new(text.unwrap_or_default()).unwrap_or_default()
    })
}
