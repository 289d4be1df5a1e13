//! Deciding which entries of a reflog expire, and the records that this changes.
#![forbid(unsafe_code)]

use super::entry::{Entry, Keeper};
use super::write::add_marker;
use crate::format::{error::wide, Error, HashId};
use crate::git::abi::{ObjectId, EXPIRE_REFLOGS_REWRITE, EXPIRE_REFLOGS_UPDATE_REF};
use crate::git::failure::{Failure, Outcome};
use crate::git::store::Store;
use crate::merged::{MergedLogs, OldestFirst};
use crate::record::{RefRecord, RefValue};
use crate::repo::log_records::tombstone;
use crate::table::Writer;
use std::ffi::{c_uint, CStr};
use std::mem;

/// Size in bytes of the longest message that can be rewritten, unless blocks are larger. Git cuts
/// messages to half a block, and JGit to less than one of its blocks.
const LONGEST_MESSAGE: usize = 64 << 10;

/// The caller's expiry policy: git's three callbacks.
pub trait Policy {
    /// Called once before any entry, with the value of the ref or the null OID. The stack is
    /// locked, except in a dry run and in a run of several expiries.
    fn prepare(&mut self, name: &CStr, oid: &ObjectId);
    /// Whether to prune an entry.
    fn should_prune(&mut self, entry: &Entry) -> bool;
    /// Called once at the end, if `prepare` was called or the stack could be locked.
    fn cleanup(&mut self);
}

/// Which of the decisions are kept, to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    /// Those about entries that change.
    Changes,
    All,
}

/// An entry and its fate.
#[derive(Debug)]
pub struct Judged {
    pub update_index: u64,
    fate: Fate,
}

/// The fate of an entry. Entries that are not written again are not kept in memory: a damaged
/// log may have gigabytes.
#[derive(Debug)]
enum Fate {
    Pruned,
    /// Kept, and whether it differs from the record in the table.
    Kept(Box<Entry>, bool),
    /// It must be kept, but its message is too long: the message's size and the limit; and whether
    /// it differs.
    TooBig(Box<(usize, usize)>, bool),
}

impl Judged {
    /// The decision about `entry`. `is_changed` says that it is not as in its table.
    pub fn new(entry: Entry, is_pruned: bool, is_changed: bool, limit: usize) -> Self {
        let size = entry.message.stored().len();
        Self {
            update_index: entry.update_index,
            fate: match is_pruned {
                true => Fate::Pruned,
                false if size > limit => Fate::TooBig(Box::new((size, limit)), is_changed),
                false => Fate::Kept(Box::new(entry), is_changed),
            },
        }
    }

    /// Whether the record in the table differs from the one that is to be there.
    fn is_change(&self) -> bool {
        match self.fate {
            Fate::Pruned => true,
            Fate::Kept(_, is_changed) | Fate::TooBig(_, is_changed) => is_changed,
        }
    }

    /// Says that there must be a new record, whatever is in the table.
    fn set_changed(&mut self) {
        match &mut self.fate {
            Fate::Pruned => {}
            Fate::Kept(_, is_changed) | Fate::TooBig(_, is_changed) => *is_changed = true,
        }
    }

    pub fn is_pruned(&self) -> bool {
        matches!(self.fate, Fate::Pruned)
    }

    fn check_size(&self) -> Outcome {
        match &self.fate {
            Fate::TooBig(sizes, _) => Err(Failure::from(Error::EntryTooBig {
                size: wide(sizes.0),
                limit: wide(sizes.1),
            })),
            Fate::Pruned | Fate::Kept(..) => Ok(()),
        }
    }

    /// About the bytes in memory.
    pub fn size(&self) -> usize {
        let kept = match &self.fate {
            Fate::Kept(entry, _) => mem::size_of::<Entry>() + entry.message.stored().len(),
            Fate::Pruned | Fate::TooBig(..) => 0,
        };
        mem::size_of::<Self>() + kept
    }
}

/// The decisions about a log.
#[derive(Debug)]
pub struct Verdict {
    /// The entries, newest first, as far as they are kept.
    pub judged: Vec<Judged>,
    /// The new id of the newest entry that stays in the log.
    pub newest: Option<ObjectId>,
}

impl Verdict {
    /// Asks the policy about each entry of `name`, oldest first, and closes the gaps in the chain
    /// of ids if `flags` say so.
    pub fn new(
        store: &Store,
        logs: &mut MergedLogs,
        name: &CStr,
        flags: c_uint,
        policy: &mut dyn Policy,
        keep: Keep,
    ) -> Outcome<Self> {
        let rewrite = flags & EXPIRE_REFLOGS_REWRITE != 0;
        let limit = store.max_block().max(LONGEST_MESSAGE);
        let mut newest: Option<ObjectId> = None;
        let mut judged: Vec<Judged> = Vec::new();
        let mut entries = OldestFirst::read(logs, name.to_bytes(), Keeper::new(store.hash))?;
        while let Some(mut entry) = entries.next()? {
            if entry.is_marker() {
                continue;
            }
            let is_pruned = policy.should_prune(&entry);
            let mut is_changed = false;
            if !is_pruned {
                if let Some(newest) = newest.filter(|_| rewrite) {
                    is_changed = entry.old != newest;
                    entry.old = newest;
                }
                newest = Some(entry.new);
            }
            if keep != Keep::Nothing {
                push(
                    &mut judged,
                    Judged::new(entry, is_pruned, is_changed, limit),
                    keep,
                );
            }
        }
        drop_unchanged(&mut judged, keep);
        judged.reverse();
        judged.shrink_to_fit();
        judged.iter().try_for_each(Judged::check_size)?;
        Ok(Self { judged, newest })
    }

    /// Whether no entry stays in the log.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// The value that a ref gets whose value is `current`: none unless `flags` ask for it. The ref
    /// of an emptied log keeps its value, as does one that is symbolic or missing.
    pub fn new_value(&self, flags: c_uint, current: &ObjectId) -> Option<ObjectId> {
        let updates_ref = flags & EXPIRE_REFLOGS_UPDATE_REF != 0 && !current.is_null();
        self.newest.filter(|oid| updates_ref && !oid.is_null())
    }
}

/// Adds the decision about the next newer entry.
fn push(judged: &mut Vec<Judged>, next: Judged, keep: Keep) {
    match judged.last_mut() {
        // Tables of git's C writer may contain a key twice. One record replaces both: the newest
        // that is not pruned.
        Some(last) if last.update_index == next.update_index => {
            if !next.is_pruned() {
                *last = next;
            }
            last.set_changed();
        }
        _ => {
            drop_unchanged(judged, keep);
            judged.push(next);
        }
    }
}

/// Drops the newest decision if nothing is written for it.
fn drop_unchanged(judged: &mut Vec<Judged>, keep: Keep) {
    if keep == Keep::Changes && judged.last().is_some_and(|last| !last.is_change()) {
        judged.pop();
    }
}

/// Writes the records of `judged`, the decisions about the log of `name`. If it `is_emptied`, also
/// a marker with the update index `now`, since an emptied log still exists.
pub fn write_log(
    writer: &mut Writer<'_>,
    store: &Store,
    name: &CStr,
    now: u64,
    judged: &[Judged],
    is_emptied: bool,
) -> Outcome {
    if is_emptied {
        add_marker(writer, name, now, store)?;
    }
    for Judged { update_index, fate } in judged {
        let record = match fate {
            Fate::Kept(entry, _) => entry.record(name, store.hash),
            Fate::Pruned | Fate::TooBig(..) => tombstone(name.to_bytes(), *update_index),
        };
        writer.copy_log(&record)?;
    }
    Ok(())
}

/// Writes the new value `oid` of the ref `name`, which peels to `peeled`.
pub fn write_ref(
    writer: &mut Writer<'_>,
    hash: HashId,
    name: &CStr,
    now: u64,
    oid: &ObjectId,
    peeled: Option<&ObjectId>,
) -> Outcome {
    let value = match peeled {
        Some(peeled) => RefValue::Val2 {
            value: oid.raw(hash),
            target: peeled.raw(hash),
        },
        None => RefValue::Val1(oid.raw(hash)),
    };
    let record = RefRecord {
        name: name.to_bytes(),
        update_index: now,
        value,
    };
    writer.add_ref(&record).map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::reflog::entry::tests::entry;

    const PRUNED: bool = true;
    const KEPT: bool = false;

    /// The decisions that are kept about entries, oldest first: for each the update index and
    /// whether it is pruned.
    fn kept(keep: Keep, entries: &[(u64, bool)]) -> Vec<(u64, bool)> {
        let mut judged = Vec::new();
        for &(update_index, is_pruned) in entries {
            let decision = Judged::new(entry(update_index, b"x"), is_pruned, false, 9);
            push(&mut judged, decision, keep);
        }
        drop_unchanged(&mut judged, keep);
        judged
            .iter()
            .map(|judged| (judged.update_index, judged.is_pruned()))
            .collect()
    }

    #[test]
    fn only_changes_are_kept_of_a_log_that_is_not_rewritten() {
        let log = [(1, PRUNED), (2, KEPT), (3, PRUNED), (4, KEPT)];
        assert_eq!(kept(Keep::All, &log), log);
        assert_eq!(kept(Keep::Changes, &log), [(1, PRUNED), (3, PRUNED)]);
        assert_eq!(kept(Keep::Changes, &[(1, KEPT), (2, KEPT)]), []);
    }

    #[test]
    fn one_decision_is_kept_for_a_key_that_occurs_twice() {
        for keep in [Keep::All, Keep::Changes] {
            for (twins, expected) in [
                ([PRUNED, PRUNED], PRUNED),
                ([PRUNED, KEPT], KEPT),
                ([KEPT, PRUNED], KEPT),
                ([KEPT, KEPT], KEPT),
            ] {
                let log = twins.map(|is_pruned| (5, is_pruned));
                assert_eq!(kept(keep, &log), [(5, expected)], "{keep:?} {twins:?}");
            }
        }
    }

    #[test]
    fn an_entry_that_stays_as_it_is_may_be_of_any_size() {
        let decision = |is_changed| Judged::new(entry(1, b"too long"), KEPT, is_changed, 7);
        assert!(decision(true).check_size().is_err());
        let mut judged = Vec::new();
        push(&mut judged, decision(false), Keep::Changes);
        drop_unchanged(&mut judged, Keep::Changes);
        assert!(judged.is_empty());
    }
}
