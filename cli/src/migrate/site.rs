//! The repository whose references are moved, and its worktrees.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use reftable::{Error, HashId, Repository};

use super::config::{Config, Format};
use super::disk;
use super::staging::Staging;
use crate::failure::{Failure, Result};
use crate::files::walk::content;
use crate::place::StackDir;

/// A repository.
#[derive(Debug)]
pub struct Site {
    /// The directory that all worktrees share.
    pub dir: PathBuf,
    /// The configuration; if it is a symbolic link, the file that it leads to.
    pub config_path: PathBuf,
    pub config: Config,
    /// The main worktree, followed by the linked ones in the order of their names.
    pub trees: Vec<Tree>,
}

/// A worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its git directory.
    pub dir: PathBuf,
    /// Of a linked worktree.
    pub name: Option<OsString>,
}

impl Site {
    /// The repository that the user has named, or that of the current directory.
    pub fn find(path: Option<&Path>) -> Result<Self> {
        let found = match path {
            Some(path) => {
                // A missing path has its own message.
                fs::metadata(path).map_err(|e| Failure::io("open", path, &e))?;
                Repository::discover(path)
            }
            None => {
                let dir = env::current_dir();
                let dir = dir.map_err(|e| Failure::io("open", Path::new("."), &e))?;
                Repository::discover_with_environment(&dir)
            }
        };
        let git_dir = match found {
            Ok(repository) => repository.layout().git_dir().to_owned(),
            Err(Error::NotReftable { git_dir, .. }) => git_dir,
            Err(error) => return Err(error.into()),
        };
        let dir = match content(&git_dir.join("commondir"))? {
            None => git_dir,
            Some(link) => {
                let link = link.trim_end_with(|c| matches!(c, '\n' | '\r'));
                git_dir.join(link.to_path().unwrap_or(Path::new(".")))
            }
        };
        let dir = fs::canonicalize(&dir).map_err(|e| Failure::io("open", &dir, &e))?;
        Self::at(dir)
    }

    /// The repository with this shared directory.
    pub fn at(dir: PathBuf) -> Result<Self> {
        let path = dir.join("config");
        let config_path = fs::canonicalize(&path).unwrap_or(path);
        let config = Config::read(&config_path)?;
        let trees = trees(&dir)?;
        Ok(Self {
            dir,
            config_path,
            config,
            trees,
        })
    }

    pub fn hash(&self) -> HashId {
        self.config.hash
    }

    pub fn format(&self) -> Format {
        self.config.format
    }

    /// Where a worktree's files are in a directory that is laid out like the shared one.
    pub fn below(&self, dir: &Path, tree: &Tree) -> PathBuf {
        match &tree.name {
            None => dir.to_owned(),
            Some(name) => dir.join("worktrees").join(name),
        }
    }

    /// A directory and a file of a worktree, whose permissions new ones get.
    pub fn models(&self, tree: &Tree) -> Result<(Metadata, Metadata)> {
        let meta = |path: &Path| fs::metadata(path).map_err(|e| Failure::io("open", path, &e));
        // HEAD may be a symbolic link to a branch that does not exist.
        let file = fs::metadata(tree.dir.join("HEAD"));
        let file = file.or_else(|_| meta(&self.config_path))?;
        Ok((meta(&tree.dir)?, file))
    }

    /// Replaces the configuration by one with the other format: the step that switches.
    pub fn switch(&self, staging: &Staging) -> Result<()> {
        if trees(&self.dir)? != self.trees {
            return Err(Failure::new(
                "a worktree was added or removed meanwhile; try again",
            ));
        }
        let format = match self.format() {
            Format::Files => Format::Reftable,
            Format::Reftable => Format::Files,
        };
        let new = staging.file("config");
        disk::write(&new, &self.config.with_format(format)?)?;
        let meta = fs::metadata(&self.config_path);
        let meta = meta.map_err(|e| Failure::io("open", &self.config_path, &e))?;
        disk::adopt_permissions(&new, &meta, &meta)?;
        disk::sync_dir(staging.path())?;
        disk::rename(&new, &self.config_path)?;
        disk::sync_dir(self.config_path.parent().unwrap_or(&self.dir))
    }

    /// The stack of a worktree.
    pub fn stack(&self, tree: &Tree) -> StackDir {
        self.stack_in(&tree.dir, tree)
    }

    /// The stack of a worktree in another git directory.
    pub fn stack_in(&self, git_dir: &Path, tree: &Tree) -> StackDir {
        StackDir {
            dir: git_dir.join("reftable"),
            hash: self.hash(),
            worktree: tree
                .name
                .as_ref()
                .map(|name| name.as_encoded_bytes().into()),
        }
    }
}

/// The worktrees. Those whose directory is gone are included: git keeps their refs until it prunes
/// them.
fn trees(dir: &Path) -> Result<Vec<Tree>> {
    let mut linked = Vec::new();
    let worktrees = dir.join("worktrees");
    let failed = |e| Failure::io("read", &worktrees, &e);
    if worktrees.is_dir() {
        for entry in fs::read_dir(&worktrees).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let dir = entry.path();
            if dir.join("gitdir").is_file() || fs::symlink_metadata(dir.join("HEAD")).is_ok() {
                let name = Some(entry.file_name());
                linked.push(Tree { dir, name });
            }
        }
    }
    linked.sort_by(|a, b| a.name.cmp(&b.name));
    let main = Tree {
        dir: dir.to_owned(),
        name: None,
    };
    Ok([vec![main], linked].concat())
}
