//! The settings in git's configuration.
//!
//! The files of the system, of the user, of the repository and of the worktree count in this order,
//! then the environment; each of them with the files that it includes. Of a variable with several
//! values, the last one counts.
//!
//! The files are read by the crate `gix-config`. It differs from git in rare cases: it ignores an
//! include of a directory or without a path, the variable `GIT_CONFIG_PARAMETERS` that `git -c` sets
//! for hooks, and the configuration that only the git program knows, that of its installation.
//!
//! The modules, each of which uses only those above it:
//!
//! ```text
//! sources       the files and variables that make up the configuration
//! variables     what the variables mean
//! identity      the committer
//! safe          directories that the user trusts
//! ```
#![forbid(unsafe_code)]

mod identity;
mod safe;
mod sources;
mod variables;

use bstr::BStr;

pub(super) use self::safe::is_listed;
use self::sources::Configuration;
use super::{Layout, Result, Settings};

/// The settings of the repository with this layout. `branch` is the full name of the current
/// branch, which includes can depend on.
pub(super) fn read(layout: &Layout, branch: Option<&BStr>) -> Result<Settings> {
    let configuration = Configuration::read(layout, branch)?;
    let mut settings = variables::settings(&configuration)?;
    settings.committer = identity::committer(&configuration);
    settings.stack.write.hash_id = layout.hash();
    Ok(settings)
}
