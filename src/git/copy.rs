//! Renaming and copying a ref with its log.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::backend::{Backend, RefState};
use super::failure::{report_locked, warn_after_commit, Failure, Outcome};
use super::reflog::{tombstone, update_indexes};
use super::store::{Reload, Store};
use super::sys::ident::Ident;
use super::sys::messages::error_text;
use super::sys::strings::OwnedBuffer;
use crate::merged::Tombstones;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};
use crate::stack::OnOutdated;
use crate::table::Writer;
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
        .map(warn_after_commit)
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

/// The copied value: an id and its peeled id.
struct CopiedValue {
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
        // A rename takes two update indexes: one log entry for the deletion of the old name, one
        // for the creation of the new name.
        let deletion = self.backend.stack.next_update_index();
        let creation = deletion.saturating_add(u64::from(self.delete_old));
        writer.set_limits(deletion, creation)?;
        self.write_refs(writer, &value, deletion, creation)?;
        self.write_logs(writer, &value, deletion, creation)
    }

    /// Prints the reason for a failure, unless it has been printed.
    fn report(&self, failure: Failure) -> Failure {
        let words = if self.delete_old {
            c"unable to rename '%s' to '%s': %s"
        } else {
            c"unable to copy '%s' to '%s': %s"
        };
        match failure {
            Failure::Reported => failure,
            _ if failure.is_locked() => report_locked(&self.backend.stack, failure),
            _ => Failure::report(words, &[self.old, self.new, &failure.text()]),
        }
    }

    fn read_old(&self) -> Outcome<CopiedValue> {
        let view = self.backend.stack.merged();
        let mut refs = view.refs(Tombstones::Hide);
        refs.seek_prefix(self.old.to_bytes())?;
        let found = refs.advance()? && refs.record().name == self.old.to_bytes();
        if !found {
            return Err(Failure::report(c"refname %s not found", &[self.old]));
        }
        let id = |raw| ObjectId::new(raw, self.store.hash);
        match refs.record().value {
            RefValue::Val1(value) => Ok(CopiedValue {
                id: id(value),
                peeled: None,
            }),
            RefValue::Val2 { value, target } => Ok(CopiedValue {
                id: id(value),
                peeled: Some(id(target)),
            }),
            RefValue::Symref(_) | RefValue::Deletion => Err(Failure::report(
                c"refname %s is a symbolic ref, copying it is not supported",
                &[self.old],
            )),
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
                Err(Failure::Reported)
            }
            _ => Ok(()),
        }
    }

    fn write_refs(
        &self,
        writer: &mut Writer<'_>,
        value: &CopiedValue,
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
        value: &CopiedValue,
        deletion: u64,
        creation: u64,
    ) -> Outcome {
        let committer = Ident::committer();
        let null = ObjectId::null(self.store.hash);
        let created = self.entry(&committer, &null, &value.id);
        let deleted = self.entry(&committer, &value.id, &null);
        let mut logs = vec![(self.new, Log::Copied)];
        if self.delete_old {
            logs.push((self.old, Log::Removed));
            // HEAD follows the branch it is on.
            if self.new != c"HEAD" && self.head_is_old()? {
                logs.push((c"HEAD", Log::Head));
            }
        }
        logs.sort_unstable_by_key(|(name, _)| *name);
        for (name, log) in logs {
            match log {
                Log::Copied => {
                    let created = new_log(name, creation, created);
                    let deleted = new_log(name, deletion, deleted);
                    let new = [created, deleted];
                    let count = 1 + usize::from(self.delete_old);
                    self.copy_log(writer, new.into_iter().take(count))?;
                }
                Log::Removed => {
                    for update_index in update_indexes(&mut self.backend.logs(), name)? {
                        writer.copy_log(&tombstone(name, update_index))?;
                    }
                }
                Log::Head => writer.add_log(&new_log(name, deletion, deleted))?,
            }
        }
        Ok(())
    }

    /// Writes the log of the new name: `new` entries, newest first, merged with those of the old
    /// name, which are written as they are read: a log may be larger than memory.
    fn copy_log<'a>(
        &self,
        writer: &mut Writer<'_>,
        new: impl Iterator<Item = LogRecord<'a>>,
    ) -> Outcome {
        let mut new = new.peekable();
        let mut last = None;
        let mut old = self.backend.logs();
        old.seek_only(self.old.to_bytes())?;
        while old.advance()? {
            let record = old.record();
            while let Some(new) = new.next_if(|new| new.update_index >= record.update_index) {
                writer.add_log(&new)?;
                last = Some(new.update_index);
            }
            // Tables of git's C writer may contain a key twice.
            if last.replace(record.update_index) != Some(record.update_index) {
                let name = self.new.to_bytes();
                writer.copy_log(&LogRecord { name, ..record })?;
            }
        }
        new.try_for_each(|new| writer.add_log(&new))?;
        Ok(())
    }

    fn head_is_old(&self) -> Outcome<bool> {
        Ok(match self.backend.read_ref(c"HEAD")? {
            RefState::Symbolic(target) => target.as_c_str() == self.old,
            RefState::Direct(_) | RefState::Missing => false,
        })
    }

    /// A log entry for this operation, from `old` to `new`.
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

/// What is written to one log.
enum Log {
    /// The entries of the old name, after those of this operation.
    Copied,
    /// Tombstones of all entries.
    Removed,
    /// For the log of `HEAD`: the deletion of the branch that it names.
    Head,
}

fn new_log<'a>(name: &'a CStr, update_index: u64, update: LogUpdate<'a>) -> LogRecord<'a> {
    LogRecord {
        name: name.to_bytes(),
        update_index,
        value: LogValue::Update(update),
    }
}
