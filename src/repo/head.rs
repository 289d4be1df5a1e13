//! The current branch.
#![forbid(unsafe_code)]

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

use super::{Error, ObjectId, Repository, Resolved, Result, Snapshot};

/// What is checked out in a worktree.
///
/// Its text, in [`Display`](fmt::Display), is for prompts: the name of the branch without
/// `refs/heads/`, or the first seven digits of the commit's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Head {
    /// A branch.
    Branch {
        /// The full name, such as `refs/heads/main`.
        name: BString,
        /// Its commit.
        id: ObjectId,
    },
    /// A branch that does not exist yet: the next commit creates it.
    Unborn {
        /// The full name.
        name: BString,
    },
    /// A commit, and no branch.
    Detached {
        /// The commit.
        id: ObjectId,
    },
}

/// Digits of an abbreviated id.
const ABBREVIATED: usize = 7;

impl Head {
    /// The full name of the branch; `None` if no branch is checked out.
    #[must_use]
    pub fn name(&self) -> Option<&BStr> {
        match self {
            Self::Branch { name, .. } | Self::Unborn { name } => Some(name.as_bstr()),
            Self::Detached { .. } => None,
        }
    }

    /// The short name of the branch; `None` if no branch is checked out, or a ref that is not in
    /// `refs/heads`.
    #[must_use]
    pub fn branch(&self) -> Option<&BStr> {
        let short = self.name()?.strip_prefix(b"refs/heads/")?;
        Some(short.as_bstr())
    }

    /// The commit; `None` if the branch is unborn.
    #[must_use]
    pub fn id(&self) -> Option<ObjectId> {
        match self {
            Self::Branch { id, .. } | Self::Detached { id } => Some(*id),
            Self::Unborn { .. } => None,
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.branch().or(self.name()), self.id()) {
            (Some(name), _) => name.fmt(f),
            (None, Some(id)) => f.write_str(id.to_string().get(..ABBREVIATED).unwrap_or_default()),
            (None, None) => Ok(()),
        }
    }
}

impl Repository {
    /// What is checked out in the current worktree.
    ///
    /// ```
    /// # use reftable::repo::{Expected, Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let repository = Repository::open_at(layout, Settings::default());
    /// # let mut change = repository.transaction();
    /// # change.set_symbolic("HEAD", "refs/heads/main", Expected::Any).commit()?;
    /// let head = repository.head()?;
    /// assert_eq!(head.to_string(), "main");
    /// assert_eq!(head.name().unwrap(), "refs/heads/main");
    /// assert!(head.id().is_none(), "unborn");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Snapshot::head`].
    pub fn head(&self) -> Result<Head> {
        self.snapshot()?.head()
    }
}

impl Snapshot<'_> {
    /// What is checked out in the current worktree.
    ///
    /// # Errors
    /// [`Error::NoHead`] if there is no ref `HEAD`; otherwise as for
    /// [`resolve`](Snapshot::resolve).
    pub fn head(&mut self) -> Result<Head> {
        let Some(Resolved { name, id, .. }) = self.resolve("HEAD")? else {
            return Err(Error::NoHead {
                git_dir: self.repository.layout().git_dir().to_owned(),
            });
        };
        Ok(match id {
            None => Head::Unborn { name },
            Some(id) if name == "HEAD" => Head::Detached { id },
            Some(id) => Head::Branch { name, id },
        })
    }
}
