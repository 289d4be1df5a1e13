//! The files and variables of the environment that make up the configuration, read with the
//! crate `gix-config`.
#![forbid(unsafe_code)]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use gix_config::file::{includes, init, Metadata};
use gix_config::path::interpolate;
use gix_config::source::Kind;
use gix_config::{File, Source};
use gix_ref::FullNameRef;

use crate::repo::config_file::{self, Variable};
use crate::repo::{Error, Layout, Result};

/// The whole configuration of a repository.
pub(super) struct Configuration {
    file: File,
}

impl Configuration {
    /// Reads the files of the system, of the user, of the repository and of the worktree, the
    /// files that they include, and the variables of the environment. `branch` is the full name of
    /// the current branch, which includes can depend on.
    pub(super) fn read(layout: &Layout, branch: Option<&BStr>) -> Result<Self> {
        let mut files = files_of_user();
        files.push((Source::Local, layout.common_dir().join("config")));
        if layout.has_worktree_config {
            files.push((Source::Worktree, layout.git_dir().join("config.worktree")));
        }
        let conditions = includes::conditional::Context {
            git_dir: Some(layout.git_dir()),
            branch_name: branch.and_then(|name| <&FullNameRef>::try_from(name).ok()),
        };
        Self::with_files(files, Some(conditions))
    }

    /// Reads what no repository can change: git's protected configuration. No condition holds.
    pub(super) fn protected() -> Result<Self> {
        Self::with_files(files_of_user(), None)
    }

    fn with_files(
        files: Vec<(Source, PathBuf)>,
        conditions: Option<includes::conditional::Context<'_>>,
    ) -> Result<Self> {
        let mut options = init::Options {
            includes: includes::Options::no_follow(),
            lossy: true,
            ignore_io_errors: false,
        };
        let mut file = File::default();
        for (source, path) in files {
            if let Some(part) = read_file(source, &path, options)? {
                file.append(part).map_err(|e| invalid(Some(&path), &e))?;
            }
        }
        let invalid = |error: &dyn std::error::Error| invalid(None, error);
        if let Some(part) = File::from_env(options).map_err(|e| invalid(&e))? {
            file.append(part).map_err(|e| invalid(&e))?;
        }
        // Only now, as conditions can depend on the URLs of remotes in any file.
        spell_includes(&mut file)?;
        let home = home();
        let paths = interpolate::Context {
            home_dir: home.as_deref(),
            ..interpolate::Context::default()
        };
        options.includes = match conditions {
            Some(conditions) => includes::Options::follow(paths, conditions).strict(),
            // Not strict, as conditions without a git directory would be errors.
            None => includes::Options::follow(paths, includes::conditional::Context::default()),
        };
        match file.resolve_includes(options) {
            Ok(()) => Ok(Self { file }),
            Err(includes::Error::Io { path, source }) => Err(Error::io("read", path, source)),
            Err(error) => Err(invalid(&error)),
        }
    }

    /// All values of the variable `section.name`.
    pub(super) fn all(&self, key: &'static str) -> Vec<BString> {
        self.file.strings(key).unwrap_or_default()
    }

    /// The last value of the variable `section.name`.
    pub(super) fn last(&self, key: &'static str) -> Option<Last> {
        let (section, name) = key.split_once('.')?;
        let sections = self.file.sections_by_name(section)?;
        let sections = sections.filter(|section| section.header().subsection_name().is_none());
        let values = sections.filter_map(|section| {
            let value = section.body().value_implicit(name)?;
            let path = section.meta().path.clone();
            Some(Last { key, value, path })
        });
        values.last()
    }
}

/// The last value of a variable.
pub(super) struct Last {
    key: &'static str,
    value: Option<BString>,
    /// The file that has it.
    path: Option<PathBuf>,
}

impl Last {
    /// The value; `None` if the variable has no `=`.
    pub(super) fn into_value(self) -> Option<BString> {
        self.value
    }

    /// The value as `parse` understands it.
    pub(super) fn parsed<T>(
        &self,
        parse: impl FnOnce(&Variable<'_>) -> Result<T, String>,
    ) -> Result<T> {
        let variable = Variable {
            key: self.key.as_bytes(),
            value: self.value.as_ref().map(|value| value.as_bytes()),
            line: 0,
        };
        parse(&variable).map_err(|reason| Error::Config {
            path: self.path.clone(),
            reason,
        })
    }
}

/// The home directory, without symbolic links, as conditions compare paths without them.
// Rust 1.85 and 1.86 still warn, though 1.85 already corrected the function on Windows.
#[allow(deprecated)]
pub(super) fn home() -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
    Some(home.canonicalize().unwrap_or(home))
}

/// The files of the system and of the user, in the order in which they count. Not all exist.
fn files_of_user() -> Vec<(Source, PathBuf)> {
    let mut files = Vec::new();
    // Without that of the git program: finding it would take running git.
    for source in [Kind::System, Kind::Global]
        .iter()
        .flat_map(|kind| kind.sources())
    {
        let path = source.storage_location(&mut |name| std::env::var_os(name));
        files.extend(path.map(|path| (*source, path)));
    }
    // Both files of the user are the same one if the environment names it.
    files.dedup_by(|(_, path), (_, before)| path == before);
    files
}

/// The file without what it includes; `None` if there is no such file, and if that of the user must
/// not be read: after a change of the user it may be that of another.
fn read_file(source: Source, path: &Path, options: init::Options<'_>) -> Result<Option<File>> {
    let bytes = match config_file::read(path) {
        Err(Error::Io(e))
            if e.source.kind() == ErrorKind::PermissionDenied && source.kind() == Kind::Global =>
        {
            None
        }
        bytes => bytes?,
    };
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let metadata = Metadata::from(source).at(path);
    let file = File::from_bytes_no_includes(&bytes, metadata, options);
    file.map(Some).map_err(|e| invalid(Some(path), &e))
}

/// Gives sections that include files the names that `gix-config` looks for. It compares their case,
/// unlike git, and would ignore `[includeif "..."]`. In files that are themselves included it still
/// does.
fn spell_includes(file: &mut File) -> Result<()> {
    let mut sections = Vec::new();
    for section in file.sections() {
        let header = section.header();
        for name in ["include", "includeIf"] {
            if header.name() != name && header.name().eq_ignore_ascii_case(name.as_bytes()) {
                sections.push((name, header.subsection_name().map(BString::from)));
            }
        }
    }
    for (name, subsection) in sections {
        let old = subsection.as_ref().map(|name| name.as_bstr());
        let renamed = file.rename_section(name, old, name, subsection.clone());
        renamed.map_err(|e| invalid(None, &e))?;
    }
    Ok(())
}

/// An error of `gix-config` about the file `path`, or about a file of any name.
fn invalid(path: Option<&Path>, error: &dyn std::error::Error) -> Error {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    Error::Config {
        path: path.map(Path::to_owned),
        reason: reason.lines().collect::<Vec<_>>().join(" "),
    }
}
