//! Transactions: `prepare` locks and checks, `finish` writes and publishes.
//!
//! A transaction that spans worktrees changes several stacks. Each stack is a part with its own
//! lock and its own table, and is published atomically.
#![forbid(unsafe_code)]

mod check;
mod names;
mod old_values;
mod places;
mod prepare;
mod refusal;
mod write;

pub use prepare::prepare;

use self::old_values::OldValues;
use super::abi::REF_TRANSACTION_CLOSED;
use super::backend::Backend;
use super::failure::{warn_after_commit, Outcome};
use super::store::Store;
use super::sys::strings::Buffer;
use super::sys::transaction::{Transaction, Update};
use crate::format::{Error, HashId};
use crate::stack::{Addition, OnOutdated};
use std::ffi::c_int;
use std::rc::Rc;

/// What `prepare` passes to `finish`: the locked stacks and their updates. The transaction
/// outlives it, so that updates can be stored as `'static`.
pub struct Prepared {
    parts: Vec<Part>,
    hash: HashId,
    /// The expected number of updates. The lists of the first part, which is usually the only
    /// one, are allocated for all of them: unused memory costs nothing, but growing a list does.
    expected: usize,
}

/// The updates of one stack.
struct Part {
    backend: Rc<Backend>,
    addition: Addition,
    updates: Vec<Queued>,
    /// The values of the refs in `updates` at the time the stack was locked.
    old_values: OldValues,
}

/// An update to write. A transaction may have millions of these.
#[derive(Clone, Copy)]
struct Queued {
    update: Update<'static>,
    /// Offset of the ref's name within its stack in the name of the update, which may start
    /// with a worktree.
    name_at: u32,
    /// Index into `Part::old_values`.
    old_value: u32,
}

impl Queued {
    /// The ref's name within its stack.
    fn name(&self) -> &'static [u8] {
        let at = usize::try_from(self.name_at).unwrap_or(usize::MAX);
        let full = self.update.refname().to_bytes();
        full.get(at..).unwrap_or_default()
    }
}

impl Prepared {
    fn new(hash: HashId, expected: usize) -> Self {
        Self {
            parts: Vec::new(),
            hash,
            expected,
        }
    }

    /// Returns the number of the part for `backend`. Its first update locks the stack.
    fn lock(&mut self, backend: &Rc<Backend>) -> Result<u32, Error> {
        let known = self
            .parts
            .iter()
            .position(|part| Rc::ptr_eq(&part.backend, backend));
        let at = match known {
            Some(at) => at,
            None => {
                let addition = backend.writing()?.begin(OnOutdated::Reload)?;
                let room = if self.parts.is_empty() {
                    self.expected
                } else {
                    0
                };
                self.parts.push(Part {
                    backend: backend.clone(),
                    addition,
                    updates: Vec::with_capacity(room),
                    old_values: OldValues::new(self.hash, room),
                });
                self.parts.len() - 1
            }
        };
        u32::try_from(at).map_err(|_| Error::Misuse("too many parts of a transaction"))
    }

    fn part(&self, number: u32) -> Option<&Part> {
        self.parts.get(usize::try_from(number).ok()?)
    }

    fn part_mut(&mut self, number: u32) -> Option<&mut Part> {
        self.parts.get_mut(usize::try_from(number).ok()?)
    }
}

/// Writes and publishes a prepared transaction. All tables are written before the first is
/// published. Returns 0, or -1 with a message in `err`.
pub fn finish(
    store: &Store,
    prepared: Option<Box<Prepared>>,
    transaction: &mut Transaction<'_>,
    err: &mut Buffer<'_>,
) -> c_int {
    let parts = prepared.map(|prepared| prepared.parts).unwrap_or_default();
    let outcome = publish(store, parts, transaction.max_index());
    transaction.set_state(REF_TRANSACTION_CLOSED);
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            err.push_message(c"reftable: transaction failure: %s", &[&failure.text()]);
            -1
        }
    }
}

fn publish(store: &Store, mut parts: Vec<Part>, max_index: u64) -> Outcome {
    for part in &mut parts {
        write::write_part(store, part, max_index)?;
    }
    for part in parts {
        let outcome = part.backend.writing()?.commit(part.addition)?;
        warn_after_commit(outcome);
    }
    Ok(())
}
