//! The rules for refnames that all front ends share: which worktree a ref belongs to, and which
//! refs get a reflog. They are those of git's `refs.c`.
#![forbid(unsafe_code)]

/// Whose ref a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// The current worktree.
    Current,
    /// The main worktree, named by `main-worktree/`.
    Main,
    /// Another worktree, named by `worktrees/NAME/`.
    Other(&'a [u8]),
    /// All worktrees.
    Shared,
}

/// Splits `name` into the owner of the ref and the ref's name in the stack of that owner:
/// `worktrees/W/HEAD` is `HEAD` of the worktree W. As git's `parse_worktree_ref()`.
pub(crate) fn owner_of(name: &[u8]) -> (Owner<'_>, &[u8]) {
    // A shortcut for nearly all refs.
    if name.starts_with(b"refs/heads/") || name.starts_with(b"refs/tags/") {
        return (Owner::Shared, name);
    }
    if let Some(rest) = name.strip_prefix(b"worktrees/") {
        match split_at_slash(rest) {
            // Names a worktree but no ref; no stack has a ref with an empty name.
            None => return (Owner::Other(rest), b""),
            Some((worktree, bare)) if belongs_to_worktree(bare) => {
                return (Owner::Other(worktree), bare)
            }
            Some(_) => {}
        }
    }
    match name.strip_prefix(b"main-worktree/") {
        Some(bare) if belongs_to_worktree(bare) => (Owner::Main, bare),
        _ if belongs_to_worktree(name) => (Owner::Current, name),
        _ => (Owner::Shared, name),
    }
}

fn split_at_slash(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = name.iter().position(|&byte| byte == b'/')?;
    let (head, tail) = name.split_at_checked(at)?;
    Some((head, tail.get(1..)?))
}

/// Whether each worktree has its own ref called `name`.
pub(crate) fn belongs_to_worktree(name: &[u8]) -> bool {
    let is_root = name
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    is_root
        || [&b"refs/worktree/"[..], b"refs/bisect/", b"refs/rewritten/"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Whether git keeps `name` in a file of its own, whatever the format of the other refs.
pub(crate) fn is_file(name: &[u8]) -> bool {
    matches!(name, b"FETCH_HEAD" | b"MERGE_HEAD")
}

/// Whether updates of `name` are logged without `core.logAllRefUpdates=always` and without an
/// existing log.
pub(crate) fn is_usually_logged(name: &[u8]) -> bool {
    name == b"HEAD"
        || [&b"refs/heads/"[..], b"refs/remotes/", b"refs/notes/"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_routed_as_by_git() {
        for (name, owner, bare) in [
            ("HEAD", Owner::Current, "HEAD"),
            ("ORIG_HEAD", Owner::Current, "ORIG_HEAD"),
            ("refs/heads/main", Owner::Shared, "refs/heads/main"),
            ("refs/bisect/bad", Owner::Current, "refs/bisect/bad"),
            ("refs/bisect", Owner::Shared, "refs/bisect"),
            ("refs/worktree/x", Owner::Current, "refs/worktree/x"),
            ("refs/rewritten/x", Owner::Current, "refs/rewritten/x"),
            ("refs/stash", Owner::Shared, "refs/stash"),
            ("main-worktree/HEAD", Owner::Main, "HEAD"),
            (
                "main-worktree/refs/heads/x",
                Owner::Shared,
                "main-worktree/refs/heads/x",
            ),
            ("worktrees/w/HEAD", Owner::Other(b"w"), "HEAD"),
            (
                "worktrees/w/refs/bisect/bad",
                Owner::Other(b"w"),
                "refs/bisect/bad",
            ),
            (
                "worktrees/w/refs/heads/x",
                Owner::Shared,
                "worktrees/w/refs/heads/x",
            ),
            ("worktrees/w/", Owner::Other(b"w"), ""),
            ("worktrees/w", Owner::Other(b"w"), ""),
            ("worktrees/", Owner::Other(b""), ""),
            ("Head", Owner::Shared, "Head"),
            ("", Owner::Current, ""),
        ] {
            let routed = owner_of(name.as_bytes());
            assert_eq!(routed, (owner, bare.as_bytes()), "{name}");
        }
    }

    #[test]
    fn tags_and_stashes_are_not_usually_logged() {
        for name in ["HEAD", "refs/heads/x", "refs/remotes/o/x", "refs/notes/x"] {
            assert!(is_usually_logged(name.as_bytes()), "{name}");
        }
        for name in ["ORIG_HEAD", "refs/tags/x", "refs/stash", "refs/headsx"] {
            assert!(!is_usually_logged(name.as_bytes()), "{name}");
        }
    }
}
