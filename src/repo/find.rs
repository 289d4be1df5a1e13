//! Looking up refs by name, and following symbolic refs.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use bstr::BString;

use super::path::path_of;
use super::rules::{is_file, is_well_formed, SYMREF_DEPTH};
use super::{Error, ObjectId, Reference, ReferenceRef, Repository, Result, Snapshot, TargetRef};
use crate::format::HashId;
use crate::record::{RefRecord, RefValue};
use crate::sys::read_start;

/// The longest beginning of `FETCH_HEAD` that matters: an id and what ends it.
const ID_LINE: u64 = 65;

/// The end of a chain of symbolic refs; of a direct ref, the ref itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Resolved {
    /// The full name of the last ref.
    pub name: BString,
    /// Its object; `None` if this ref does not exist, like an unborn branch.
    pub id: Option<ObjectId>,
    /// The object that an annotated tag finally points at, if it was written with the ref.
    pub peeled: Option<ObjectId>,
}

impl Repository {
    /// The ref called `name`, without following symbolic refs.
    ///
    /// See [`Snapshot::find`].
    ///
    /// # Errors
    /// If the references cannot be read.
    pub fn find(&self, name: impl AsRef<[u8]>) -> Result<Option<Reference>> {
        let mut snapshot = self.snapshot()?;
        let found = snapshot.find(name.as_ref())?;
        Ok(found.map(|found| found.to_owned()))
    }

    /// The end of the chain of symbolic refs that begins with `name`.
    ///
    /// See [`Snapshot::resolve`].
    ///
    /// ```
    /// # use reftable::repo::{Expected, Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let repository = Repository::open_at(layout, Settings::default());
    /// # let id = ObjectId::from_bytes(&[0x11; 20]).unwrap();
    /// # let mut change = repository.transaction();
    /// # change.log(reftable::repo::Log::Never);
    /// # change.set_symbolic("HEAD", "refs/heads/main", Expected::Any);
    /// # change.create("refs/heads/main", id).commit()?;
    /// let end = repository.resolve("HEAD")?.expect("HEAD exists");
    /// assert_eq!(end.name, "refs/heads/main");
    /// assert_eq!(end.id, Some(id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Snapshot::resolve`].
    pub fn resolve(&self, name: impl AsRef<[u8]>) -> Result<Option<Resolved>> {
        self.snapshot()?.resolve(name)
    }
}

impl Snapshot<'_> {
    /// The ref called `name`, without following symbolic refs; `None` if there is none.
    ///
    /// `name` is a full name. Refs of other worktrees have git's long names: `main-worktree/HEAD`,
    /// `worktrees/W/refs/bisect/bad`.
    ///
    /// `FETCH_HEAD` and `MERGE_HEAD` are files in the git directory, not part of the snapshot. The
    /// id at the beginning of the file is returned. An empty file, which a failed `git fetch`
    /// leaves behind, counts as missing.
    ///
    /// # Errors
    /// [`Error::Store`] if a table that must be read is damaged; [`Error::Io`] if a file is not
    /// readable or does not begin with an object id.
    pub fn find<'s, N>(&'s mut self, name: &'s N) -> Result<Option<ReferenceRef<'s>>>
    where
        N: AsRef<[u8]> + ?Sized,
    {
        let name = name.as_ref();
        if is_file(name) {
            return self.find_in_file(name);
        }
        let hash = self.repository.hash();
        let Some((view, bare)) = self.route(name)? else {
            return Ok(None);
        };
        let found = view.finder.find(bare)?;
        Ok(found.map(|record| ReferenceRef::new(RefRecord { name, ..record }, hash)))
    }

    /// The end of the chain of symbolic refs that begins with `name`; `None` if there is no ref
    /// called `name`, or git does not allow that name.
    ///
    /// # Errors
    /// As for [`find`](Self::find). [`Error::TooManySymrefs`] if the chain has more than five refs
    /// or is a circle; [`Error::InvalidName`] if git does not allow the target of a symbolic ref.
    pub fn resolve(&mut self, name: impl AsRef<[u8]>) -> Result<Option<Resolved>> {
        let first = name.as_ref();
        if !is_well_formed(first) {
            return Ok(None);
        }
        let mut name = BString::from(first);
        for depth in 0..SYMREF_DEPTH {
            let Some(found) = self.find(name.as_slice())? else {
                return Ok((depth > 0).then_some(Resolved {
                    name,
                    id: None,
                    peeled: None,
                }));
            };
            match found.target() {
                TargetRef::Id(id) => {
                    let peeled = found.peeled();
                    return Ok(Some(Resolved {
                        name,
                        id: Some(id),
                        peeled,
                    }));
                }
                TargetRef::Symbolic(target) if !is_well_formed(target) => {
                    return Err(Error::InvalidName {
                        name: target.into(),
                        reason: "target of a symbolic ref".into(),
                    });
                }
                TargetRef::Symbolic(target) => {
                    let target = target.into();
                    name = target;
                }
            }
        }
        Err(Error::TooManySymrefs { name: first.into() })
    }

    /// The ref that git keeps in a file of its own.
    #[cold]
    fn find_in_file<'s>(&'s mut self, name: &'s [u8]) -> Result<Option<ReferenceRef<'s>>> {
        let layout = self.repository.layout();
        let Some(path) = path_of(name) else {
            return Ok(None);
        };
        let path = layout.git_dir().join(path);
        let id = match read_id(&path, layout.hash()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("read", path, e)),
            Ok(None) => return Ok(None),
            Ok(Some(id)) => id,
        };
        let id = self.special.insert(id);
        let record = RefRecord {
            name,
            update_index: 0,
            value: RefValue::Val1(id.as_bytes()),
        };
        Ok(Some(ReferenceRef::new(record, layout.hash())))
    }
}

/// The id at the beginning of a file; `None` if it is empty.
fn read_id(path: &Path, hash: HashId) -> io::Result<Option<ObjectId>> {
    let bytes = read_start(path, ID_LINE)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let (digits, rest) = bytes.split_at_checked(2 * hash.len()).unwrap_or_default();
    let is_end = rest.first().is_none_or(u8::is_ascii_whitespace);
    let id = ObjectId::from_hex(digits).filter(|_| is_end);
    let text = "it does not begin with an object id";
    id.map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, text))
}
