//! The refs of an object.
#![forbid(unsafe_code)]

use super::rules::belongs_to_worktree;
use super::{Error, ObjectId, Reference, ReferenceRef, Repository, Result, Snapshot};
use crate::format::{self, IdPrefix};
use crate::merged::{Merged, RefsOf};

impl Repository {
    /// The refs of the current worktree that point at an object.
    ///
    /// See [`Snapshot::refs_of`].
    ///
    /// ```
    /// # use reftable::repo::{Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let repository = Repository::open_at(layout, Settings::default());
    /// # let id = ObjectId::from_bytes(&[0x11; 20]).unwrap();
    /// # let mut change = repository.transaction();
    /// # change.log(reftable::repo::Log::Never);
    /// # change.create("refs/heads/main", id).create("refs/tags/v1", id).commit()?;
    /// let names: Vec<_> = repository.refs_of(id)?.into_iter().map(|found| found.name).collect();
    /// assert_eq!(names, ["refs/heads/main", "refs/tags/v1"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Snapshot::refs_of`].
    pub fn refs_of(&self, id: ObjectId) -> Result<Vec<Reference>> {
        self.snapshot()?.refs_of(id)
    }

    /// The refs of the current worktree that point at an object whose id begins with `prefix`.
    ///
    /// See [`Snapshot::refs_of_prefix`].
    ///
    /// # Errors
    /// As for [`Snapshot::refs_of_prefix`].
    pub fn refs_of_prefix(&self, prefix: &IdPrefix) -> Result<Vec<Reference>> {
        self.snapshot()?.refs_of_prefix(prefix)
    }
}

impl Snapshot<'_> {
    /// The refs that point at the object `id`, or at an annotated tag whose
    /// [peeled](Reference::peeled) id it is, sorted by name. These are refs that
    /// [`refs`](Self::refs) lists; symbolic refs are not included.
    ///
    /// In large tables an index from objects to refs finds them. `git for-each-ref --points-at`
    /// reads all refs instead; it also lists symbolic refs, and lists a tag of a tag for the inner
    /// tag, too.
    ///
    /// # Errors
    /// [`Error::WrongHash`] if `id` is of another hash than the repository;
    /// [`Error::Store`] if a table is damaged.
    pub fn refs_of(&self, id: ObjectId) -> Result<Vec<Reference>> {
        if id.hash() != self.repository.hash() {
            return Err(Error::WrongHash { id });
        }
        self.refs_found(&|view| view.refs_of(id.as_bytes()))
    }

    /// The refs that point at an object whose id begins with `prefix`, or at an annotated tag of
    /// such an object; otherwise as [`refs_of`](Self::refs_of). If the prefix is ambiguous, these
    /// are refs of several objects.
    ///
    /// ```
    /// # use reftable::repo::{Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let repository = Repository::open_at(layout, Settings::default());
    /// # let id = ObjectId::from_bytes(&[0x11; 20]).unwrap();
    /// # let mut change = repository.transaction();
    /// # change.log(reftable::repo::Log::Never);
    /// # change.create("refs/heads/main", id).commit()?;
    /// use reftable::format::IdPrefix;
    ///
    /// let prefix = IdPrefix::from_hex("11111").unwrap();
    /// assert_eq!(repository.snapshot()?.refs_of_prefix(&prefix)?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] if a table is damaged.
    pub fn refs_of_prefix(&self, prefix: &IdPrefix) -> Result<Vec<Reference>> {
        self.refs_found(&|view| view.refs_of_prefix(prefix))
    }

    /// The refs that `find` finds in each stack.
    fn refs_found(
        &self,
        find: &dyn Fn(&Merged) -> format::Result<RefsOf>,
    ) -> Result<Vec<Reference>> {
        let hash = self.repository.hash();
        let mut all = Vec::new();
        let mut add = |view: &Merged, hides: &mut dyn FnMut(&[u8]) -> Result<bool>| {
            let mut refs = find(view)?;
            while refs.advance()? {
                let record = refs.record();
                if record.name.starts_with(b"refs/") && !hides(record.name)? {
                    let found = ReferenceRef::new(record, hash);
                    all.push(found.to_owned());
                }
            }
            Ok::<(), Error>(())
        };
        let Some(own) = &self.current else {
            add(&self.main.merged, &mut |_| Ok(false))?;
            return Ok(all);
        };
        add(&own.merged, &mut |_| Ok(false))?;
        // As in a list of all refs, the worktree's own refs hide those of the main one.
        let mut finder = own.merged.finder();
        add(&self.main.merged, &mut |name| {
            Ok(belongs_to_worktree(name) || finder.find(name)?.is_some())
        })?;
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }
}
