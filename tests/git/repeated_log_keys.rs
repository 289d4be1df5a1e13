//! Tables in which git's C writer has repeated the key of a reflog entry: they can be read, and
//! every way to rewrite the entries leaves one per key.
//!
//! Runs if `REFTABLE_GIT` and `REFTABLE_UPSTREAM_GIT` name built gits.

use std::path::{Path, PathBuf};

use crate::common::{run, scratch, Git};

const REFLOG: [&str; 5] = ["log", "-g", "--format=%gD %H %gs", "HEAD", "--"];

/// A repository in which upstream's git has just written two entries of HEAD's log with the same
/// key: a batch rejects an update of the branch that HEAD points at, and makes it through a symref.
fn repository(upstream: &Git, root: &Path, name: &str) -> PathBuf {
    upstream.run(root, &["init", "-q", "-b", "main", name], "");
    let repo = root.join(name);
    for message in ["one", "two"] {
        upstream.run(&repo, &["commit", "-q", "--allow-empty", "-m", message], "");
    }
    let two = upstream.run(&repo, &["rev-parse", "HEAD"], "");
    upstream.run(&repo, &["update-ref", "refs/heads/branch", "HEAD~"], "");
    upstream.run(&repo, &["symbolic-ref", "HEAD", "refs/heads/branch"], "");
    let alias = ["symbolic-ref", "refs/heads/alias", "refs/heads/branch"];
    upstream.run(&repo, &alias, "");
    let input = format!("create refs/heads/branch {two}update refs/heads/alias {two}");
    upstream.run(&repo, &["update-ref", "--stdin", "--batch-updates"], &input);
    repo
}

/// The output of `git refs verify`, and whether it succeeds.
fn verify(git: &Git, repo: &Path) -> (bool, String) {
    let output = run(git.command(repo, &["refs", "verify"]), b"");
    (output.status == 0, output.stderr)
}

#[test]
fn entries_with_the_same_key_are_read_and_rewritten_as_one() {
    let (Some(patched), Some(upstream)) = (Git::patched(), Git::upstream()) else {
        return;
    };
    if !upstream.is_since(2, 50) {
        eprintln!("NOT RUN: upstream's git has no batches");
        return;
    }
    let root = scratch();
    let ways: [(&str, &[&str]); 4] = [
        ("packed", &["update-ref", "refs/heads/more", "HEAD~"]),
        ("expired", &["reflog", "expire", "--expire=never", "HEAD"]),
        ("deleted", &["reflog", "delete", "HEAD@{0}"]),
        ("grown", &["commit", "-q", "--allow-empty", "-m", "three"]),
    ];
    for (name, way) in ways {
        let repo = repository(&upstream, root.path(), name);
        let before = upstream.run(&repo, &REFLOG, "");
        assert_eq!(before.lines().count(), 5, "{before}");
        assert_eq!(patched.run(&repo, &REFLOG, ""), before, "{name}");
        let (sound, reported) = verify(&patched, &repo);
        assert!(
            !sound && reported.contains("badReftableOrder"),
            "{reported}"
        );

        patched.run(&repo, way, "");
        patched.run(&repo, &["pack-refs", "--all"], "");
        assert_eq!(verify(&patched, &repo), (true, String::new()), "{name}");
        let after = patched.run(&repo, &REFLOG, "");
        assert_eq!(upstream.run(&repo, &REFLOG, ""), after, "{name}");
        // `deleted` itself removes one of the two entries.
        let lines = if name == "grown" { 5 } else { 4 };
        assert_eq!(after.lines().count(), lines, "{name}: {after}");
    }
}
