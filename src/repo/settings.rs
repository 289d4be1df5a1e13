//! The settings that decide how refs are written.
#![forbid(unsafe_code)]

use bstr::BString;

use crate::format::HashId;
use crate::stack::StackOptions;
use crate::sys::{FileOptions, Sharing};

/// Which updates of refs are logged: `core.logAllRefUpdates`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogRefUpdates {
    /// As [`Usual`](Self::Usual), but [`Existing`](Self::Existing) in a bare repository.
    #[default]
    Unset,
    /// `false`: of refs that have a log.
    Existing,
    /// `true`: of these, `HEAD`, and all in `refs/heads`, `refs/remotes` and `refs/notes`.
    Usual,
    /// `always`: of all refs.
    Always,
}

/// The name and the email of a committer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The name.
    pub name: BString,
    /// The email, without angle brackets.
    pub email: BString,
}

/// How the refs of a repository are written.
///
/// With the feature `config`, [`Repository`](super::Repository) reads them from git's
/// configuration when the first change needs them, unless the caller has set them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The settings `reftable.*`. The hash is that of the repository, whatever this says.
    pub stack: StackOptions,
    /// `core.sharedRepository`: the permissions of new files.
    pub sharing: Sharing,
    /// `core.logAllRefUpdates`.
    pub log_ref_updates: LogRefUpdates,
    /// Whether tables are written without waiting for the disk: if `core.fsync` does not include
    /// `reference`, as by git's default. Without waiting, a power failure can take back the last
    /// changes.
    pub no_fsync: bool,
    /// Who is the committer in reflog entries, unless a transaction has its own. From the
    /// configuration, `None` if the name or the email is set neither there (`committer.*`, `user.*`)
    /// nor in the environment (`GIT_COMMITTER_*`, `EMAIL`). Git would make one up from the names of
    /// the account and the host.
    pub committer: Option<Identity>,
}

impl Settings {
    /// How files are written.
    pub(super) fn file_options(&self) -> FileOptions {
        FileOptions {
            sharing: self.sharing,
            no_fsync: self.no_fsync,
        }
    }

    /// The options for writing a stack whose ids are of `hash`.
    pub(super) fn stack_options(&self, hash: HashId) -> StackOptions {
        let mut options = self.stack.clone();
        options.write.hash_id = hash;
        options
    }
}
