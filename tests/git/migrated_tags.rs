//! `git refs migrate` keeps the peeled values of annotated tags, in both directions.
//!
//! Runs if `REFTABLE_GIT` names a built git that migrates reflogs.

use std::fs;
use std::path::Path;

use crate::common::{scratch, Git};
use reftable::merged::Tombstones;
use reftable::record::RefValue;
use reftable::stack::{Stack, StackOptions};

/// Each ref of the repository's tables that has a peeled value, with that value.
fn peeled(repo: &Path) -> Vec<(String, String)> {
    let dir = repo.join(".git/reftable");
    let stack = Stack::open(&dir, StackOptions::default()).unwrap();
    let merged = stack.merged();
    let mut refs = merged.refs(Tombstones::Hide);
    let mut all = Vec::new();
    while refs.advance().unwrap() {
        let record = refs.record();
        if let RefValue::Val2 { target, .. } = record.value {
            let hex = target.iter().map(|byte| format!("{byte:02x}")).collect();
            all.push((String::from_utf8(record.name.to_vec()).unwrap(), hex));
        }
    }
    all
}

#[test]
fn tags_are_still_peeled_after_migrations() {
    let Some(git) = Git::patched().filter(Git::can_migrate) else {
        return;
    };
    let root = scratch();
    git.run(root.path(), &["init", "-q", "-b", "main", "repo"], "");
    let repo = root.path().join("repo");
    for args in [
        &["commit", "-q", "--allow-empty", "-m", "one"][..],
        &["tag", "light"],
        &["tag", "-a", "-m", "m", "annotated"],
        &["tag", "-a", "-m", "m", "nested", "annotated"],
        &["update-ref", "refs/custom/tag", "annotated"],
        &["tag", "tree", "HEAD^{tree}"],
        &["symbolic-ref", "refs/tags/alias", "refs/tags/annotated"],
    ] {
        git.run(&repo, args, "");
    }
    let commit = git.run(&repo, &["rev-parse", "HEAD"], "").trim().to_owned();
    let names = ["refs/custom/tag", "refs/tags/annotated", "refs/tags/nested"];
    let expected: Vec<_> = names.map(|name| (name.to_owned(), commit.clone())).into();
    assert_eq!(peeled(&repo), expected);
    let shown = git.run(&repo, &["show-ref", "-d"], "");

    git.run(&repo, &["refs", "migrate", "--ref-format=files"], "");
    let packed = fs::read_to_string(repo.join(".git/packed-refs")).unwrap();
    let count = packed.lines().filter(|line| *line == format!("^{commit}"));
    assert_eq!(count.count(), expected.len(), "{packed}");
    assert_eq!(git.run(&repo, &["show-ref", "-d"], ""), shown);

    // A loose ref as well.
    git.run(&repo, &["tag", "-f", "-a", "-m", "n", "annotated"], "");
    git.run(&repo, &["refs", "migrate", "--ref-format=reftable"], "");
    assert_eq!(peeled(&repo), expected);
    git.run(&repo, &["refs", "verify"], "");
}
