//! System calls of git commands fail in turn, or the process is killed there: both gits must then
//! read the old or the new state of the repository, and be able to continue.
//!
//! Runs if `REFTABLE_GIT` and `REFTABLE_UPSTREAM_GIT` name built gits, on Linux. A run is limited;
//! `REFTABLE_FAULTS=all` tries every error at every call of every command; with `few`, only every
//! fifth of many calls fails.
#![cfg(target_os = "linux")]

use std::path::Path;

use crate::common::{run, Git};
use crate::process::faults::{chosen, Case, World};
use crate::process::preload::Library;
use crate::process::verdict::Judges;

/// A repository with a worktree, logs, and tables that the next change compacts. Flushing is on, so
/// that it can fail.
fn repository(git: &Git, root: &Path) {
    let repo = root.join("repo");
    let config = ["-c", "core.fsync=reference"];
    git.run(root, &["init", "-q", "-b", "main", "repo"], "");
    git.run(&repo, &["config", "core.fsync", "reference"], "");
    let tree = git.run(&repo, &["mktree"], "");
    let commit = |message: &str, parents: &[&str]| {
        let mut args = vec!["commit-tree", "-m", message, tree.trim()];
        for parent in parents {
            args.extend(["-p", parent]);
        }
        git.run(&repo, &args, "").trim().to_owned()
    };
    let one = commit("one", &[]);
    let two = commit("two", &[&one]);
    let update = |name: &str, value: &str| {
        let mut args = config.to_vec();
        args.extend(["update-ref", "-m", "made", name, value]);
        let mut command = git.command(&repo, &args);
        command.env("GIT_TEST_REFTABLE_AUTOCOMPACTION", "false");
        assert_eq!(run(command, b"").status, 0);
    };
    update("refs/heads/main", &one);
    git.run(&repo, &["worktree", "add", "-q", "-b", "wt", "../wt"], "");
    git.run(&repo, &["pack-refs"], "");
    for (name, value) in [
        ("main", &two),
        ("topic", &one),
        ("topic", &two),
        ("gone", &two),
    ] {
        update(&format!("refs/heads/{name}"), value);
    }
}

/// Commands that change references, and the number of steps: git makes some changes in more than
/// one transaction.
const CASES: [Case; 11] = [
    Case::new(
        &[
            "update-ref",
            "-m",
            "new",
            "refs/heads/new",
            "refs/heads/main",
        ],
        1,
    ),
    Case {
        args: &["update-ref", "--stdin"],
        input: "create refs/heads/new refs/heads/main\n\
                update refs/heads/topic refs/heads/topic~1\n\
                delete refs/heads/gone\n\
                symref-create refs/heads/sym refs/heads/main\n",
        steps: 1,
        reports_failure: true,
        each_log_alone: false,
    },
    // One stack for each worktree.
    Case {
        args: &["-C", "../wt", "update-ref", "--stdin"],
        input: "create refs/heads/new refs/heads/main\n\
                create refs/worktree/own refs/heads/main\n",
        steps: 2,
        reports_failure: true,
        each_log_alone: false,
    },
    Case::new(&["branch", "-m", "topic", "renamed"], 1),
    // Renames, then changes `HEAD`.
    Case {
        reports_failure: false,
        ..Case::new(&["branch", "-m", "main", "renamed"], 2)
    },
    // Checks whether the branch is gone, and fails if it cannot check.
    Case {
        reports_failure: false,
        ..Case::new(&["branch", "-D", "topic"], 1)
    },
    Case::new(&["reflog", "expire", "--expire=all", "refs/heads/topic"], 1),
    Case::new(&["reflog", "delete", "refs/heads/topic@{1}"], 1),
    Case::new(&["pack-refs"], 0),
    Case::new(
        &["symbolic-ref", "-m", "moved", "HEAD", "refs/heads/topic"],
        1,
    ),
    Case::new(&["refs", "verify"], 0),
];

/// Commands that change several logs of a stack in one transaction. Older releases change one after
/// another.
const SEVERAL_LOGS: [Case; 2] = [
    Case {
        each_log_alone: true,
        ..Case::new(
            &[
                "reflog",
                "expire",
                "--all",
                "--single-worktree",
                "--expire=all",
            ],
            1,
        )
    },
    Case {
        each_log_alone: true,
        ..Case::new(
            &[
                "reflog",
                "delete",
                "refs/heads/topic@{1}",
                "refs/heads/main@{0}",
                "HEAD@{0}",
            ],
            1,
        )
    },
];

#[test]
fn states_are_old_or_new() {
    let Some((patched, upstream)) = Git::both() else {
        return;
    };
    let judges = Judges {
        patched: &patched,
        upstream: &upstream,
    };
    let library = Library::build();
    let world = World::new(&judges, &library, repository);
    let mut sum = crate::process::faults::Tally::default();
    let several = SEVERAL_LOGS.into_iter().filter(|_| patched.is_since(2, 55));
    for case in CASES.into_iter().chain(several) {
        sum += world.strike(case, chosen());
    }
    println!("in all: {sum}");
    assert!(sum.kills > 100);
}
