//! Patterns of refs that an iteration leaves out.
//!
//! Only patterns without wildcards are of use here: all refs that start with
//! one lie together and are jumped over. Git's front ends filter the rest.
#![forbid(unsafe_code)]

/// Sorted prefixes, and how far the iteration has passed them.
#[derive(Default)]
pub struct Excludes {
    prefixes: Vec<Vec<u8>>,
    at: usize,
}

impl Excludes {
    /// The usable ones of `patterns`.
    pub fn new<'a>(patterns: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut prefixes: Vec<Vec<u8>> = patterns
            .filter(|pattern| !pattern.iter().any(|c| b"*?[\\".contains(c)))
            .map(<[u8]>::to_vec)
            .collect();
        prefixes.sort();
        Self { prefixes, at: 0 }
    }

    /// Whether there is nothing (more) to leave out.
    pub fn is_empty(&self) -> bool {
        self.at >= self.prefixes.len()
    }

    /// If `name` is to be left out, the key behind all names that share its
    /// prefix. Names must come in ascending order.
    pub fn skip(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        while let Some(prefix) = self.prefixes.get(self.at) {
            let head = name.get(..prefix.len()).unwrap_or(name);
            match head.cmp(prefix) {
                std::cmp::Ordering::Greater => self.at += 1,
                std::cmp::Ordering::Less => return None,
                std::cmp::Ordering::Equal => {
                    self.at += 1;
                    // 0xff stands in no refname, and above all that do.
                    let mut behind = prefix.clone();
                    behind.push(0xff);
                    return Some(behind);
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
    fn patterns_with_wildcards_are_left_to_the_caller() {
        assert!(excludes(&["refs/heads/*", "a?", "[b]", "c\\d"]).is_empty());
    }

    #[test]
    fn a_prefix_is_skipped_once_and_later_names_pass() {
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
