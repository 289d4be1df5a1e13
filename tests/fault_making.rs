//! Commands that make, convert and remove repositories and worktrees, while system calls on
//! their stacks fail in turn or the process is killed there.
//!
//! Runs as `fault_git` does.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod common;
mod process_support;

use std::fs;
use std::path::{Path, PathBuf};

use common::{run, Git};
use process_support::faults::{all, some};
use process_support::making::{Left, Making, Workshop};
use process_support::preload::Library;
use process_support::verdict::Judges;

/// A repository of two commits with logs, whose stack has been compacted.
fn repository(git: &Git, root: &Path, format: &str) {
    let repo = root.join("repo");
    let format = format!("--ref-format={format}");
    git.run(root, &["init", "-q", &format, "-b", "main", "repo"], "");
    for message in ["one", "two"] {
        let args = ["commit", "-q", "--allow-empty", "-m", message];
        git.run(&repo, &args, "");
    }
    git.run(&repo, &["branch", "topic", "main~1"], "");
    git.run(&repo, &["config", "core.fsync", "reference"], "");
    git.run(&repo, &["pack-refs", "--all"], "");
}

fn source(git: &Git, root: &Path) {
    repository(git, root, "reftable");
    git.run(&root.join("repo"), &["tag", "v1"], "");
    git.run(root, &["init", "-q", "--bare", "other"], "");
}

fn of_tables(git: &Git, root: &Path) {
    repository(git, root, "reftable");
}

fn of_files(git: &Git, root: &Path) {
    repository(git, root, "files");
}

fn with_worktree(git: &Git, root: &Path) {
    of_tables(git, root);
    let repo = root.join("repo");
    git.run(&repo, &["worktree", "add", "-q", "-b", "wt", "../wt"], "");
    let wt = root.join("wt");
    git.run(&wt, &["update-ref", "refs/worktree/own", "HEAD"], "");
}

fn nothing(_: &Git, _: &Path) {}

/// The command once more and then, since to any git a repository is complete that has no `HEAD`
/// but the stub beside its stack, that.
fn init_again(git: &Git, root: &Path, _: Left) {
    git.run(root, INIT, "");
    let repo = root.join("made");
    let head = run(git.direct(&repo, &["symbolic-ref", "HEAD"]), b"");
    if head.status != 0 {
        git.run(&repo, &["symbolic-ref", "HEAD", "refs/heads/main"], "");
    }
}

/// As after a killed clone by any git: the folder goes.
fn remove_clone(_: &Git, root: &Path, _: Left) {
    remove(&root.join("clone"));
}

/// The folder of the worktree, its entry and the lock on that go.
fn remove_worktree(git: &Git, root: &Path, left: Left) {
    if left == Left::New {
        return;
    }
    let repo = root.join("repo");
    remove(&root.join("wt"));
    // Only one that is half made is locked, and known by that path.
    run(git.direct(&repo, &["worktree", "unlock", "../wt"]), b"");
    git.run(&repo, &["worktree", "prune", "--expire=now"], "");
}

/// What a killed migration had made goes, or, if it has removed the old references already,
/// is put in place by hand. Of the lines for the configuration there is one for each format.
fn mend_migration(root: &Path, left: Left, old: &[&str], configuration: &str) {
    let git_dir = root.join("repo/.git");
    let entries = fs::read_dir(&git_dir).unwrap().map(|e| e.unwrap().path());
    let is_made = |path: &PathBuf| path.to_string_lossy().contains("/ref_migration.");
    for made in entries.filter(is_made).collect::<Vec<_>>() {
        if left == Left::Between {
            for name in old {
                remove(&git_dir.join(name));
            }
            for entry in fs::read_dir(&made).unwrap() {
                let entry = entry.unwrap();
                let target = git_dir.join(entry.file_name());
                remove(&target);
                fs::rename(entry.path(), target).unwrap();
            }
            let path = git_dir.join("config");
            let text = fs::read_to_string(&path).unwrap();
            let is_other = |line: &&str| !line.contains("version") && !line.contains("efstorage");
            let lines: Vec<_> = text.lines().filter(is_other).collect();
            fs::write(path, lines.join("\n") + configuration).unwrap();
        }
        remove(&made);
    }
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else if path.exists() {
        fs::remove_file(path).unwrap();
    }
}

fn mend_to_files(_: &Git, root: &Path, left: Left) {
    let configuration = "\n[core]\n\trepositoryformatversion = 0\n";
    mend_migration(root, left, &["reftable"], configuration);
}

fn mend_to_tables(_: &Git, root: &Path, left: Left) {
    let configuration =
        "\n[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefstorage = reftable\n";
    mend_migration(root, left, &["packed-refs", "logs"], configuration);
}

const INIT: &[&str] = &["init", "-q", "--ref-format=reftable", "-b", "main", "made"];

/// Strikes everywhere, if there are gits.
fn try_everywhere(making: Making) {
    let (Some(patched), Some(upstream)) = (Git::patched(), Git::upstream()) else {
        return;
    };
    let judges = Judges {
        patched: &patched,
        upstream: &upstream,
    };
    let is_long = std::env::var_os("REFTABLE_FAULTS").is_some_and(|v| v == "all");
    let library = Library::build();
    let workshop = Workshop::new(&judges, &library, making);
    let found = workshop.strike(if is_long { all } else { some });
    assert!(found.tally.kills > 3);
}

#[test]
fn init() {
    try_everywhere(Making {
        dir: ".",
        args: INIT,
        repo: "made",
        worktree: None,
        prepare: nothing,
        mend: init_again,
    });
}

#[test]
fn clone() {
    try_everywhere(Making {
        dir: ".",
        args: &[
            "clone",
            "-q",
            "--no-local",
            "--ref-format=reftable",
            "repo",
            "clone",
        ],
        repo: "clone",
        worktree: None,
        prepare: source,
        mend: remove_clone,
    });
}

#[test]
fn worktree_add() {
    try_everywhere(Making {
        dir: "repo",
        args: &["worktree", "add", "-q", "-B", "wt", "../wt"],
        repo: "repo",
        worktree: Some("wt"),
        prepare: of_tables,
        mend: remove_worktree,
    });
}

#[test]
fn worktree_remove() {
    try_everywhere(Making {
        dir: "repo",
        args: &["worktree", "remove", "--force", "../wt"],
        repo: "repo",
        worktree: Some("wt"),
        prepare: with_worktree,
        mend: remove_worktree,
    });
}

#[test]
fn migration_to_files() {
    try_everywhere(Making {
        dir: "repo",
        args: &["refs", "migrate", "--ref-format=files"],
        repo: "repo",
        worktree: None,
        prepare: of_tables,
        mend: mend_to_files,
    });
}

#[test]
fn migration_to_tables() {
    try_everywhere(Making {
        dir: "repo",
        args: &["refs", "migrate", "--ref-format=reftable"],
        repo: "repo",
        worktree: None,
        prepare: of_files,
        mend: mend_to_tables,
    });
}
