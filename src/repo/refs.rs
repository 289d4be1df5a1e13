//! Lists of refs.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::owned::until_error;
use super::rules::{belongs_to_worktree, is_root_ref};
use super::{Reference, ReferenceRef, Repository, Result, Snapshot};
use crate::format::HashId;
use crate::merged::{Merged, MergedRefs, Tombstones};

/// The directory of all refs but root refs.
const TOP: &[u8] = b"refs/";

/// The refs that [`Repository::refs`] lists, in the order of the bytes of their names.
///
/// The refs stay the same whatever is changed meanwhile.
#[derive(Debug)]
pub struct Refs {
    hash: HashId,
    /// The shared refs and those of the main worktree.
    main: Lane,
    /// Those of the linked worktree.
    own: Option<Lane>,
}

/// The refs of one stack.
#[derive(Debug)]
struct Lane {
    refs: MergedRefs,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The current ref has been returned.
    Returned,
    /// The current ref has not been returned yet.
    Waiting,
    /// There are no more refs.
    End,
}

impl Lane {
    fn new(view: &Merged, prefix: &[u8]) -> Result<Self> {
        let mut refs = view.refs(Tombstones::Hide);
        match prefix == TOP {
            true => refs.seek(TOP)?,
            false => refs.seek_prefix(prefix)?,
        }
        Ok(Self {
            refs,
            progress: Progress::Returned,
        })
    }

    /// Moves to the next ref; returns `false` at the end.
    #[inline(always)]
    fn advance(&mut self) -> Result<bool> {
        // Nearly all refs are in the top directory. Checking this here is faster than a prefix
        // of the cursor, which may be of any length.
        Ok(self.refs.advance()? && self.refs.record().name.starts_with(TOP))
    }

    /// Moves to the next ref that `is_wanted`, unless one is waiting.
    fn fill(&mut self, is_wanted: impl Fn(&[u8]) -> bool) -> Result<()> {
        while self.progress == Progress::Returned {
            if !self.advance()? {
                self.progress = Progress::End;
            } else if is_wanted(self.refs.record().name) {
                self.progress = Progress::Waiting;
            }
        }
        Ok(())
    }

    /// The name of the ref that waits.
    fn waiting(&self) -> Option<&[u8]> {
        (self.progress == Progress::Waiting).then(|| self.refs.record().name)
    }

    fn take(&mut self) {
        if self.progress == Progress::Waiting {
            self.progress = Progress::Returned;
        }
    }
}

impl Refs {
    /// The next ref, valid until the next call; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged. Further calls return the same
    /// error.
    #[expect(
        clippy::should_implement_trait,
        reason = "the result borrows from self"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<ReferenceRef<'_>>> {
        if self.own.is_some() {
            return self.next_of_two();
        }
        if !self.main.refs.advance()? {
            return Ok(None);
        }
        let refs = &self.main.refs;
        let record = refs.fast_record().unwrap_or_else(|| refs.record());
        let is_wanted = record.name.starts_with(TOP);
        Ok(is_wanted.then(|| ReferenceRef::new(record.name, record.value, self.hash)))
    }

    /// The next ref of two stacks. The worktree's own refs hide those of the main worktree: all
    /// that are not shared, and shared ones of the same name.
    #[inline(never)]
    fn next_of_two(&mut self) -> Result<Option<ReferenceRef<'_>>> {
        let hash = self.hash;
        let lane = self.choose()?;
        Ok(lane.map(|lane| {
            let record = lane.refs.record();
            ReferenceRef::new(record.name, record.value, hash)
        }))
    }

    /// The stack with the next ref.
    fn choose(&mut self) -> Result<Option<&Lane>> {
        let Some(own) = &mut self.own else {
            return Ok(None);
        };
        own.fill(|_| true)?;
        self.main.fill(|name| !belongs_to_worktree(name))?;
        let order = match (own.waiting(), self.main.waiting()) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(own), Some(main)) => own.cmp(main),
        };
        if order != Ordering::Less {
            self.main.take();
        }
        if order == Ordering::Greater {
            return Ok(Some(&self.main));
        }
        own.take();
        Ok(Some(own))
    }

    /// The refs as values of their own. The iteration ends after an error.
    pub fn owned(mut self) -> impl Iterator<Item = Result<Reference>> {
        until_error(move || Ok(self.next()?.map(|found| found.to_owned())))
    }
}

impl Repository {
    /// The refs of the current worktree whose names begin with `prefix`.
    ///
    /// See [`Snapshot::refs`].
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
    /// let mut branches = repository.refs("refs/heads/")?;
    /// while let Some(branch) = branches.next()? {
    ///     println!("{} {:?}", branch.name, branch.target());
    /// }
    ///
    /// // An iterator over values of their own.
    /// let all = repository.refs("")?.owned().collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(all[1].name, "refs/tags/v1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the references cannot be read.
    pub fn refs(&self, prefix: impl AsRef<[u8]>) -> Result<Refs> {
        self.snapshot()?.refs(prefix)
    }

    /// The refs of the current worktree outside `refs/`.
    ///
    /// See [`Snapshot::root_refs`].
    ///
    /// # Errors
    /// If the references cannot be read.
    pub fn root_refs(&self) -> Result<Vec<Reference>> {
        self.snapshot()?.root_refs()
    }
}

impl Snapshot<'_> {
    /// The refs of the current worktree whose names begin with `prefix`, in the order of the bytes
    /// of their names: those in `refs/` that all worktrees share, and those of this worktree.
    /// `git for-each-ref` lists the same.
    ///
    /// The list includes refs that git considers broken. `git for-each-ref` skips them with a
    /// warning: symbolic refs without a target, names that git does not allow, and null ids. Do not
    /// use a name as a path without a check such as [`check_name`](super::check_name).
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged.
    pub fn refs(&self, prefix: impl AsRef<[u8]>) -> Result<Refs> {
        let hash = self.repository.hash();
        let prefix = match prefix.as_ref() {
            prefix if prefix.starts_with(TOP) => prefix,
            prefix if TOP.starts_with(prefix) => TOP,
            _ => {
                let nothing = Merged::new(Vec::new(), hash)?;
                return Ok(Refs {
                    hash,
                    main: Lane::new(&nothing, TOP)?,
                    own: None,
                });
            }
        };
        let own = self.current.as_ref();
        let own = own.map(|view| Lane::new(&view.merged, prefix));
        Ok(Refs {
            hash,
            main: Lane::new(&self.main.merged, prefix)?,
            own: own.transpose()?,
        })
    }

    /// The refs of the current worktree outside `refs/`: `HEAD`, `ORIG_HEAD` and others. `git
    /// for-each-ref --include-root-refs` lists the same in addition to the refs in `refs/`.
    /// `FETCH_HEAD` and `MERGE_HEAD` are files and not among them.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store) if a table is damaged.
    pub fn root_refs(&self) -> Result<Vec<Reference>> {
        let view = self.current.as_ref().unwrap_or(&self.main);
        let mut refs = view.merged.refs(Tombstones::Hide);
        let mut all = Vec::new();
        while refs.advance()? {
            let record = refs.record();
            // Root refs consist of capital letters, '-' and '_'.
            if record.name.first() > Some(&b'_') {
                break;
            }
            if is_root_ref(record.name) {
                let found = ReferenceRef::new(record.name, record.value, self.repository.hash());
                all.push(found.to_owned());
            }
        }
        Ok(all)
    }
}
