//! The files and variables of the environment that make up the configuration.
#![forbid(unsafe_code)]

use std::env;
use std::path::PathBuf;

use bstr::ByteSlice;

use crate::format::quote::Quoted;
use crate::repo::config_file::{Fault, Variable};
use crate::repo::environment::boolean;
use crate::repo::path::bytes_of;
use crate::repo::{Error, Layout, Result};

/// The configuration of the system. Git's own place depends on how it was built; this is that of
/// most Unix systems.
const SYSTEM: &str = "/etc/gitconfig";

/// A file of the configuration.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Whether the file counts as missing if access to it is denied. The home directory of another
    /// user is not readable after `su`.
    pub(super) may_be_denied: bool,
}

/// The files of the configuration, in the order in which they count. Not all exist.
pub(super) fn files(layout: &Layout) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    if !boolean("GIT_CONFIG_NOSYSTEM")? {
        let path = env::var_os("GIT_CONFIG_SYSTEM").map_or_else(|| SYSTEM.into(), PathBuf::from);
        files.push(Source {
            path,
            may_be_denied: false,
        });
    }
    for path in of_user() {
        files.push(Source {
            path,
            may_be_denied: true,
        });
    }
    let mut of_repository = vec![layout.common_dir().join("config")];
    if layout.has_worktree_config {
        of_repository.push(layout.git_dir().join("config.worktree"));
    }
    files.extend(of_repository.into_iter().map(|path| Source {
        path,
        may_be_denied: false,
    }));
    Ok(files)
}

fn of_user() -> Vec<PathBuf> {
    if let Some(path) = env::var_os("GIT_CONFIG_GLOBAL") {
        // An empty name stands for no file.
        let path = Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty());
        return path.into_iter().collect();
    }
    let home = home();
    let xdg = env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty());
    let xdg = match (xdg, &home) {
        (Some(dir), _) => Some(PathBuf::from(dir)),
        (None, home) => home.as_ref().map(|home| home.join(".config")),
    };
    let xdg = xdg.map(|dir| dir.join("git").join("config"));
    let own = home.map(|home| home.join(".gitconfig"));
    xdg.into_iter().chain(own).collect()
}

/// The home directory of the user.
pub(super) fn home() -> Option<PathBuf> {
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    home.map(PathBuf::from)
}

/// Calls `each` for the variables that the environment sets: those of `GIT_CONFIG_COUNT`, and those
/// of `git -c`, which git passes to the programs that it runs.
pub(super) fn environment(each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>) -> Result<()> {
    counted(each)
        .and_then(|()| quoted(each))
        .map_err(|fault| match fault {
            Fault::Other(error) => error,
            Fault::Value(reason) => Error::Config { path: None, reason },
            Fault::Syntax => Error::Config {
                path: None,
                reason: "bogus format in GIT_CONFIG_PARAMETERS".into(),
            },
        })
}

fn counted(each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let Some(count) = env::var_os("GIT_CONFIG_COUNT") else {
        return Ok(());
    };
    let count = match count.to_str() {
        Some("") => 0,
        Some(text) => text
            .parse::<u32>()
            .map_err(|_| "bogus count in GIT_CONFIG_COUNT".to_owned())?,
        None => return Err("bogus count in GIT_CONFIG_COUNT".to_owned().into()),
    };
    for n in 0..count {
        let get = |what: &str| {
            let name = format!("GIT_CONFIG_{what}_{n}");
            env::var_os(&name).ok_or_else(|| format!("missing config {name}"))
        };
        let (key, value) = (get("KEY")?, get("VALUE")?);
        pair(bytes_of(key.as_ref()), Some(bytes_of(value.as_ref())), each)?;
    }
    Ok(())
}

/// The variables of `GIT_CONFIG_PARAMETERS`, each as `'key'='value'`, or in old versions of git as
/// `'key=value'`.
fn quoted(each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let list = env::var_os("GIT_CONFIG_PARAMETERS").unwrap_or_default();
    let mut rest = bytes_of(list.as_ref());
    while !rest.is_empty() {
        let (key, tail) = unquote(rest).ok_or(Fault::Syntax)?;
        rest = match tail.strip_prefix(b"=") {
            None => {
                match key.split_once_str("=") {
                    None => pair(&key, None, each)?,
                    Some((key, value)) => pair(key, Some(value), each)?,
                }
                tail
            }
            Some(tail) if tail.starts_with(b"'") => {
                let (value, tail) = unquote(tail).ok_or(Fault::Syntax)?;
                pair(&key, Some(&value), each)?;
                tail
            }
            Some(tail) => {
                pair(&key, None, each)?;
                tail
            }
        };
        let after = rest.trim_ascii_start();
        if !rest.is_empty() && after.len() == rest.len() {
            return Err(Fault::Syntax);
        }
        rest = after;
    }
    Ok(())
}

/// The text in single quotes that `quoted` begins with, and the rest. Outside of the quotes there
/// can be an escaped quote or exclamation mark.
fn unquote(quoted: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = quoted.strip_prefix(b"'")?;
    loop {
        let end = rest.find_byte(b'\'')?;
        text.extend_from_slice(rest.get(..end)?);
        rest = rest.get(end + 1..)?;
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', tail @ ..] => {
                text.push(*escaped);
                rest = tail;
            }
            _ => return Some((text, rest)),
        }
    }
}

/// Calls `each` for a variable whose key is not known to be valid.
fn pair(
    key: &[u8],
    value: Option<&[u8]>,
    each: &mut dyn FnMut(&Variable<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let key = normalized(key).ok_or_else(|| format!("invalid key: {}", Quoted(key)))?;
    each(&Variable {
        key: &key,
        value,
        line: 0,
    })
}

/// A key with its section and name in lower case; `None` if it is invalid.
fn normalized(key: &[u8]) -> Option<Vec<u8>> {
    let is_word = |word: &[u8]| word.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-');
    let (stem, name) = key.rsplit_once_str(".")?;
    let (section, subsection) = match stem.split_once_str(".") {
        None => (stem, None),
        Some((section, subsection)) => (section, Some(subsection)),
    };
    let is_valid = !stem.is_empty()
        && is_word(section)
        && is_word(name)
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && subsection.is_none_or(|subsection| !subsection.contains(&b'\n'));
    if !is_valid {
        return None;
    }
    let mut normalized = section.to_ascii_lowercase();
    normalized.push(b'.');
    if let Some(subsection) = subsection {
        normalized.extend_from_slice(subsection);
        normalized.push(b'.');
    }
    normalized.extend(name.to_ascii_lowercase());
    Some(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_those_of_git() {
        for (quoted, text, rest) in [
            ("'a'", "a", ""),
            ("'a'='b'", "a", "='b'"),
            ("'it'\\''s'", "it's", ""),
            ("'a'\\!'b' x", "a!b", " x"),
            ("'a'\\x", "a", "\\x"),
            ("''", "", ""),
        ] {
            let expected = (text.as_bytes().to_vec(), rest.as_bytes());
            assert_eq!(unquote(quoted.as_bytes()), Some(expected), "{quoted}");
        }
        for quoted in ["", "a", "'a", "'a'\\''"] {
            assert_eq!(unquote(quoted.as_bytes()), None, "{quoted}");
        }
    }

    #[test]
    fn keys_have_a_section_and_a_name() {
        for (key, expected) in [
            ("Core.BARE", Some("core.bare")),
            ("Remote.A.B.Url", Some("remote.A.B.url")),
            ("remote..url", Some("remote..url")),
            ("core", None),
            (".bare", None),
            ("core.", None),
            ("core.1", None),
            ("co re.bare", None),
            ("a.\n.b", None),
        ] {
            let expected = expected.map(|key| key.as_bytes().to_vec());
            assert_eq!(normalized(key.as_bytes()), expected, "{key}");
        }
    }
}
