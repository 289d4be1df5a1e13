//! The values of refs.
#![forbid(unsafe_code)]

use bstr::{BStr, BString, ByteSlice};

use super::ObjectId;
use crate::format::HashId;
use crate::record::{RefRecord, RefValue};

/// A ref.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reference {
    /// The full name, such as `refs/heads/main`.
    pub name: BString,
    /// What it points at.
    pub target: Target,
    /// The object that an annotated tag finally points at. `None` for all other refs, and for tags
    /// that were written without it.
    pub peeled: Option<ObjectId>,
}

/// What a ref points at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An object.
    Id(ObjectId),
    /// The ref with this name.
    Symbolic(BString),
}

/// A [`Reference`] borrowed from a table. Ids are copied only when a method is called.
///
/// Refs are equal if their names and values are, whichever transactions wrote them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReferenceRef<'a> {
    /// The full name, such as `refs/heads/main`.
    pub name: &'a BStr,
    value: RefValue<'a>,
    /// 0 if the ref is not in a table.
    update_index: u64,
    hash: HashId,
}

impl PartialEq for ReferenceRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.value) == (other.name, other.value)
    }
}

impl Eq for ReferenceRef<'_> {}

/// A [`Target`] whose text is borrowed from a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetRef<'a> {
    /// An object.
    Id(ObjectId),
    /// The ref with this name.
    Symbolic(&'a BStr),
}

impl Target {
    /// The object id, unless the ref is symbolic.
    #[must_use]
    pub fn id(&self) -> Option<ObjectId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Symbolic(_) => None,
        }
    }

    /// The name of the next ref, if the ref is symbolic.
    #[must_use]
    pub fn symbolic(&self) -> Option<&BStr> {
        match self {
            Self::Id(_) => None,
            Self::Symbolic(name) => Some(name.as_bstr()),
        }
    }
}

impl<'a> TargetRef<'a> {
    /// The object id, unless the ref is symbolic.
    #[must_use]
    pub fn id(&self) -> Option<ObjectId> {
        match *self {
            Self::Id(id) => Some(id),
            Self::Symbolic(_) => None,
        }
    }

    /// The name of the next ref, if the ref is symbolic.
    #[must_use]
    pub fn symbolic(&self) -> Option<&'a BStr> {
        match *self {
            Self::Id(_) => None,
            Self::Symbolic(name) => Some(name),
        }
    }

    /// A copy that owns its text.
    #[must_use]
    pub fn to_owned(&self) -> Target {
        match *self {
            Self::Id(id) => Target::Id(id),
            Self::Symbolic(name) => Target::Symbolic(name.into()),
        }
    }
}

impl<'a> ReferenceRef<'a> {
    /// The ref `name` with a value of ids of `hash` that is not a tombstone.
    #[inline(always)]
    pub(super) fn new(record: RefRecord<'a>, hash: HashId) -> Self {
        Self {
            name: record.name.as_bstr(),
            value: record.value,
            update_index: record.update_index,
            hash,
        }
    }

    /// The value as it is stored, which is not a tombstone.
    #[inline]
    #[must_use]
    pub fn value(&self) -> RefValue<'a> {
        self.value
    }

    /// The number of the transaction that wrote this value. `None` for refs that git keeps in a
    /// file, such as `FETCH_HEAD`.
    ///
    /// ```
    /// # use reftable::repo::{Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let repository = Repository::open_at(layout, Settings::default());
    /// # let id = ObjectId::from_bytes(&[0x11; 20]).unwrap();
    /// # let mut create = |name| {
    /// #     let mut change = repository.transaction();
    /// #     change.log(reftable::repo::Log::Never);
    /// #     change.create(name, id).commit()
    /// # };
    /// create("refs/heads/one")?;
    /// create("refs/heads/two")?;
    /// let mut snapshot = repository.snapshot()?;
    /// let found = snapshot.find("refs/heads/two")?.unwrap();
    /// assert_eq!(found.update_index(), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn update_index(&self) -> Option<u64> {
        (self.update_index > 0).then_some(self.update_index)
    }

    /// What it points at.
    #[inline]
    #[must_use]
    pub fn target(&self) -> TargetRef<'a> {
        match self.value {
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => TargetRef::Id(self.stored(id)),
            RefValue::Symref(target) => TargetRef::Symbolic(target.as_bstr()),
            // Readers hide tombstones.
            RefValue::Deletion => TargetRef::Id(ObjectId::null(self.hash)),
        }
    }

    /// The object that it points at; `None` if it is symbolic.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Option<ObjectId> {
        self.value.id().map(|id| self.stored(id))
    }

    /// The object that an annotated tag finally points at. `None` for all other refs, and for tags
    /// that were written without it.
    #[inline]
    #[must_use]
    pub fn peeled(&self) -> Option<ObjectId> {
        self.value.peeled().map(|id| self.stored(id))
    }

    #[inline(always)]
    fn stored(&self, id: &[u8]) -> ObjectId {
        ObjectId::stored(id, self.hash)
    }

    /// A copy that owns its texts.
    #[must_use]
    pub fn to_owned(&self) -> Reference {
        Reference {
            name: self.name.into(),
            target: self.target().to_owned(),
            peeled: self.peeled(),
        }
    }
}
