//! The files and variables of the environment that make up the configuration, read with the
//! crate `gix-config`.
#![forbid(unsafe_code)]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use gix_config::file::init::{self, from_paths};
use gix_config::file::{includes, Metadata};
use gix_config::path::interpolate;
use gix_config::source::Kind;
use gix_config::File;
use gix_ref::FullNameRef;

use crate::repo::config_file::Variable;
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
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let interpolate = interpolate::Context {
            home_dir: home.as_deref(),
            ..interpolate::Context::default()
        };
        let conditional = includes::conditional::Context {
            git_dir: Some(layout.git_dir()),
            branch_name: branch.and_then(|name| <&FullNameRef>::try_from(name).ok()),
        };
        let options = init::Options {
            includes: includes::Options::follow(interpolate, conditional),
            lossy: true,
            ignore_io_errors: false,
        };
        let mut file = File::default();
        for metadata in files(layout) {
            let path = metadata.path.clone();
            if let Some(part) = read_file(metadata)? {
                let appended = file.append(part);
                appended.map_err(|e| invalid(path.as_deref(), &e))?;
            }
        }
        let from_env = File::from_env(init::Options::default());
        if let Some(part) = from_env.map_err(|e| invalid(None, &e))? {
            file.append(part).map_err(|e| invalid(None, &e))?;
        }
        // Of all files at once: a condition may be about a remote in any of them.
        file.resolve_includes(options)
            .map_err(|e| invalid(None, &e))?;
        Ok(Self { file })
    }

    /// The last value of the variable `section.name`.
    pub(super) fn last(&self, key: &'static str) -> Option<Last> {
        let (section, name) = key.split_once('.')?;
        let sections = self.file.sections_by_name(section)?;
        let values = sections
            .filter(|section| section.header().subsection_name().is_none())
            .filter_map(|section| section.body().value_implicit(name));
        let value = values.last()?;
        Some(Last { key, value })
    }
}

/// The last value of a variable.
pub(super) struct Last {
    key: &'static str,
    value: Option<BString>,
}

impl Last {
    /// The value; `None` if the variable has no `=`.
    pub(super) fn into_value(self) -> Option<BString> {
        self.value
    }

    pub(super) fn variable(&self) -> Variable<'_> {
        Variable {
            key: self.key.as_bytes(),
            value: self.value.as_ref().map(|value| value.as_bytes()),
            line: 0,
        }
    }
}

/// The files of the configuration, in the order in which they count. Not all exist.
fn files(layout: &Layout) -> Vec<Metadata> {
    let mut files = Vec::new();
    // Without that of the git program: finding it would take running git.
    for kind in [Kind::System, Kind::Global] {
        for source in kind.sources() {
            let path = source.storage_location(&mut |name| std::env::var_os(name));
            files.extend(path.map(|path| metadata(*source, path)));
        }
    }
    let config = layout.common_dir().join("config");
    files.push(metadata(gix_config::Source::Local, config));
    if layout.has_worktree_config {
        let config = layout.git_dir().join("config.worktree");
        files.push(metadata(gix_config::Source::Worktree, config));
    }
    files
}

fn metadata(source: gix_config::Source, path: PathBuf) -> Metadata {
    Metadata::from(source).at(path)
}

/// The file without what it includes; `None` if there is no such file.
fn read_file(metadata: Metadata) -> Result<Option<File>> {
    let Some(path) = metadata.path.clone() else {
        return Ok(None);
    };
    match fs::metadata(&path) {
        Ok(kind) if kind.is_file() => {}
        Ok(kind) if kind.is_dir() => {
            return Err(Error::io("read", path, ErrorKind::IsADirectory.into()))
        }
        // A device is /dev/null, and reading from a FIFO would wait.
        Ok(_) => return Ok(None),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None)
        }
        Err(e) => return Err(Error::io("read", path, e)),
    }
    match File::from_paths_metadata([metadata], init::Options::default()) {
        Ok(file) => Ok(file),
        Err(from_paths::Error::Io { source, path }) => Err(Error::io("read", path, source)),
        Err(error) => Err(invalid(Some(&path), &error)),
    }
}

/// An error of `gix-config` about the file `path`, or about the environment.
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
