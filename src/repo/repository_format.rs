//! The format of a repository: its version and extensions, which say whether and how this crate
//! can read it. As git's `read_repository_format()` and `verify_repository_format()`.
#![forbid(unsafe_code)]

use std::path::Path;

use bstr::{BString, ByteSlice};

use super::config_file::{self, Fault, Variable};
use super::config_value::{boolean, signed};
use super::{Error, Result};
use crate::format::HashId;

/// The format of references that repositories have unless they name another.
const FILES: &str = "files";

/// What the repository's own configuration says about its format. As in git, includes are not
/// followed.
#[derive(Debug)]
pub(super) struct RepositoryFormat {
    /// `core.repositoryFormatVersion`. Without it, extensions are ignored.
    version: Option<i64>,
    hash: HashId,
    refs: RefStorage,
    pub(super) has_worktree_config: bool,
    pub(super) is_bare: Option<bool>,
    /// `core.worktree`.
    pub(super) work_dir: Option<BString>,
    /// The first of the extensions that this crate does not know.
    unknown: Option<BString>,
    /// The first of the extensions that are not for version 0.
    newer: Option<BString>,
}

/// `extensions.refStorage`, which can be a URI: `reftable:///path`.
#[derive(Clone, Debug)]
pub(super) struct RefStorage {
    format: BString,
    /// The directory of the references, relative to the common directory.
    pub(super) dir: Option<BString>,
}

impl RefStorage {
    pub(super) fn parse(value: &[u8]) -> Self {
        match value.split_once_str("://") {
            None => Self {
                format: value.into(),
                dir: None,
            },
            Some((format, dir)) => Self {
                format: format.into(),
                dir: Some(dir.into()),
            },
        }
    }
}

impl RepositoryFormat {
    fn new() -> Self {
        Self {
            version: None,
            hash: HashId::Sha1,
            refs: RefStorage::parse(FILES.as_bytes()),
            has_worktree_config: false,
            is_bare: None,
            work_dir: None,
            unknown: None,
            newer: None,
        }
    }

    /// The format of the repository with the directory `common_dir`, as seen from the worktree
    /// with `git_dir`.
    pub(super) fn read(common_dir: &Path, git_dir: &Path) -> Result<Self> {
        let mut format = Self::new();
        let each = |format: &mut Self, variable: &Variable<'_>| format.apply(variable);
        format.read_file(&common_dir.join("config"), each)?;
        if format.version.is_none() {
            return Ok(Self::new());
        }
        if format.has_worktree_config {
            let each = |format: &mut Self, variable: &Variable<'_>| format.apply_core(variable);
            format.read_file(&git_dir.join("config.worktree"), each)?;
        }
        Ok(format)
    }

    fn read_file(
        &mut self,
        path: &Path,
        each: impl Fn(&mut Self, &Variable<'_>) -> Result<(), Fault>,
    ) -> Result<()> {
        match config_file::read(path)? {
            None => Ok(()),
            Some(bytes) => config_file::parse(path, &bytes, &mut |variable| each(self, variable)),
        }
    }

    fn apply(&mut self, variable: &Variable<'_>) -> Result<(), Fault> {
        match variable.key {
            b"core.repositoryformatversion" => {
                // Git's default for no version.
                self.version = Some(signed(variable)?).filter(|&version| version != -1);
            }
            key => match key.strip_prefix(b"extensions.") {
                None => return self.apply_core(variable),
                Some(extension) => self.apply_extension(extension, variable)?,
            },
        }
        Ok(())
    }

    fn apply_core(&mut self, variable: &Variable<'_>) -> Result<(), Fault> {
        match variable.key {
            b"core.bare" => self.is_bare = Some(boolean(variable)?),
            b"core.worktree" => self.work_dir = Some(variable.required()?.into()),
            _ => {}
        }
        Ok(())
    }

    fn apply_extension(&mut self, name: &[u8], variable: &Variable<'_>) -> Result<(), Fault> {
        match name {
            // Those that git has always respected, whatever the version.
            b"noop" | b"preciousobjects" | b"partialclone" => return Ok(()),
            b"worktreeconfig" => {
                self.has_worktree_config = boolean(variable)?;
                return Ok(());
            }
            b"objectformat" => match variable.required()? {
                b"sha1" => self.hash = HashId::Sha1,
                b"sha256" => self.hash = HashId::Sha256,
                _ => self.note_unknown(variable),
            },
            b"refstorage" => self.refs = RefStorage::parse(variable.required()?),
            // These do not concern references.
            b"noop-v1" | b"compatobjectformat" | b"relativeworktrees" | b"submodulepathconfig" => {}
            _ => {
                self.note_unknown(variable);
                return Ok(());
            }
        }
        self.newer.get_or_insert_with(|| variable.key.into());
        Ok(())
    }

    fn note_unknown(&mut self, variable: &Variable<'_>) {
        self.unknown.get_or_insert_with(|| {
            let mut text = BString::from(variable.key);
            if let Some(value) = variable.value {
                text.push(b'=');
                text.extend_from_slice(value);
            }
            text
        });
    }

    /// Uses `refs` instead of what the configuration says.
    pub(super) fn override_refs(&mut self, refs: RefStorage) {
        self.refs = refs;
    }

    /// The hash function and the storage of the references, if this crate can read them.
    pub(super) fn check(&self, git_dir: &Path) -> Result<(HashId, &RefStorage)> {
        // Before anything else: a repository with files is for another library, whatever else it
        // needs.
        if self.refs.format != "reftable" {
            return Err(Error::NotReftable {
                git_dir: git_dir.to_owned(),
                format: self.refs.format.clone(),
            });
        }
        let unsupported = |setting: BString| Error::Unsupported {
            git_dir: git_dir.to_owned(),
            setting,
        };
        match (self.version.unwrap_or(0), &self.newer, &self.unknown) {
            (version @ 2.., _, _) => Err(unsupported(
                format!("core.repositoryformatversion={version}").into(),
            )),
            (1, _, Some(unknown)) => Err(unsupported(unknown.clone())),
            (0, Some(newer), _) => Err(unsupported(
                format!("{newer} with core.repositoryformatversion=0").into(),
            )),
            _ => Ok((self.hash, &self.refs)),
        }
    }
}
