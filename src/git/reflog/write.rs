//! Creating and deleting one reflog.
#![forbid(unsafe_code)]

use crate::git::backend::Backend;
use crate::git::failure::{report_locked, warn_after_commit, Failure, Outcome};
use crate::git::store::{Reload, Store};
use crate::repo::log_records::{add_tombstones, marker};
use crate::stack::OnOutdated;
use crate::table::Writer;
use std::ffi::CStr;

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

/// Adds a [marker] to the log of `name`.
pub fn add_marker(writer: &mut Writer<'_>, name: &CStr, now: u64, store: &Store) -> Outcome {
    let marker = marker(name.to_bytes(), now, store.hash.len());
    writer.add_log_verbatim(&marker).map_err(Failure::from)
}

/// Deletes the log of `name` by adding a tombstone for each entry.
pub fn delete(store: &Store, name: &CStr) -> Outcome {
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    let stack = backend.writing()?;
    let outcome = stack.add(OnOutdated::Reload, |writer| {
        let now = stack.next_update_index();
        writer.set_limits(now, now)?;
        let mut logs = backend.logs();
        add_tombstones(writer, &mut logs, name.to_bytes()).map_err(Failure::from)
    });
    outcome
        .map(warn_after_commit)
        .map_err(|failure| report_locked(&backend.stack, failure))
}
