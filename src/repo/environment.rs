//! The variables of the environment that say where a repository is.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::config_value;
use super::path::bytes_of;
use super::{Error, Result};

/// What the environment says of the repository. By default nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `GIT_DIR`.
    pub(super) git_dir: Option<PathBuf>,
    /// `GIT_COMMON_DIR`.
    pub(super) common_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`.
    pub(super) work_dir: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`.
    pub(super) object_dir: Option<PathBuf>,
    /// `GIT_REFERENCE_BACKEND`, which overrides `extensions.refStorage`.
    pub(super) refs: Option<BString>,
    /// `GIT_CEILING_DIRECTORIES`: the search never reaches these.
    pub(super) ceilings: Vec<PathBuf>,
    /// `GIT_DISCOVERY_ACROSS_FILESYSTEM`.
    pub(super) crosses_file_systems: bool,
}

impl Environment {
    /// The environment of this process. Relative paths are those of `dir`.
    pub(super) fn of_process(dir: &Path) -> Result<Self> {
        let path = |name: &str| env::var_os(name).map(|value| dir.join(value));
        let refs = env::var_os("GIT_REFERENCE_BACKEND");
        let ceilings = env::var_os("GIT_CEILING_DIRECTORIES");
        Ok(Self {
            git_dir: path("GIT_DIR"),
            common_dir: path("GIT_COMMON_DIR"),
            work_dir: path("GIT_WORK_TREE"),
            object_dir: path("GIT_OBJECT_DIRECTORY"),
            refs: refs.map(|value| bytes_of(value.as_ref()).into()),
            ceilings: ceilings.map(ceiling_dirs).unwrap_or_default(),
            crosses_file_systems: boolean("GIT_DISCOVERY_ACROSS_FILESYSTEM")?,
        })
    }
}

/// The directories of a list such as `PATH`. Those after an empty entry are taken as they are; of
/// the others, symbolic links are resolved.
fn ceiling_dirs(list: OsString) -> Vec<PathBuf> {
    let mut is_literal = false;
    let mut dirs = Vec::new();
    for entry in env::split_paths(&list) {
        match () {
            () if entry.as_os_str().is_empty() => is_literal = true,
            () if !entry.is_absolute() => {}
            () if is_literal => dirs.push(entry),
            () => dirs.extend(entry.canonicalize()),
        }
    }
    dirs
}

/// The boolean variable `name`, false if there is none.
pub(super) fn boolean(name: &'static str) -> Result<bool> {
    let Some(value) = env::var_os(name) else {
        return Ok(false);
    };
    let value = bytes_of(value.as_ref());
    let variable = super::config_file::Variable {
        key: name.as_bytes(),
        value: Some(value),
        line: 0,
    };
    config_value::boolean(&variable).map_err(|reason| Error::Config { path: None, reason })
}
