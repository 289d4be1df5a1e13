//! The committer of reflog entries, as git's `ident.c`.
#![forbid(unsafe_code)]

use std::env;

use bstr::BString;

use crate::repo::config_file::{Fault, Variable};
use crate::repo::path::bytes_of;
use crate::repo::settings::Identity;
use crate::repo::Result;

/// The names and emails of the configuration.
#[derive(Debug, Default)]
pub(super) struct Identities {
    user: Parts,
    committer: Parts,
    /// Whether any email is set, if only to nothing, which keeps git from making one up.
    has_email: bool,
}

#[derive(Debug, Default)]
struct Parts {
    name: Option<BString>,
    email: Option<BString>,
}

impl Identities {
    pub(super) fn apply(&mut self, variable: &Variable<'_>) -> Result<(), Fault> {
        if matches!(
            variable.key,
            b"user.email" | b"committer.email" | b"author.email"
        ) {
            variable.required()?;
            self.has_email = true;
        }
        let part = match variable.key {
            b"user.name" => &mut self.user.name,
            b"user.email" => &mut self.user.email,
            b"committer.name" => &mut self.committer.name,
            b"committer.email" => &mut self.committer.email,
            _ => return Ok(()),
        };
        *part = Some(variable.required()?.into());
        Ok(())
    }

    /// The committer by the environment and the configuration; `None` if it lacks a name or an
    /// email.
    pub(super) fn committer(self) -> Option<Identity> {
        // As in git, an empty setting counts for nothing, but an empty variable counts.
        let set = |part: Option<BString>| part.filter(|part| !part.is_empty());
        let name = variable("GIT_COMMITTER_NAME")
            .or(set(self.committer.name))
            .or(set(self.user.name))?;
        let email = variable("GIT_COMMITTER_EMAIL")
            .or(set(self.committer.email))
            .or(set(self.user.email))
            .or_else(|| self.has_email.then(BString::default))
            .or_else(|| set(variable("EMAIL")))?;
        let name = without_crud(&name);
        if name.is_empty() {
            return None;
        }
        Some(Identity {
            name,
            email: without_crud(&email),
        })
    }
}

fn variable(name: &str) -> Option<BString> {
    env::var_os(name).map(|value| bytes_of(value.as_ref()).into())
}

/// Removes what an identity cannot have: punctuation at both ends, and the bytes that delimit its
/// parts.
fn without_crud(text: &[u8]) -> BString {
    let is_crud = |byte: &u8| *byte <= b' ' || b",:;<>\"\\'".contains(byte);
    let start = text.iter().position(|byte| !is_crud(byte));
    let end = text.iter().rposition(|byte| !is_crud(byte));
    let (Some(start), Some(end)) = (start, end) else {
        return BString::default();
    };
    let inner = text.get(start..=end).unwrap_or_default();
    let is_kept = |byte: &&u8| !matches!(**byte, b'\n' | b'<' | b'>');
    inner
        .iter()
        .filter(is_kept)
        .copied()
        .collect::<Vec<_>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crud_is_removed() {
        for (text, clean) in [
            ("A U Thor", "A U Thor"),
            (" <a@b> ", "a@b"),
            ("\"O'Neill, Jr.\"", "O'Neill, Jr."),
            ("a\nb<c>d", "abcd"),
            ("<>,", ""),
        ] {
            assert_eq!(without_crud(text.as_bytes()), clean, "{text}");
        }
    }
}
