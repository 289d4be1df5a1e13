//! Renaming and copying a ref with its log.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::backend::{Backend, RefState};
use super::failure::{report_locked, warn_after_commit, Failure, Outcome};
use super::store::{Reload, Store};
use super::sys::ident::Ident;
use super::sys::messages::error_text;
use super::sys::strings::OwnedBuffer;
use crate::merged::Tombstones;
use crate::record::{LogUpdate, RefValue};
use crate::repo::moving::Moving;
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
        let hash = self.store.hash;
        let null = ObjectId::null(hash);
        let id = value.id.raw(hash);
        let committer = Ident::committer();
        let moving = Moving {
            old: self.old.to_bytes(),
            new: self.new.to_bytes(),
            deletes_old: self.delete_old,
            value: match &value.peeled {
                Some(peeled) => RefValue::Val2 {
                    value: id,
                    target: peeled.raw(hash),
                },
                None => RefValue::Val1(id),
            },
            view: &self.backend.stack.merged(),
            // HEAD follows the branch it is on.
            logs_head: self.delete_old && self.new != c"HEAD" && self.head_is_old()?,
            entry: LogUpdate {
                old_hash: id,
                new_hash: id,
                name: &committer.name,
                email: &committer.email,
                time: committer.time,
                tz_offset: committer.tz_offset,
                message: self.message,
            },
            null: null.raw(hash),
        };
        Ok(moving.write(writer, self.backend.stack.next_update_index())?)
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

    fn head_is_old(&self) -> Outcome<bool> {
        Ok(match self.backend.read_ref(c"HEAD")? {
            RefState::Symbolic(target) => target.as_c_str() == self.old,
            RefState::Direct(_) | RefState::Missing => false,
        })
    }
}
