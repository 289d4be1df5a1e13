//! Patterns of names, as in `git for-each-ref`.
#![forbid(unsafe_code)]

/// A pattern of `reftable ls`.
#[derive(Debug)]
pub struct Pattern {
    bytes: Vec<u8>,
    /// The part before the first special character.
    literal: usize,
}

impl Pattern {
    pub fn new(text: &[u8]) -> Self {
        let is_special = |byte: &u8| b"*?[\\".contains(byte);
        Self {
            bytes: text.to_vec(),
            literal: text.iter().position(is_special).unwrap_or(text.len()),
        }
    }

    /// All names that match begin with this.
    pub fn prefix(&self) -> &[u8] {
        self.bytes.get(..self.literal).unwrap_or_default()
    }

    /// Whether `name` is the pattern, is in the directory that it names, or matches it.
    pub fn matches(&self, name: &[u8]) -> bool {
        if let Some(rest) = name.strip_prefix(self.bytes.as_slice()) {
            if rest.is_empty() || rest.starts_with(b"/") || self.bytes.ends_with(b"/") {
                return true;
            }
        }
        self.literal < self.bytes.len() && wild(&self.bytes, name)
    }
}

/// Whether `name` matches the pattern as by git's `wildmatch()` with `WM_PATHNAME`: `*` and `?` do
/// not match a slash, `**` between slashes matches any number of components.
fn wild(mut pattern: &[u8], mut name: &[u8]) -> bool {
    let mut after_slash = true;
    while let Some((&first, rest)) = pattern.split_first() {
        match first {
            b'*' => return star(rest, name, after_slash),
            b'?' => match name.split_first() {
                Some((&byte, left)) if byte != b'/' => name = left,
                _ => return false,
            },
            b'[' => match name.split_first() {
                Some((&byte, left)) if byte != b'/' => match class(rest, byte) {
                    Some((true, after)) => {
                        pattern = after;
                        name = left;
                        after_slash = false;
                        continue;
                    }
                    _ => return false,
                },
                _ => return false,
            },
            _ => {
                let (wanted, rest) = match (first, rest.split_first()) {
                    (b'\\', Some((&escaped, rest))) => (escaped, rest),
                    _ => (first, rest),
                };
                match name.split_first() {
                    Some((&byte, left)) if byte == wanted => name = left,
                    _ => return false,
                }
                after_slash = wanted == b'/';
                pattern = rest;
                continue;
            }
        }
        after_slash = false;
        pattern = rest;
    }
    name.is_empty()
}

/// Matches the rest of a pattern after its first star.
fn star(rest: &[u8], name: &[u8], after_slash: bool) -> bool {
    let stars = rest.iter().take_while(|&&byte| byte == b'*').count();
    let rest = rest.get(stars..).unwrap_or_default();
    let crosses = stars > 0 && after_slash && (rest.is_empty() || rest.starts_with(b"/"));
    if crosses && rest.starts_with(b"/") && wild(rest.get(1..).unwrap_or_default(), name) {
        return true;
    }
    let end = match crosses {
        true => name.len(),
        false => name.iter().position(|&b| b == b'/').unwrap_or(name.len()),
    };
    (0..=end).any(|at| name.get(at..).is_some_and(|left| wild(rest, left)))
}

/// Whether `byte` is in the class after `[`, and what follows the class; `None` if it has no end.
fn class(text: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (is_negated, mut rest) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut is_in = false;
    let mut is_first = true;
    loop {
        let (mut low, mut after) = rest.split_first().map(|(&byte, rest)| (byte, rest))?;
        if low == b']' && !is_first {
            return Some((is_in != is_negated, after));
        }
        is_first = false;
        if low == b'\\' {
            (low, after) = after.split_first().map(|(&byte, rest)| (byte, rest))?;
        }
        let mut high = low;
        if let [b'-', end, more @ ..] = after {
            if *end != b']' {
                (high, after) = (*end, more);
            }
        }
        is_in |= (low..=high).contains(&byte);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_git() {
        for (pattern, name, expected) in [
            ("refs/heads", "refs/heads/a/b", true),
            ("refs/heads/", "refs/heads/a/b", true),
            ("refs/heads/", "refs/headsx", false),
            ("refs/head", "refs/heads/a", false),
            ("refs/heads/a", "refs/heads/a", true),
            ("refs/heads/*", "refs/heads/a", true),
            ("refs/heads/*", "refs/heads/a/b", false),
            ("refs/heads/**", "refs/heads/a/b", true),
            ("refs/**/b", "refs/b", true),
            ("refs/**/b", "refs/heads/a/b", true),
            ("refs/a**/b", "refs/ac/d/b", false),
            ("refs/*/v[0-9].?", "refs/tags/v1.2", true),
            ("refs/*/v[!0-9].?", "refs/tags/v1.2", false),
            ("refs/*/v[]x]", "refs/tags/v]", true),
            ("refs/*/v[x", "refs/tags/vx", false),
            ("refs/tags/\\*", "refs/tags/*", true),
            ("refs/tags/\\*", "refs/tags/a", false),
            ("refs/?eads/a", "refs/heads/a", true),
            ("refs?heads", "refs/heads", false),
            ("refs/h*/a*b*c", "refs/heads/axbxbxc", true),
        ] {
            let found = Pattern::new(pattern.as_bytes()).matches(name.as_bytes());
            assert_eq!(found, expected, "{pattern} {name}");
        }
    }
}
