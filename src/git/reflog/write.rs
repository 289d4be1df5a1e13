//! Creating and deleting one reflog.
#![forbid(unsafe_code)]

use super::entry::{tombstone, update_indexes};
use crate::git::backend::Backend;
use crate::git::failure::{report_locked, warn_after_commit, Failure, Outcome};
use crate::git::store::{Reload, Store};
use crate::record::{LogRecord, LogUpdate, LogValue, Zone};
use crate::stack::OnOutdated;
use crate::table::Writer;
use std::ffi::CStr;

/// The null OID of the longest hash.
const NULL_ID: [u8; 32] = [0; 32];

/// Creates an empty log for `name`, unless it has one.
pub fn create(store: &Store, name: &CStr) -> Outcome {
    store.check()?;
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    let stack = backend.writing()?;
    let outcome = stack.add(OnOutdated::Reload, |writer| {
        if Backend::has_reflog(&mut backend.logs(), name.to_bytes())? {
            return Ok(());
        }
        let now = stack.next_update_index();
        writer.set_limits(now, now)?;
        add_marker(writer, name, now, store)
    });
    outcome
        .map(warn_after_commit)
        .map_err(|failure| report_locked(&backend.stack, failure))
}

/// Adds a marker, the entry that makes the log of `name` exist. Both its ids are null, and readers
/// skip it.
pub fn add_marker(writer: &mut Writer<'_>, name: &CStr, now: u64, store: &Store) -> Outcome {
    let null = NULL_ID.get(..store.hash.len()).unwrap_or(&NULL_ID);
    let marker = LogRecord {
        name: name.to_bytes(),
        update_index: now,
        value: LogValue::Update(LogUpdate {
            old_hash: null,
            new_hash: null,
            name: b"",
            email: b"",
            time: 0,
            tz_offset: Zone::default(),
            message: b"",
        }),
    };
    writer.add_log_verbatim(&marker).map_err(Failure::from)
}

/// Deletes the log of `name` by adding a tombstone for each entry.
pub fn delete(store: &Store, name: &CStr) -> Outcome {
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    let stack = backend.writing()?;
    let outcome = stack.add(OnOutdated::Reload, |writer| {
        let now = stack.next_update_index();
        writer.set_limits(now, now)?;
        for update_index in update_indexes(&mut backend.logs(), name)? {
            writer.add_log(&tombstone(name, update_index))?;
        }
        Ok::<(), Failure>(())
    });
    outcome
        .map(warn_after_commit)
        .map_err(|failure| report_locked(&backend.stack, failure))
}
