//! Finding the git directory of a repository, as git's `setup.c`.
#![forbid(unsafe_code)]

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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

/// A git directory and how it was found, which decides where its working tree is.
#[derive(Debug)]
struct Found {
    git_dir: PathBuf,
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
    let real = real_path(start)?;
    let first = match metadata(&real)? {
        Some(meta) if !meta.is_dir() => real.parent().unwrap_or(&real),
        _ => &real,
    };
    let device = device_of(first)?;
    for dir in first.ancestors() {
        let is_outside = dir != first
            && (environment.ceilings.iter().any(|ceiling| ceiling == dir)
                || (!environment.crosses_file_systems && device_of(dir)? != device));
        if is_outside {
            break;
        }
        if let Some(found) = Found::at(dir, environment)? {
            return found.layout(environment);
        }
    }
    Err(Error::NotFound {
        start: start.to_owned(),
    })
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
    let work_dir = match linked_work_dir(&git_dir)? {
        None if real.file_name().is_some_and(|name| name == ".git") => {
            real.parent().map(Path::to_owned)
        }
        work_dir => work_dir,
    };
    Found { git_dir, work_dir }.layout(&environment)
}

/// The git directory that the caller or the environment names, possibly by a `.git` file.
fn named_git_dir(path: &Path, environment: &Environment) -> Result<PathBuf> {
    match GitFile::read(path, environment)? {
        GitFile::Link(git_dir) => Ok(git_dir),
        _ if is_git_dir(path, environment)? => Ok(path.to_owned()),
        _ => Err(Error::NotFound {
            start: path.to_owned(),
        }),
    }
}

impl Found {
    /// The git directory in `dir`, or `dir` itself if it is one.
    fn at(dir: &Path, environment: &Environment) -> Result<Option<Self>> {
        let found = Self::at_worktree(dir, environment)?;
        if found.is_some() || !is_git_dir(dir, environment)? {
            return Ok(found);
        }
        Ok(Some(Self {
            git_dir: dir.to_owned(),
            work_dir: None,
        }))
    }

    /// The git directory that `.git` in `dir` is or names.
    fn at_worktree(dir: &Path, environment: &Environment) -> Result<Option<Self>> {
        let path = dir.join(".git");
        let git_dir = match GitFile::read(&path, environment)? {
            GitFile::Link(git_dir) => git_dir,
            GitFile::Directory if is_git_dir(&path, environment)? => path,
            GitFile::Directory | GitFile::Missing => return Ok(None),
        };
        Ok(Some(Self {
            git_dir,
            work_dir: Some(dir.to_owned()),
        }))
    }

    /// The layout of the repository, whose format is checked.
    fn layout(mut self, environment: &Environment) -> Result<Layout> {
        let linked_to = linked_common_dir(&self.git_dir)?;
        if linked_to.is_some() {
            // The name of the worktree is that of the directory, not of a link to it.
            self.git_dir = real_path(&self.git_dir)?;
        }
        let common_dir = match (&environment.common_dir, &linked_to) {
            (Some(dir), _) | (None, Some(dir)) => dir.clone(),
            (None, None) => self.git_dir.clone(),
        };
        let mut format = RepositoryFormat::read(&common_dir, &self.git_dir)?;
        if let Some(refs) = &environment.refs {
            format.override_refs(RefStorage::parse(refs));
        }
        let (hash, refs) = format.check(&self.git_dir)?;
        // Git, too, finds references without GIT_COMMON_DIR.
        let mut ref_dir = linked_to.clone().unwrap_or_else(|| self.git_dir.clone());
        let mut own_ref_dir = self.git_dir.clone();
        let worktree = match linked_to {
            None => None,
            Some(_) => self.git_dir.file_name().map(ToOwned::to_owned),
        };
        if let Some(dir) = &refs.dir {
            let dir = joined(&ref_dir, dir, "extensions.refStorage")?;
            ref_dir = real_path(&dir)?;
            own_ref_dir = match &worktree {
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
            git_dir: self.git_dir,
            common_dir,
            ref_dir,
            own_ref_dir,
            work_dir,
            worktree: worktree.map(|name| bytes_of(name.as_ref()).into()),
            hash,
            has_worktree_config: format.has_worktree_config,
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
                let dir = joined(&self.git_dir, dir, "core.worktree")?;
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
    Link(PathBuf),
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
        let git_dir = path.parent().unwrap_or(path).join(name);
        // One link; git does not follow a second one.
        if !is_git_dir(&git_dir, environment)? {
            return Err(malformed(path, "the path is not a git directory"));
        }
        Ok(Self::Link(real_path(&git_dir)?))
    }
}

/// Whether `dir` looks like a git directory: a valid `HEAD`, and `objects` and `refs`, which may be
/// in the common directory. As git's `is_git_directory()`.
fn is_git_dir(dir: &Path, environment: &Environment) -> Result<bool> {
    if !is_head(&dir.join("HEAD")) {
        return Ok(false);
    }
    let common_dir = match &environment.common_dir {
        Some(dir) => dir.clone(),
        None => linked_common_dir(dir)?.unwrap_or_else(|| dir.to_owned()),
    };
    let has_objects = match &environment.object_dir {
        Some(dir) => dir.is_dir(),
        None => common_dir.join("objects").is_dir(),
    };
    Ok(has_objects && common_dir.join("refs").is_dir())
}

/// Whether a file is as `HEAD` can be with any format of references: a ref or an object id.
fn is_head(path: &Path) -> bool {
    if let Ok(target) = fs::read_link(path) {
        return bytes_of(&target).starts_with(b"refs/");
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

/// The common directory of a linked worktree's git directory; `None` if `git_dir` has no file
/// `commondir`.
fn linked_common_dir(git_dir: &Path) -> Result<Option<PathBuf>> {
    let path = git_dir.join("commondir");
    let Some(content) = read_link_file(&path)? else {
        return Ok(None);
    };
    match path_of(trim_newlines(&content)) {
        Some(dir) => Ok(Some(real_path(&git_dir.join(dir))?)),
        None => Err(malformed(&path, "not a path")),
    }
}

/// The working tree of a linked worktree, which its file `gitdir` names.
fn linked_work_dir(git_dir: &Path) -> Result<Option<PathBuf>> {
    let Some(content) = read_link_file(&git_dir.join("gitdir"))? else {
        return Ok(None);
    };
    let name = path_of(trim_newlines(&content));
    Ok(name.and_then(|name| Some(git_dir.join(name).parent()?.to_owned())))
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

/// The file system that `path` is on.
#[cfg(unix)]
fn device_of(path: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).map_err(|e| Error::io("read", path, e))?;
    Ok(meta.dev())
}

#[cfg(not(unix))]
fn device_of(_: &Path) -> Result<u64> {
    Ok(0)
}
