//! Which names refs may have.
#![forbid(unsafe_code)]

use bstr::{BStr, ByteSlice};

use super::rules::{has_root_syntax, is_file, is_plain, owner_of, Owner};
use super::{Error, Result};

/// Whether `name` may be the name of a ref: one that [`Transaction`](super::Transaction) can create
/// and that a symbolic ref can point at.
///
/// The name is well-formed as by `git check-ref-format`, and is either in `refs/`, or a root ref
/// such as `HEAD`, or the long name of another worktree's ref: `main-worktree/HEAD`,
/// `worktrees/W/refs/bisect/bad`. (Git's plumbing also creates refs with other names, such as
/// `main` or `heads/main`, which its other commands do not list.)
///
/// # Errors
/// [`Error::InvalidName`] with the rule that the name breaks.
///
/// ```
/// use reftable::repo::check_name;
///
/// assert!(check_name("refs/heads/main").is_ok());
/// assert!(check_name("HEAD").is_ok());
/// assert!(check_name("main").is_err());
/// assert!(check_name("refs/heads/a..b").is_err());
/// ```
pub fn check_name(name: impl AsRef<[u8]>) -> Result<()> {
    check(name.as_ref())
}

/// As [`check_name`], for any number of callers.
pub(super) fn check(name: &[u8]) -> Result<()> {
    if name.starts_with(b"refs/") && is_plain(name) {
        return Ok(());
    }
    check_form(name)?;
    if is_file(name) {
        return Err(invalid(name, "git keeps it in a file, not in a ref"));
    }
    let is_in = |dir: &[u8]| name.starts_with(dir);
    if has_root_syntax(name) || is_in(b"refs/") {
        return Ok(());
    }
    if is_in(b"main-worktree/") || is_in(b"worktrees/") {
        return check_long(name);
    }
    Err(invalid(name, "it is neither in refs/ nor a root ref"))
}

/// Checks the name of a ref to delete or to look at, which may break the rules of new names.
pub(super) fn check_existing(name: &[u8]) -> Result<()> {
    match check(name) {
        Err(_) if is_safe(name) && !is_file(name) && !name.contains(&0) => Ok(()),
        checked => checked,
    }
}

/// Checks the long name of another worktree's ref.
fn check_long(name: &[u8]) -> Result<()> {
    match owner_of(name) {
        (Owner::Main | Owner::Other(_), bare) if !bare.is_empty() && !is_file(bare) => Ok(()),
        _ => Err(invalid(name, "it is not the name of a worktree's own ref")),
    }
}

/// Checks the rules of `git check-ref-format --allow-onelevel`.
fn check_form(name: &[u8]) -> Result<()> {
    if name == b"@" {
        return Err(invalid(name, "it is a short name of HEAD"));
    }
    match gix_validate::reference::name_partial(name.as_bstr()) {
        Ok(_) => Ok(()),
        Err(error) => Err(invalid(name, error)),
    }
}

/// Whether `name`, well-formed or not, cannot lead out of `refs/`: git allows such a ref to be
/// deleted.
fn is_safe(name: &[u8]) -> bool {
    let is_part = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    match name.strip_prefix(b"refs/") {
        Some(rest) => rest.split(|&byte| byte == b'/').all(is_part),
        None => {
            let mut bytes = name.iter();
            !name.is_empty() && bytes.all(|&byte| byte.is_ascii_uppercase() || byte == b'_')
        }
    }
}

fn invalid(name: &[u8], reason: impl ToString) -> Error {
    Error::InvalidName {
        name: BStr::new(name).into(),
        reason: reason.to_string(),
    }
}
