//! The references of a git repository, as git sees them.
//!
//! A [`Repository`] has a stack for the refs that all worktrees share and those of the main
//! worktree, and one for each linked worktree. It knows which ref lives in which stack, follows
//! symbolic refs, and applies git's rules for names, old values and reflogs.
//!
//! The modules, each of which uses only those above it:
//!
//! ```text
//! rules, texts        refnames: which are allowed, whose ref it is, which are logged; messages
//! log_records, moving tombstones and markers; what a rename writes
//! object_id, error    plain values
//! path                paths and bytes
//! config_file         the syntax of git's configuration; config_value: its types
//! reference, time     values of refs and of log entries
//! layout, settings    where the parts of a repository are; how it is written
//! repository_format   the extensions that a repository needs
//! environment         the environment of a process
//! discover            finding the git directory
//! config              the settings in git's configuration
//! repository          the stacks
//! open                opening a repository
//! snapshot            their views at one moment
//! find, head          lookups, symbolic refs
//! lazy_settings       the settings, when first needed
//! owned               iterators over values of their own
//! refs, refs_of       lists of refs, by name and by object
//! reflog              reflogs
//! watch               noticing changes
//! trust               whether the repository belongs to the user
//! locked, author      a locked stack; the committer of log entries
//! transaction         changes of refs
//! rename, expire      renaming refs; expiring reflogs
//! maintain            verifying, compacting, measuring
//! ```
#![forbid(unsafe_code)]

pub(crate) mod log_records;
pub(crate) mod moving;
pub(crate) mod rules;

#[cfg(feature = "repo")]
mod author;
#[cfg(feature = "repo")]
mod committed;
#[cfg(feature = "config")]
mod config;
#[cfg(feature = "repo")]
mod config_file;
#[cfg(feature = "repo")]
mod config_value;
#[cfg(feature = "repo")]
mod discover;
#[cfg(feature = "repo")]
mod environment;
#[cfg(feature = "repo")]
mod error;
#[cfg(feature = "repo")]
mod expire;
#[cfg(feature = "repo")]
mod find;
#[cfg(feature = "repo")]
mod head;
#[cfg(feature = "repo")]
mod layout;
#[cfg(feature = "repo")]
mod lazy_settings;
#[cfg(feature = "repo")]
mod locked;
#[cfg(feature = "repo")]
mod maintain;
#[cfg(feature = "repo")]
mod name;
#[cfg(feature = "repo")]
mod object_id;
#[cfg(feature = "repo")]
mod open;
#[cfg(feature = "repo")]
mod owned;
#[cfg(feature = "repo")]
mod path;
#[cfg(feature = "repo")]
mod reference;
#[cfg(feature = "repo")]
mod reflog;
#[cfg(feature = "repo")]
mod refs;
#[cfg(feature = "repo")]
mod refs_of;
#[cfg(feature = "repo")]
mod rename;
#[cfg(feature = "repo")]
mod repository;
#[cfg(feature = "repo")]
mod repository_format;
#[cfg(feature = "repo")]
mod settings;
#[cfg(feature = "repo")]
mod snapshot;
#[cfg(feature = "repo")]
mod texts;
#[cfg(feature = "repo")]
mod time;
#[cfg(feature = "repo")]
mod transaction;
#[cfg(feature = "config")]
mod trust;
#[cfg(feature = "repo")]
mod watch;

#[cfg(feature = "repo")]
#[doc(hidden)]
pub use self::config_file::config_list;
#[cfg(feature = "repo")]
pub use self::{
    committed::{Committed, Warning},
    error::{Error, Result, Value},
    expire::{Expire, Expired},
    find::Resolved,
    head::Head,
    layout::Layout,
    maintain::{Compact, Finding, RefProblem, StackStat, TableStat},
    name::check_name,
    object_id::{ObjectId, ParseIdError},
    reference::{Reference, ReferenceRef, Target, TargetRef},
    reflog::{IdentityRef, LogEntry, LogEntryRef, NewestFirst, OldestFirst, Reflog},
    refs::Refs,
    rename::Rename,
    repository::Repository,
    settings::{Identity, LogRefUpdates, Settings},
    snapshot::Snapshot,
    time::Time,
    transaction::{Change, Expected, Log, Prepared, PreparedChange, Transaction},
    watch::Generation,
};
#[cfg(feature = "repo")]
pub use crate::{record::Zone, sys::Sharing};
