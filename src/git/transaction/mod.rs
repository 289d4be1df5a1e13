//! Transactions: `prepare` locks and checks, `finish` writes and publishes.
//!
//! A transaction that spans worktrees touches several stacks. Each of them is
//! a part with its own lock and its own table; within a part all is published
//! at once.
#![forbid(unsafe_code)]

mod check;
mod names;
mod prepare;
mod write;

pub use prepare::prepare;

use super::abi::{MAX_RAW_SIZE, REF_TRANSACTION_CLOSED};
use super::backend::Backend;
use super::failure::Outcome;
use super::store::Store;
use super::sys::strings::Buffer;
use super::sys::transaction::{Transaction, Update};
use super::warn;
use crate::format::Error;
use crate::stack::{Addition, OnOutdated};
use std::ffi::{c_int, CStr};
use std::rc::Rc;

/// What `prepare` leaves for `finish`: the locked stacks and their updates.
/// The transaction outlives it, so that updates may be held for `'static`.
#[derive(Default)]
pub struct Prepared {
    parts: Vec<Part>,
}

/// The updates of one stack.
struct Part {
    backend: Rc<Backend>,
    addition: Addition,
    updates: Vec<Queued>,
}

/// An update that is to be written.
#[derive(Clone, Copy)]
struct Queued {
    update: Update<'static>,
    /// The ref's name in the stack of the part.
    name: &'static CStr,
    /// The value found when the stack was locked; null for none. The bytes of the id alone: a
    /// transaction may have a million of these.
    current: [u8; MAX_RAW_SIZE],
}

impl Prepared {
    /// The part for `backend`, locked now if it is the first update there.
    fn lock(&mut self, backend: &Rc<Backend>) -> Result<&mut Part, Error> {
        let known = self
            .parts
            .iter()
            .position(|part| Rc::ptr_eq(&part.backend, backend));
        let at = match known {
            Some(at) => at,
            None => {
                let addition = backend.stack.begin(OnOutdated::Reload)?;
                self.parts.push(Part {
                    backend: backend.clone(),
                    addition,
                    updates: Vec::new(),
                });
                self.parts.len() - 1
            }
        };
        self.parts
            .get_mut(at)
            .ok_or(Error::Misuse("no such part of the transaction"))
    }
}

/// Writes and publishes what was prepared. Answers 0, or -1 with a message in
/// `err`. All tables are written before the first is published.
pub fn finish(
    store: &Store,
    prepared: Prepared,
    transaction: &mut Transaction<'_>,
    err: &mut Buffer<'_>,
) -> c_int {
    let outcome = publish(store, prepared, transaction.max_index());
    transaction.set_state(REF_TRANSACTION_CLOSED);
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            err.push_message(c"reftable: transaction failure: %s", &[failure.text()]);
            -1
        }
    }
}

fn publish(store: &Store, mut prepared: Prepared, max_index: u64) -> Outcome {
    for part in &mut prepared.parts {
        write::write_part(store, part, max_index)?;
    }
    for part in prepared.parts {
        let outcome = part.backend.stack.commit(part.addition)?;
        warn::commit(outcome);
    }
    Ok(())
}
