//! Commands that create, convert and remove repositories and worktrees, while system calls on their
//! stacks fail in turn or the process is killed there.
//!
//! Runs like `faults.rs`.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{run, Git};
use crate::process::faults::chosen;
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
    run(git.command(&repo, &["worktree", "unlock", "../wt"]), b"");
    git.run(&repo, &["worktree", "prune", "--expire=now"], "");
}

/// The steps of `docs/recovery.md`: files of the format that is not in use go.
fn mend_migration(root: &Path, left: Left, from: &str, to: &str) {
    let git_dir = root.join("repo/.git");
    let entries = fs::read_dir(&git_dir).unwrap().map(|e| e.unwrap().path());
    let is_made = |path: &PathBuf| path.to_string_lossy().contains("/ref_migration.");
    entries.filter(is_made).for_each(|path| remove(&path));
    let format = match left {
        Left::Old => from,
        Left::New => to,
        Left::Between => panic!("neither the old nor the new references"),
    };
    if format == "files" {
        remove(&git_dir.join("reftable"));
        return;
    }
    for name in ["packed-refs", "logs", "refs"] {
        remove(&git_dir.join(name));
    }
    fs::create_dir(git_dir.join("refs")).unwrap();
    fs::write(git_dir.join("refs/heads"), "stub\n").unwrap();
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else if path.exists() {
        fs::remove_file(path).unwrap();
    }
}

fn mend_to_files(_: &Git, root: &Path, left: Left) {
    mend_migration(root, left, "reftable", "files");
}

fn mend_to_tables(_: &Git, root: &Path, left: Left) {
    mend_migration(root, left, "files", "reftable");
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
    let Some((patched, upstream)) = Git::both() else {
        return;
    };
    if making.args[0] == "refs" && !patched.can_migrate() {
        return;
    }
    let judges = Judges {
        patched: &patched,
        upstream: &upstream,
    };
    let library = Library::build();
    let workshop = Workshop::new(&judges, &library, making);
    let found = workshop.strike(chosen());
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
    let Some((patched, upstream)) = Git::both() else {
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

const TO_FILES: Making = Making {
    dir: "repo",
    args: &["refs", "migrate", "--ref-format=files"],
    repo: "repo",
    worktree: None,
    prepare: of_tables,
    mend: mend_to_files,
};

const TO_TABLES: Making = Making {
    dir: "repo",
    args: &["refs", "migrate", "--ref-format=reftable"],
    repo: "repo",
    worktree: None,
    prepare: of_files,
    mend: mend_to_tables,
};

#[test]
fn migration_to_files() {
    try_everywhere(TO_FILES);
}

#[test]
fn migration_to_tables() {
    try_everywhere(TO_TABLES);
}

/// A migration that is killed at any call on a file of the repository leaves all references in the
/// old or in the new format. Tries every ninth call, or all with `REFTABLE_FAULTS=all`.
#[test]
fn migrations_killed_anywhere() {
    let Some((patched, upstream)) = Git::both() else {
        return;
    };
    let judges = Judges {
        patched: &patched,
        upstream: &upstream,
    };
    if !patched.can_migrate() {
        return;
    }
    let library = Library::build().of_every_file();
    let step = match std::env::var("REFTABLE_FAULTS").as_deref() {
        Ok("all") => 1,
        _ => 9,
    };
    for making in [TO_FILES, TO_TABLES] {
        let workshop = Workshop::new(&judges, &library, making);
        let kills = workshop.kill_between_states(step / 2, step);
        println!("git {}: {kills} kills", making.args.join(" "));
        assert!(kills > 10, "{kills}");
    }
}
