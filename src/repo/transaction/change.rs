//! One change of a transaction.
#![forbid(unsafe_code)]

use bstr::{BStr, BString, ByteSlice};

use crate::repo::{Error, ObjectId, Result, Value};

/// The value that a ref must have for a change of it to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Any value, or none.
    #[default]
    Any,
    /// The ref must not exist.
    Missing,
    /// The ref must exist, whatever its value.
    Existing,
    /// The ref must have this object id. The null id is the same as [`Missing`](Self::Missing).
    Id(ObjectId),
    /// The ref must be a symbolic ref with this target.
    Symbolic(BString),
}

impl Expected {
    /// The value for [`Error::Unexpected`].
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Any | Self::Missing => Value::Missing,
            Self::Existing => Value::Existing,
            Self::Id(id) => Value::Id(*id),
            Self::Symbolic(target) => Value::Symbolic(target.clone()),
        }
    }
}

impl From<ObjectId> for Expected {
    fn from(id: ObjectId) -> Self {
        Self::Id(id)
    }
}

/// Which changes get a reflog entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Log {
    /// Those that `core.logAllRefUpdates` selects, and those of refs that have a reflog.
    #[default]
    ByRules,
    /// All, also if the ref has no reflog yet: as `git update-ref --create-reflog`.
    Always,
    /// None.
    Never,
}

/// One change of a [`Transaction`](super::Transaction), with its options.
///
/// ```
/// use reftable::repo::{Change, Expected};
///
/// # let id: reftable::ObjectId = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse()?;
/// // Detaches HEAD, whatever branch it is on.
/// let change = Change::update("HEAD", id, Expected::Existing)
///     .no_deref()
///     .message("checkout: moving to a commit");
/// # Ok::<(), reftable::ParseIdError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Change {
    pub(super) name: BString,
    pub(super) new: New,
    pub(super) expected: Expected,
    pub(super) no_deref: bool,
    pub(super) log: Option<Log>,
    /// Options that few changes have.
    pub(super) extra: Option<Box<Extra>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    pub(super) peeled: Option<ObjectId>,
    pub(super) message: Option<BString>,
}

/// The new value of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum New {
    /// The ref stays as it is.
    Same,
    Id(ObjectId),
    Symbolic(BString),
    Deleted,
}

impl Change {
    fn new(name: impl AsRef<[u8]>, new: New, expected: Expected) -> Self {
        // A symbolic ref is what the caller speaks of, not its target.
        let no_deref = matches!(new, New::Symbolic(_)) || matches!(expected, Expected::Symbolic(_));
        Self {
            name: name.as_ref().into(),
            new,
            expected,
            no_deref,
            log: None,
            extra: None,
        }
    }

    /// Creates the ref `name`, which must not exist. If it is a symbolic ref, its target must not
    /// exist, and is created.
    pub fn create(name: impl AsRef<[u8]>, id: ObjectId) -> Self {
        Self::new(name, New::Id(id), Expected::Missing)
    }

    /// Sets the ref `name` to an object id. If it is a symbolic ref, sets its target.
    pub fn update(name: impl AsRef<[u8]>, id: ObjectId, expected: Expected) -> Self {
        Self::new(name, New::Id(id), expected)
    }

    /// Deletes the ref `name` and its reflog. If it is a symbolic ref, deletes its target. To delete
    /// a ref that does not exist is no error unless it is expected.
    pub fn delete(name: impl AsRef<[u8]>, expected: Expected) -> Self {
        Self::new(name, New::Deleted, expected)
    }

    /// Makes `name` a symbolic ref with this target, which need not exist. If `name` is a symbolic
    /// ref it gets another target.
    pub fn symbolic(name: impl AsRef<[u8]>, target: impl AsRef<[u8]>, expected: Expected) -> Self {
        Self::new(name, New::Symbolic(target.as_ref().into()), expected)
    }

    /// Checks that the ref `name` has the expected value, and does not change it.
    pub fn verify(name: impl AsRef<[u8]>, expected: Expected) -> Self {
        Self::new(name, New::Same, expected)
    }

    /// Changes a symbolic ref itself and not its target. This is always so if the new value or the
    /// expected one is symbolic.
    pub fn no_deref(mut self) -> Self {
        self.no_deref = true;
        self
    }

    /// The object that the new id, that of an annotated tag, finally points at.
    ///
    /// It is stored with the ref, so that listing tags with the objects they point at need not read
    /// the tags. This crate reads no objects; without the peeled id, readers look it up.
    pub fn peeled(mut self, id: ObjectId) -> Self {
        self.extra().peeled = Some(id);
        self
    }

    /// The message of this change's reflog entry, instead of the transaction's.
    pub fn message(mut self, text: impl AsRef<[u8]>) -> Self {
        self.extra().message = Some(text.as_ref().into());
        self
    }

    /// Whether this change is logged, instead of the transaction's choice.
    pub fn log(mut self, log: Log) -> Self {
        self.log = Some(log);
        self
    }

    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// The name of the ref.
    #[must_use]
    pub fn name(&self) -> &BStr {
        self.name.as_bstr()
    }

    /// The value that the ref must have.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(super) fn peeled_id(&self) -> Option<&ObjectId> {
        self.extra.as_ref()?.peeled.as_ref()
    }

    pub(super) fn own_message(&self) -> Option<&BStr> {
        Some(self.extra.as_ref()?.message.as_ref()?.as_bstr())
    }

    /// Checks what does not depend on the repository's refs, and brings it into one form.
    pub(super) fn check(&self, hash: crate::format::HashId) -> Result<()> {
        use crate::repo::name::{check, check_existing};
        match &self.new {
            New::Same | New::Deleted => check_existing(&self.name)?,
            New::Id(_) => check(&self.name)?,
            New::Symbolic(target) => {
                check(&self.name)?;
                check_target(&self.name, target)?;
            }
        }
        let new = match self.new {
            New::Id(id) => Some(id),
            _ => None,
        };
        let old = match self.expected {
            Expected::Id(id) => Some(id),
            _ => None,
        };
        let peeled = self.peeled_id().copied();
        if let Some(id) = [new, old, peeled]
            .into_iter()
            .flatten()
            .find(|id| id.hash() != hash)
        {
            return Err(Error::WrongHash { id });
        }
        if [new, peeled].into_iter().flatten().any(|id| id.is_null()) {
            return Err(Error::NullId {
                name: self.name.clone(),
            });
        }
        Ok(())
    }
}

/// Checks the target of a symbolic ref.
fn check_target(name: &[u8], target: &[u8]) -> Result<()> {
    crate::repo::name::check(target)?;
    if name.ends_with(b"HEAD") && is_head(name) && !target.starts_with(b"refs/") {
        return Err(Error::InvalidName {
            name: target.into(),
            reason: "HEAD must point at a ref in refs/".into(),
        });
    }
    Ok(())
}

/// Whether `name` is the `HEAD` of a worktree.
fn is_head(name: &[u8]) -> bool {
    crate::repo::rules::owner_of(name).1 == b"HEAD"
}
