//! The committer of reflog entries, as git's `ident.c`.
#![forbid(unsafe_code)]

use std::env;

use bstr::BString;

use super::sources::Configuration;
use crate::repo::path::bytes_of;
use crate::repo::settings::Identity;

/// The committer by the environment and the configuration; `None` if it lacks a name or an email.
pub(super) fn committer(configuration: &Configuration) -> Option<Identity> {
    let configured = |key| configuration.last(key).and_then(|last| last.into_value());
    // As in git, an empty setting is ignored, but an empty environment variable is not.
    let set = |part: Option<BString>| part.filter(|part| !part.is_empty());
    let name = variable("GIT_COMMITTER_NAME")
        .or_else(|| set(configured("committer.name")))
        .or_else(|| set(configured("user.name")))?;
    let emails = ["committer.email", "user.email", "author.email"].map(configured);
    // An email that is set to nothing, and one of the author, keeps git from making one up.
    let is_set = emails.iter().any(Option::is_some);
    let [own, general, _] = emails;
    let email = variable("GIT_COMMITTER_EMAIL")
        .or_else(|| set(own))
        .or_else(|| set(general))
        .or_else(|| is_set.then(BString::default))
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
