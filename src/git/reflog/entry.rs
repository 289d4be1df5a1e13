//! Log entries that outlive their cursor.
#![forbid(unsafe_code)]

use super::text::Text;
use crate::format::HashId;
use crate::git::abi::{ObjectId, ZONE_FORM};
use crate::merged::LogKeeper;
use crate::record::{LogRecord, LogUpdate, LogValue, Zone};
use std::ffi::{c_int, CStr};
use std::rc::Rc;

/// The committer of an entry, shared by adjacent entries with the same committer.
#[derive(Debug, PartialEq, Eq)]
pub struct Who {
    pub name: Text,
    pub email: Text,
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
    pub tz_offset: Zone,
    pub message: Text,
}

impl Entry {
    /// Copies an update from a cursor. `last` is the committer of the previous entry.
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
                    name: Text::word(update.name),
                    email: Text::word(update.email),
                }),
            },
            time: update.time,
            tz_offset: update.tz_offset,
            message: Text::line(update.message),
        }
    }

    /// The time zone as ±hhmm in decimal, as git passes it.
    pub fn hhmm(&self) -> c_int {
        self.tz_offset.hhmm(ZONE_FORM)
    }

    /// Whether the entry only marks an existing log. Git does not see markers.
    pub fn is_marker(&self) -> bool {
        self.old.is_null() && self.new.is_null()
    }

    /// The entry as a record of the log of `name`, with its texts unchanged.
    pub fn record<'a>(&'a self, name: &'a CStr, hash: HashId) -> LogRecord<'a> {
        LogRecord {
            name: name.to_bytes(),
            update_index: self.update_index,
            value: LogValue::Update(LogUpdate {
                old_hash: self.old.raw(hash),
                new_hash: self.new.raw(hash),
                name: self.who.name.stored(),
                email: self.who.email.stored(),
                time: self.time,
                tz_offset: self.tz_offset,
                message: self.message.stored(),
            }),
        }
    }
}

impl Who {
    fn is(&self, update: &LogUpdate<'_>) -> bool {
        self.name.stored() == update.name && self.email.stored() == update.email
    }
}

/// Copies entries; adjacent ones share their committer.
#[derive(Debug)]
pub struct Keeper {
    hash: HashId,
    last: Option<Rc<Who>>,
}

impl Keeper {
    pub fn new(hash: HashId) -> Self {
        Self { hash, last: None }
    }
}

impl LogKeeper for Keeper {
    type Entry = Entry;

    fn keep(&mut self, update_index: u64, update: &LogUpdate<'_>) -> Entry {
        let entry = Entry::new(update_index, update, self.hash, self.last.as_ref());
        self.last = Some(entry.who.clone());
        entry
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An entry with this message, from id 1 to id 2.
    pub fn entry(update_index: u64, message: &[u8]) -> Entry {
        let update = LogUpdate {
            old_hash: &[1; 20],
            new_hash: &[2; 20],
            name: b"name",
            email: b"email",
            time: 1,
            tz_offset: Zone::default(),
            message,
        };
        Entry::new(update_index, &update, HashId::Sha1, None)
    }
}
