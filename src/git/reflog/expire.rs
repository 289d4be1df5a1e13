//! Expiring entries of one reflog.
//!
//! Pruned entries get a tombstone; compaction reclaims their space later. The other entries are
//! written again, since their old ids may have been rewritten to close gaps.
#![forbid(unsafe_code)]

use super::entry::{Entry, Keeper};
use super::write::add_marker;
use crate::format::{error::wide, Error};
use crate::git::abi::{
    ObjectId, EXPIRE_REFLOGS_DRY_RUN, EXPIRE_REFLOGS_REWRITE, EXPIRE_REFLOGS_UPDATE_REF,
};
use crate::git::backend::{Backend, RefState};
use crate::git::failure::{report_locked, warn_after_commit, Failure, Outcome};
use crate::git::store::{Reload, Store};
use crate::merged::OldestFirst;
use crate::record::{RefRecord, RefValue};
use crate::repo::log_records::tombstone;
use crate::stack::{Addition, OnOutdated};
use crate::table::Writer;
use std::ffi::{c_uint, CStr};
use std::rc::Rc;

/// Size in bytes of the longest message that can be rewritten, unless blocks are larger. Git cuts
/// messages to half a block, and JGit to less than one of its blocks.
const LONGEST_MESSAGE: usize = 64 << 10;

/// The caller's expiry policy: git's three callbacks.
pub trait Policy {
    /// Called once before any entry, with the value of the ref or the null OID. The stack is
    /// locked, except in a dry run.
    fn prepare(&mut self, name: &CStr, oid: &ObjectId);
    /// Whether to prune an entry.
    fn should_prune(&mut self, entry: &Entry) -> bool;
    /// Called once at the end, if the stack could be locked.
    fn cleanup(&mut self);
}

/// Expires the entries of `name` that `policy` selects. `flags` are `EXPIRE_REFLOGS_*`.
pub fn expire(store: &Store, name: &CStr, flags: c_uint, policy: &mut dyn Policy) -> Outcome {
    store.check()?;
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    // A dry run must work without write permission.
    let addition = if flags & EXPIRE_REFLOGS_DRY_RUN != 0 {
        None
    } else {
        let begun = backend.writing()?.begin(OnOutdated::Reload);
        Some(begun.map_err(|error| report_locked(&backend.stack, error.into()))?)
    };
    let expiry = Expiry {
        store,
        backend,
        name,
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

/// An entry and its fate.
struct Judged {
    update_index: u64,
    fate: Fate,
}

/// The fate of an entry. Entries that are not written again are not kept in memory: a damaged
/// log may have gigabytes.
enum Fate {
    Pruned,
    Kept(Box<Entry>),
    /// It must be kept, but its message is too long: the message's size and the limit.
    TooBig(usize, usize),
}

impl Judged {
    fn new(entry: Entry, pruned: bool, limit: usize) -> Self {
        let size = entry.message.stored().len();
        Self {
            update_index: entry.update_index,
            fate: match pruned {
                true => Fate::Pruned,
                false if size > limit => Fate::TooBig(size, limit),
                false => Fate::Kept(Box::new(entry)),
            },
        }
    }

    fn is_pruned(&self) -> bool {
        matches!(self.fate, Fate::Pruned)
    }

    fn check_size(&self) -> Outcome {
        match self.fate {
            Fate::TooBig(size, limit) => Err(Failure::from(Error::EntryTooBig {
                size: wide(size),
                limit: wide(limit),
            })),
            Fate::Pruned | Fate::Kept(_) => Ok(()),
        }
    }
}

/// The decisions about a log.
struct Verdict {
    /// The entries, newest first.
    judged: Vec<Judged>,
    /// The new id of the newest entry that is kept.
    newest: Option<ObjectId>,
}

impl Expiry<'_> {
    /// Writes the decisions; in a dry run, without an `addition`, nothing.
    fn run(&self, addition: Option<Addition>, policy: &mut dyn Policy) -> Outcome {
        let current = match self.backend.read_ref(self.name)? {
            RefState::Direct(oid) => oid,
            RefState::Symbolic(_) | RefState::Missing => ObjectId::ZERO,
        };
        policy.prepare(self.name, &current);
        let keeper = Keeper::new(self.store.hash);
        let mut logs = self.backend.logs();
        let entries = OldestFirst::read(&mut logs, self.name.to_bytes(), keeper)?;
        let verdict = self.judge(entries, policy, addition.is_some())?;
        let Some(mut addition) = addition else {
            return Ok(());
        };
        let updates_ref = self.flags & EXPIRE_REFLOGS_UPDATE_REF != 0 && !current.is_null();
        let new_value = verdict.newest.filter(|oid| updates_ref && !oid.is_null());
        let judged = &verdict.judged;
        judged.iter().try_for_each(Judged::check_size)?;
        let now = addition.next_update_index();
        addition.add_table(|writer| self.write(writer, now, judged, new_value))?;
        warn_after_commit(self.backend.writing()?.commit(addition)?);
        Ok(())
    }

    /// Asks the policy about each entry, oldest first, and closes the gaps in
    /// the chain of ids. Entries are returned only if they `will_be_written`.
    fn judge(
        &self,
        mut entries: OldestFirst<Keeper>,
        policy: &mut dyn Policy,
        will_be_written: bool,
    ) -> Outcome<Verdict> {
        let rewrite = self.flags & EXPIRE_REFLOGS_REWRITE != 0;
        let limit = self.store.max_block().max(LONGEST_MESSAGE);
        let mut last: Option<ObjectId> = None;
        let mut judged: Vec<Judged> = Vec::new();
        while let Some(mut entry) = entries.next()? {
            if entry.is_marker() {
                continue;
            }
            let pruned = policy.should_prune(&entry);
            if !pruned {
                if let Some(last) = last.filter(|_| rewrite) {
                    entry.old = last;
                }
                last = Some(entry.new);
            }
            if will_be_written {
                judged.push(Judged::new(entry, pruned, limit));
            }
        }
        judged.reverse();
        // Tables of git's C writer may contain a key twice. Only one record is kept.
        judged.dedup_by(|later, kept| {
            let same = later.update_index == kept.update_index;
            if same && kept.is_pruned() {
                std::mem::swap(later, kept);
            }
            same
        });
        Ok(Verdict {
            judged,
            newest: last,
        })
    }

    fn write(
        &self,
        writer: &mut Writer<'_>,
        now: u64,
        judged: &[Judged],
        new_value: Option<ObjectId>,
    ) -> Outcome {
        writer.set_limits(now, now)?;
        if let Some(oid) = new_value {
            self.write_ref(writer, now, &oid)?;
        }
        // An emptied log still exists.
        if judged.iter().all(Judged::is_pruned) {
            add_marker(writer, self.name, now, self.store)?;
        }
        for Judged { update_index, fate } in judged {
            let record = match fate {
                Fate::Kept(entry) => entry.record(self.name, self.store.hash),
                Fate::Pruned | Fate::TooBig(..) => tombstone(self.name.to_bytes(), *update_index),
            };
            writer.copy_log(&record)?;
        }
        Ok(())
    }

    fn write_ref(&self, writer: &mut Writer<'_>, now: u64, oid: &ObjectId) -> Outcome {
        let hash = self.store.hash;
        let peeled = self.store.repo.peel(oid);
        let value = match &peeled {
            Some(peeled) => RefValue::Val2 {
                value: oid.raw(hash),
                target: peeled.raw(hash),
            },
            None => RefValue::Val1(oid.raw(hash)),
        };
        let record = RefRecord {
            name: self.name.to_bytes(),
            update_index: now,
            value,
        };
        writer.add_ref(&record).map_err(Failure::from)
    }
}
