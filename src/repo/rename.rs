//! Renaming and copying refs with their reflogs.
#![forbid(unsafe_code)]

use bstr::BString;

use super::author::{longest_message, Author};
use super::locked::{route, LockedStack};
use super::moving::Moving;
use super::{name, Committed, Error, Identity, ObjectId, Repository, Result, Time, Value};
use crate::merged::conflicts::find_conflict;
use crate::record::RefValue;

/// A ref that is to be renamed or copied, with its reflog.
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
/// # let id = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse()?;
/// # repository.transaction().create("refs/heads/old", id).commit()?;
/// repository
///     .rename("refs/heads/old", "refs/heads/new")
///     .message("Branch: renamed refs/heads/old to refs/heads/new")
///     .commit()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is changed until it is committed"]
pub struct Rename<'r> {
    repository: &'r Repository,
    old: BString,
    new: BString,
    deletes_old: bool,
    message: BString,
    committer: Option<Identity>,
    time: Option<Time>,
}

impl Repository {
    /// Renames the ref `old` to `new`, which must not exist. Its reflog gets the new name, too.
    ///
    /// If `HEAD` points at the old ref, it still does: make it [point](super::Change::symbolic) at
    /// the new one afterwards, in all worktrees, as `git branch -m` does.
    pub fn rename(&self, old: impl AsRef<[u8]>, new: impl AsRef<[u8]>) -> Rename<'_> {
        Rename {
            repository: self,
            old: old.as_ref().into(),
            new: new.as_ref().into(),
            deletes_old: true,
            message: BString::default(),
            committer: None,
            time: None,
        }
    }

    /// Copies the ref `old` and its reflog to `new`, which must not exist.
    pub fn copy(&self, old: impl AsRef<[u8]>, new: impl AsRef<[u8]>) -> Rename<'_> {
        Rename {
            deletes_old: false,
            ..self.rename(old, new)
        }
    }
}

impl Rename<'_> {
    /// The message of the reflog entries; see [`Transaction::message`](super::Transaction::message).
    pub fn message(mut self, text: impl AsRef<[u8]>) -> Self {
        self.message = text.as_ref().into();
        self
    }

    /// The committer in reflog entries, instead of the one in the
    /// [settings](super::Settings::committer).
    pub fn committer(mut self, committer: Identity) -> Self {
        self.committer = Some(committer);
        self
    }

    /// The time in reflog entries, instead of the current time in UTC.
    pub fn time(mut self, time: Time) -> Self {
        self.time = Some(time);
        self
    }

    /// Renames or copies the ref.
    ///
    /// # Errors
    /// - [`Error::Unexpected`] if the old ref does not exist or is symbolic, or the new one exists
    /// - [`Error::NameConflict`] if a ref is in the way of the new one
    /// - [`Error::InvalidName`] if the new name is not allowed, or in another worktree's stack
    /// - [`Error::NoCommitter`], [`Error::Locked`], [`Error::Store`], [`Error::Config`]
    pub fn commit(self) -> Result<Committed> {
        name::check_existing(&self.old)?;
        name::check(&self.new)?;
        let author = Author::new(
            self.repository,
            self.committer.as_ref(),
            self.time,
            &self.message,
        )?;
        let (key, old) = route(self.repository, &self.old);
        let (other, new) = route(self.repository, &self.new);
        if key != other {
            let reason = "a ref cannot be moved to another worktree".into();
            let name = self.new.clone();
            return Err(Error::InvalidName { name, reason });
        }
        let mut stack = LockedStack::lock(self.repository, key)?;
        let (id, peeled) = self.read_old(&mut stack, old)?;
        self.check_new(&mut stack, old, new)?;
        let null = ObjectId::null(id.hash());
        let logs_head = self.deletes_old && points_at(&mut stack, old)?;
        let first = stack.addition.next_update_index();
        let moving = Moving {
            old,
            new,
            deletes_old: self.deletes_old,
            value: match &peeled {
                Some(peeled) => RefValue::Val2 {
                    value: id.as_bytes(),
                    target: peeled.as_bytes(),
                },
                None => RefValue::Val1(id.as_bytes()),
            },
            view: &stack.view,
            logs_head,
            entry: author.entry(None, longest_message(&stack.stack)),
            null: null.as_bytes(),
        };
        stack
            .addition
            .add_table(|writer| moving.write(writer, first))?;
        Ok(Committed::of(stack.commit()?))
    }

    /// The id and the peeled id of the ref to move.
    fn read_old(
        &self,
        stack: &mut LockedStack,
        old: &[u8],
    ) -> Result<(ObjectId, Option<ObjectId>)> {
        let hash = self.repository.hash();
        let found = stack.finder.find(old)?.map(|found| found.value);
        let found = match found {
            Some(RefValue::Symref(target)) => Value::Symbolic(target.into()),
            None | Some(RefValue::Deletion) => Value::Missing,
            Some(RefValue::Val1(id)) => return Ok((ObjectId::stored(id, hash), None)),
            Some(RefValue::Val2 { value, target }) => {
                let peeled = ObjectId::stored(target, hash);
                return Ok((ObjectId::stored(value, hash), Some(peeled)));
            }
        };
        Err(Error::Unexpected {
            name: self.old.clone(),
            expected: Value::Existing,
            found,
        })
    }

    /// Checks that the new name is available.
    fn check_new(&self, stack: &mut LockedStack, old: &[u8], new: &[u8]) -> Result<()> {
        let hash = self.repository.hash();
        let found = stack.finder.find(new)?.map(|found| match found.value {
            RefValue::Symref(target) => Value::Symbolic(target.into()),
            value => value
                .id()
                .map_or(Value::Existing, |id| Value::Id(ObjectId::stored(id, hash))),
        });
        if let Some(found) = found {
            return Err(Error::Unexpected {
                name: self.new.clone(),
                expected: Value::Missing,
                found,
            });
        }
        let absent = self.deletes_old.then_some(old);
        let all: &[&[u8]] = &[new];
        let mut names = all.iter().copied();
        match find_conflict(Some(&stack.view), &mut names, &all, absent)? {
            None => Ok(()),
            Some(conflict) => Err(Error::NameConflict {
                name: self.new.clone(),
                existing: conflict.other.into(),
            }),
        }
    }
}

/// Whether the `HEAD` of this stack points at the ref `name`.
fn points_at(stack: &mut LockedStack, name: &[u8]) -> Result<bool> {
    let head = stack.finder.find(b"HEAD")?;
    Ok(head.is_some_and(|head| head.value == RefValue::Symref(name)))
}
