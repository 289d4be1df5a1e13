//! Runs: expiring many reflogs in few transactions.
//!
//! `git reflog expire --all` begins a run, expires one log after another and ends the run. The
//! decisions about logs are kept in memory, and those about the logs of one stack are written as
//! one table: at the end, when they take up much memory, or when someone in this process asks for
//! what has changed. Only records that change are written.
//!
//! The stack is locked only for writing. Git's callbacks may walk the whole history, which takes
//! much longer than other processes wait for the lock. So the logs of a batch are judged in one
//! [view](Batch::view) of the stack, and if that is no longer the current one when the stack has
//! been locked, [`settle`](super::settle) drops what does not apply any more. The result is that of
//! an expiry before the other changes.
#![forbid(unsafe_code)]

use super::judge::{write_log, write_ref, Judged, Keep, Policy, Verdict};
use super::settle::{settle, Decisions};
use crate::git::abi::ObjectId;
use crate::git::backend::{Backend, RefState};
use crate::git::failure::{report_locked, report_unexpired, warn_after_commit, Failure, Outcome};
use crate::git::store::{Reload, Store};
use crate::git::sys::messages;
use crate::merged::{Merged, MergedLogs, RefFinder, Tombstones};
use crate::stack::{Addition, OnOutdated};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{c_uint, CStr, CString};
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

/// Size in bytes of the decisions of a batch that causes it to be written. A table of them takes
/// some tens of milliseconds, during which the stack is locked.
const MOST_PENDING: usize = 2 << 20;

/// Whether there is a run of expiries on a store, and what it keeps back.
#[derive(Default)]
pub struct Expiries(RefCell<Option<Run>>);

/// A run of expiries.
#[derive(Default)]
struct Run {
    /// One for each stack of which a log has been expired.
    batches: Vec<Batch>,
    /// Whether a batch could not be written.
    failed: bool,
}

/// Decisions about logs of one stack.
struct Batch {
    backend: Rc<Backend>,
    /// The view in which the logs are judged.
    view: Arc<Merged>,
    logs: MergedLogs,
    finder: RefFinder,
    /// By the name within the stack.
    pending: BTreeMap<CString, Pending>,
    /// About the bytes of `pending` in memory.
    size: usize,
}

/// What an expiry changes.
struct Change {
    /// The value of the ref when the log was judged.
    current: ObjectId,
    new_value: Option<ObjectId>,
    decisions: Decisions,
}

/// A change that is kept back.
struct Pending {
    /// The number of changes before this one in its batch.
    position: usize,
    /// The name of the ref for messages.
    full_name: CString,
    change: Change,
}

impl Expiries {
    /// Begins a run.
    pub fn begin(&self) {
        if self.0.replace(Some(Run::default())).is_some() {
            messages::bug(c"a run of expiries within another", &[]);
        }
    }

    /// Writes all that is left, and ends the run. Fails if some changes of the run could not be
    /// written; they have been reported.
    pub fn end(&self, store: &Store) -> Outcome {
        let run = self.0.take().unwrap_or_default();
        let mut failed = run.failed;
        for batch in run.batches {
            failed |= !batch.write_or_report(store);
        }
        match failed {
            true => Err(Failure::Reported),
            false => Ok(()),
        }
    }

    /// Whether an expiry now belongs to a run.
    pub fn is_run(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Writes what is kept back for a stack, if that changes the log of `name`, which is about to be
    /// read. Failures are reported now, and by the end of the run.
    pub fn write_log(&self, store: &Store, backend: &Rc<Backend>, name: &CStr) {
        let is_pending = {
            let run = self.0.borrow();
            let mut batches = run.iter().flat_map(|run| &run.batches);
            batches.any(|batch| batch.is_of(backend) && batch.pending.contains_key(name))
        };
        if is_pending {
            if let Some(batch) = self.take(backend) {
                self.put(store, batch, true);
            }
        }
    }

    /// Takes the batch for the stack of `backend` out of the run.
    fn take(&self, backend: &Rc<Backend>) -> Option<Batch> {
        let mut run = self.0.borrow_mut();
        let batches = &mut run.as_mut()?.batches;
        let at = batches.iter().position(|batch| batch.is_of(backend))?;
        Some(batches.swap_remove(at))
    }

    /// Writes a batch that `is_due`, and puts another one back into the run.
    fn put(&self, store: &Store, batch: Batch, is_due: bool) {
        if !is_due {
            if let Some(run) = &mut *self.0.borrow_mut() {
                run.batches.push(batch);
            }
            return;
        }
        // No borrow spans this, which may call git.
        let written = batch.write_or_report(store);
        if let Some(run) = &mut *self.0.borrow_mut() {
            run.failed |= !written;
        }
    }
}

/// Expires the entries of `name` that `policy` selects, as a part of the current run.
pub fn expire(
    store: &Store,
    expiries: &Expiries,
    name: &CStr,
    flags: c_uint,
    policy: &mut dyn Policy,
) -> Outcome {
    let (backend, bare) = store.backend_for(name, Reload::No)?;
    expiries.write_log(store, &backend, bare);
    let mut batch = match expiries.take(&backend) {
        Some(batch) if !batch.pending.is_empty() => batch,
        batch => {
            backend.stack.reload()?;
            let view = backend.stack.merged();
            let current = batch.filter(|batch| Arc::ptr_eq(&batch.view, &view));
            current.unwrap_or_else(|| Batch::new(backend, view))
        }
    };
    let mut is_due = false;
    // No borrow spans this, since the callbacks may use the store.
    let outcome = batch.judge(store, bare, flags, policy).map(|change| {
        // What expires next may depend on the value of this ref.
        is_due = change.changes_ref();
        batch.add(bare, name, change);
    });
    is_due |= batch.size > MOST_PENDING;
    expiries.put(store, batch, is_due);
    outcome
}

impl Batch {
    fn new(backend: Rc<Backend>, view: Arc<Merged>) -> Self {
        Self {
            logs: view.logs(Tombstones::Hide),
            finder: view.finder(),
            backend,
            view,
            pending: BTreeMap::new(),
            size: 0,
        }
    }

    fn is_of(&self, backend: &Rc<Backend>) -> bool {
        Rc::ptr_eq(&self.backend, backend)
    }

    /// Judges the log of `name`.
    fn judge(
        &mut self,
        store: &Store,
        name: &CStr,
        flags: c_uint,
        policy: &mut dyn Policy,
    ) -> Outcome<Change> {
        let mut judge = || {
            let found = self.finder.find(name.to_bytes())?;
            let current = RefState::new(found, store.hash)?.id_or_null();
            policy.prepare(name, &current);
            let logs = &mut self.logs;
            let verdict = Verdict::new(store, logs, name, flags, policy, Keep::Changes)?;
            Ok((current, verdict))
        };
        let judged: Outcome<_> = judge();
        policy.cleanup();
        let (current, verdict) = judged?;
        Ok(Change {
            current,
            new_value: verdict.new_value(flags, &current),
            decisions: Decisions {
                is_emptied: verdict.is_empty() && !verdict.judged.is_empty(),
                judged: verdict.judged,
            },
        })
    }

    /// Keeps a change back, if it is one.
    fn add(&mut self, name: &CStr, full_name: &CStr, change: Change) {
        if change.is_none() {
            return;
        }
        self.size += change.size() + name.count_bytes() + full_name.count_bytes();
        let pending = Pending {
            position: self.pending.len(),
            full_name: full_name.to_owned(),
            change,
        };
        self.pending.insert(name.to_owned(), pending);
    }

    /// Writes the batch, or reports which logs could not be expired. Returns whether it was written.
    fn write_or_report(mut self, store: &Store) -> bool {
        if self.pending.is_empty() {
            return true;
        }
        let outcome = self.write(store);
        let Err(failure) = outcome else { return true };
        report_locked(&self.backend.stack, failure.clone());
        // As without a run, a held lock that concerns one log is reported only with its path.
        if failure.is_locked() && self.pending.len() == 1 {
            return false;
        }
        let mut pending: Vec<_> = self.pending.values().collect();
        pending.sort_by_key(|pending| pending.position);
        for Pending { full_name, .. } in pending {
            report_unexpired(full_name, &failure);
        }
        false
    }

    fn write(&mut self, store: &Store) -> Outcome {
        let stack = self.backend.writing()?;
        let mut addition = stack.begin(OnOutdated::Reload)?;
        let view = self.backend.stack.merged();
        if !Arc::ptr_eq(&view, &self.view) {
            self.settle(store, &view)?;
        }
        self.add_table(store, &mut addition)?;
        warn_after_commit(self.backend.writing()?.commit(addition)?);
        Ok(())
    }

    /// Drops the decisions that do not apply in `view`, which is newer than the batch's.
    fn settle(&mut self, store: &Store, view: &Merged) -> Outcome {
        let (old, mut new) = (&mut self.logs, view.logs(Tombstones::Hide));
        let mut finder = view.finder();
        for (name, Pending { change, .. }) in &mut self.pending {
            settle(&mut change.decisions, name.to_bytes(), old, &mut new)?;
            if change.new_value.is_some() {
                let state = RefState::new(finder.find(name.to_bytes())?, store.hash)?;
                let is_same = state.id_or_null() == change.current;
                change.new_value = change.new_value.filter(|_| is_same);
            }
        }
        Ok(())
    }

    /// Writes a table with all changes.
    fn add_table(&self, store: &Store, addition: &mut Addition) -> Outcome {
        let now = addition.next_update_index();
        // Calls git, so it happens before the writer exists.
        let peel = |oid| (oid, store.repo.peel(&oid));
        let new_values = self.pending.values().map(|each| each.change.new_value);
        let new_values: Vec<_> = new_values.map(|oid| oid.map(peel)).collect();
        addition.add_table(|writer| {
            writer.set_limits(now, now)?;
            for (name, value) in self.pending.keys().zip(&new_values) {
                if let Some((oid, peeled)) = value {
                    write_ref(writer, store.hash, name, now, oid, peeled.as_ref())?;
                }
            }
            for (name, Pending { change, .. }) in &self.pending {
                let Decisions { judged, is_emptied } = &change.decisions;
                write_log(writer, store, name, now, judged, *is_emptied)?;
            }
            Ok(())
        })
    }
}

impl Change {
    fn is_none(&self) -> bool {
        self.new_value.is_none() && self.decisions.judged.is_empty()
    }

    /// Whether the ref gets another value.
    fn changes_ref(&self) -> bool {
        self.new_value.is_some_and(|oid| oid != self.current)
    }

    /// About the bytes in memory.
    fn size(&self) -> usize {
        let judged = self.decisions.judged.iter().map(Judged::size);
        mem::size_of::<Pending>() + judged.sum::<usize>()
    }
}
