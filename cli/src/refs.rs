//! Lists of refs, of a repository or of one stack.
#![forbid(unsafe_code)]

use std::sync::Arc;

use bstr::{BStr, ByteSlice as _};
use reftable::merged::{Merged, MergedRefs, RefFinder, Tombstones};
use reftable::record::{RefRecord, RefValue};
use reftable::repo::{Reference, ReferenceRef, Refs, Snapshot};
use reftable::{ObjectId, Target};

use crate::failure::Result;
use crate::place::Place;

/// A ref that is listed. The value is not a tombstone.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    pub name: &'a [u8],
    pub value: RefValue<'a>,
    /// `None` if it is not known, or the ref is not in a table.
    pub update_index: Option<u64>,
}

impl<'a> Item<'a> {
    /// The ref of a record; `None` for a tombstone.
    #[inline]
    pub fn of_record(record: RefRecord<'a>) -> Option<Self> {
        (!record.is_deletion()).then_some(Self {
            name: record.name,
            value: record.value,
            update_index: Some(record.update_index),
        })
    }

    #[inline]
    fn of_reference(found: ReferenceRef<'a>) -> Self {
        Self {
            name: found.name,
            value: found.value(),
            update_index: found.update_index(),
        }
    }

    pub fn of_owned(reference: &'a Reference) -> Self {
        let value = match (&reference.target, &reference.peeled) {
            (Target::Id(id), Some(peeled)) => RefValue::Val2 {
                value: id.as_bytes(),
                target: peeled.as_bytes(),
            },
            (Target::Id(id), None) => RefValue::Val1(id.as_bytes()),
            (Target::Symbolic(target), _) => RefValue::Symref(target),
        };
        Self {
            name: &reference.name,
            value,
            update_index: None,
        }
    }

    /// The object id; `None` if the ref is symbolic.
    #[inline]
    pub fn id(&self) -> Option<&'a [u8]> {
        self.value.id()
    }

    /// The object that an annotated tag finally points at.
    #[inline]
    pub fn peeled(&self) -> Option<&'a [u8]> {
        self.value.peeled()
    }

    /// The name of the next ref, if the ref is symbolic.
    #[inline]
    pub fn symbolic(&self) -> Option<&'a BStr> {
        match self.value {
            RefValue::Symref(target) => Some(target.as_bstr()),
            _ => None,
        }
    }

    /// Whether both have the same object id or target.
    pub fn has_target_of(&self, other: &Self) -> bool {
        self.id() == other.id() && self.symbolic() == other.symbolic()
    }
}

/// The value of a ref that has been looked up.
#[derive(Clone, Debug)]
pub struct Found {
    pub target: Target,
    pub peeled: Option<ObjectId>,
    pub update_index: Option<u64>,
}

impl Found {
    /// `None` if an id has the wrong length, which a reader of tables refuses.
    fn new(item: &Item<'_>) -> Option<Self> {
        let target = match (item.symbolic(), item.id()) {
            (Some(name), _) => Target::Symbolic(name.into()),
            (None, id) => Target::Id(ObjectId::from_bytes(id?)?),
        };
        Some(Self {
            target,
            peeled: item.peeled().and_then(ObjectId::from_bytes),
            update_index: item.update_index,
        })
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
                Ok(Item::of_record(refs.record()))
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

    /// The value of the ref called `name`.
    pub fn find(&mut self, name: &[u8]) -> Result<Option<Found>> {
        let item = match self {
            Self::Repository(snapshot) => snapshot.find(name)?.map(Item::of_reference),
            Self::View(finder) => finder.find(name)?.and_then(Item::of_record),
        };
        Ok(item.and_then(|item| Found::new(&item)))
    }

    /// The object at the end of a chain of symbolic refs.
    pub fn resolve(&mut self, name: &[u8]) -> Result<Option<ObjectId>> {
        let mut name = name.to_vec();
        for _ in 0..DEPTH {
            match self.find(&name)?.map(|found| found.target) {
                None => return Ok(None),
                Some(Target::Id(id)) => return Ok(Some(id)),
                Some(Target::Symbolic(next)) => name = next.into(),
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
