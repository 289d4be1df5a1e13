//! Preparing a transaction: lock the stacks, read the refs, check what the
//! caller expects of them, and queue what is to be written.
#![forbid(unsafe_code)]

use super::check;
use super::names;
use super::places::{Place, Places};
use super::{Prepared, Queued};
use crate::format::Error;
use crate::git::abi::{
    ObjectId, REF_HAVE_NEW, REF_HAVE_OLD, REF_LOG_ONLY, REF_NO_DEREF, REF_TRANSACTION_CLOSED,
    REF_TRANSACTION_ERROR_GENERIC, REF_TRANSACTION_ERROR_NAME_CONFLICT,
    REF_TRANSACTION_ERROR_NONEXISTENT_REF, REF_TRANSACTION_PREPARED, SYMREF_KEEPS_OLD_VALUE,
};
use crate::git::backend::{Backend, RefState};
use crate::git::failure::{Failure, Outcome};
use crate::git::locked;
use crate::git::shim::REF_UPDATE_VIA_HEAD;
use crate::git::store::{Reload, Store};
use crate::git::sys::strings::{quoted, Buffer};
use crate::git::sys::transaction::{has_provided_values, Transaction, Update};
use std::ffi::{c_int, CStr, CString};
use std::rc::Rc;

const GENERIC: Failure = Failure::new(REF_TRANSACTION_ERROR_GENERIC);
const NAME_CONFLICT: Failure = Failure::new(REF_TRANSACTION_ERROR_NAME_CONFLICT);
const NONEXISTENT: Failure = Failure::new(REF_TRANSACTION_ERROR_NONEXISTENT_REF);

/// The number that git expects where only one update could not be read or queued.
fn generic(failure: Failure) -> Failure {
    failure.with_code(REF_TRANSACTION_ERROR_GENERIC)
}

/// Prepares `transaction`. Answers 0 and leaves a `Prepared` with it, or a
/// negative number with a message in `err`.
pub fn prepare(
    store: &Store,
    transaction: &mut Transaction<'static>,
    err: &mut Buffer<'_>,
) -> c_int {
    let mut preparation = Preparation {
        store,
        prepared: Prepared::new(store.hash, transaction.len()),
        head: None,
        to_check: Vec::with_capacity(transaction.len()),
        places: Places::default(),
    };
    match preparation.run(transaction, err) {
        Ok(()) => {
            transaction.put_data(Box::new(preparation.prepared));
            transaction.set_state(REF_TRANSACTION_PREPARED);
            0
        }
        Err(failure) => {
            transaction.set_state(REF_TRANSACTION_CLOSED);
            if err.len() == 0 {
                err.push_message(c"reftable: transaction prepare: %s", &[&failure.text()]);
            }
            failure.code()
        }
    }
}

struct Preparation<'s> {
    store: &'s Store,
    prepared: Prepared,
    /// The branch that `HEAD` names, if it names one.
    head: Option<CString>,
    /// Numbers of the updates whose names must be free.
    to_check: Vec<usize>,
    /// Where the refs live, except those of updates that the backend adds.
    places: Places,
}

/// One update with all that was found out about it.
struct Subject {
    number: usize,
    update: Update<'static>,
    backend: Rc<Backend>,
    /// The name in the backend's stack.
    name: &'static CStr,
}

impl Preparation<'_> {
    fn run(&mut self, transaction: &mut Transaction<'static>, err: &mut Buffer<'_>) -> Outcome {
        self.store.check()?;
        let refused = transaction.collect_refnames(err);
        if refused != 0 {
            return Err(Failure::new(refused));
        }
        self.lock_all(transaction, err)?;
        let (backend, head) = self.store.backend_for(c"HEAD", Reload::No)?;
        if let RefState::Symbolic(referent) = backend.read_ref(head)? {
            self.head = Some(referent);
        }
        // Updates that are added on the way are prepared in turn.
        let mut number = 0;
        while let Some(update) = transaction.update(number) {
            if let Err(failure) = self.prepare_update(transaction, number, update, err) {
                if !transaction.reject(number, failure.code(), err) {
                    return Err(failure);
                }
            }
            number += 1;
        }
        if self.to_check.is_empty() || self.names_are_free(transaction) {
            return Ok(());
        }
        match transaction.verify_available(self.store.handle, &mut self.to_check, err) {
            0 => Ok(()),
            refused => Err(Failure::new(refused)),
        }
    }

    /// Whether it is certain that all names to check are free. A store of several stacks is
    /// left to git's check.
    fn names_are_free(&self, transaction: &Transaction<'static>) -> bool {
        let Ok(main) = self.store.main() else {
            return false;
        };
        let mut stacks = self.prepared.parts.iter();
        if self.store.worktree().is_some() || !stacks.all(|part| Rc::ptr_eq(&part.backend, main)) {
            return false;
        }
        let view = main.stack.merged();
        let view = (!transaction.is_initial()).then_some(&*view);
        let updates = self.to_check.iter().filter_map(|&n| transaction.update(n));
        let new = updates.map(|update| update.refname().to_bytes());
        let all = transaction.refnames();
        let answer = if new.clone().is_sorted() {
            names::are_free(view, &mut new.into_iter(), &all)
        } else {
            let mut new: Vec<&[u8]> = new.collect();
            new.sort_unstable();
            names::are_free(view, &mut new.into_iter(), &all)
        };
        matches!(answer, Ok(true))
    }

    /// Locks every stack that the transaction touches, before anything is read.
    fn lock_all(&mut self, transaction: &Transaction<'static>, err: &mut Buffer<'_>) -> Outcome {
        let mut number = 0;
        while let Some(update) = transaction.update(number) {
            let full = update.refname();
            let (backend, name) = self.store.backend_for(full, Reload::No)?;
            match self.prepared.lock(&backend) {
                Ok(part) => self.places.push(Place {
                    part,
                    name_at: offset_of(name, full)?,
                }),
                Err(error) => {
                    if let Error::Locked { path } = &error {
                        err.push(b"cannot lock references: ");
                        err.push(locked::message(path).as_c_str().to_bytes());
                    }
                    return Err(error.into());
                }
            }
            number += 1;
        }
        Ok(())
    }

    fn prepare_update(
        &mut self,
        transaction: &mut Transaction<'static>,
        number: usize,
        update: Update<'static>,
        err: &mut Buffer<'_>,
    ) -> Outcome {
        let (backend, name) = self.find(number, update).map_err(generic)?;
        let subject = Subject {
            number,
            update,
            backend,
            name,
        };
        if update.provides_log_ids() {
            return self.queue_provided(&subject, err);
        }
        let refused = update.check_new_object(self.store.repo, err);
        if refused != 0 {
            return Err(Failure::new(refused));
        }
        self.log_head(transaction, &subject, err)?;
        let state = subject.backend.read_ref(name).map_err(generic)?;
        match state {
            RefState::Missing => self.prepare_missing(&subject, err),
            RefState::Direct(current) => self.prepare_existing(&subject, current, None, err),
            RefState::Symbolic(referent) => {
                self.prepare_symref(transaction, &subject, &referent, err)
            }
        }
    }

    /// The stack in which the ref of an update lives, and its name there.
    fn find(
        &self,
        number: usize,
        update: Update<'static>,
    ) -> Outcome<(Rc<Backend>, &'static CStr)> {
        let full = update.refname();
        if let Some(Place { part, name_at }) = self.places.get(number) {
            let name = match usize::try_from(name_at) {
                Ok(0) => Some(full),
                Ok(at) => full
                    .to_bytes_with_nul()
                    .get(at..)
                    .and_then(|name| CStr::from_bytes_with_nul(name).ok()),
                Err(_) => None,
            };
            if let (Some(part), Some(name)) = (self.prepared.part(part), name) {
                return Ok((part.backend.clone(), name));
            }
        }
        self.store.backend_for(full, Reload::No)
    }

    /// Queues a log entry whose ids the caller has given.
    fn queue_provided(&mut self, subject: &Subject, err: &mut Buffer<'_>) -> Outcome {
        let update = subject.update;
        if !has_provided_values(update) {
            err.push_message(
                c"trying to write reflog for '%s' with incomplete values",
                &[update.refname()],
            );
            return Err(GENERIC);
        }
        self.queue(subject, update.old_oid())
    }

    /// An update of the branch that `HEAD` names is logged for `HEAD` too.
    fn log_head(
        &mut self,
        transaction: &mut Transaction<'static>,
        subject: &Subject,
        err: &mut Buffer<'_>,
    ) -> Outcome {
        let update = subject.update;
        let is_head = self.head.as_deref() == Some(subject.name);
        if !is_head || update.flags() & (REF_LOG_ONLY | REF_UPDATE_VIA_HEAD) != 0 {
            return Ok(());
        }
        if transaction.has_refname(c"HEAD") {
            err.push_message(
                c"multiple updates for 'HEAD' (including one via its referent '%s') are not allowed",
                &[&quoted(update.refname().to_bytes())],
            );
            return Err(NAME_CONFLICT);
        }
        transaction.add_head_log(update.flags() | REF_LOG_ONLY | REF_NO_DEREF, update);
        Ok(())
    }

    fn prepare_missing(&mut self, subject: &Subject, err: &mut Buffer<'_>) -> Outcome {
        let update = subject.update;
        if update.expects_existing() {
            err.push_message(
                c"cannot lock ref '%s': unable to resolve reference '%s'",
                &[
                    update.original_refname(),
                    &quoted(update.refname().to_bytes()),
                ],
            );
            return Err(NONEXISTENT);
        }
        self.to_check.push(subject.number);
        // Deleting what is not there needs no tombstone.
        if update.has(REF_HAVE_NEW) && !update.deletes() {
            self.queue(subject, ObjectId::ZERO)?;
        }
        Ok(())
    }

    fn prepare_symref(
        &mut self,
        transaction: &mut Transaction<'static>,
        subject: &Subject,
        referent: &CStr,
        err: &mut Buffer<'_>,
    ) -> Outcome {
        let update = subject.update;
        update.mark_symref();
        let mut current = ObjectId::ZERO;
        let resolved = self
            .store
            .handle
            .resolve(update.refname(), false, &mut current, &mut 0);
        if update.has(REF_NO_DEREF) {
            if update.has(REF_HAVE_OLD) && resolved.is_none() {
                err.push_message(
                    c"cannot lock ref '%s': error reading reference",
                    &[&quoted(update.refname().to_bytes())],
                );
                return Err(GENERIC);
            }
        } else {
            self.follow_symref(transaction, subject, referent, err)?;
        }
        self.prepare_existing(subject, current, Some(referent), err)
    }

    /// Splits the update of a symref: its referent gets the value, the symref
    /// itself only the log entry.
    fn follow_symref(
        &mut self,
        transaction: &mut Transaction<'static>,
        subject: &Subject,
        referent: &CStr,
        err: &mut Buffer<'_>,
    ) -> Outcome {
        let update = subject.update;
        let via_head = if subject.name == c"HEAD" {
            REF_UPDATE_VIA_HEAD
        } else {
            0
        };
        if transaction.has_refname(referent) {
            err.push_message(
                c"multiple updates for '%s' (including one via symref '%s') are not allowed",
                &[
                    &quoted(referent.to_bytes()),
                    &quoted(update.refname().to_bytes()),
                ],
            );
            return Err(NAME_CONFLICT);
        }
        transaction.add_referent(referent, update.flags() | via_head, update);
        let cleared = if SYMREF_KEEPS_OLD_VALUE {
            0
        } else {
            REF_HAVE_OLD
        };
        update.change_flags(REF_LOG_ONLY | REF_NO_DEREF, cleared);
        Ok(())
    }

    fn prepare_existing(
        &mut self,
        subject: &Subject,
        current: ObjectId,
        referent: Option<&CStr>,
        err: &mut Buffer<'_>,
    ) -> Outcome {
        let update = subject.update;
        check::old_value(update, &current, referent, err)?;
        // Setting a ref to the value it has is left out, and so is its log.
        let changes = update.has(REF_HAVE_NEW) && !current.same(&update.new_oid());
        if update.is_symref() || update.has(REF_LOG_ONLY) || changes {
            self.queue(subject, current)?;
        }
        Ok(())
    }

    fn queue(&mut self, subject: &Subject, current: ObjectId) -> Outcome {
        let part = self
            .prepared
            .lock(&subject.backend)
            .map_err(|error| generic(error.into()))?;
        let name_at = offset_of(subject.name, subject.update.refname())?;
        let part = self.prepared.part_mut(part).ok_or(GENERIC)?;
        part.updates.push(Queued {
            update: subject.update,
            name_at,
            found: part
                .found
                .push(current.raw(self.store.hash))
                .ok_or(GENERIC)?,
        });
        Ok(())
    }
}

/// Where `name`, the end of `full`, begins in it.
fn offset_of(name: &CStr, full: &CStr) -> Outcome<u32> {
    let at = full.count_bytes().saturating_sub(name.count_bytes());
    u32::try_from(at).map_err(|_| GENERIC)
}
