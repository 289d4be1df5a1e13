//! Expiring entries of one reflog.
//!
//! Pruned entries get a tombstone; compaction reclaims their space later. The other entries are
//! written again, since their old ids may have been rewritten to close gaps.
//!
//! In a run of several expiries, [`run`] does this.
#![forbid(unsafe_code)]

use super::judge::{write_log, write_ref, Keep, Policy, Verdict};
use super::run::{self, Expiries};
use crate::git::abi::EXPIRE_REFLOGS_DRY_RUN;
use crate::git::backend::Backend;
use crate::git::failure::{report_locked, warn_after_commit, Outcome};
use crate::git::store::{Reload, Store};
use crate::stack::{Addition, OnOutdated};
use std::ffi::{c_uint, CStr};
use std::rc::Rc;

/// Expires the entries of `name` that `policy` selects. `flags` are `EXPIRE_REFLOGS_*`.
pub fn expire(
    store: &Store,
    expiries: &Expiries,
    name: &CStr,
    flags: c_uint,
    policy: &mut dyn Policy,
) -> Outcome {
    store.check()?;
    let is_dry_run = flags & EXPIRE_REFLOGS_DRY_RUN != 0;
    if !is_dry_run && expiries.is_run() {
        return run::expire(store, expiries, name, flags, policy);
    }
    let (backend, bare) = store.backend_for(name, Reload::Yes)?;
    // A dry run must work without write permission.
    let addition = if is_dry_run {
        None
    } else {
        let begun = backend.writing()?.begin(OnOutdated::Reload);
        Some(begun.map_err(|error| report_locked(&backend.stack, error.into()))?)
    };
    let expiry = Expiry {
        store,
        backend,
        name: bare,
        flags,
    };
    let outcome = expiry.run(addition, policy);
    policy.cleanup();
    outcome
}

struct Expiry<'a> {
    store: &'a Store,
    backend: Rc<Backend>,
    name: &'a CStr,
    flags: c_uint,
}

impl Expiry<'_> {
    /// Writes the decisions; in a dry run, without an `addition`, nothing.
    fn run(&self, addition: Option<Addition>, policy: &mut dyn Policy) -> Outcome {
        let (store, name, flags) = (self.store, self.name, self.flags);
        let current = self.backend.read_ref(name)?.id_or_null();
        policy.prepare(name, &current);
        let keep = match addition {
            Some(_) => Keep::All,
            None => Keep::Nothing,
        };
        let mut logs = self.backend.logs();
        let verdict = Verdict::new(store, &mut logs, name, flags, policy, keep)?;
        let Some(mut addition) = addition else {
            return Ok(());
        };
        let new_value = verdict.new_value(flags, &current);
        let peeled = new_value.and_then(|oid| store.repo.peel(&oid));
        let now = addition.next_update_index();
        addition.add_table(|writer| {
            writer.set_limits(now, now)?;
            if let Some(oid) = &new_value {
                write_ref(writer, store.hash, name, now, oid, peeled.as_ref())?;
            }
            let is_emptied = verdict.is_empty();
            write_log(writer, store, name, now, &verdict.judged, is_emptied)
        })?;
        warn_after_commit(self.backend.writing()?.commit(addition)?);
        Ok(())
    }
}
