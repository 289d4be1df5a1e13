//! Git's rules for the names of refs in files.
#![forbid(unsafe_code)]

/// Whether git lists `name` among the root refs. As git's `is_root_ref()`.
pub fn is_root_ref(name: &[u8]) -> bool {
    const OTHERS: [&[u8]; 6] = [
        b"HEAD",
        b"AUTO_MERGE",
        b"BISECT_EXPECTED_REV",
        b"NOTES_MERGE_PARTIAL",
        b"NOTES_MERGE_REF",
        b"MERGE_AUTOSTASH",
    ];
    // Git keeps these two in files whatever the format is.
    let is_file = name == b"FETCH_HEAD" || name == b"MERGE_HEAD";
    let is_known = name.ends_with(b"_HEAD") || OTHERS.contains(&name);
    let is_root_byte = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    is_known && !is_file && name.iter().all(is_root_byte)
}

/// Whether each worktree has its own ref called `name`.
pub fn belongs_to_worktree(name: &[u8]) -> bool {
    const DIRS: [&[u8]; 3] = [b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"];
    is_root_ref(name) || DIRS.iter().any(|dir| name.starts_with(dir))
}

/// Finds names of which one is a directory of another. The names are passed in their order.
#[derive(Debug, Default)]
pub struct Directories {
    /// The names that the last one begins with, shortest first.
    open: Vec<Vec<u8>>,
}

impl Directories {
    /// The earlier name that is a directory of `name`.
    pub fn add(&mut self, name: &[u8]) -> Option<&[u8]> {
        while self.open.last().is_some_and(|last| !name.starts_with(last)) {
            self.open.pop();
        }
        self.open.push(name.to_vec());
        let is_dir = |dir: &&Vec<u8>| name.get(dir.len()) == Some(&b'/');
        self.open.iter().find(is_dir).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_refs_are_those_of_git() {
        for name in ["HEAD", "ORIG_HEAD", "X-Y_HEAD", "AUTO_MERGE"] {
            assert!(is_root_ref(name.as_bytes()), "{name}");
        }
        for name in [
            "FETCH_HEAD",
            "MERGE_HEAD",
            "x_HEAD",
            "OTHER",
            "refs/A_HEAD",
            "",
        ] {
            assert!(!is_root_ref(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn directories_are_found_among_similar_names() {
        let mut names = Directories::default();
        for (name, expected) in [
            ("refs/heads/a", None),
            ("refs/heads/a-b", None),
            ("refs/heads/a.b/c", None),
            ("refs/heads/a/b", Some("refs/heads/a")),
            ("refs/heads/a0", None),
            ("refs/heads/b", None),
        ] {
            assert_eq!(
                names.add(name.as_bytes()),
                expected.map(str::as_bytes),
                "{name}"
            );
        }
    }
}
