//! Opening a repository: by a path in it, by its environment, or from another worktree of it.
#![forbid(unsafe_code)]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use bstr::BString;

use super::discover;
use super::environment::Environment;
use super::path::bytes_of;
use super::{Error, Repository, Result};

impl Repository {
    /// The repository that `path` is in, as git finds it from a directory. The search goes from
    /// `path` up to the root of its file system. `path` may also be a file.
    ///
    /// The environment has no influence; see
    /// [`discover_with_environment`](Self::discover_with_environment).
    ///
    /// ```no_run
    /// use reftable::{Error, Repository};
    ///
    /// match Repository::discover(".") {
    ///     Ok(repository) => println!("{}", repository.head()?),
    ///     Err(Error::NotReftable { git_dir, .. }) => {
    ///         println!("another library reads {}", git_dir.display());
    ///     }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Trust
    /// Git refuses repositories that belong to another user unless `safe.directory` lists them,
    /// because their configuration can name programs for git to run. This crate runs nothing and
    /// treats all that it reads as possibly malicious, so it opens them. A program that writes
    /// without being told to, or that runs something in the repository, should ask
    /// `is_trusted` (with the feature `config`) first: a foreign repository can lead writes to
    /// another one through a symbolic link.
    ///
    /// # Errors
    /// - [`Error::NotFound`] if `path` is in no repository.
    /// - [`Error::NotReftable`] if the references are in another format.
    /// - [`Error::Unsupported`] if the repository has an extension that this crate does not know.
    /// - [`Error::Malformed`] or [`Error::Config`] if a file that names a directory or the
    ///   repository's configuration is invalid, [`Error::Io`] if it is unreadable.
    pub fn discover(path: impl AsRef<Path>) -> Result<Self> {
        let layout = discover::discover(path.as_ref(), &Environment::default())?;
        Ok(Self::unconfigured(layout))
    }

    /// As [`discover`](Self::discover), with the environment of the process, as git does it in the
    /// working directory `path`. This is for programs that git runs, such as hooks.
    ///
    /// The variables are `GIT_DIR`, `GIT_COMMON_DIR`, `GIT_WORK_TREE`, `GIT_OBJECT_DIRECTORY`,
    /// `GIT_REFERENCE_BACKEND`, `GIT_CEILING_DIRECTORIES` and `GIT_DISCOVERY_ACROSS_FILESYSTEM`.
    ///
    /// # Errors
    /// As for [`discover`](Self::discover).
    pub fn discover_with_environment(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let layout = discover::discover(path, &Environment::of_process(path)?)?;
        Ok(Self::unconfigured(layout))
    }

    /// The repository at `path`: a directory with `.git` in it, a git directory, one of a linked
    /// worktree, or a `.git` file. The directories above are not searched.
    ///
    /// # Errors
    /// As for [`discover`](Self::discover).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::unconfigured(discover::open(path.as_ref())?))
    }

    /// The names of the linked worktrees, sorted.
    ///
    /// # Errors
    /// [`Error::Io`] if their directory cannot be read.
    pub fn worktrees(&self) -> Result<Vec<BString>> {
        let dir = self.layout().common_dir().join("worktrees");
        let failed = |e| Error::io("read", &dir, e);
        let entries = match fs::read_dir(&dir) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            // Git, too, ignores directories without this file.
            if dir.join(&name).join("gitdir").is_file() {
                names.push(bytes_of(name.as_ref()).into());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The repository as seen from the linked worktree `name`. Its settings are read from the
    /// configuration, unless this one's were given to [`open_at`](Self::open_at).
    ///
    /// # Errors
    /// [`Error::NoWorktree`] if there is no such worktree; otherwise as for
    /// [`open`](Self::open).
    pub fn worktree(&self, name: impl AsRef<[u8]>) -> Result<Self> {
        let name = name.as_ref();
        let dir = self.layout().common_dir().join("worktrees");
        let dir = dir.join(Self::worktree_path(name)?);
        if !dir.join("gitdir").is_file() {
            return Err(Error::NoWorktree { name: name.into() });
        }
        Ok(self.sibling(discover::open(&dir)?))
    }

    /// The repository as seen from its main worktree, or without one if it is bare.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn main_worktree(&self) -> Result<Self> {
        Ok(self.sibling(discover::open(self.layout().common_dir())?))
    }
}
