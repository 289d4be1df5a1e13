//! Writing the table of one part: the refs sorted by name, then the log records.
#![forbid(unsafe_code)]

use super::old_values::OldValues;
use super::{Part, Queued};
use crate::format::Error;
use crate::git::abi::{
    ObjectId, REF_FORCE_CREATE_REFLOG, REF_HAVE_NEW, REF_LOG_ONLY, REF_SKIP_CREATE_REFLOG,
};
use crate::git::backend::Backend;
use crate::git::failure::Outcome;
use crate::git::store::Store;
use crate::git::sys::ident::Ident;
use crate::git::sys::transaction::Update;
use crate::merged::MergedLogs;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};
use crate::table::Writer;
use std::cmp::Reverse;

/// The change that an update makes to the log of its ref. An update without such a change has no
/// plan, for instance any update in a bare repository.
struct LogPlan<'a> {
    queued: &'a Queued,
    change: LogChange,
}

impl LogPlan<'_> {
    fn needs_committer(&self) -> bool {
        matches!(&self.change, LogChange::Append(entry) if entry.ident.is_none())
    }
}

enum LogChange {
    /// Adds tombstones for all entries, given by their update indexes.
    Remove(Vec<u64>),
    Append(Box<NewEntry>),
}

/// The members of a new log entry that are not in the update itself.
struct NewEntry {
    new: ObjectId,
    /// `None` for the committer of this process.
    ident: Option<Ident>,
}

/// Writes the table of `part`. `max_index` is the highest index of the transaction's migrated log
/// entries, or 0 if there are none.
pub fn write_part(store: &Store, part: &mut Part, max_index: u64) -> Outcome {
    let first = part.addition.next_update_index();
    let last = first
        .checked_add(max_index)
        .ok_or(Error::Misuse("no update index is left in this stack"))?;
    part.updates.retain(|queued| !queued.update.is_rejected());
    part.updates
        .sort_by_key(|queued| (queued.update.index(), queued.name()));
    let plans = plan_logs(store, &part.backend, &part.updates)?;
    // Git may have to ask for the name of the host and to read the time zone.
    let committer = match plans.iter().any(LogPlan::needs_committer) {
        true => Ident::committer(),
        false => Ident::default(),
    };
    let (updates, old_values) = (&part.updates, &part.old_values);
    let least = updates
        .iter()
        .map(|queued| least_bytes(queued.update))
        .sum();
    part.addition.add_table_of(least, |writer| {
        writer.set_limits(first, last)?;
        write_refs(writer, updates, store, first)?;
        let mut logs = Vec::new();
        for plan in &plans {
            collect_logs(&mut logs, plan, old_values, first, &committer, store);
        }
        logs.sort_by_key(|log| (log.name, Reverse(log.update_index)));
        keep_last(&mut logs);
        for log in &logs {
            writer.add_log(log)?;
        }
        Ok(())
    })
}

/// The least size of the ref record for `update` in bytes: one byte each for the lengths of the
/// shared and new parts of the name, for the new part and for the update index; and the value.
fn least_bytes(update: Update<'_>) -> u64 {
    match update.flags() & (REF_LOG_ONLY | REF_HAVE_NEW) {
        REF_HAVE_NEW if update.deletes() => 4,
        REF_HAVE_NEW if update.new_target().is_some() => 6,
        REF_HAVE_NEW => 24,
        _ => 0,
    }
}

/// Plans the changes of the logs. This may call back into git, so it happens before the writer
/// exists.
fn plan_logs<'a>(
    store: &Store,
    backend: &Backend,
    updates: &'a [Queued],
) -> Outcome<Vec<LogPlan<'a>>> {
    let mut logs = backend.logs();
    let mut plans = Vec::new();
    for queued in updates {
        if let Some(change) = plan_log(store, &mut logs, queued)? {
            plans.push(LogPlan { queued, change });
        }
    }
    Ok(plans)
}

fn plan_log(store: &Store, logs: &mut MergedLogs, queued: &Queued) -> Outcome<Option<LogChange>> {
    let update = queued.update;
    // An entry with ids of its own is no deletion, even if the new one is null.
    if update.is_deletion() && !update.is_symref() && !update.provides_log_ids() {
        let indexes = log_indexes(logs, queued.name())?;
        return Ok((!indexes.is_empty()).then_some(LogChange::Remove(indexes)));
    }
    let flags = update.flags();
    if flags & REF_SKIP_CREATE_REFLOG != 0 || flags & REF_HAVE_NEW == 0 {
        return Ok(None);
    }
    let wanted = flags & REF_FORCE_CREATE_REFLOG != 0
        || store.should_log(update.refname(), &mut || {
            Backend::has_reflog(logs, queued.name())
        })?;
    if !wanted {
        return Ok(None);
    }
    if let Some(target) = update.new_target() {
        let mut oid = ObjectId::ZERO;
        // A dangling symref has no id to log.
        if store
            .handle
            .resolve(target, true, &mut oid, &mut 0)
            .is_none()
        {
            return Ok(None);
        }
        update.set_new_oid(oid);
    }
    Ok(Some(LogChange::Append(Box::new(NewEntry {
        new: update.new_oid(),
        ident: update.committer_info().map(Ident::parse),
    }))))
}

/// The update indexes of all entries in the log of `name`.
fn log_indexes(logs: &mut MergedLogs, name: &[u8]) -> Outcome<Vec<u64>> {
    let mut indexes = Vec::new();
    logs.seek_only(name)?;
    while logs.advance()? {
        indexes.push(logs.record().update_index);
    }
    Ok(indexes)
}

fn write_refs(
    writer: &mut Writer<'_>,
    updates: &[Queued],
    store: &Store,
    update_index: u64,
) -> Outcome {
    for queued in updates {
        let update = queued.update;
        if update.has(REF_LOG_ONLY) {
            continue;
        }
        let (new, peeled) = (update.new_oid(), update.peeled(store.repo));
        let id = |oid| ObjectId::raw(oid, store.hash);
        let value = if let Some(target) = update.new_target() {
            RefValue::Symref(target.to_bytes())
        } else if !update.has(REF_HAVE_NEW) {
            continue;
        } else if update.deletes() {
            RefValue::Deletion
        } else if let Some(peeled) = &peeled {
            RefValue::Val2 {
                value: id(&new),
                target: id(peeled),
            }
        } else {
            RefValue::Val1(id(&new))
        };
        writer.add_ref(&RefRecord {
            name: queued.name(),
            update_index,
            value,
        })?;
    }
    Ok(())
}

/// Keeps the last of several entries with one key, which are in the order of their updates. A
/// batch produces such entries of `HEAD` if it rejects an update of the branch that `HEAD` points
/// to and updates that branch through a symref.
fn keep_last(logs: &mut Vec<LogRecord<'_>>) {
    logs.dedup_by(|later, earlier| {
        let same = later.name == earlier.name && later.update_index == earlier.update_index;
        if same {
            *earlier = *later;
        }
        same
    });
}

/// Appends the log records of `plan`, which they borrow from.
fn collect_logs<'a>(
    logs: &mut Vec<LogRecord<'a>>,
    plan: &'a LogPlan<'a>,
    old_values: &'a OldValues,
    first: u64,
    committer: &'a Ident,
    store: &Store,
) {
    let queued = plan.queued;
    let name = queued.name();
    match &plan.change {
        LogChange::Remove(indexes) => logs.extend(indexes.iter().map(|&update_index| LogRecord {
            name,
            update_index,
            value: LogValue::Deletion,
        })),
        LogChange::Append(entry) => {
            let ident = entry.ident.as_ref().unwrap_or(committer);
            logs.push(LogRecord {
                name,
                // Migrated entries of one ref differ in their index.
                update_index: first.saturating_add(queued.update.index()),
                value: LogValue::Update(LogUpdate {
                    old_hash: old_values.get(queued.old_value),
                    new_hash: entry.new.raw(store.hash),
                    name: &ident.name,
                    email: &ident.email,
                    time: ident.time,
                    tz_offset: ident.tz_offset,
                    message: store.cut_message(queued.update.message()),
                }),
            });
        }
    }
}
