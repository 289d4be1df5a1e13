//! Where the parts of a repository are.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

use super::path::bytes_of;
use super::rules::belongs_to_worktree;
use crate::format::HashId;

/// The directories of a repository and the hash function of its objects.
///
/// [`Repository::discover`](super::Repository::discover) and
/// [`open`](super::Repository::open) find them; a program that knows them already can use
/// [`new`](Self::new) and [`Repository::open_at`](super::Repository::open_at).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(super) git_dir: PathBuf,
    pub(super) common_dir: PathBuf,
    /// The directory of the main stack.
    pub(super) ref_dir: PathBuf,
    /// The directory of the current worktree's stack.
    pub(super) own_ref_dir: PathBuf,
    pub(super) work_dir: Option<PathBuf>,
    /// The directory with `.git` in it, which `core.worktree` does not change.
    pub(super) found_in: Option<PathBuf>,
    pub(super) worktree: Option<BString>,
    pub(super) hash: HashId,
    pub(super) is_bare: bool,
    /// Whether each worktree has a configuration of its own besides the common one.
    pub(super) has_worktree_config: bool,
}

impl Layout {
    /// The layout of the repository whose objects have ids of `hash`. `git_dir` is its git
    /// directory or that of a linked worktree, `common_dir` that of the repository. For the main
    /// worktree they are the same.
    #[must_use]
    pub fn new(git_dir: impl Into<PathBuf>, common_dir: impl Into<PathBuf>, hash: HashId) -> Self {
        let (git_dir, common_dir) = (git_dir.into(), common_dir.into());
        let worktree = match git_dir == common_dir {
            true => None,
            false => git_dir
                .file_name()
                .map(|name| bytes_of(name.as_ref()).into()),
        };
        Self {
            ref_dir: common_dir.clone(),
            own_ref_dir: git_dir.clone(),
            git_dir,
            common_dir,
            work_dir: None,
            found_in: None,
            worktree,
            hash,
            is_bare: false,
            has_worktree_config: false,
        }
    }

    /// The git directory: of a linked worktree, its directory in the repository's `worktrees`.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The directory that all worktrees share, with the objects and the configuration.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The directory with the files that the user edits; `None` for a bare repository or if it is
    /// unknown.
    #[must_use]
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// The name of the linked worktree; `None` for the main one.
    #[must_use]
    pub fn worktree(&self) -> Option<&BStr> {
        self.worktree.as_ref().map(|name| name.as_bstr())
    }

    /// The hash function of the object ids.
    #[must_use]
    pub fn hash(&self) -> HashId {
        self.hash
    }

    /// Whether there is no working tree, as git's `rev-parse --is-bare-repository`. A linked worktree
    /// of a bare repository has one.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// The name by which this worktree knows the ref `name` of the stack of `worktree`; `None` for
    /// the main one.
    pub(super) fn long_name(&self, worktree: Option<&BStr>, name: &[u8]) -> BString {
        match worktree {
            Some(other) if self.worktree() != Some(other) => {
                [b"worktrees/", other.as_bytes(), b"/", name]
                    .concat()
                    .into()
            }
            None if self.worktree.is_some() && belongs_to_worktree(name) => {
                [b"main-worktree/", name].concat().into()
            }
            _ => name.into(),
        }
    }

    /// The directory of the stack with the shared refs and those of the main worktree.
    pub(super) fn main_stack(&self) -> PathBuf {
        self.ref_dir.join(STACK)
    }

    /// The directory of the stack of the current worktree.
    pub(super) fn own_stack(&self) -> PathBuf {
        self.own_ref_dir.join(STACK)
    }

    /// The directory of the stack of the linked worktree `name`.
    pub(super) fn worktree_stack(&self, name: &Path) -> PathBuf {
        self.ref_dir.join("worktrees").join(name).join(STACK)
    }
}

/// The name of a stack's directory.
const STACK: &str = "reftable";
