//! The files that the configuration includes, and the conditions for it.
#![forbid(unsafe_code)]

use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::sources::{self, home};
use super::wildmatch;
use crate::format::quote::Quoted;
use crate::repo::config_file::{self, Fault, Variable};
use crate::repo::path::{bytes_of, path_of};
use crate::repo::{Error, Layout, Result};

/// Git's limit of files that include one another.
const MAX_DEPTH: usize = 10;

/// The most files that are read in all. Files that include each other more than once would
/// otherwise take exponential time.
const MAX_FILES: usize = 10_000;

type Each<'e> = dyn FnMut(&Variable<'_>) -> Result<(), Fault> + 'e;

/// A reader of the whole configuration.
pub(super) struct Reader<'a> {
    layout: &'a Layout,
    branch: &'a dyn Fn() -> Result<Option<BString>>,
    known_branch: OnceCell<Option<BString>>,
    known_urls: OnceCell<Vec<BString>>,
    /// Whether it is the URLs of remotes that are read.
    wants_urls: bool,
    depth: usize,
    files: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layout: &'a Layout, branch: &'a dyn Fn() -> Result<Option<BString>>) -> Self {
        Self {
            layout,
            branch,
            known_branch: OnceCell::new(),
            known_urls: OnceCell::new(),
            wants_urls: false,
            depth: 0,
            files: 0,
        }
    }

    /// Calls `each` for all variables.
    pub(super) fn read(&mut self, each: &mut Each<'_>) -> Result<()> {
        for source in sources::files(self.layout)? {
            match self.file(&source.path, each) {
                Err(Error::Io(e))
                    if source.may_be_denied
                        && e.path == source.path
                        && e.source.kind() == ErrorKind::PermissionDenied => {}
                done => done?,
            }
        }
        sources::environment(&mut |variable| self.variable(variable, None, each))
    }

    fn file(&mut self, path: &Path, each: &mut Each<'_>) -> Result<()> {
        let Some(bytes) = config_file::read(path)? else {
            return Ok(());
        };
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Error::Config {
                path: Some(path.to_owned()),
                reason: format!("more than {MAX_FILES} files are included"),
            });
        }
        config_file::parse(path, &bytes, &mut |variable| {
            self.variable(variable, Some(path), each)
        })
    }

    /// Passes on a variable of the file `origin`, and includes the file that it names, if any.
    fn variable(
        &mut self,
        variable: &Variable<'_>,
        origin: Option<&Path>,
        each: &mut Each<'_>,
    ) -> Result<(), Fault> {
        each(variable)?;
        if variable.key == b"include.path" {
            return self.include(variable, origin, each);
        }
        let condition = variable.key.strip_prefix(b"includeif.");
        let Some(condition) = condition.and_then(|key| key.strip_suffix(b".path")) else {
            return Ok(());
        };
        let depends_on_urls = condition.starts_with(HAS_URL);
        if !self.holds(condition, origin)? {
            return Ok(());
        }
        if self.wants_urls && depends_on_urls {
            // The file must not have what the condition for it depends on.
            return self.include(variable, origin, &mut |variable| match url(variable) {
                Some(_) => Err("a file included by 'hasconfig' sets the URL of a remote"
                    .to_owned()
                    .into()),
                None => Ok(()),
            });
        }
        self.include(variable, origin, each)
    }

    fn include(
        &mut self,
        variable: &Variable<'_>,
        origin: Option<&Path>,
        each: &mut Each<'_>,
    ) -> Result<(), Fault> {
        let value = variable.required()?;
        let path = expanded(value, home())
            .ok_or_else(|| format!("could not expand include path '{}'", Quoted(value)))?;
        let path = match origin {
            // Also an absolute path stays as it is.
            Some(origin) => origin.parent().unwrap_or(origin).join(path),
            None if path.is_absolute() => path,
            None => {
                return Err("relative config includes must come from files"
                    .to_owned()
                    .into())
            }
        };
        if self.depth == MAX_DEPTH {
            let path = Quoted::path(&path);
            return Err(format!("too many nested includes, the last one of '{path}'").into());
        }
        self.depth += 1;
        let done = self.file(&path, each);
        self.depth -= 1;
        Ok(done?)
    }

    /// Whether a condition holds. Unknown ones do not.
    fn holds(&mut self, condition: &[u8], origin: Option<&Path>) -> Result<bool, Fault> {
        if let Some(pattern) = condition.strip_prefix(b"gitdir:") {
            return self.is_git_dir(pattern, origin, false);
        }
        if let Some(pattern) = condition.strip_prefix(b"gitdir/i:") {
            return self.is_git_dir(pattern, origin, true);
        }
        if let Some(pattern) = condition.strip_prefix(b"onbranch:") {
            return Ok(self.is_branch(pattern)?);
        }
        if let Some(pattern) = condition.strip_prefix(HAS_URL) {
            return Ok(self.wants_urls || self.has_url(pattern)?);
        }
        Ok(false)
    }

    fn is_git_dir(
        &self,
        pattern: &[u8],
        origin: Option<&Path>,
        ignore_case: bool,
    ) -> Result<bool, Fault> {
        let home = home().map(|home| home.canonicalize().unwrap_or(home));
        let mut pattern = match expanded(pattern, home) {
            Some(path) => bytes_of(&path).to_vec(),
            None => pattern.to_vec(),
        };
        // The length of the part that has no wildcards, whatever its bytes are.
        let mut literal = 0;
        if pattern.starts_with(b"./") {
            let Some(origin) = origin else {
                return Err("relative config include conditionals must come from files"
                    .to_owned()
                    .into());
            };
            let real = origin
                .canonicalize()
                .map_err(|e| Error::io("resolve", origin, e))?;
            let dir = bytes_of(real.parent().unwrap_or(&real));
            let dir = dir.strip_suffix(b"/").unwrap_or(dir);
            literal = dir.len() + 1;
            pattern.splice(..1, dir.iter().copied());
        } else if !pattern.starts_with(b"/") {
            pattern.splice(..0, b"**/".iter().copied());
        }
        append_all(&mut pattern);
        let git_dir = self.layout.git_dir();
        let real = git_dir.canonicalize();
        let dirs = [real.as_deref().unwrap_or(git_dir), git_dir];
        Ok(dirs.iter().any(|dir| {
            let parts = pattern.split_at_checked(literal);
            let text = bytes_of(dir).split_at_checked(literal);
            let (Some((dir, pattern)), Some((own_dir, text))) = (parts, text) else {
                return false;
            };
            let is_same = match ignore_case {
                true => dir.eq_ignore_ascii_case(own_dir),
                false => dir == own_dir,
            };
            is_same && wildmatch::matches(pattern, text, ignore_case)
        }))
    }

    fn is_branch(&self, pattern: &[u8]) -> Result<bool> {
        let branch = match self.known_branch.get() {
            Some(known) => known,
            None => {
                let branch = (self.branch)()?;
                self.known_branch.get_or_init(|| branch)
            }
        };
        let name = branch
            .as_ref()
            .and_then(|name| name.strip_prefix(b"refs/heads/"));
        let mut pattern = pattern.to_vec();
        append_all(&mut pattern);
        Ok(name.is_some_and(|name| wildmatch::matches(&pattern, name, false)))
    }

    /// Whether a remote has a URL that matches, anywhere in the configuration.
    fn has_url(&self, pattern: &[u8]) -> Result<bool> {
        let urls = match self.known_urls.get() {
            Some(known) => known,
            None => {
                let mut urls = Vec::new();
                let mut reader = Reader::new(self.layout, self.branch);
                reader.wants_urls = true;
                reader.read(&mut |variable| {
                    urls.extend(url(variable).map(BString::from));
                    Ok(())
                })?;
                self.known_urls.get_or_init(|| urls)
            }
        };
        Ok(urls
            .iter()
            .any(|url| wildmatch::matches(pattern, url, false)))
    }
}

const HAS_URL: &[u8] = b"hasconfig:remote.*.url:";

/// The value of a variable `remote.NAME.url`.
fn url<'v>(variable: &Variable<'v>) -> Option<&'v [u8]> {
    let name = variable
        .key
        .strip_prefix(b"remote.")?
        .strip_suffix(b"url")?;
    variable.value.filter(|_| name.ends_with(b"."))
}

/// Lets a pattern that ends with a slash match all below the directory.
fn append_all(pattern: &mut Vec<u8>) {
    if pattern.ends_with(b"/") {
        pattern.extend_from_slice(b"**");
    }
}

/// `path` with `home` for `~`; `None` if it begins with the home of another user, or with the place
/// where git is installed, neither of which is known.
fn expanded(path: &[u8], home: Option<PathBuf>) -> Option<PathBuf> {
    if path.starts_with(b"%(prefix)/") {
        return None;
    }
    let Some(rest) = path.strip_prefix(b"~") else {
        return path_of(path).map(Path::to_owned);
    };
    let home = home?;
    match rest.strip_prefix(b"/") {
        None if rest.is_empty() => Some(home),
        None => None,
        // As bytes, since a pattern may end with a slash, which counts.
        Some(_) => path_of(&[bytes_of(&home), rest].concat()).map(Path::to_owned),
    }
}
