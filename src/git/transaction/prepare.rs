//! Preparing a transaction: lock the stacks, read the refs, check the expected values, and queue
//! the updates to write.
#![forbid(unsafe_code)]

use super::check;
use super::names;
use super::places::{Place, Places};
use super::refusal::{PrepareError, Refusal};
use super::{Prepared, Queued};
use crate::format::Error;
use crate::git::abi::{
    ObjectId, NAMES_ARE_CHECKED_IN_TURN, REF_HAVE_NEW, REF_HAVE_OLD, REF_LOG_ONLY, REF_NO_DEREF,
    REF_TRANSACTION_CLOSED, REF_TRANSACTION_PREPARED, SYMREF_KEEPS_OLD_VALUE,
};
use crate::git::backend::{Backend, RefState};
use crate::git::failure::lock_message;
use crate::git::shim::REF_UPDATE_VIA_HEAD;
use crate::git::store::{Reload, Store};
use crate::git::sys::strings::{quoted, Buffer, OwnedBuffer};
use crate::git::sys::transaction::{has_provided_values, Transaction, Update};
use std::ffi::{c_int, CStr, CString};
use std::rc::Rc;

/// The result of a step of the preparation.
type Step<T = ()> = Result<T, PrepareError>;

/// Prepares `transaction`. Returns 0 and stores a `Prepared` in it, or returns a negative number
/// with a message in `err`.
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
        Err(error) => {
            transaction.set_state(REF_TRANSACTION_CLOSED);
            if let (PrepareError::Failed(failure), 0) = (&error, err.len()) {
                err.push_message(c"reftable: transaction prepare: %s", &[&failure.text()]);
            }
            error.number()
        }
    }
}

struct Preparation<'s> {
    store: &'s Store,
    prepared: Prepared,
    /// The target of `HEAD` if that is a symref.
    head: Option<CString>,
    /// Numbers of the updates whose names must be available.
    to_check: Vec<usize>,
    /// The places of the refs, except those of updates that the backend adds.
    places: Places,
}

/// An update that is being prepared.
struct Subject {
    number: usize,
    update: Update<'static>,
    backend: Rc<Backend>,
    /// The ref's name within its stack.
    name: &'static CStr,
}

impl Preparation<'_> {
    fn run(&mut self, transaction: &mut Transaction<'static>, err: &mut Buffer<'_>) -> Step {
        self.store.check()?;
        self.lock_all(transaction, err)?;
        Refusal::check(transaction.collect_refnames(err))?;
        let (backend, head) = self.store.backend_for(c"HEAD", Reload::No)?;
        if let RefState::Symbolic(referent) = backend.read_ref(head)? {
            self.head = Some(referent);
        }
        // This loop also reaches the updates that preparing others adds.
        let mut number = 0;
        while let Some(update) = transaction.update(number) {
            if let Err(error) = self.prepare_update(transaction, number, update, err) {
                if !transaction.reject(number, error.number(), err) {
                    self.check_earlier_names(transaction, err)?;
                    return Err(error);
                }
            }
            number += 1;
        }
        if self.to_check.is_empty() || self.names_are_free(transaction) {
            return Ok(());
        }
        let checked = transaction.verify_available(self.store.handle, &mut self.to_check, err);
        Ok(Refusal::check(checked)?)
    }

    /// Reports a conflict of the names before a refused update instead of the refusal, in releases
    /// of git that check them one after the other.
    fn check_earlier_names(
        &mut self,
        transaction: &mut Transaction<'static>,
        err: &mut Buffer<'_>,
    ) -> Step {
        if !NAMES_ARE_CHECKED_IN_TURN {
            return Ok(());
        }
        let mut message = OwnedBuffer::new();
        let handle = self.store.handle;
        let checked = transaction.verify_available(handle, &mut self.to_check, &mut message.lend());
        if checked != 0 {
            err.set(message.as_c_str().to_bytes());
        }
        Ok(Refusal::check(checked)?)
    }

    /// Whether all names to check are certainly available. Returns `false` for a store with
    /// several stacks, which leaves it to git's check.
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
            names::are_free(view, new.into_iter(), &all)
        } else {
            let mut new: Vec<&[u8]> = new.collect();
            new.sort_unstable();
            names::are_free(view, new.into_iter(), &all)
        };
        matches!(answer, Ok(true))
    }

    /// Locks all stacks of the transaction's updates, before any ref is read.
    fn lock_all(&mut self, transaction: &Transaction<'static>, err: &mut Buffer<'_>) -> Step {
        let mut number = 0;
        while let Some(update) = transaction.update(number) {
            let full = update.refname();
            let (backend, name) = self.store.backend_for(full, Reload::No)?;
            let part = self.lock(&backend, err)?;
            self.places.push(Place {
                part,
                name_at: offset_of(name, full)?,
            });
            number += 1;
        }
        Ok(())
    }

    /// Returns the number of the part for `backend`. Its first update locks the stack.
    fn lock(&mut self, backend: &Rc<Backend>, err: &mut Buffer<'_>) -> Step<u32> {
        self.prepared.lock(backend).map_err(|error| {
            if let Error::Locked { path } = &error {
                err.push(b"cannot lock references: ");
                err.push(lock_message(path).as_c_str().to_bytes());
            }
            error.into()
        })
    }

    fn prepare_update(
        &mut self,
        transaction: &mut Transaction<'static>,
        number: usize,
        update: Update<'static>,
        err: &mut Buffer<'_>,
    ) -> Step {
        let (backend, name) = self.find(number, update)?;
        let subject = Subject {
            number,
            update,
            backend,
            name,
        };
        if update.provides_log_ids() {
            return self.queue_provided(&subject, err);
        }
        Refusal::check(update.check_new_object(self.store.repo, err))?;
        self.log_head(transaction, &subject, err)?;
        match subject.backend.read_ref(name)? {
            RefState::Missing => self.prepare_missing(&subject, err),
            RefState::Direct(current) => self.prepare_existing(&subject, current, None, err),
            RefState::Symbolic(referent) => {
                self.prepare_symref(transaction, &subject, &referent, err)
            }
        }
    }

    /// The stack of an update's ref, and the ref's name there.
    fn find(&self, number: usize, update: Update<'static>) -> Step<(Rc<Backend>, &'static CStr)> {
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
        Ok(self.store.backend_for(full, Reload::No)?)
    }

    /// Queues a log entry with ids provided by the caller.
    fn queue_provided(&mut self, subject: &Subject, err: &mut Buffer<'_>) -> Step {
        let update = subject.update;
        if !has_provided_values(update) {
            err.push_message(
                c"trying to write reflog for '%s' with incomplete values",
                &[update.refname()],
            );
            return Err(Refusal::GENERIC.into());
        }
        self.queue(subject, update.old_oid(), err)
    }

    /// Adds a log entry of `HEAD` for an update of the branch that `HEAD` points to.
    fn log_head(
        &mut self,
        transaction: &mut Transaction<'static>,
        subject: &Subject,
        err: &mut Buffer<'_>,
    ) -> Step {
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
            return Err(Refusal::NAME_CONFLICT.into());
        }
        transaction.add_head_log(update.flags() | REF_LOG_ONLY | REF_NO_DEREF, update);
        Ok(())
    }

    fn prepare_missing(&mut self, subject: &Subject, err: &mut Buffer<'_>) -> Step {
        let update = subject.update;
        if update.expects_existing() {
            err.push_message(
                c"cannot lock ref '%s': unable to resolve reference '%s'",
                &[
                    update.original_refname(),
                    &quoted(update.refname().to_bytes()),
                ],
            );
            return Err(Refusal::NONEXISTENT_REF.into());
        }
        self.to_check.push(subject.number);
        // Deleting a missing ref needs no tombstone.
        if update.has(REF_HAVE_NEW) && !update.deletes() {
            self.queue(subject, ObjectId::ZERO, err)?;
        }
        Ok(())
    }

    fn prepare_symref(
        &mut self,
        transaction: &mut Transaction<'static>,
        subject: &Subject,
        referent: &CStr,
        err: &mut Buffer<'_>,
    ) -> Step {
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
                return Err(Refusal::GENERIC.into());
            }
        } else {
            self.follow_symref(transaction, subject, referent, err)?;
        }
        self.prepare_existing(subject, current, Some(referent), err)
    }

    /// Splits the update of a symref: its referent gets the value, the symref only the log entry.
    fn follow_symref(
        &mut self,
        transaction: &mut Transaction<'static>,
        subject: &Subject,
        referent: &CStr,
        err: &mut Buffer<'_>,
    ) -> Step {
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
            return Err(Refusal::NAME_CONFLICT.into());
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
    ) -> Step {
        let update = subject.update;
        check::old_value(update, &current, referent, err)?;
        // Setting a ref to its current value writes neither a ref record nor a log entry.
        let changes = update.has(REF_HAVE_NEW) && !current.same(&update.new_oid());
        if update.is_symref() || update.has(REF_LOG_ONLY) || changes {
            self.queue(subject, current, err)?;
        }
        Ok(())
    }

    fn queue(&mut self, subject: &Subject, current: ObjectId, err: &mut Buffer<'_>) -> Step {
        let number = self.lock(&subject.backend, err)?;
        let name_at = offset_of(subject.name, subject.update.refname())?;
        let hash = self.store.hash;
        let part = self.prepared.part_mut(number).ok_or(TOO_LARGE)?;
        part.updates.push(Queued {
            update: subject.update,
            name_at,
            old_value: part.old_values.push(current.raw(hash)).ok_or(TOO_LARGE)?,
        });
        Ok(())
    }
}

/// Numbers and offsets within a transaction have 32 bits.
const TOO_LARGE: Error = Error::Misuse("a transaction, or a refname in it, is too large");

/// The offset of `name` in `full`, which ends with it.
fn offset_of(name: &CStr, full: &CStr) -> Result<u32, Error> {
    let at = full.count_bytes().saturating_sub(name.count_bytes());
    u32::try_from(at).map_err(|_| TOO_LARGE)
}
