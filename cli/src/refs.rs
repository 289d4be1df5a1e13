//! Lists of refs, of a repository or of one stack.
#![forbid(unsafe_code)]

use std::sync::Arc;

use bstr::ByteSlice as _;
use reftable::merged::{Merged, MergedRefs, RefFinder, Tombstones};
use reftable::record::RefValue;
use reftable::repo::{ReferenceRef, Refs, Snapshot, TargetRef};
use reftable::{ObjectId, Target};

use crate::failure::Result;
use crate::place::Place;

/// A ref that is listed.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    pub name: &'a [u8],
    pub target: TargetRef<'a>,
    pub peeled: Option<ObjectId>,
}

impl<'a> Item<'a> {
    /// The ref with the value of a record; `None` for a tombstone.
    pub fn of_record(name: &'a [u8], value: RefValue<'a>) -> Option<Self> {
        let id = |bytes: &[u8]| ObjectId::from_bytes(bytes);
        let (target, peeled) = match value {
            RefValue::Deletion => return None,
            RefValue::Val1(bytes) => (TargetRef::Id(id(bytes)?), None),
            RefValue::Val2 { value, target } => (TargetRef::Id(id(value)?), id(target)),
            RefValue::Symref(target) => (TargetRef::Symbolic(target.as_bstr()), None),
        };
        Some(Self {
            name,
            target,
            peeled,
        })
    }

    fn of_reference(found: ReferenceRef<'a>) -> Self {
        Self {
            name: found.name,
            target: found.target(),
            peeled: found.peeled(),
        }
    }
}

/// The refs of a list, one after another.
pub enum List {
    /// As git lists them: those in `refs/`.
    Repository(Box<Refs>),
    /// All of a stack or of a table.
    View(Box<MergedRefs>),
}

impl List {
    /// The refs of a place whose names begin with `prefix`.
    pub fn new(place: &Place, prefix: &[u8]) -> Result<Self> {
        match place {
            Place::Repository(repository) => {
                Ok(Self::Repository(Box::new(repository.refs(prefix)?)))
            }
            _ => Self::of_view(&*place.view()?, prefix),
        }
    }

    pub fn of_view(view: &Merged, prefix: &[u8]) -> Result<Self> {
        let mut refs = view.refs(Tombstones::Hide);
        refs.seek_prefix(prefix)?;
        Ok(Self::View(Box::new(refs)))
    }

    /// The next ref; `None` at the end.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Item<'_>>> {
        match self {
            Self::Repository(refs) => Ok(refs.next()?.map(Item::of_reference)),
            Self::View(refs) => {
                if !refs.advance()? {
                    return Ok(None);
                }
                let record = refs.record();
                Ok(Item::of_record(record.name, record.value))
            }
        }
    }
}

/// Lookups by name.
pub enum Lookup<'p> {
    Repository(Box<Snapshot<'p>>),
    View(Box<RefFinder>),
}

/// A chain of symbolic refs is followed this far, as in git.
const DEPTH: usize = 5;

impl<'p> Lookup<'p> {
    pub fn new(place: &'p Place) -> Result<Self> {
        match place {
            Place::Repository(repository) => Ok(Self::Repository(Box::new(repository.snapshot()?))),
            _ => Ok(Self::of_view(&place.view()?)),
        }
    }

    pub fn of_view(view: &Arc<Merged>) -> Self {
        Self::View(Box::new(view.finder()))
    }

    /// The ref called `name`, its value and the object that it peels to.
    pub fn find(&mut self, name: &[u8]) -> Result<Option<(Target, Option<ObjectId>)>> {
        let item = match self {
            Self::Repository(snapshot) => {
                let found = snapshot.find(name)?;
                found.map(Item::of_reference)
            }
            Self::View(finder) => finder
                .find(name)?
                .and_then(|record| Item::of_record(record.name, record.value)),
        };
        Ok(item.map(|item| {
            let target = match item.target {
                TargetRef::Id(id) => Target::Id(id),
                TargetRef::Symbolic(name) => Target::Symbolic(name.into()),
            };
            (target, item.peeled)
        }))
    }

    /// The object at the end of a chain of symbolic refs.
    pub fn resolve(&mut self, name: &[u8]) -> Result<Option<ObjectId>> {
        let mut name = name.to_vec();
        for _ in 0..DEPTH {
            match self.find(&name)? {
                None => return Ok(None),
                Some((Target::Id(id), _)) => return Ok(Some(id)),
                Some((Target::Symbolic(next), _)) => name = next.into(),
            }
        }
        Ok(None)
    }

    /// The full name of the ref that the user means, by git's rules for short names. The name
    /// itself if there is no such ref.
    pub fn full_name(&mut self, short: &[u8], has: Has) -> Result<Option<Vec<u8>>> {
        for (before, after) in [
            ("", ""),
            ("refs/", ""),
            ("refs/tags/", ""),
            ("refs/heads/", ""),
            ("refs/remotes/", ""),
            ("refs/remotes/", "/HEAD"),
        ] {
            let name = [before.as_bytes(), short, after.as_bytes()].concat();
            let exists = match (has, &mut *self) {
                (Has::Log, Self::Repository(snapshot)) => snapshot.has_reflog(&name)?,
                _ => self.find(&name)?.is_some(),
            };
            if exists {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}

/// What a name must have to be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    Value,
    Log,
}
