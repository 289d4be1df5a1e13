//! Whether a repository belongs to the user.
#![forbid(unsafe_code)]

use super::config;
use super::{Error, Repository, Result};

impl Repository {
    /// Whether git would use this repository: it belongs to the user of this process, or the user
    /// lists it in `safe.directory`.
    ///
    /// What has to belong to the user is the git directory, the directory with `.git` in it and, if
    /// that is a file, the file. For a process of root, also `SUDO_UID` counts as the user.
    ///
    /// # Errors
    /// [`Error::Io`] if an owner is unknown; [`Error::Config`] if the repository belongs to another
    /// user and the configuration is invalid.
    pub fn is_trusted(&self) -> Result<bool> {
        let layout = self.layout();
        let found_in = layout.found_in.as_deref();
        let git_file = found_in.map(|dir| dir.join(".git"));
        let git_file = git_file.filter(|path| path.is_file());
        let paths = [Some(layout.git_dir()), found_in, git_file.as_deref()];
        for path in paths.into_iter().flatten() {
            let is_own = gix_sec::identity::is_path_owned_by_current_user(path);
            if !is_own.map_err(|e| Error::io("read", path, e))? {
                return config::is_listed(found_in.unwrap_or_else(|| layout.git_dir()));
            }
        }
        Ok(true)
    }
}
