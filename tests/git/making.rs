//! Commands that create, convert and remove repositories and worktrees, while system calls on their
//! stacks fail in turn or the process is killed there.
//!
//! Runs like `faults.rs`.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{run, Git};
use crate::process::faults::{all, some};
use crate::process::making::{Left, Making, Workshop};
use crate::process::preload::Library;
use crate::process::verdict::Judges;

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

/// Runs the command again.
fn init_again(git: &Git, root: &Path, _: Left) {
    git.run(root, INIT, "");
}

/// As after a killed clone by any git: removes the directory.
fn remove_clone(_: &Git, root: &Path, _: Left) {
    remove(&root.join("clone"));
}

/// Removes the directory of the worktree, its entry and the lock on the entry.
fn remove_worktree(git: &Git, root: &Path, left: Left) {
    if left == Left::New {
        return;
    }
    let repo = root.join("repo");
    remove(&root.join("wt"));
    // Only a half-made entry is locked and has that path.
    run(git.direct(&repo, &["worktree", "unlock", "../wt"]), b"");
    git.run(&repo, &["worktree", "prune", "--expire=now"], "");
}

/// The steps of `docs/recovery.md` for a migration killed between the removal of the old references
/// and the change of the configuration.
const MOVE: &str = r#"
for path in ref_migration.*/*
do
	rm -rf "${path##*/}"
	mv "$path" .
done
rmdir ref_migration.*
"#;

/// Removes the result of a killed migration or, if the old references are already gone, moves it
/// into place by hand.
fn mend_migration(git: &Git, root: &Path, left: Left, before: &str, after: &str) {
    let git_dir = root.join("repo/.git");
    let entries = fs::read_dir(&git_dir).unwrap().map(|e| e.unwrap().path());
    let is_made = |path: &PathBuf| path.to_string_lossy().contains("/ref_migration.");
    let made: Vec<_> = entries.filter(is_made).collect();
    if left == Left::Between {
        assert_eq!(made.len(), 1);
        let mut shell = git.command::<&str>(&git_dir, &[]);
        let program = git.program();
        let wrappers = program.with_file_name("bin-wrappers");
        let path = std::env::var("PATH").unwrap();
        let script = format!("PATH={}:{path}\n{before}{MOVE}{after}", wrappers.display());
        let environment: Vec<_> = shell
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(&git_dir);
        shell.env_clear().envs(environment);
        let output = run(shell, b"");
        assert_eq!(output.status, 0, "{output:#?}");
    }
    for dir in made {
        remove(&dir);
    }
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else if path.exists() {
        fs::remove_file(path).unwrap();
    }
}

fn mend_to_files(git: &Git, root: &Path, left: Left) {
    let after = "git config --file config --unset extensions.refStorage";
    mend_migration(git, root, left, "rm -rf reftable", after);
}

fn mend_to_tables(git: &Git, root: &Path, left: Left) {
    let after = "git config --file config core.repositoryformatversion 1 &&
        git config --file config extensions.refStorage reftable";
    mend_migration(git, root, left, "rm -rf packed-refs logs", after);
}

const INIT: &[&str] = &["init", "-q", "--ref-format=reftable", "-b", "main", "made"];
const INIT_FILES: &[&str] = &[
    "init",
    "-q",
    "--ref-format=files",
    "--object-format=sha256",
    "-b",
    "main",
    "made",
];

/// Injects faults everywhere, if gits are named.
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

const MAKING_INIT: Making = Making {
    dir: ".",
    args: INIT,
    repo: "made",
    worktree: None,
    prepare: nothing,
    mend: init_again,
};

#[test]
fn init() {
    try_everywhere(MAKING_INIT);
}

/// Faults at calls on the configuration and `HEAD` as well as on the stack.
#[test]
fn init_killed_at_any_file() {
    let (Some(patched), Some(upstream)) = (Git::patched(), Git::upstream()) else {
        return;
    };
    let judges = Judges {
        patched: &patched,
        upstream: &upstream,
    };
    let library = Library::build().of_every_file();
    for args in [INIT, INIT_FILES] {
        let making = Making {
            args,
            ..MAKING_INIT
        };
        let different = Workshop::new(&judges, &library, making).kill_and_repeat();
        println!("git {}: killed in {different} states", args.join(" "));
        assert!(different > 20, "{different}");
    }
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
