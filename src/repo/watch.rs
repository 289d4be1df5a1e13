//! Noticing that references may have changed.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Error, Repository, Result};
use crate::stack::names::LIST_NAME;

/// A state of a repository's references, for comparison with a later one.
///
/// See [`Repository::generation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation {
    main: Option<FileState>,
    /// That of the linked worktree.
    own: Option<FileState>,
}

/// The identity of the list of a stack. Lists are replaced, never rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FileState {
    len: u64,
    /// When it was written. Needed because the number of a removed file may be used again.
    modified: Option<SystemTime>,
    /// Device and inode number, where the platform has them.
    number: Option<(u64, u64)>,
}

impl Repository {
    /// The state of the references and reflogs that this worktree sees: shared ones and its own,
    /// `HEAD` included. If two states are equal, nothing has changed between them.
    ///
    /// Costs one `stat`, or two in a linked worktree. States may differ although no ref has
    /// changed, for instance after a compaction or a change in the main worktree. Not covered are
    /// the refs of other linked worktrees and the files `FETCH_HEAD` and `MERGE_HEAD`. If the
    /// references change twice within one tick of the file system's clock (a few milliseconds), a
    /// state taken before may equal one taken afterwards.
    ///
    /// ```
    /// # use reftable::repo::{Layout, Repository, Settings};
    /// # use reftable::{HashId, ObjectId};
    /// # let dir = tempfile::tempdir()?;
    /// # std::fs::create_dir(dir.path().join("reftable"))?;
    /// # let layout = Layout::new(dir.path(), dir.path(), HashId::Sha1);
    /// # let repository = Repository::open_at(layout, Settings::default());
    /// # let id = ObjectId::from_bytes(&[0x11; 20]).unwrap();
    /// // Take the state before reading, so that a change in between is noticed.
    /// let seen = repository.generation()?;
    /// let branches = repository.refs("refs/heads/")?.owned().count();
    /// # let mut change = repository.transaction();
    /// # change.log(reftable::repo::Log::Never);
    /// # change.create("refs/heads/main", id).commit()?;
    /// // Later:
    /// if repository.generation()? != seen {
    ///     // Read again.
    /// #   assert!(repository.refs("")?.owned().count() > branches);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if the list of a stack exists but its state cannot be read.
    pub fn generation(&self) -> Result<Generation> {
        let layout = self.layout();
        Ok(Generation {
            main: state_of(&layout.main_stack())?,
            own: match layout.worktree() {
                Some(_) => state_of(&layout.own_stack())?,
                None => None,
            },
        })
    }

    /// The directories to watch for changes of the references that this worktree sees: one, or two
    /// in a linked worktree. Files in them are replaced, not rewritten, so watch the directories.
    ///
    /// Locks and compactions also wake a watcher; compare [`generation`](Self::generation) to see
    /// whether the references may have changed. The files `FETCH_HEAD` and `MERGE_HEAD` are in the
    /// [git directory](super::Layout::git_dir).
    #[must_use]
    pub fn watch_paths(&self) -> Vec<PathBuf> {
        let layout = self.layout();
        let mut paths = vec![layout.main_stack()];
        paths.extend(layout.worktree().map(|_| layout.own_stack()));
        paths
    }
}

/// The state of the list in the stack's directory; `None` if there is no list.
fn state_of(stack: &Path) -> Result<Option<FileState>> {
    let path = stack.join(LIST_NAME);
    match fs::metadata(&path) {
        Ok(meta) => Ok(Some(FileState {
            len: meta.len(),
            modified: meta.modified().ok(),
            number: number_of(&meta),
        })),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("stat", path, e)),
    }
}

#[cfg(unix)]
fn number_of(meta: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn number_of(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}
