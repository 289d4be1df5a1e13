//! Finding the git directory of a repository, as git's `setup.c`.
#![forbid(unsafe_code)]

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use bstr::ByteSlice;

use super::environment::Environment;
use super::path::{bytes_of, path_of};
use super::repository_format::{RefStorage, RepositoryFormat};
use super::{Error, Layout, Result};
use crate::sys::read_up_to;

/// Git's limit of the length of a `.git` file.
const MAX_GIT_FILE: u64 = 1 << 20;

/// The most bytes of `HEAD` that are examined.
const MAX_HEAD: u64 = 64 << 10;

/// A directory that looks like a git directory.
#[derive(Debug)]
struct GitDir {
    path: PathBuf,
    /// The common directory, which the git directory of a linked worktree names.
    linked_to: Option<PathBuf>,
}

/// A git directory and how it was found, which decides where its working tree is.
#[derive(Debug)]
struct Found {
    git_dir: GitDir,
    /// The directory with `.git` in it.
    work_dir: Option<PathBuf>,
}

/// The layout of the repository that `start` is in. `start` may be a file.
pub(super) fn discover(start: &Path, environment: &Environment) -> Result<Layout> {
    if let Some(git_dir) = &environment.git_dir {
        let found = Found {
            git_dir: named_git_dir(git_dir, environment)?,
            work_dir: Some(real_path(start)?),
        };
        return found.layout(environment);
    }
    let not_found = || Error::NotFound {
        start: start.to_owned(),
    };
    let real = real_path(start)?;
    let meta = metadata(&real)?.ok_or_else(not_found)?;
    let (first, meta) = match real.parent() {
        Some(dir) if !meta.is_dir() => (dir, metadata(dir)?.ok_or_else(not_found)?),
        _ => (&*real, meta),
    };
    for dir in first.ancestors() {
        let is_outside = dir != first
            && (environment.ceilings.iter().any(|ceiling| ceiling == dir)
                || !(environment.crosses_file_systems || is_on_device_of(dir, &meta)?));
        if is_outside {
            break;
        }
        if let Some(found) = Found::at(dir, environment)? {
            return found.layout(environment);
        }
    }
    Err(not_found())
}

/// The layout of the repository at `path`: a directory with `.git` in it, a git directory, or a
/// `.git` file.
pub(super) fn open(path: &Path) -> Result<Layout> {
    let environment = Environment::default();
    let real = real_path(path)?;
    if let Some(found) = Found::at_worktree(&real, &environment)? {
        return found.layout(&environment);
    }
    let git_dir = match named_git_dir(&real, &environment) {
        Err(Error::NotFound { .. }) => {
            return Err(Error::NotFound {
                start: path.to_owned(),
            })
        }
        git_dir => git_dir?,
    };
    let work_dir = match linked_work_dir(&git_dir.path)? {
        None if real.file_name().is_some_and(|name| name == ".git") => {
            real.parent().map(Path::to_owned)
        }
        work_dir => work_dir,
    };
    Found { git_dir, work_dir }.layout(&environment)
}

/// The git directory that the caller or the environment names, possibly by a `.git` file.
fn named_git_dir(path: &Path, environment: &Environment) -> Result<GitDir> {
    let found = match GitFile::read(path, environment)? {
        GitFile::Link(git_dir) => Some(git_dir),
        _ => GitDir::at(path, environment)?,
    };
    found.ok_or_else(|| Error::NotFound {
        start: path.to_owned(),
    })
}

impl GitDir {
    /// The directory, if it looks like a git directory: a valid `HEAD`, and `objects` and `refs`,
    /// which may be in the common directory. As git's `is_git_directory()`.
    fn at(path: &Path, environment: &Environment) -> Result<Option<Self>> {
        if !is_head(&path.join("HEAD")) {
            return Ok(None);
        }
        let mut found = Self {
            path: path.to_owned(),
            linked_to: None,
        };
        found.follow_commondir()?;
        let common_dir = found.common_dir(environment);
        let has_objects = match &environment.object_dir {
            Some(dir) => dir.is_dir(),
            None => common_dir.join("objects").is_dir(),
        };
        let is_complete = has_objects && common_dir.join("refs").is_dir();
        Ok(is_complete.then_some(found))
    }

    /// Reads the file `commondir`, which the git directory of a linked worktree has.
    fn follow_commondir(&mut self) -> Result<()> {
        let file = self.path.join("commondir");
        let Some(content) = read_link_file(&file)? else {
            return Ok(());
        };
        // The name of the worktree is that of the directory, not of a link to it.
        self.path = real_path(&self.path)?;
        let Some(name) = path_of(trim_newlines(&content)) else {
            return Err(malformed(&file, "not a path"));
        };
        self.linked_to = Some(match ancestor(&self.path, name) {
            Some(dir) => dir.to_owned(),
            None => real_path(&self.path.join(name))?,
        });
        Ok(())
    }

    fn common_dir<'d>(&'d self, environment: &'d Environment) -> &'d Path {
        let named = environment.common_dir.as_ref().or(self.linked_to.as_ref());
        named.unwrap_or(&self.path)
    }
}

impl Found {
    /// The git directory in `dir`, or `dir` itself if it is one.
    fn at(dir: &Path, environment: &Environment) -> Result<Option<Self>> {
        if let Some(found) = Self::at_worktree(dir, environment)? {
            return Ok(Some(found));
        }
        let git_dir = GitDir::at(dir, environment)?;
        Ok(git_dir.map(|git_dir| Self {
            git_dir,
            work_dir: None,
        }))
    }

    /// The git directory that `.git` in `dir` is or names.
    fn at_worktree(dir: &Path, environment: &Environment) -> Result<Option<Self>> {
        let path = dir.join(".git");
        let git_dir = match GitFile::read(&path, environment)? {
            GitFile::Link(git_dir) => Some(git_dir),
            GitFile::Directory => GitDir::at(&path, environment)?,
            GitFile::Missing => None,
        };
        Ok(git_dir.map(|git_dir| Self {
            git_dir,
            work_dir: Some(dir.to_owned()),
        }))
    }

    /// The layout of the repository, whose format is checked.
    fn layout(self, environment: &Environment) -> Result<Layout> {
        let common_dir = self.git_dir.common_dir(environment).to_owned();
        let git_dir = &self.git_dir.path;
        let mut format = RepositoryFormat::read(&common_dir, git_dir)?;
        if let Some(refs) = &environment.refs {
            format.override_refs(RefStorage::parse(refs));
        }
        let (hash, refs) = format.check(git_dir)?;
        let linked_to = self.git_dir.linked_to.as_ref();
        let worktree = linked_to.and_then(|_| git_dir.file_name()).map(Path::new);
        // Git, too, ignores GIT_COMMON_DIR for references.
        let mut ref_dir = linked_to.unwrap_or(git_dir).clone();
        let mut own_ref_dir = git_dir.clone();
        if let Some(dir) = &refs.dir {
            ref_dir = real_path(&joined(&ref_dir, dir, "extensions.refStorage")?)?;
            own_ref_dir = match worktree {
                None => ref_dir.clone(),
                Some(name) => ref_dir.join("worktrees").join(name),
            };
        }
        let has_common = environment.common_dir.is_some() || worktree.is_some();
        let is_bare = format.is_bare;
        if has_common && !format.has_worktree_config {
            // These are settings of the main worktree.
            format.is_bare = None;
            format.work_dir = None;
        }
        let work_dir = self.work_dir(&format, environment)?;
        Ok(Layout {
            is_bare: work_dir.is_none() && is_bare != Some(false),
            common_dir,
            ref_dir,
            own_ref_dir,
            work_dir,
            worktree: worktree.map(|name| bytes_of(name).into()),
            hash,
            has_worktree_config: format.has_worktree_config,
            git_dir: self.git_dir.path,
            found_in: self.work_dir,
        })
    }

    fn work_dir(
        &self,
        format: &RepositoryFormat,
        environment: &Environment,
    ) -> Result<Option<PathBuf>> {
        match (&environment.work_dir, &format.work_dir) {
            (Some(dir), _) => Ok(Some(dir.canonicalize().unwrap_or_else(|_| dir.clone()))),
            _ if format.is_bare == Some(true) => Ok(None),
            (None, Some(dir)) => {
                let dir = joined(&self.git_dir.path, dir, "core.worktree")?;
                Ok(Some(dir.canonicalize().unwrap_or(dir)))
            }
            (None, None) => Ok(self.work_dir.clone()),
        }
    }
}

/// What a path `.git` is.
enum GitFile {
    Missing,
    Directory,
    /// A file that names this git directory.
    Link(GitDir),
}

impl GitFile {
    /// As git's `read_gitfile_gently()`.
    fn read(path: &Path, environment: &Environment) -> Result<Self> {
        match metadata(path)? {
            None => return Ok(Self::Missing),
            Some(meta) if meta.is_dir() => return Ok(Self::Directory),
            Some(meta) if meta.is_file() => {}
            Some(_) => return Err(malformed(path, "not a regular file")),
        }
        let content = read_up_to(path, MAX_GIT_FILE).map_err(|e| match e.kind() {
            ErrorKind::FileTooLarge => malformed(path, "too large to be a .git file"),
            _ => Error::io("read", path, e),
        })?;
        let Some(name) = content.strip_prefix(b"gitdir: ") else {
            return Err(malformed(path, "not of the form 'gitdir: PATH'"));
        };
        let name = trim_newlines(name);
        let Some(name) = path_of(name).filter(|_| !name.is_empty()) else {
            return Err(malformed(path, "no path after 'gitdir: '"));
        };
        // One link; git does not follow a second one.
        let git_dir = path.parent().unwrap_or(path).join(name);
        match git_dir.canonicalize() {
            Ok(real) => GitDir::at(&real, environment)?.map(Self::Link),
            Err(_) => None,
        }
        .ok_or_else(|| malformed(path, "the path is not a git directory"))
    }
}

/// Whether a file is as `HEAD` can be with any format of references: a ref or an object id.
fn is_head(path: &Path) -> bool {
    match fs::read_link(path) {
        Ok(target) => return bytes_of(&target).starts_with(b"refs/"),
        Err(e) if is_missing(e.kind()) => return false,
        Err(_) => {}
    }
    let Ok(content) = read_up_to(path, MAX_HEAD) else {
        return false;
    };
    match content.strip_prefix(b"ref:") {
        Some(name) => name.trim_ascii_start().starts_with(b"refs/"),
        None => {
            let digits = content.iter().take_while(|byte| byte.is_ascii_hexdigit());
            digits.count() >= 40
        }
    }
}

/// The directory above `dir`, a path without links, that `relative` leads to if it is of the form
/// `../..`. Saves asking for each directory whether it is a link.
fn ancestor<'d>(dir: &'d Path, relative: &Path) -> Option<&'d Path> {
    let mut components = relative.components();
    components.try_fold(dir, |dir, component| match component {
        Component::ParentDir => dir.parent(),
        _ => None,
    })
}

/// The working tree of a linked worktree, which its file `gitdir` names.
fn linked_work_dir(git_dir: &Path) -> Result<Option<PathBuf>> {
    let Some(content) = read_link_file(&git_dir.join("gitdir"))? else {
        return Ok(None);
    };
    let file = path_of(trim_newlines(&content)).map(|name| git_dir.join(name));
    let dir = file.as_deref().and_then(Path::parent);
    Ok(dir.map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.to_owned())))
}

/// The content of a file with a path; `None` if there is no such file.
fn read_link_file(path: &Path) -> Result<Option<Vec<u8>>> {
    match read_up_to(path, MAX_GIT_FILE) {
        Ok(content) if content.is_empty() => Err(malformed(path, "empty")),
        Ok(content) => Ok(Some(content)),
        Err(e) if is_missing(e.kind()) => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

fn is_missing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn trim_newlines(line: &[u8]) -> &[u8] {
    line.trim_end_with(|character| matches!(character, '\n' | '\r'))
}

/// `path` relative to `dir`; `setting` is where it is from.
fn joined(dir: &Path, path: &[u8], setting: &str) -> Result<PathBuf> {
    path_of(path)
        .map(|path| dir.join(path))
        .ok_or_else(|| Error::Config {
            path: None,
            reason: format!("'{setting}' is not a path"),
        })
}

fn malformed(path: &Path, reason: &'static str) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        reason,
    }
}

fn real_path(path: &Path) -> Result<PathBuf> {
    path.canonicalize()
        .map_err(|e| Error::io("resolve", path, e))
}

/// What `path` is, after following links; `None` if there is nothing.
fn metadata(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(meta)),
        Err(e) if is_missing(e.kind()) => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

/// Whether `path` is on the same file system as the file that `other` is of.
#[cfg(unix)]
fn is_on_device_of(path: &Path, other: &Metadata) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).map_err(|e| Error::io("read", path, e))?;
    Ok(meta.dev() == other.dev())
}

#[cfg(not(unix))]
fn is_on_device_of(_: &Path, _: &Metadata) -> Result<bool> {
    Ok(true)
}
