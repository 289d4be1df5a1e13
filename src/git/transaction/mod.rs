//! Transactions: `prepare` locks and checks, `finish` writes and publishes.
//!
//! A transaction that spans worktrees touches several stacks. Each of them is
//! a part with its own lock and its own table; within a part all is published
//! at once.
#![forbid(unsafe_code)]

mod check;
mod found;
mod names;
mod places;
mod prepare;
mod write;

pub use prepare::prepare;

use self::found::Found;
use super::abi::REF_TRANSACTION_CLOSED;
use super::backend::Backend;
use super::failure::Outcome;
use super::store::Store;
use super::sys::strings::Buffer;
use super::sys::transaction::{Transaction, Update};
use super::warn;
use crate::format::{Error, HashId};
use crate::stack::{Addition, OnOutdated};
use std::ffi::c_int;
use std::rc::Rc;

/// What `prepare` leaves for `finish`: the locked stacks and their updates.
/// The transaction outlives it, so that updates may be held for `'static`.
pub struct Prepared {
    parts: Vec<Part>,
    hash: HashId,
    /// How many updates there will be. The lists of the first part, mostly the only one, have
    /// room for all of them: memory that is never written to costs nothing, and what a list
    /// leaves behind when it grows does.
    expected: usize,
}

/// The updates of one stack.
struct Part {
    backend: Rc<Backend>,
    addition: Addition,
    updates: Vec<Queued>,
    /// The values that the refs of `updates` had when the stack was locked.
    found: Found,
}

/// An update that is to be written. A transaction may have millions of these.
#[derive(Clone, Copy)]
struct Queued {
    update: Update<'static>,
    /// Where the ref's name in the stack of the part begins in the name of the update, which
    /// may name a worktree first.
    name_at: u32,
    /// Number in `Part::found`.
    found: u32,
}

impl Queued {
    /// The ref's name in the stack of the part.
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

    /// The number of the part for `backend`, which is locked by its first update.
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
                    found: Found::new(self.hash, room),
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

/// Writes and publishes what was prepared. Answers 0, or -1 with a message in
/// `err`. All tables are written before the first is published.
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
        warn::commit(outcome);
    }
    Ok(())
}
