//! Objects for refs to point at.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use super::Git;

/// Objects that all sequences share: eight commits, two tags, one of them of the other tag, and a
/// blob.
#[derive(Debug)]
pub struct Objects {
    pub dir: PathBuf,
    /// Commits first.
    pub ids: Vec<String>,
    /// The number of commits among them.
    pub commits: usize,
}

impl Objects {
    /// Writes them into the repository `objects-HASH` in `root`.
    pub fn new(git: &Git, root: &Path, hash: &str) -> Self {
        let dir = root.join(format!("objects-{hash}"));
        fs::create_dir(&dir).unwrap();
        git.run(&dir, &["init", "-q", "--bare", "--object-format", hash], "");
        let last_line = |output: String| output.trim().to_owned();
        let tree = last_line(git.run(&dir, &["mktree"], ""));
        let mut ids: Vec<String> = Vec::new();
        for number in 0..8 {
            let message = format!("commit {number}");
            let mut args = vec!["commit-tree", "-m", &message, &tree];
            if let Some(parent) = ids.last().filter(|_| number != 5) {
                args.extend(["-p", parent]);
            }
            let id = last_line(git.run(&dir, &args, ""));
            ids.push(id);
        }
        let commits = ids.len();
        for (kind, target) in [("commit", commits - 1), ("tag", commits)] {
            let tag = format!(
                "object {}\ntype {kind}\ntag t\ntagger T <t@e> 1 +0000\n\nm\n",
                ids[target]
            );
            ids.push(last_line(git.run(&dir, &["mktag"], &tag)));
        }
        ids.push(last_line(git.run(
            &dir,
            &["hash-object", "-w", "--stdin"],
            "blob",
        )));
        Self { dir, ids, commits }
    }

    /// Lets the repository at `git_dir` read them.
    pub fn lend_to(&self, git_dir: &Path) {
        let alternates = format!("{}/objects\n", self.dir.display());
        fs::write(git_dir.join("objects/info/alternates"), alternates).unwrap();
    }
}
