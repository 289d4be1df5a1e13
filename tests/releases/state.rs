//! What a git reads in a repository and in its linked worktrees.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::{records, run};
use crate::Release;
use reftable::format::HashId;

/// Names outside of `refs/`, in the order of the state.
const ROOT_REFS: &str = "HEAD\nORIG_HEAD\nCHERRY_PICK_HEAD\nREVERT_HEAD\nMERGE_HEAD\nAUTO_MERGE\n\
                         BISECT_HEAD\nBISECT_EXPECTED_REV\nFETCH_HEAD\nOWN_HEAD\n";

const FSCK: [&str; 4] = [
    "fsck",
    "--no-dangling",
    "--no-progress",
    "--connectivity-only",
];

/// References, their peeled values and targets, reflogs, `HEAD` and other root refs of each
/// directory that is a worktree, all read by one git. Contains no paths.
pub fn read(release: &Release, root: &Path) -> String {
    let format = "--format=%(refname) %(objectname) %(objecttype) %(symref)";
    let mut text = String::new();
    for place in ["repo", "wt1", "wt2"] {
        let dir = root.join(place);
        if !dir.join(".git").exists() {
            continue;
        }
        writeln!(text, "== {place}").unwrap();
        for (args, input) in [
            (&["for-each-ref", format][..], ""),
            (&["show-ref", "-d", "--head"], ""),
            (&["symbolic-ref", "-q", "HEAD"], ""),
            (&["cat-file", "--batch-check"], ROOT_REFS),
        ] {
            let (status, output) = command(release, &dir, args, input);
            writeln!(text, "{} ({status}):\n{output}", args[0]).unwrap();
        }
        text += &reflogs(release, &dir);
    }
    text
}

/// The entries of all reflogs, sorted by name: releases walk the reflogs in different orders.
fn reflogs(release: &Release, dir: &Path) -> String {
    let format = "--format=%gD %H %gn <%ge> %gs";
    let (status, output) = command(release, dir, &["log", "-g", "--all", format], "");
    let mut lines: Vec<_> = output.lines().collect();
    lines.sort_unstable();
    format!("log -g ({status}):\n{}\n", lines.join("\n"))
}

/// The findings of `git fsck`, sorted, and its status.
pub fn fsck(release: &Release, root: &Path) -> String {
    let output = run(release.git.command(&root.join("repo"), &FSCK), b"");
    let text = output.stdout + &output.stderr;
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    format!(
        "{} fsck ({}):\n{}\n",
        release.name,
        output.status,
        lines.join("\n")
    )
}

/// Fails unless git's checks of the tables find nothing.
pub fn verify(release: &Release, root: &Path) {
    let args = ["refs", "verify"];
    let output = run(release.git.command(&root.join("repo"), &args), b"");
    let is_clean = output.status == 0 && output.stderr.is_empty();
    assert!(is_clean, "{}: {output:#?}", release.name);
}

/// The status and the output of a command, with the messages if it fails.
fn command(release: &Release, dir: &Path, args: &[&str], input: &str) -> (i32, String) {
    let output = run(release.git.command(dir, args), input.as_bytes());
    if output.status > 1 || output.status < 0 {
        return (output.status, output.stdout + &output.stderr);
    }
    (output.status, output.stdout)
}

/// All records as the crate reads them, apart from what depends on the number of transactions that a
/// release makes.
pub fn decoded(root: &Path, hash: HashId) -> String {
    records::without_indexes(&root.join("repo/.git"), hash)
}
