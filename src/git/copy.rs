//! Renaming and copying a ref together with its log.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::backend::{Backend, RefState};
use super::failure::{Failure, Outcome};
use super::locked;
use super::reflog::{read_entries, Entry};
use super::store::{Reload, Store};
use super::sys::ident::Ident;
use super::sys::messages::{error, error_text};
use super::sys::strings::OwnedBuffer;
use super::warn;
use crate::merged::Tombstones;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};
use crate::stack::OnOutdated;
use crate::table::Writer;
use std::cmp::Reverse;
use std::ffi::CStr;
use std::rc::Rc;

/// Renames `old` to `new`.
pub fn rename(store: &Store, old: &CStr, new: &CStr, log_message: &CStr) -> Outcome {
    run(store, old, new, log_message, true)
}

/// Copies `old` to `new`.
pub fn copy(store: &Store, old: &CStr, new: &CStr, log_message: &CStr) -> Outcome {
    run(store, old, new, log_message, false)
}

fn run(store: &Store, old: &CStr, new: &CStr, log_message: &CStr, delete_old: bool) -> Outcome {
    store.check()?;
    let (backend, new) = store.backend_for(new, Reload::Yes)?;
    let copying = Copying {
        store,
        backend: backend.clone(),
        old,
        new,
        message: store.cut_message(log_message),
        delete_old,
    };
    let outcome = backend
        .writing()?
        .add(OnOutdated::Reload, |writer| copying.write(writer));
    outcome
        .map(warn::commit)
        .map_err(|failure| copying.report(failure))
}

struct Copying<'a> {
    store: &'a Store,
    backend: Rc<Backend>,
    old: &'a CStr,
    new: &'a CStr,
    message: &'a [u8],
    delete_old: bool,
}

/// The value that is copied: an id, and what it peels to.
struct Value {
    id: ObjectId,
    peeled: Option<ObjectId>,
}

impl Copying<'_> {
    fn write(&self, writer: &mut Writer<'_>) -> Outcome {
        let value = self.read_old()?;
        if self.old == self.new {
            return Ok(());
        }
        self.verify_new_name()?;
        // A rename takes two update indexes: its log tells both that the old
        // name went and that the new one came.
        let deletion = self.backend.stack.next_update_index();
        let creation = deletion.saturating_add(u64::from(self.delete_old));
        writer.set_limits(deletion, creation)?;
        self.write_refs(writer, &value, deletion, creation)?;
        self.write_logs(writer, &value, deletion, creation)
    }

    /// Prints why nothing came of it, unless that has been done.
    fn report(&self, failure: Failure) -> Failure {
        let words = if self.delete_old {
            c"unable to rename '%s' to '%s': %s"
        } else {
            c"unable to copy '%s' to '%s': %s"
        };
        if failure.is_reported() {
            failure
        } else if failure.is_locked() {
            locked::report(&self.backend, failure)
        } else {
            Failure::new(error(words, &[self.old, self.new, &failure.text()]))
        }
    }

    fn read_old(&self) -> Outcome<Value> {
        let view = self.backend.stack.merged();
        let mut refs = view.refs(Tombstones::Hide);
        refs.seek_prefix(self.old.to_bytes())?;
        let found = refs.advance()? && refs.record().name == self.old.to_bytes();
        if !found {
            return Err(Failure::new(error(c"refname %s not found", &[self.old])));
        }
        let id = |raw| ObjectId::new(raw, self.store.hash);
        match refs.record().value {
            RefValue::Val1(value) => Ok(Value {
                id: id(value),
                peeled: None,
            }),
            RefValue::Val2 { value, target } => Ok(Value {
                id: id(value),
                peeled: Some(id(target)),
            }),
            RefValue::Symref(_) | RefValue::Deletion => Err(Failure::new(error(
                c"refname %s is a symbolic ref, copying it is not supported",
                &[self.old],
            ))),
        }
    }

    fn verify_new_name(&self) -> Outcome {
        let mut text = OwnedBuffer::new();
        let skip = self.delete_old.then_some(self.old);
        match self
            .store
            .handle
            .verify_name_available(self.new, skip, &mut text)
        {
            refused if refused < 0 => {
                error_text(text.as_c_str());
                Err(Failure::REPORTED)
            }
            _ => Ok(()),
        }
    }

    fn write_refs(
        &self,
        writer: &mut Writer<'_>,
        value: &Value,
        deletion: u64,
        creation: u64,
    ) -> Outcome {
        let hash = self.store.hash;
        let copied = match &value.peeled {
            Some(peeled) => RefValue::Val2 {
                value: value.id.raw(hash),
                target: peeled.raw(hash),
            },
            None => RefValue::Val1(value.id.raw(hash)),
        };
        let mut refs = vec![RefRecord {
            name: self.new.to_bytes(),
            update_index: creation,
            value: copied,
        }];
        if self.delete_old {
            refs.push(RefRecord {
                name: self.old.to_bytes(),
                update_index: deletion,
                value: RefValue::Deletion,
            });
        }
        refs.sort_by_key(|record| record.name);
        for record in &refs {
            writer.add_ref(record)?;
        }
        Ok(())
    }

    fn write_logs(
        &self,
        writer: &mut Writer<'_>,
        value: &Value,
        deletion: u64,
        creation: u64,
    ) -> Outcome {
        let hash = self.store.hash;
        let committer = Ident::committer();
        let null = ObjectId::null(hash);
        let entries: Vec<Entry> = read_entries(&mut self.backend.logs(), self.old, hash)?;
        let mut logs = Vec::with_capacity(2 * entries.len() + 3);
        if self.delete_old {
            let deleted = self.entry(&committer, &value.id, &null);
            logs.push(new_log(self.new, deletion, deleted));
            // HEAD follows the branch it is on.
            if self.head_is_old()? {
                logs.push(new_log(c"HEAD", deletion, deleted));
            }
        }
        let created = self.entry(&committer, &null, &value.id);
        logs.push(new_log(self.new, creation, created));
        for entry in &entries {
            logs.push(Log::Copied(entry.record(self.new, hash)));
            if self.delete_old {
                logs.push(Log::Copied(entry.tombstone(self.old)));
            }
        }
        logs.sort_by_key(|log| (log.record().name, Reverse(log.record().update_index)));
        // Tables of git's C writer may hold a key twice.
        logs.dedup_by_key(|log| (log.record().name, log.record().update_index));
        for log in &logs {
            match log {
                Log::New(record) => writer.add_log(record)?,
                Log::Copied(record) => writer.copy_log(record)?,
            }
        }
        Ok(())
    }

    fn head_is_old(&self) -> Outcome<bool> {
        Ok(match self.backend.read_ref(c"HEAD")? {
            RefState::Symbolic(target) => target.as_c_str() == self.old,
            RefState::Direct(_) | RefState::Missing => false,
        })
    }

    /// A log entry of this operation, from `old` to `new`.
    fn entry<'a>(
        &'a self,
        committer: &'a Ident,
        old: &'a ObjectId,
        new: &'a ObjectId,
    ) -> LogUpdate<'a> {
        LogUpdate {
            old_hash: old.raw(self.store.hash),
            new_hash: new.raw(self.store.hash),
            name: &committer.name,
            email: &committer.email,
            time: committer.time,
            tz_offset: committer.tz_offset,
            message: self.message,
        }
    }
}

/// A log entry to be written.
enum Log<'a> {
    /// Of this operation: its message becomes a line.
    New(LogRecord<'a>),
    /// Taken over as it is.
    Copied(LogRecord<'a>),
}

impl<'a> Log<'a> {
    fn record(&self) -> &LogRecord<'a> {
        match self {
            Self::New(record) | Self::Copied(record) => record,
        }
    }
}

fn new_log<'a>(name: &'a CStr, update_index: u64, update: LogUpdate<'a>) -> Log<'a> {
    Log::New(LogRecord {
        name: name.to_bytes(),
        update_index,
        value: LogValue::Update(update),
    })
}
