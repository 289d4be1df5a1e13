//! Transactions: changes of refs that are made together.
//!
//! ```text
//! change          one change: the new value, the expected one, options
//! parts, update   the stacks concerned; what is written to them
//! check, prepare  locking, checking, planning
//! write           the table of one stack
//! prepared        committing
//! ```
#![forbid(unsafe_code)]

mod change;
mod check;
mod parts;
mod prepare;
mod prepared;
mod update;
mod write;

pub use change::{Change, Expected, Log};
pub use prepared::{Prepared, PreparedChange};

use bstr::BString;

use super::author::Author;
#[cfg(doc)]
use super::Error;
use super::{Committed, Identity, ObjectId, Repository, Result, Time};

/// Changes of refs that are made together, or not at all.
///
/// ```
/// # use reftable::repo::{Expected, Identity, Layout, Repository, Settings};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # std::fs::create_dir(dir.path().join("reftable"))?;
/// # let layout = Layout::new(dir.path(), dir.path(), reftable::HashId::Sha1);
/// # let mut settings = Settings::default();
/// # settings.committer = Some(Identity { name: "A".into(), email: "a@example.com".into() });
/// # let repository = Repository::open_at(layout, settings);
/// let old = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse()?;
/// repository
///     .transaction()
///     .message("branch: Created from HEAD")
///     .create("refs/heads/topic", old)
///     .commit()?;
///
/// let new = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse()?;
/// repository
///     .transaction()
///     .message("reset: moving to a tree")
///     .update("refs/heads/topic", new, Expected::Id(old))
///     .commit()?;
/// # Ok(())
/// # }
/// ```
///
/// # What is changed
///
/// The rules are those of git's `update-ref --stdin`. A change of a symbolic ref changes the ref
/// that it points at, unless [`Change::no_deref`] says otherwise. Where the reflog is kept, the
/// symbolic ref gets an entry, too. `HEAD` also gets one if the branch that it points at is changed.
/// For this reason one transaction cannot change `HEAD` and that branch.
///
/// Each ref may be changed once. Where several changes are refused, the error is about one of them.
/// This crate knows no objects: it does not check that ids exist.
///
/// In these cases git differs:
/// - It refuses to replace a symbolic ref that is part of a circle if its target is expected.
/// - If the branch that `HEAD` points at becomes symbolic, git's entry in the log of `HEAD` has the
///   null id, and this one the id that the new target has.
/// - In a linked worktree, git does not see that the name of a shared ref conflicts with one of the
///   main worktree's own refs.
/// - It does not delete a ref of another worktree by its long name.
///
/// # What is guaranteed
///
/// All changes of refs in one stack become visible at once. They survive a power failure once
/// [`commit`](Self::commit) has returned, unless [`Settings::no_fsync`](super::Settings::no_fsync)
/// is set, as it is by git's default for `core.fsync`. The refs that all worktrees share are in one
/// stack, with those of the main worktree. A linked worktree has a stack for its `HEAD` and its
/// other own refs. If a transaction changes several stacks, all are locked and checked before the
/// first is changed, but they are published one after another.
///
/// The locks are those of git. [`prepare`](Self::prepare) waits for each as long as
/// `reftable.lockTimeout` says.
#[derive(Debug)]
#[must_use = "a transaction changes nothing until it is committed"]
pub struct Transaction<'r> {
    repository: &'r Repository,
    changes: Vec<Change>,
    message: BString,
    committer: Option<Identity>,
    time: Option<Time>,
    log: Log,
}

impl Repository {
    /// A transaction without changes.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction {
            repository: self,
            changes: Vec::new(),
            message: BString::default(),
            committer: None,
            time: None,
            log: Log::default(),
        }
    }
}

impl<'r> Transaction<'r> {
    /// Creates a ref, which must not exist: see [`Change::create`].
    pub fn create(&mut self, name: impl AsRef<[u8]>, id: ObjectId) -> &mut Self {
        self.add(Change::create(name, id))
    }

    /// Sets a ref to an object id: see [`Change::update`].
    pub fn update(
        &mut self,
        name: impl AsRef<[u8]>,
        id: ObjectId,
        expected: Expected,
    ) -> &mut Self {
        self.add(Change::update(name, id, expected))
    }

    /// Deletes a ref and its reflog: see [`Change::delete`].
    pub fn delete(&mut self, name: impl AsRef<[u8]>, expected: Expected) -> &mut Self {
        self.add(Change::delete(name, expected))
    }

    /// Makes a ref symbolic, such as `HEAD`: see [`Change::symbolic`].
    pub fn set_symbolic(
        &mut self,
        name: impl AsRef<[u8]>,
        target: impl AsRef<[u8]>,
        expected: Expected,
    ) -> &mut Self {
        self.add(Change::symbolic(name, target, expected))
    }

    /// Checks the value of a ref, and does not change it: see [`Change::verify`].
    pub fn verify(&mut self, name: impl AsRef<[u8]>, expected: Expected) -> &mut Self {
        self.add(Change::verify(name, expected))
    }

    /// Adds a change with options.
    pub fn add(&mut self, change: Change) -> &mut Self {
        self.changes.push(change);
        self
    }

    /// The message of the reflog entries: one line. Other white space than single spaces is
    /// replaced by these, and what does not fit into half a block is cut off.
    pub fn message(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.message = text.as_ref().into();
        self
    }

    /// The committer in reflog entries, instead of the one in the
    /// [settings](super::Settings::committer).
    pub fn committer(&mut self, committer: Identity) -> &mut Self {
        self.committer = Some(committer);
        self
    }

    /// The time in reflog entries. Without it, the time at which the transaction is prepared, in UTC.
    pub fn time(&mut self, time: Time) -> &mut Self {
        self.time = Some(time);
        self
    }

    /// Which changes are logged, unless a change [has its own choice](Change::log).
    pub fn log(&mut self, log: Log) -> &mut Self {
        self.log = log;
        self
    }

    /// Locks the refs concerned and checks all changes. Nothing is changed yet: the result can be
    /// committed, or dropped, which leaves nothing behind. Until then, no other process can change
    /// refs in the same stacks.
    ///
    /// The transaction is empty afterwards. If this fails it keeps its changes, so that it can be
    /// tried again.
    ///
    /// # Errors
    /// - [`Error::Locked`] if a lock was held by others all the time
    /// - [`Error::Unexpected`] if a ref does not have the expected value
    /// - [`Error::NameConflict`] if a ref is in the way of a new one
    /// - [`Error::Duplicate`] if a ref is changed twice, also through symbolic refs
    /// - [`Error::InvalidName`], [`Error::NullId`], [`Error::WrongHash`],
    ///   [`Error::TooManySymrefs`], [`Error::NoWorktree`]
    /// - [`Error::NoCommitter`] if a reflog entry needs a committer and there is none
    /// - [`Error::Config`] if the settings cannot be read
    /// - [`Error::Store`], [`Error::Io`]
    pub fn prepare(&mut self) -> Result<Prepared<'r>> {
        let plan = prepare::prepare(self.repository, &self.changes, self.log)?;
        let author = match plan.appends() {
            true => Some(Author::new(
                self.repository,
                self.committer.as_ref(),
                self.time,
                &self.message,
            )?),
            false => None,
        };
        let changes = std::mem::take(&mut self.changes);
        Ok(Prepared::new(self.repository, changes, plan, author))
    }

    /// [Prepares](Self::prepare) the transaction and [commits](Prepared::commit) it.
    ///
    /// # Errors
    /// As for [`prepare`](Self::prepare) and [`Prepared::commit`].
    pub fn commit(&mut self) -> Result<Committed> {
        self.prepare()?.commit()
    }
}
