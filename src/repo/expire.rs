//! Expiring, creating and deleting reflogs.
//!
//! Pruned entries get a tombstone; compaction reclaims their space later.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fmt;

use super::locked::{route, LockedStack};
use super::log_records::{add_tombstones, marker, tombstone};
use super::{name, Committed, LogEntryRef, ObjectId, Repository, Result};
use crate::format::{HashId, Result as StoreResult};
use crate::merged::MergedLogs;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use crate::table::Writer;

/// Which entries of a reflog are removed, for [`Repository::expire_reflog`].
///
/// ```
/// use reftable::repo::{Expire, Time};
///
/// let ninety_days = 90 * 24 * 60 * 60;
/// let old = Expire::older_than(Time::now().seconds.saturating_sub(ninety_days));
/// let all = Expire::all();
/// let rebases = Expire::entries(|entry| entry.message.starts_with(b"rebase"));
/// ```
#[must_use]
pub struct Expire<'f> {
    which: Which<'f>,
    rewrites: bool,
    updates_ref: bool,
}

enum Which<'f> {
    All,
    OlderThan(u64),
    If(Box<dyn FnMut(&LogEntryRef<'_>) -> bool + 'f>),
}

impl fmt::Debug for Expire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expire").finish_non_exhaustive()
    }
}

impl<'f> Expire<'f> {
    /// All entries. The log stays, and is empty.
    pub fn all() -> Self {
        Self::new(Which::All)
    }

    /// Entries from before this time, in seconds since 1970.
    pub fn older_than(seconds: u64) -> Self {
        Self::new(Which::OlderThan(seconds))
    }

    /// The entries for which `selects` returns true. It is called once for each, newest first, while
    /// the stack is locked.
    pub fn entries(selects: impl FnMut(&LogEntryRef<'_>) -> bool + 'f) -> Self {
        Self::new(Which::If(Box::new(selects)))
    }

    fn new(which: Which<'f>) -> Self {
        Self {
            which,
            rewrites: false,
            updates_ref: false,
        }
    }

    /// Changes the old ids of the other entries, so that each is the new id of the entry before it:
    /// as `git reflog expire --rewrite`.
    pub fn rewrite(mut self) -> Self {
        self.rewrites = true;
        self
    }

    /// Sets the ref to the new id of its newest entry that is kept, if that is another one: as `git
    /// reflog expire --updateref`. A symbolic ref stays as it is.
    pub fn update_ref(mut self) -> Self {
        self.updates_ref = true;
        self
    }

    fn prunes(&mut self, update: &LogUpdate<'_>, hash: HashId) -> bool {
        match &mut self.which {
            Which::All => true,
            Which::OlderThan(seconds) => update.time < *seconds,
            Which::If(selects) => selects(&LogEntryRef::new(update, hash)),
        }
    }
}

/// The outcome of [`Repository::expire_reflog`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Expired {
    /// Number of entries removed.
    pub pruned: usize,
    /// Number of entries that are left.
    pub kept: usize,
    /// What went wrong afterwards.
    pub committed: Committed,
}

impl Repository {
    /// Removes entries of the reflog of `name`.
    ///
    /// # Errors
    /// [`Error::InvalidName`](super::Error::InvalidName);
    /// [`Error::Locked`](super::Error::Locked); errors of reading and writing tables.
    pub fn expire_reflog(&self, name: impl AsRef<[u8]>, mut expire: Expire<'_>) -> Result<Expired> {
        let name = name.as_ref();
        name::check_existing(name)?;
        let (key, name) = route(self, name);
        let mut stack = LockedStack::lock(self, key)?;
        let verdict = Verdict::new(&mut stack.logs, name, &mut expire, self.hash())?;
        let new_value = match expire.updates_ref {
            true => changed_value(&mut stack, name, verdict.newest, self)?,
            false => None,
        };
        let mut expired = Expired {
            pruned: verdict.pruned,
            kept: verdict.prunes.len() - verdict.pruned,
            committed: Committed::default(),
        };
        if verdict.pruned == 0 && !expire.rewrites && new_value.is_none() {
            return Ok(expired);
        }
        let now = stack.addition.next_update_index();
        let logs = &mut stack.logs;
        stack.addition.add_table(|writer| {
            writer.set_limits(now, now)?;
            if let Some(id) = new_value {
                let value = RefValue::Val1(id.as_bytes());
                writer.add_ref(&RefRecord {
                    name,
                    update_index: now,
                    value,
                })?;
            }
            // An emptied log still exists.
            if verdict.pruned > 0 && verdict.pruned == verdict.prunes.len() {
                writer.add_log_verbatim(&marker(name, now, self.hash().len()))?;
            }
            verdict.write(writer, logs, name, expire.rewrites)
        })?;
        expired.committed = Committed::of(stack.commit()?);
        Ok(expired)
    }

    /// Creates an empty reflog for the ref `name`, unless it has one. From then on its changes are
    /// logged.
    ///
    /// # Errors
    /// As for [`expire_reflog`](Self::expire_reflog).
    pub fn create_reflog(&self, name: impl AsRef<[u8]>) -> Result<Committed> {
        let name = name.as_ref();
        name::check(name)?;
        let (key, name) = route(self, name);
        let mut stack = LockedStack::lock(self, key)?;
        if stack.has_log(name)? {
            return Ok(Committed::default());
        }
        let now = stack.addition.next_update_index();
        stack.addition.add_table(|writer| {
            writer.set_limits(now, now)?;
            writer.add_log_verbatim(&marker(name, now, self.hash().len()))
        })?;
        Ok(Committed::of(stack.commit()?))
    }

    /// Deletes the reflog of `name`, with all its entries.
    ///
    /// # Errors
    /// As for [`expire_reflog`](Self::expire_reflog).
    pub fn delete_reflog(&self, name: impl AsRef<[u8]>) -> Result<Committed> {
        let name = name.as_ref();
        name::check_existing(name)?;
        let (key, name) = route(self, name);
        let mut stack = LockedStack::lock(self, key)?;
        let now = stack.addition.next_update_index();
        let logs = &mut stack.logs;
        stack.addition.add_table(|writer| {
            writer.set_limits(now, now)?;
            add_tombstones(writer, logs, name)
        })?;
        Ok(Committed::of(stack.commit()?))
    }
}

/// The new value of a direct ref, if it is to change to `newest`.
fn changed_value(
    stack: &mut LockedStack,
    name: &[u8],
    newest: Option<ObjectId>,
    repository: &Repository,
) -> Result<Option<ObjectId>> {
    let found = stack.finder.find(name)?;
    let current = found.and_then(|found| Some(ObjectId::stored(found.id()?, repository.hash())));
    Ok(newest.filter(|newest| !newest.is_null() && current.is_some_and(|id| id != *newest)))
}

/// The decisions about a log.
struct Verdict {
    /// For each entry, newest first, whether it is pruned. Markers are not counted.
    prunes: Vec<bool>,
    pruned: usize,
    /// The new id of the newest entry that is kept.
    newest: Option<ObjectId>,
    /// Update indexes that several entries have, some of which are pruned and some are kept.
    mixed: BTreeSet<u64>,
}

impl Verdict {
    fn new(
        logs: &mut MergedLogs,
        name: &[u8],
        expire: &mut Expire<'_>,
        hash: HashId,
    ) -> Result<Self> {
        let mut verdict = Self {
            prunes: Vec::new(),
            pruned: 0,
            newest: None,
            mixed: BTreeSet::new(),
        };
        let mut last = None;
        logs.seek_only(name)?;
        while logs.advance()? {
            let record = logs.record();
            let Some(update) = entry(&record) else {
                continue;
            };
            let prunes = expire.prunes(update, hash);
            let update_index = record.update_index;
            if last.replace((update_index, prunes)) == Some((update_index, !prunes)) {
                verdict.mixed.insert(update_index);
            }
            verdict.prunes.push(prunes);
            match prunes {
                true => verdict.pruned += 1,
                false => {
                    let id = || ObjectId::from_bytes(update.new_hash);
                    verdict.newest = verdict.newest.or_else(id);
                }
            }
        }
        Ok(verdict)
    }

    /// Writes the tombstones of pruned entries and, if it `rewrites`, the other entries whose old id
    /// changes, as they are read: a log may be larger than memory.
    fn write(
        &self,
        writer: &mut Writer<'_>,
        logs: &mut MergedLogs,
        name: &[u8],
        rewrites: bool,
    ) -> StoreResult<()> {
        let mut prunes = self.prunes.iter();
        let mut pending = Pending::new(name);
        // Tables of git's C writer may contain a key twice. One record is written, which replaces
        // all of them: the first that is kept, if any.
        let mut last = None;
        logs.seek_only(name)?;
        while logs.advance()? {
            let record = logs.record();
            let Some(update) = entry(&record) else {
                continue;
            };
            let update_index = record.update_index;
            let is_mixed = self.mixed.contains(&update_index);
            let prunes = *prunes.next().unwrap_or(&false);
            if last == Some(update_index) || prunes && is_mixed {
                continue;
            }
            last = Some(update_index);
            match prunes {
                true => pending.prune(writer, update_index)?,
                false if rewrites => pending.keep(writer, update_index, update, is_mixed)?,
                false if is_mixed => writer.copy_log(&record)?,
                false => {}
            }
        }
        pending.finish(writer)
    }
}

/// The change that a record stands for; `None` for a marker, which readers do not see.
fn entry<'a>(record: &'a LogRecord<'_>) -> Option<&'a LogUpdate<'a>> {
    let is_null = |id: &[u8]| id.iter().all(|&byte| byte == 0);
    match &record.value {
        LogValue::Update(update) => {
            (!is_null(update.old_hash) || !is_null(update.new_hash)).then_some(update)
        }
        LogValue::Deletion => None,
    }
}

/// What is not written yet: the last entry that is kept, whose old id depends on an older entry, and
/// the tombstones of the entries between them.
struct Pending<'n> {
    name: &'n [u8],
    kept: Option<Kept>,
    pruned: Vec<u64>,
}

/// A copy of an entry.
struct Kept {
    update_index: u64,
    is_changed: bool,
    old: Vec<u8>,
    new: Vec<u8>,
    name: Vec<u8>,
    email: Vec<u8>,
    message: Vec<u8>,
    time: u64,
    tz_offset: Zone,
}

impl<'n> Pending<'n> {
    fn new(name: &'n [u8]) -> Self {
        Self {
            name,
            kept: None,
            pruned: Vec::new(),
        }
    }

    fn prune(&mut self, writer: &mut Writer<'_>, update_index: u64) -> StoreResult<()> {
        match self.kept {
            None => writer.add_log(&tombstone(self.name, update_index)),
            // Comes after the entry that is kept.
            Some(_) => {
                self.pruned.push(update_index);
                Ok(())
            }
        }
    }

    /// Keeps an entry that may get another old id. If it `is_changed` it is written in any case.
    fn keep(
        &mut self,
        writer: &mut Writer<'_>,
        update_index: u64,
        update: &LogUpdate<'_>,
        is_changed: bool,
    ) -> StoreResult<()> {
        let kept = self.kept.as_mut();
        if let Some(kept) = kept.filter(|kept| kept.old != update.new_hash) {
            kept.old = update.new_hash.to_vec();
            kept.is_changed = true;
        }
        self.finish(writer)?;
        self.kept = Some(Kept::new(update_index, update, is_changed));
        Ok(())
    }

    /// Writes what is pending.
    fn finish(&mut self, writer: &mut Writer<'_>) -> StoreResult<()> {
        if let Some(kept) = self.kept.take().filter(|kept| kept.is_changed) {
            writer.copy_log(&kept.record(self.name))?;
        }
        let mut pruned = self.pruned.drain(..);
        pruned.try_for_each(|update_index| writer.add_log(&tombstone(self.name, update_index)))
    }
}

impl Kept {
    fn new(update_index: u64, update: &LogUpdate<'_>, is_changed: bool) -> Self {
        Self {
            update_index,
            is_changed,
            old: update.old_hash.to_vec(),
            new: update.new_hash.to_vec(),
            name: update.name.to_vec(),
            email: update.email.to_vec(),
            message: update.message.to_vec(),
            time: update.time,
            tz_offset: update.tz_offset,
        }
    }

    fn record<'a>(&'a self, name: &'a [u8]) -> LogRecord<'a> {
        LogRecord {
            name,
            update_index: self.update_index,
            value: LogValue::Update(LogUpdate {
                old_hash: &self.old,
                new_hash: &self.new,
                name: &self.name,
                email: &self.email,
                time: self.time,
                tz_offset: self.tz_offset,
                message: &self.message,
            }),
        }
    }
}
