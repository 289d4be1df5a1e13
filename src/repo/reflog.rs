//! Reflogs.
#![forbid(unsafe_code)]

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::owned::until_error;
use super::rules::{belongs_to_worktree, is_well_formed};
use super::{Identity, ObjectId, Repository, Result, Snapshot, Time};
use crate::format::HashId;
use crate::merged::{self, LogKeeper, LogNames, Merged, MergedLogs, Tombstones};
use crate::record::{LogUpdate, LogValue};

/// The reflog of one ref, as it was in the snapshot.
#[derive(Clone, Debug)]
pub struct Reflog {
    view: Arc<Merged>,
    /// The name in the view's stack.
    name: BString,
}

/// An entry of a reflog.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LogEntry {
    /// The value before the change; the [null id](ObjectId::null) if the ref was created.
    pub old: ObjectId,
    /// The value after the change; the null id if the ref was deleted.
    pub new: ObjectId,
    /// Who made the change.
    pub committer: Identity,
    /// When.
    pub time: Time,
    /// The message, without the final line feed that git stores. Usually one line; other programs
    /// may have written anything.
    pub message: BString,
}

/// A [`LogEntry`] whose texts are borrowed from a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LogEntryRef<'a> {
    /// The value before the change; the [null id](ObjectId::null) if the ref was created.
    pub old: ObjectId,
    /// The value after the change; the null id if the ref was deleted.
    pub new: ObjectId,
    /// Who made the change.
    pub committer: IdentityRef<'a>,
    /// When.
    pub time: Time,
    /// The message, without the final line feed that git stores. Usually one line; other programs
    /// may have written anything.
    pub message: &'a BStr,
}

/// An [`Identity`] whose texts are borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdentityRef<'a> {
    /// The name.
    pub name: &'a BStr,
    /// The email, without angle brackets.
    pub email: &'a BStr,
}

impl IdentityRef<'_> {
    /// A copy that owns its texts.
    #[must_use]
    pub fn to_owned(&self) -> Identity {
        Identity {
            name: self.name.into(),
            email: self.email.into(),
        }
    }
}

impl<'a> LogEntryRef<'a> {
    pub(super) fn new(update: &LogUpdate<'a>, hash: HashId) -> Self {
        let message = update.message;
        Self {
            old: ObjectId::stored(update.old_hash, hash),
            new: ObjectId::stored(update.new_hash, hash),
            committer: IdentityRef {
                name: update.name.as_bstr(),
                email: update.email.as_bstr(),
            },
            time: Time {
                seconds: update.time,
                zone: update.tz_offset,
            },
            message: message.strip_suffix(b"\n").unwrap_or(message).as_bstr(),
        }
    }

    /// A copy that owns its texts.
    #[must_use]
    pub fn to_owned(&self) -> LogEntry {
        LogEntry {
            old: self.old,
            new: self.new,
            committer: self.committer.to_owned(),
            time: self.time,
            message: self.message.into(),
        }
    }
}

impl LogEntry {
    /// The entry with borrowed texts.
    #[must_use]
    pub fn as_ref(&self) -> LogEntryRef<'_> {
        LogEntryRef {
            old: self.old,
            new: self.new,
            committer: IdentityRef {
                name: self.committer.name.as_bstr(),
                email: self.committer.email.as_bstr(),
            },
            time: self.time,
            message: self.message.as_bstr(),
        }
    }

    /// Whether it only marks a log that exists, and is no change. Git does not show such entries.
    fn is_marker(&self) -> bool {
        self.old.is_null() && self.new.is_null()
    }
}

impl Reflog {
    /// The entries, newest first.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged.
    pub fn newest_first(&self) -> Result<NewestFirst> {
        let mut logs = self.view.logs(Tombstones::Hide);
        logs.seek_only(&self.name)?;
        Ok(NewestFirst {
            logs,
            hash: self.view.hash_id(),
        })
    }

    /// The entries, oldest first. Tables have them newest first, so all are read before the first is
    /// returned. The newest, up to 4 MiB, are kept in memory; older ones are read twice.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged.
    pub fn oldest_first(&self) -> Result<OldestFirst> {
        let mut logs = self.view.logs(Tombstones::Hide);
        let keeper = Keeper(self.view.hash_id());
        Ok(OldestFirst {
            entries: merged::OldestFirst::read(&mut logs, &self.name, keeper)?,
            current: None,
        })
    }
}

/// The entries of a reflog, newest first.
#[derive(Debug)]
pub struct NewestFirst {
    logs: MergedLogs,
    hash: HashId,
}

impl NewestFirst {
    /// The next entry, valid until the next call; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged. Further calls return the same
    /// error.
    #[expect(
        clippy::should_implement_trait,
        reason = "the result borrows from self"
    )]
    pub fn next(&mut self) -> Result<Option<LogEntryRef<'_>>> {
        while self.logs.advance()? {
            if !is_marker(&self.logs.record().value) {
                break;
            }
        }
        Ok(match self.logs.record().value {
            LogValue::Update(update) => Some(LogEntryRef::new(&update, self.hash)),
            LogValue::Deletion => None,
        })
    }

    /// The entries as values of their own. The iteration ends after an error.
    pub fn owned(mut self) -> impl Iterator<Item = Result<LogEntry>> {
        until_error(move || Ok(self.next()?.map(|entry| entry.to_owned())))
    }
}

/// Whether a record only marks a log that exists.
fn is_marker(value: &LogValue<'_>) -> bool {
    match value {
        LogValue::Update(update) => {
            let mut ids = update.old_hash.iter().chain(update.new_hash);
            ids.all(|&byte| byte == 0)
        }
        LogValue::Deletion => true,
    }
}

/// The entries of a reflog, oldest first.
#[derive(Debug)]
pub struct OldestFirst {
    entries: merged::OldestFirst<Keeper>,
    current: Option<LogEntry>,
}

impl OldestFirst {
    /// The next entry, valid until the next call; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged.
    #[expect(
        clippy::should_implement_trait,
        reason = "the result borrows from self"
    )]
    pub fn next(&mut self) -> Result<Option<LogEntryRef<'_>>> {
        self.current = self.next_owned()?;
        Ok(self.current.as_ref().map(LogEntry::as_ref))
    }

    /// The entries as values of their own. The iteration ends after an error.
    pub fn owned(mut self) -> impl Iterator<Item = Result<LogEntry>> {
        until_error(move || self.next_owned())
    }

    fn next_owned(&mut self) -> Result<Option<LogEntry>> {
        while let Some(entry) = self.entries.next()? {
            if !entry.is_marker() {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// Copies entries of this hash.
#[derive(Debug)]
struct Keeper(HashId);

impl LogKeeper for Keeper {
    type Entry = LogEntry;

    fn keep(&mut self, _: u64, update: &LogUpdate<'_>) -> LogEntry {
        LogEntryRef::new(update, self.0).to_owned()
    }
}

impl Repository {
    /// The reflog of `name`.
    ///
    /// See [`Snapshot::reflog`].
    ///
    /// ```
    /// # use reftable::repo::{Identity, Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let mut settings = Settings::default();
    /// # settings.committer = Some(Identity { name: "C".into(), email: "c@d".into() });
    /// # let repository = Repository::open_at(layout, settings);
    /// # let id = ObjectId::from_bytes(&[0x11; 20]).unwrap();
    /// # repository.transaction().message("commit: one").create("refs/heads/main", id).commit()?;
    /// let log = repository.reflog("refs/heads/main")?;
    /// if let Some(last) = log.newest_first()?.next()? {
    ///     println!("{} {} {}", last.time, last.committer.name, last.message);
    /// #   assert_eq!((last.new, last.message.to_string().as_str()), (id, "commit: one"));
    /// }
    /// for entry in log.oldest_first()?.owned() {
    ///     let entry = entry?;
    ///     assert!(entry.old.is_null(), "the first entry creates the ref");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the references cannot be read.
    pub fn reflog(&self, name: impl AsRef<[u8]>) -> Result<Reflog> {
        self.snapshot()?.reflog(name)
    }

    /// The names of all refs that have a reflog.
    ///
    /// See [`Snapshot::reflog_names`].
    ///
    /// # Errors
    /// If the references cannot be read.
    pub fn reflog_names(&self) -> Result<Vec<BString>> {
        self.snapshot()?.reflog_names()
    }

    /// Whether `name` has a reflog, which may be empty.
    ///
    /// # Errors
    /// If the references cannot be read.
    pub fn has_reflog(&self, name: impl AsRef<[u8]>) -> Result<bool> {
        self.snapshot()?.has_reflog(name)
    }
}

impl Snapshot<'_> {
    /// The reflog of `name`, a full name as in [`find`](Self::find), whether the ref exists or not.
    /// If it has no log, there are no entries; see [`has_reflog`](Self::has_reflog).
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn reflog(&mut self, name: impl AsRef<[u8]>) -> Result<Reflog> {
        Ok(match self.route(name.as_ref())? {
            Some((view, bare)) => Reflog {
                view: Arc::clone(&view.merged),
                name: bare.into(),
            },
            None => Reflog {
                view: Arc::new(Merged::new(Vec::new(), self.repository.hash())?),
                name: BString::default(),
            },
        })
    }

    /// Whether `name` has a reflog, which may be empty.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn has_reflog(&mut self, name: impl AsRef<[u8]>) -> Result<bool> {
        let Some((view, bare)) = self.route(name.as_ref())? else {
            return Ok(false);
        };
        let mut logs = view.merged.logs(Tombstones::Hide);
        logs.seek_only(bare)?;
        Ok(logs.advance()?)
    }

    /// The names of all refs that have a reflog, sorted: shared ones, and those of the current
    /// worktree. `git reflog list` lists the same. Names that git does not allow are left out.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged.
    pub fn reflog_names(&self) -> Result<Vec<BString>> {
        let mut names = Vec::new();
        let has_own = self.current.is_some();
        let mut add = |view: &Merged, is_wanted: &dyn Fn(&[u8]) -> bool| -> Result<()> {
            let mut logs = LogNames::new(view.logs(Tombstones::Hide));
            while logs.advance()? {
                let name = logs.name();
                if is_wanted(name) && is_well_formed(name) {
                    names.push(name.into());
                }
            }
            Ok(())
        };
        let is_shared = |name: &[u8]| !belongs_to_worktree(name);
        add(&self.main.merged, &|name| !has_own || is_shared(name))?;
        if let Some(own) = &self.current {
            add(&own.merged, &|_| true)?;
        }
        if has_own {
            names.sort_unstable();
            names.dedup();
        }
        Ok(names)
    }
}
