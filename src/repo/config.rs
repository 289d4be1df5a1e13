//! The settings in git's configuration.
//!
//! Git's own order is followed: the files of the system, of the user, of the repository and of the
//! worktree, then the environment; each of them with the files that it includes. Of a variable
//! with several values, the last one counts.
//!
//! The modules, each of which uses only those above it:
//!
//! ```text
//! wildmatch     patterns of paths and branches
//! sources       the files and variables that make up the configuration
//! include       the files that they include, and the conditions for it
//! variables     what the variables mean
//! identity      the committer
//! ```
#![forbid(unsafe_code)]

mod identity;
mod include;
mod sources;
mod variables;
mod wildmatch;

use bstr::BString;

use self::identity::Identities;
use self::include::Reader;
use self::variables::Variables;
use super::{Layout, Result, Settings};

/// The settings of the repository with this layout. `branch` is the full name of the current
/// branch, which includes can depend on.
pub(super) fn read(
    layout: &Layout,
    branch: &dyn Fn() -> Result<Option<BString>>,
) -> Result<Settings> {
    let mut variables = Variables::default();
    let mut identities = Identities::default();
    Reader::new(layout, branch).read(&mut |variable| {
        variables.apply(variable)?;
        identities.apply(variable)
    })?;
    let mut settings = variables.finish()?;
    settings.committer = identities.committer();
    settings.stack.write.hash_id = layout.hash();
    Ok(settings)
}
