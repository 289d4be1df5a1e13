//! Kinds of repositories: each is moved from files to reftables and back.

use std::fs;

use super::{files, state};
use crate::sandbox::Sandbox;

/// The kinds of repositories, and the git directory.
const KINDS: [(&str, &[&str], &str); 5] = [
    ("plain", &["r"], "r/.git"),
    ("worktrees", &["r", "w", "x"], "r/.git"),
    ("bare", &["r"], "r"),
    ("detached", &["r"], "r/.git"),
    ("unborn", &["r"], "r/.git"),
];

/// A repository of a kind, with references in files: `r`, and its worktrees `w` and `x`.
pub fn repository(kind: &str, hash: &str) -> Option<Sandbox> {
    let name = format!("{kind}-{hash}");
    Sandbox::from_template(&name, include_str!("kinds.rs"), |sandbox| {
        make(sandbox, kind, hash)
    })
}

fn make(sandbox: &Sandbox, kind: &str, hash: &str) {
    let git = |dir: &str, args: &[&str]| sandbox.git(dir, args);
    let format = format!("--object-format={hash}");
    let init = [
        "init",
        "-q",
        "--template=",
        "--ref-format=files",
        "-b",
        "main",
        &format,
    ];
    git(".", &[&init[..], &["r"]].concat());
    if kind == "unborn" {
        return;
    }
    for message in ["one", "two"] {
        git("r", &["commit", "-q", "--allow-empty", "-m", message]);
    }
    git("r", &["tag", "-a", "-m", "x", "packed", "HEAD^"]);
    git("r", &["branch", "deep/er/x", "HEAD^"]);
    git("r", &["update-ref", "refs/remotes/origin/main", "HEAD^"]);
    git("r", &["pack-refs", "--all"]);
    for args in [
        // Loose refs that hide packed ones, loose tags, of tags and of a tree.
        &["update-ref", "refs/remotes/origin/main", "HEAD"][..],
        &["tag", "light"],
        &["tag", "-a", "-m", "x", "v1"],
        &["tag", "-a", "-m", "x", "nested", "v1"],
        &["tag", "tree", "HEAD^{tree}"],
        &["update-ref", "refs/custom/tag", "v1"],
        &[
            "symbolic-ref",
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/main",
        ],
        &["symbolic-ref", "refs/heads/sym", "refs/heads/deep/er/x"],
        &["symbolic-ref", "refs/heads/dangling", "refs/heads/none"],
        &["update-ref", "ORIG_HEAD", "HEAD"],
        &["update-ref", "refs/bisect/bad", "HEAD"],
        &[
            "update-ref",
            "--create-reflog",
            "-m",
            "a message",
            "refs/worktree/own",
            "HEAD",
        ],
        &["branch", "b/\u{e4}\u{20ac}"],
        &["branch", "gone"],
        &["branch", "-D", "gone"],
        &["config", "core.logAllRefUpdates", "always"],
        &["stash", "list"],
    ] {
        git("r", args);
    }
    write_logs(sandbox, hash);
    match kind {
        "worktrees" => {
            git("r", &["worktree", "add", "-q", "../w", "deep/er/x"]);
            git("r", &["worktree", "add", "-q", "--detach", "../x"]);
            git("w", &["update-ref", "refs/bisect/bad", "HEAD"]);
            git(
                "w",
                &["update-ref", "--create-reflog", "refs/worktree/own", "HEAD"],
            );
            git("w", &["update-ref", "ORIG_HEAD", "HEAD"]);
        }
        "detached" => {
            git("r", &["checkout", "-q", "--detach", "HEAD^"]);
        }
        "bare" => {
            fs::rename(sandbox.path("r"), sandbox.path("old")).unwrap();
            fs::rename(sandbox.path("old/.git"), sandbox.path("r")).unwrap();
            git("r", &["config", "core.bare", "true"]);
        }
        _ => {}
    }
}

/// Logs as only files have them: an empty one, entries without a message, odd times and zones.
fn write_logs(sandbox: &Sandbox, hash: &str) {
    let logs = sandbox.path("r/.git/logs/refs/heads");
    let digits = if hash == "sha1" { 40 } else { 64 };
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    let (head, null) = (head.trim_end(), "0".repeat(digits));
    fs::write(logs.join("sym"), "").unwrap();
    let entries = [
        "A U Thor <a@b> 99999 +0000\tfirst",
        "A U Thor <a@b> 100000 -1130",
        "A <a> 1700000000 +1400\tan\ttab and \u{e4}",
        "B <> 4294967296 -0001\t trailing ",
    ];
    let text = entries
        .map(|entry| format!("{null} {head} {entry}\n"))
        .concat();
    fs::write(logs.join("dangling"), text).unwrap();
}

fn is_bare(kind: &str) -> bool {
    kind == "bare"
}

#[test]
fn every_kind_of_repository_is_moved_and_back() {
    for (kind, dirs, git_dir) in KINDS {
        for hash in ["sha1", "sha256"] {
            let Some(sandbox) = repository(kind, hash) else {
                return;
            };
            let context = format!("{kind} {hash}");
            let config = fs::read_to_string(sandbox.path(git_dir).join("config")).unwrap();
            let expected = state(&sandbox, dirs);
            let found = files(&sandbox, git_dir);
            sandbox.output("r", &["migrate", "--to", "reftable", "--grace", "0"]);
            assert_eq!(state(&sandbox, dirs), expected, "{context}");
            let format = sandbox.git("r", &["rev-parse", "--show-ref-format"]);
            assert_eq!(format, "reftable\n", "{context}");
            sandbox.git("r", &["refs", "verify"]);
            sandbox.output("r", &["verify", "--full"]);
            for name in files(&sandbox, git_dir) {
                let is_old = ["logs", "packed-refs", "ORIG", "ref-migration", "refs/tags"]
                    .iter()
                    .any(|start| name.starts_with(start) || name.contains(&format!("/{start}")));
                assert!(!is_old && !name.ends_with(".lock"), "{context}: {name}");
            }
            // What git makes itself, in a new worktree too.
            if !is_bare(kind) && kind != "unborn" {
                sandbox.git("r", &["commit", "-q", "--allow-empty", "-m", "more"]);
                sandbox.git("r", &["reset", "-q", "--soft", "HEAD^"]);
                sandbox.git("r", &["worktree", "add", "-q", "../new"]);
                sandbox.git("r", &["worktree", "remove", "../new"]);
                sandbox.git("r", &["branch", "-D", "new"]);
            }
            let expected = state(&sandbox, dirs);
            sandbox.output("r", &["migrate", "--to", "files"]);
            assert_eq!(state(&sandbox, dirs), expected, "{context}");
            let format = sandbox.git("r", &["rev-parse", "--show-ref-format"]);
            assert_eq!(format, "files\n", "{context}");
            sandbox.git("r", &["refs", "verify"]);
            let after = files(&sandbox, git_dir);
            let is_new = |name: &&String| !found.contains(name);
            let new: Vec<&String> = after.iter().filter(is_new).collect();
            let allowed = ["packed-refs", "ORIG_HEAD", "logs/ORIG_HEAD"];
            assert!(
                new.iter().all(|name| allowed.contains(&name.as_str())),
                "{context}: {new:?}"
            );
            let text = fs::read_to_string(sandbox.path(git_dir).join("config")).unwrap();
            assert_eq!(text, config, "{context}");
            if kind != "unborn" {
                let dir = if is_bare(kind) {
                    "r"
                } else {
                    dirs[dirs.len() - 1]
                };
                sandbox.git(dir, &["update-ref", "-d", "refs/tags/light"]);
                sandbox.git(dir, &["update-ref", "refs/heads/main", "main^"]);
            }
        }
    }
}

#[test]
fn what_git_migrate_writes_is_the_same() {
    let Some(sandbox) = repository("plain", "sha1") else {
        return;
    };
    // It drops empty logs, and fails for times in the next century.
    for name in ["sym", "dangling"] {
        fs::remove_file(sandbox.path("r/.git/logs/refs/heads").join(name)).unwrap();
    }
    sandbox.output("r", &["migrate", "--to", "reftable", "--grace", "0"]);
    let expected = state(&sandbox, &["r"]);
    sandbox.git("r", &["refs", "migrate", "--ref-format=files"]);
    assert_eq!(state(&sandbox, &["r"]), expected);
    sandbox.git("r", &["refs", "migrate", "--ref-format=reftable"]);
    sandbox.output("r", &["migrate", "--to", "files"]);
    assert_eq!(state(&sandbox, &["r"]), expected);
}

#[test]
fn packed_tags_are_peeled() {
    let Some(sandbox) = repository("plain", "sha1") else {
        return;
    };
    // Deltas need tags that are alike.
    for n in 0..60 {
        let message = format!("{} {n}", "a long message ".repeat(40));
        sandbox.git("r", &["tag", "-a", "-m", &message, &format!("many/{n}")]);
    }
    sandbox.git(
        "r",
        &["repack", "-q", "-a", "-d", "--depth=50", "--window=60"],
    );
    sandbox.git("r", &["tag", "-a", "-m", "loose", "last"]);
    let expected = sandbox.git("r", &["show-ref", "-d"]);
    sandbox.output("r", &["migrate", "--to", "reftable", "--grace", "0"]);
    assert_eq!(sandbox.git("r", &["show-ref", "-d"]), expected);
    let shown = sandbox.output("r", &["ls", "--peel", "refs/tags"]);
    assert_eq!(
        shown.matches("^{}").count(),
        expected.matches("^{}").count() - 1
    );
    // From a repository that borrows the objects.
    sandbox.git(
        ".",
        &[
            "clone",
            "-q",
            "--shared",
            "--bare",
            "--ref-format=files",
            "r",
            "s",
        ],
    );
    let expected = sandbox.git("s", &["show-ref", "-d"]);
    fs::write(
        sandbox.path("s/packed-refs"),
        fs::read_to_string(sandbox.path("s/packed-refs"))
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with(['#', '^']))
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .unwrap();
    sandbox.output("s", &["migrate", "--to", "reftable", "--grace", "0"]);
    let shown = sandbox.output("s", &["ls", "--peel", "refs/tags"]);
    assert_eq!(
        shown.matches("^{}").count(),
        expected.matches("^{}").count()
    );
}

#[test]
fn old_symbolic_links_are_symbolic_refs() {
    let Some(sandbox) = repository("plain", "sha1") else {
        return;
    };
    let head = sandbox.path("r/.git/HEAD");
    fs::remove_file(&head).unwrap();
    std::os::unix::fs::symlink("refs/heads/main", &head).unwrap();
    // Git does not list such a HEAD, but it reads it.
    let shown = || {
        let args = [&["symbolic-ref", "HEAD"][..], &["show-ref", "--head"]];
        args.map(|args| sandbox.git("r", args))
    };
    let expected = shown();
    sandbox.output("r", &["migrate", "--to", "reftable", "--grace", "0"]);
    assert_eq!(shown(), expected);
}

#[test]
fn a_shared_repository_stays_shared() {
    use std::os::unix::fs::PermissionsExt as _;

    let Some(sandbox) = Sandbox::new() else {
        return;
    };
    let init = [
        "init",
        "-q",
        "--bare",
        "--shared",
        "--ref-format=files",
        "r",
    ];
    sandbox.git(".", &init);
    sandbox.git("r", &["symbolic-ref", "refs/heads/sym", "refs/heads/none"]);
    let mode = |name: &str| {
        fs::metadata(sandbox.path(name))
            .unwrap()
            .permissions()
            .mode()
    };
    sandbox.output("r", &["migrate", "--to", "reftable", "--grace", "0"]);
    assert_eq!(mode("r/reftable") & 0o7777, 0o2775);
    for name in [
        "r/reftable/tables.list",
        "r/HEAD",
        "r/refs/heads",
        "r/config",
    ] {
        assert_eq!(mode(name) & 0o777, 0o664, "{name}");
    }
    sandbox.output("r", &["migrate", "--to", "files"]);
    assert_eq!(mode("r/refs/heads") & 0o7777, 0o2775);
    for name in ["r/packed-refs", "r/HEAD", "r/refs/heads/sym", "r/config"] {
        assert_eq!(mode(name) & 0o777, 0o664, "{name}");
    }
}
