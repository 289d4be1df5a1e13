//! Lists of refs.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::owned::until_error;
use super::rules::{belongs_to_worktree, is_root_ref};
use super::{Reference, ReferenceRef, Repository, Result, Snapshot};
use crate::format::HashId;
use crate::merged::{Merged, MergedRefs, Tombstones};
use crate::record::RefRecord;

/// The directory of all refs but root refs.
const TOP: &[u8] = b"refs/";

/// The refs that [`Repository::refs`] lists, in the order of the bytes of their names.
///
/// The refs stay the same whatever is changed meanwhile.
#[derive(Debug)]
pub struct Refs {
    hash: HashId,
    /// The shared refs and those of the main worktree.
    main: MergedRefs,
    /// Those of the linked worktree.
    own: Option<Own>,
}

/// The refs of a linked worktree, beside those of the main stack.
#[derive(Debug)]
struct Own {
    refs: MergedRefs,
    progress: Progress,
    /// The name of the ref that is waiting.
    name: Vec<u8>,
    /// That of the main stack.
    main: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The current ref has been returned.
    Returned,
    /// The current ref is waiting to be returned.
    Waiting,
    /// There are no more refs.
    End,
}

/// Which stack has the next ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Main,
    Own,
    Neither,
}

impl Own {
    fn new(view: &Merged, prefix: &[u8]) -> Result<Self> {
        Ok(Self {
            refs: begin(view, prefix)?,
            progress: Progress::Returned,
            name: Vec::new(),
            main: Progress::Returned,
        })
    }

    /// Moves to the next ref, unless one is waiting.
    fn fill(&mut self) -> Result<()> {
        if self.progress != Progress::Returned {
            return Ok(());
        }
        let has_next = self.refs.advance()?;
        let name = self.refs.record().name;
        self.name.clear();
        self.name.extend_from_slice(name);
        self.progress = match has_next && name.starts_with(TOP) {
            true => Progress::Waiting,
            false => Progress::End,
        };
        Ok(())
    }

    /// Moves the main stack to its next ref if that can be the next one of both, and returns
    /// whether it is. This is so for nearly all refs.
    #[inline(always)]
    fn next_is_main(&mut self, main: &mut MergedRefs) -> Result<bool> {
        if self.main != Progress::Returned || self.progress == Progress::Returned {
            return Ok(false);
        }
        if main.advance_inline()? {
            return Ok(self.accepts(current(main).name));
        }
        self.main = Progress::End;
        Ok(false)
    }

    /// Whether the ref `name`, which the main stack has moved to, is the next one. If not, it
    /// waits, or is skipped.
    #[inline(always)]
    fn accepts(&mut self, name: &[u8]) -> bool {
        let is_first = || self.progress == Progress::End || precedes(name, &self.name);
        self.main = match name.starts_with(TOP) {
            true if is_own(name) => Progress::Returned,
            true if is_first() => return true,
            true => Progress::Waiting,
            false => Progress::End,
        };
        false
    }

    /// The stack with the next ref, which is then the current one there. The worktree's own refs
    /// hide those of the main worktree: all that are not shared, and shared ones of the same name.
    #[cold]
    #[inline(never)]
    fn choose(&mut self, main: &mut MergedRefs) -> Result<Next> {
        self.fill()?;
        while self.main == Progress::Returned {
            if !main.advance()? {
                self.main = Progress::End;
            } else if self.accepts(current(main).name) {
                return Ok(Next::Main);
            }
        }
        Ok(self.choose_waiting(main))
    }

    /// As [`choose`](Self::choose), if no stack is to be moved.
    fn choose_waiting(&mut self, main: &MergedRefs) -> Next {
        let is_waiting = |progress| progress == Progress::Waiting;
        let order = match (is_waiting(self.progress), is_waiting(self.main)) {
            (false, false) => return Next::Neither,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => self.name.as_slice().cmp(current(main).name),
        };
        if order != Ordering::Less {
            self.main = Progress::Returned;
        }
        if order == Ordering::Greater {
            return Next::Main;
        }
        self.progress = Progress::Returned;
        Next::Own
    }
}

/// A cursor before the first ref with the prefix.
fn begin(view: &Merged, prefix: &[u8]) -> Result<MergedRefs> {
    let mut refs = view.refs(Tombstones::Hide);
    // Nearly all refs are in the top directory. Comparing a name with that is faster than with the
    // prefix of a cursor, which may have any length.
    match prefix == TOP {
        true => refs.seek(TOP)?,
        false => refs.seek_prefix(prefix)?,
    }
    Ok(refs)
}

/// The current ref of a cursor that has advanced.
#[inline(always)]
fn current(refs: &MergedRefs) -> RefRecord<'_> {
    refs.fast_record().unwrap_or_else(|| refs.record())
}

/// Whether a ref in `refs/` belongs to a worktree.
#[inline(always)]
fn is_own(name: &[u8]) -> bool {
    // `refs/heads` and `refs/tags` need one comparison.
    matches!(name.get(TOP.len()), Some(b'b' | b'r' | b'w')) && belongs_to_worktree(name)
}

/// Whether `a` sorts before `b`; both are in `refs/`. Mostly the next bytes decide.
#[inline(always)]
fn precedes(a: &[u8], b: &[u8]) -> bool {
    let word = |name: &[u8]| {
        let word = name.get(TOP.len()..)?.first_chunk()?;
        Some(u64::from_be_bytes(*word))
    };
    match (word(a), word(b)) {
        (Some(a), Some(b)) if a != b => a < b,
        _ => a < b,
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
        if !self.main.advance()? {
            return Ok(None);
        }
        let record = current(&self.main);
        let is_listed = record.name.starts_with(TOP);
        Ok(is_listed.then(|| ReferenceRef::new(record, self.hash)))
    }

    /// The next ref of two stacks.
    #[inline(never)]
    fn next_of_two(&mut self) -> Result<Option<ReferenceRef<'_>>> {
        let Some(own) = &mut self.own else {
            return Ok(None);
        };
        let record = match own.next_is_main(&mut self.main)? {
            true => current(&self.main),
            false => match own.choose(&mut self.main)? {
                Next::Main => current(&self.main),
                Next::Own => own.refs.record(),
                Next::Neither => return Ok(None),
            },
        };
        Ok(Some(ReferenceRef::new(record, self.hash)))
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
                    main: begin(&nothing, TOP)?,
                    own: None,
                });
            }
        };
        let own = self.current.as_ref();
        let own = own.map(|view| Own::new(&view.merged, prefix));
        Ok(Refs {
            hash,
            main: begin(&self.main.merged, prefix)?,
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
                let found = ReferenceRef::new(record, self.repository.hash());
                all.push(found.to_owned());
            }
        }
        Ok(all)
    }
}
