//! Patterns of refs to exclude from an iteration.
//!
//! Only patterns without wildcards are used: all refs that start with one are adjacent and can be
//! skipped by a seek. Git's front ends apply the other patterns.
#![forbid(unsafe_code)]

/// Sorted prefixes, and the first that the iteration has not passed yet.
#[derive(Default)]
pub struct Excludes {
    prefixes: Vec<Vec<u8>>,
    at: usize,
}

impl Excludes {
    /// Keeps those of `patterns` that contain no wildcards.
    pub fn new<'a>(patterns: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut prefixes: Vec<Vec<u8>> = patterns
            .filter(|pattern| !pattern.iter().any(|c| b"*?[\\".contains(c)))
            .map(<[u8]>::to_vec)
            .collect();
        prefixes.sort();
        Self { prefixes, at: 0 }
    }

    /// Whether no prefix remains.
    pub fn is_empty(&self) -> bool {
        self.at >= self.prefixes.len()
    }

    /// If `name` is excluded, returns a key greater than all names with its prefix. Names must be
    /// passed in ascending order.
    pub fn skip(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        while let Some(prefix) = self.prefixes.get(self.at) {
            let head = name.get(..prefix.len()).unwrap_or(name);
            match head.cmp(prefix) {
                std::cmp::Ordering::Greater => self.at += 1,
                std::cmp::Ordering::Less => return None,
                std::cmp::Ordering::Equal => {
                    self.at += 1;
                    // Names with the byte 0xff after the prefix are left to git's front ends.
                    let mut next = prefix.clone();
                    next.push(0xff);
                    return Some(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Excludes;

    fn excludes(patterns: &[&str]) -> Excludes {
        Excludes::new(patterns.iter().map(|pattern| pattern.as_bytes()))
    }

    #[test]
    fn patterns_with_wildcards_are_ignored() {
        assert!(excludes(&["refs/heads/*", "a?", "[b]", "c\\d"]).is_empty());
    }

    #[test]
    fn prefix_is_skipped_once() {
        let mut excludes = excludes(&["refs/heads/b", "refs/heads/a"]);
        assert_eq!(excludes.skip(b"refs/head"), None);
        assert_eq!(
            excludes.skip(b"refs/heads/a1"),
            Some(b"refs/heads/a\xff".to_vec())
        );
        assert_eq!(excludes.skip(b"refs/heads/c"), None);
        assert!(excludes.is_empty());
    }
}
