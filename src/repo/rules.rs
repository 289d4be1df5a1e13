//! The rules for refnames that all front ends share: which names are allowed, which worktree a ref
//! belongs to, and which refs get a reflog. They are those of git's `refs.c`.
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
    has_root_syntax(name)
        || [&b"refs/worktree/"[..], b"refs/bisect/", b"refs/rewritten/"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Whether git lists `name` among the root refs. As git's `is_root_ref()`.
pub(crate) fn is_root_ref(name: &[u8]) -> bool {
    const OTHERS: [&[u8]; 6] = [
        b"HEAD",
        b"AUTO_MERGE",
        b"BISECT_EXPECTED_REV",
        b"NOTES_MERGE_PARTIAL",
        b"NOTES_MERGE_REF",
        b"MERGE_AUTOSTASH",
    ];
    let is_known = name.ends_with(b"_HEAD") || OTHERS.contains(&name);
    is_known && has_root_syntax(name) && !is_file(name)
}

/// Whether `name` has the form of a root ref such as `HEAD`: capital letters, `-` and `_`.
pub(crate) fn has_root_syntax(name: &[u8]) -> bool {
    name.iter()
        .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
}

/// Whether `name` follows the rules of `git check-ref-format --allow-onelevel`.
#[cfg(feature = "repo")]
pub(crate) fn is_well_formed(name: &[u8]) -> bool {
    let checked = || gix_validate::reference::name_partial(name.into()).is_ok();
    is_plain(name) || (name != b"@" && checked())
}

/// Whether `name` is certain to be well-formed: its components consist of letters, digits, `-`,
/// `_`, non-ASCII bytes, and dots that cannot be part of `..` or `.lock`, or start or end a
/// component. A result of `false` means that the name may still be well-formed.
#[inline]
pub(crate) fn is_plain(name: &[u8]) -> bool {
    match name.len() {
        0..=CHUNK => is_plain_by_bytes(name),
        _ => has_no_dots(name) || is_plain_by_bytes(name),
    }
}

/// The bytes of a name that are checked at once.
const CHUNK: usize = 16;

/// Whether `name`, which is longer than a chunk, is plain and has no dots.
#[inline]
fn has_no_dots(name: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return false;
    };
    if first == b'/' || last == b'/' || !is_plain_or_slash(last) {
        return false;
    }
    // The last chunk overlaps the one before it, and ends before the last byte.
    let last_start = name.len().saturating_sub(CHUNK + 1);
    let mut starts = (0..last_start).step_by(CHUNK).chain([last_start]);
    starts.all(|at| {
        let chunk = name.get(at..).and_then(<[u8]>::first_chunk);
        let next = name.get(at + 1..).and_then(<[u8]>::first_chunk);
        matches!((chunk, next), (Some(chunk), Some(next)) if is_plain_chunk(chunk, next))
    })
}

/// Whether the bytes of `chunk` are plain or single slashes. `next` begins one byte further. The
/// loop has no branches, so that the compiler uses vector instructions.
#[inline]
fn is_plain_chunk(chunk: &[u8; CHUNK], next: &[u8; CHUNK]) -> bool {
    let mut bad = false;
    for (&byte, &next) in chunk.iter().zip(next) {
        bad |= !is_plain_or_slash(byte) | ((byte == b'/') & (next == b'/'));
    }
    !bad
}

#[inline]
fn is_plain_or_slash(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // The slash precedes the digits.
    let is_digit_or_slash = byte.wrapping_sub(b'/') < 11;
    is_letter | is_digit_or_slash | (byte == b'-') | (byte == b'_') | (byte >= 0x80)
}

fn is_plain_by_bytes(name: &[u8]) -> bool {
    let mut previous = b'/';
    for (i, &byte) in name.iter().enumerate() {
        match CLASS[usize::from(byte)] {
            Class::Plain => {}
            Class::Slash if previous != b'/' => {}
            Class::Dot if previous != b'/' => {
                if matches!(name.get(i + 1), None | Some(b'.' | b'/' | b'l')) {
                    return false;
                }
            }
            Class::Slash | Class::Dot | Class::Other => return false,
        }
        previous = byte;
    }
    previous != b'/'
}

#[derive(Clone, Copy)]
enum Class {
    Plain,
    Slash,
    Dot,
    Other,
}

static CLASS: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let character = byte as u8;
        classes[byte] = match character {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | 0x80..=0xff => Class::Plain,
            b'/' => Class::Slash,
            b'.' => Class::Dot,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}

/// How many refs git reads to follow a symbolic ref, including that ref.
pub(crate) const SYMREF_DEPTH: usize = 5;

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

    #[test]
    fn common_names_are_plain() {
        for name in [
            "HEAD",
            "refs/heads/main",
            "refs/tags/v1.2.3",
            "refs/heads/wip-1_x",
            "refs/heads/\u{e4}",
        ] {
            assert!(is_plain(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_git_refuses_are_not_plain() {
        for name in [
            "", "/", "a/", "/a", "a//b", ".a", "a/.b", "a..b", "a.", "a./b", "a.lock", "a.lock/b",
            "a b", "a~", "a^", "a:", "a?", "a*", "a[", "a\\", "a@{", "@", "a\x01", "a\x7f",
        ] {
            assert!(!is_plain(name.as_bytes()), "{name:?}");
            // Only the last component must not end with a dot.
            #[cfg(feature = "repo")]
            assert_eq!(is_well_formed(name.as_bytes()), name == "a./b", "{name:?}");
        }
    }

    #[test]
    fn long_names_are_checked_like_short_ones() {
        let plain = b"refs/heads/dir00000/branch-000_abcdefghijklmnopq";
        for len in CHUNK + 1..plain.len() {
            let mut name = plain.get(..len).unwrap().to_vec();
            for at in 0..len {
                let before = name[at];
                for byte in 0..=u8::MAX {
                    name[at] = byte;
                    let expected = is_plain_by_bytes(&name);
                    assert_eq!(is_plain(&name), expected, "{:?}", name.escape_ascii());
                }
                name[at] = before;
            }
        }
    }

    #[test]
    #[cfg(feature = "repo")]
    fn unusual_names_may_be_well_formed() {
        for name in [
            "a@b",
            "{",
            "a.lockx",
            "a.l",
            "a$b",
            "-a",
            "a/@",
            "a,b",
            "\u{7f}\u{e4}",
        ] {
            let is_allowed = !name.contains('\u{7f}');
            assert_eq!(is_well_formed(name.as_bytes()), is_allowed, "{name:?}");
        }
    }

    #[test]
    fn root_refs_are_those_of_git() {
        for name in ["HEAD", "ORIG_HEAD", "X-Y_HEAD", "_HEAD", "AUTO_MERGE"] {
            assert!(is_root_ref(name.as_bytes()), "{name}");
        }
        for name in [
            "",
            "FETCH_HEAD",
            "MERGE_HEAD",
            "x_HEAD",
            "OTHER",
            "refs/a_HEAD",
        ] {
            assert!(!is_root_ref(name.as_bytes()), "{name}");
        }
    }
}
