//! Patterns of paths and branches, as git's `wildmatch()` with `WM_PATHNAME`.
//!
//! `?` matches a byte and `*` any number of bytes, but neither matches `/`; `**` between slashes
//! matches any number of directories; `[a-z]` and `[[:alpha:]]` match one of a set of bytes.
//!
//! All parts of the pattern that the text can have reached are tracked at once, so the time is at
//! most the product of both lengths. Git's matcher goes back at each `*`, which takes exponential
//! time for some patterns.
#![forbid(unsafe_code)]

/// Whether `text` matches `pattern`; with `ignore_case`, ASCII letters of either case are the same.
pub(super) fn matches(pattern: &[u8], text: &[u8], ignore_case: bool) -> bool {
    let Some(steps) = steps(pattern, ignore_case) else {
        return false;
    };
    // Entry n: whether the text so far matches the first n steps.
    let mut reached = vec![false; steps.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    skip_optional(&steps, &mut reached);
    for &byte in text {
        let byte = match ignore_case {
            true => byte.to_ascii_lowercase(),
            false => byte,
        };
        advance(&steps, &mut reached, byte);
        skip_optional(&steps, &mut reached);
    }
    reached.last().is_some_and(|&all| all)
}

type Set = Box<[bool; 256]>;

/// A part of a pattern.
enum Step {
    Byte(u8),
    /// Any of these but a slash.
    Set(Set),
    /// `*`: any number of bytes but slashes.
    Star,
    /// `**` at the end: any number of bytes.
    All,
    /// The first half of `**/`: at least one byte. Both halves together also match nothing, and the
    /// second one alone matches.
    Directories,
    /// The second half of `**/`: a slash.
    DirectoriesEnd,
}

/// Extends what is reached by the steps that match nothing.
fn skip_optional(steps: &[Step], reached: &mut [bool]) {
    for (at, step) in steps.iter().enumerate() {
        let from = match step {
            Step::Star | Step::All => Some(at),
            Step::DirectoriesEnd => at.checked_sub(1),
            _ => None,
        };
        let skips = from.and_then(|from| reached.get(from)).copied();
        if let Some(entry) = reached.get_mut(at + 1) {
            *entry |= skips.unwrap_or(false);
        }
    }
}

/// Replaces what is reached by what is reached with `byte` more.
fn advance(steps: &[Step], reached: &mut [bool], byte: u8) {
    // From the end, as each entry depends on the old ones before it.
    for (at, step) in steps.iter().enumerate().rev() {
        let old = |at: Option<usize>| at.and_then(|at| reached.get(at)).copied().unwrap_or(false);
        let (before, here) = (old(Some(at)), old(Some(at + 1)));
        let is_reached = match step {
            Step::Byte(expected) => before && byte == *expected,
            Step::Set(set) => {
                before && byte != b'/' && set.get(usize::from(byte)).copied().unwrap_or(false)
            }
            Step::Star => here && byte != b'/',
            Step::All => here,
            Step::Directories => before || here,
            Step::DirectoriesEnd => byte == b'/' && (before || old(at.checked_sub(1))),
        };
        if let Some(entry) = reached.get_mut(at + 1) {
            *entry = is_reached;
        }
    }
    if let Some(start) = reached.first_mut() {
        *start = false;
    }
}

/// The steps of a pattern; `None` if it is malformed, so that nothing matches it.
fn steps(pattern: &[u8], ignore_case: bool) -> Option<Vec<Step>> {
    let mut steps = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((&byte, tail)) = rest.split_first() {
        let start = pattern.len() - rest.len();
        rest = tail;
        match byte {
            b'*' => {
                let stars = 1 + rest.iter().take_while(|&&byte| byte == b'*').count();
                rest = rest.get(stars - 1..)?;
                let is_first = match start.checked_sub(1) {
                    None => true,
                    Some(before) => pattern.get(before) == Some(&b'/'),
                };
                match rest {
                    [b'/', tail @ ..] if stars > 1 && is_first => {
                        rest = tail;
                        steps.extend([Step::Directories, Step::DirectoriesEnd]);
                    }
                    [] | [b'\\', b'/', ..] if stars > 1 && is_first => steps.push(Step::All),
                    _ => steps.push(Step::Star),
                }
            }
            b'\\' => {
                let (&escaped, tail) = rest.split_first()?;
                rest = tail;
                steps.push(Step::Byte(escaped));
            }
            b'?' => steps.push(Step::Set(Box::new([true; 256]))),
            b'[' => {
                let (set, tail) = set(rest, ignore_case)?;
                rest = tail;
                steps.push(Step::Set(set));
            }
            _ if ignore_case => steps.push(Step::Byte(byte.to_ascii_lowercase())),
            _ => steps.push(Step::Byte(byte)),
        }
    }
    Some(steps)
}

/// The set that `[` before `pattern` begins, and the pattern after its `]`.
fn set(pattern: &[u8], ignore_case: bool) -> Option<(Set, &[u8])> {
    let (is_negated, mut rest) = match pattern {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut set = Box::new([false; 256]);
    // The byte that a range could begin with.
    let mut previous = None;
    let mut is_first = true;
    loop {
        match rest {
            [b']', tail @ ..] if !is_first => {
                rest = tail;
                break;
            }
            _ => (rest, previous) = add_member(&mut set, rest, previous, ignore_case)?,
        }
        is_first = false;
    }
    if is_negated {
        for entry in set.iter_mut() {
            *entry = !*entry;
        }
    }
    Some((set, rest))
}

/// Adds the first member of `pattern` to `set`: a byte, a range from the byte `previous`, or a
/// class. Returns the pattern after it, and the byte that a range could begin with.
fn add_member<'p>(
    set: &mut [bool; 256],
    pattern: &'p [u8],
    previous: Option<u8>,
    ignore_case: bool,
) -> Option<(&'p [u8], Option<u8>)> {
    let mut add = |is_member: &dyn Fn(u8) -> bool| {
        for (byte, entry) in (0..=u8::MAX).zip(set.iter_mut()) {
            *entry |= is_member(byte);
        }
    };
    let escaped = |pattern: &'p [u8]| match pattern {
        [b'\\', byte, tail @ ..] => Some((*byte, tail)),
        [b'\\'] | [] => None,
        [byte, tail @ ..] => Some((*byte, tail)),
    };
    match (pattern, previous) {
        ([b'-', tail @ ..], Some(low)) if tail.first().is_some_and(|&next| next != b']') => {
            let (high, tail) = escaped(tail)?;
            let in_range = |byte| (low..=high).contains(&byte);
            add(&|byte| in_range(byte) || (ignore_case && in_range(byte.to_ascii_uppercase())));
            return Some((tail, None));
        }
        ([b'[', b':', name @ ..], _) => {
            let end = name.iter().position(|&byte| byte == b']')?;
            // Without a second colon it is a set that has a bracket.
            if let Some(name_only) = name.get(..end).and_then(|name| name.strip_suffix(b":")) {
                let class = class_of(name_only)?;
                let is_any_case = ignore_case && class == Class::Upper;
                add(&|byte| class.has(byte) || (is_any_case && byte.is_ascii_lowercase()));
                return Some((name.get(end + 1..)?, None));
            }
        }
        _ => {}
    }
    let (byte, tail) = escaped(pattern)?;
    add(&|other| other == byte);
    Some((tail, Some(byte)))
}

/// A named set of bytes, such as `[:alpha:]`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
}

fn class_of(name: &[u8]) -> Option<Class> {
    Some(match name {
        b"alnum" => Class::Alnum,
        b"alpha" => Class::Alpha,
        b"blank" => Class::Blank,
        b"cntrl" => Class::Cntrl,
        b"digit" => Class::Digit,
        b"graph" => Class::Graph,
        b"lower" => Class::Lower,
        b"print" => Class::Print,
        b"punct" => Class::Punct,
        b"space" => Class::Space,
        b"upper" => Class::Upper,
        b"xdigit" => Class::Xdigit,
        _ => return None,
    })
}

impl Class {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Alpha => byte.is_ascii_alphabetic(),
            Self::Blank => matches!(byte, b' ' | b'\t'),
            Self::Cntrl => byte.is_ascii_control(),
            Self::Digit => byte.is_ascii_digit(),
            Self::Graph => byte.is_ascii_graphic(),
            Self::Lower => byte.is_ascii_lowercase(),
            Self::Print => byte == b' ' || byte.is_ascii_graphic(),
            Self::Punct => byte.is_ascii_punctuation(),
            // As git's isspace().
            Self::Space => matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
            Self::Upper => byte.is_ascii_uppercase(),
            Self::Xdigit => byte.is_ascii_hexdigit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results are those of git's `test-tool wildmatch wildmatch`.
    #[test]
    fn patterns_match_as_in_git() {
        for (pattern, text, expected) in [
            ("main", "main", true),
            ("main", "Main", false),
            ("m*n", "main", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("a/**", "a", false),
            ("a/**", "a/b/c", true),
            ("**/c", "c", true),
            ("**/c", "a/b/c", true),
            ("**/c", "abc", false),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/b/c", true),
            ("a**/c", "a/b/c", false),
            ("a**/c", "ab/c", true),
            ("**/.git", "/x/.git", true),
            ("?", "/", false),
            ("[!a]", "/", false),
            ("[]a]", "]", true),
            ("[a-c]", "b", true),
            ("[c-a]", "b", false),
            ("[[:digit:]x]", "7", true),
            ("[[:bogus:]]", "7", false),
            ("[[:x]", ":", true),
            ("[a", "a", false),
            ("\\*", "*", true),
            ("\\", "\\", false),
            ("**\\/a", "b/a", true),
            ("***/a", "a", true),
            ("", "", true),
            ("*", "", true),
        ] {
            let matched = matches(pattern.as_bytes(), text.as_bytes(), false);
            assert_eq!(matched, expected, "{pattern} {text}");
        }
        assert!(matches(b"/HOME/[a-z]*", b"/home/Me", true));
        assert!(matches(b"[[:upper:]]", b"x", true));
    }

    #[test]
    fn time_is_bounded() {
        let pattern = b"*a".repeat(2000);
        assert!(!matches(&pattern, &[b'b'; 4000], false));
    }
}
