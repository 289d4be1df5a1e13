//! A repository that one git makes is read, changed, packed and verified by each other git.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::common::directory::{copy, listed};
use crate::common::{at, run, scratch, EPOCH};
use crate::{releases, state, Release};
use reftable::format::HashId;

/// Commands, each with the directory in which it runs. Those of [`MAKE`] create a linked worktree;
/// those of [`VISIT`] follow in the same repository.
type Script = &'static [(&'static str, &'static str)];

/// Refs and reflogs of all kinds: branches, light and annotated tags, a tag of a tag, symbolic refs
/// (one of them dangling), a linked worktree with refs of its own, root refs that commands write
/// and one that a user chose, deleted and renamed refs, deleted and expired reflog entries, and
/// more refs than one block holds.
const MAKE: Script = &[
    ("repo", "commit --allow-empty -m one"),
    ("repo", "commit --allow-empty -m two"),
    ("repo", "commit --allow-empty -m three"),
    ("repo", "tag light HEAD~1"),
    ("repo", "tag -a -m annotated v1 HEAD~2"),
    ("repo", "tag -a -m nested v1-again v1"),
    (
        "repo",
        "symbolic-ref -m alias refs/heads/alias refs/heads/main",
    ),
    ("repo", "symbolic-ref refs/heads/dangling refs/heads/none"),
    ("repo", "branch topic HEAD~1"),
    ("repo", "branch -m topic renamed"),
    ("repo", "branch -c renamed copied"),
    ("repo", "branch gone"),
    ("repo", "branch -D gone"),
    ("repo", "worktree add -b linked ../wt1 HEAD~1"),
    ("wt1", "commit --allow-empty -m linked"),
    ("wt1", "update-ref refs/worktree/own HEAD"),
    ("wt1", "update-ref refs/bisect/bad HEAD~1"),
    ("wt1", "update-ref --create-reflog OWN_HEAD HEAD"),
    (
        "repo",
        "update-ref --create-reflog -m note refs/notes/commits HEAD",
    ),
    ("repo", "update-ref OWN_HEAD v1"),
    (
        "repo",
        "cherry-pick --allow-empty --keep-redundant-commits linked",
    ),
    ("repo", "reset --hard HEAD~1"),
    ("repo", "reflog delete main@{1}"),
    ("repo", "reflog expire --expire=now refs/heads/copied"),
    ("repo", "checkout --detach renamed"),
    ("repo", "checkout main"),
];

/// The same on top, and what needs older refs: updates, deletions, a conflict of a directory with a
/// former file, the removal of a worktree.
const VISIT: Script = &[
    ("repo", "commit --allow-empty -m visit"),
    ("wt1", "commit --allow-empty -m 'visit to the worktree'"),
    ("wt1", "update-ref -d refs/bisect/bad"),
    ("wt1", "update-ref refs/worktree/more HEAD~1"),
    ("repo", "tag -d light"),
    ("repo", "tag -f -a -m moved v1 HEAD"),
    (
        "repo",
        "update-ref -m 'through the alias' refs/heads/alias HEAD~1 HEAD",
    ),
    ("repo", "symbolic-ref -d refs/heads/dangling"),
    ("repo", "branch -D renamed"),
    ("repo", "branch renamed/below HEAD~1"),
    ("repo", "branch -m copied moved"),
    ("repo", "branch -f moved HEAD"),
    ("repo", "update-ref -d OWN_HEAD"),
    ("repo", "reset --hard ORIG_HEAD"),
    ("repo", "worktree add --detach ../wt2 main"),
    ("wt2", "checkout -b second"),
    ("repo", "checkout -b current"),
    ("repo", "branch -m present"),
    ("repo", "reflog delete --rewrite HEAD@{2}"),
    (
        "repo",
        "reflog expire --expire=now --updateref refs/notes/commits",
    ),
];

/// Without expiry: the entries are old.
const KEEPING_GC: [&str; 6] = [
    "-c",
    "gc.reflogExpire=never",
    "-c",
    "gc.reflogExpireUnreachable=never",
    "gc",
    "-q",
];

const MANY: usize = 200;

/// Runs a script, each command at its own time.
fn play(release: &Release, root: &Path, script: Script, start: u64) {
    for (number, (place, line)) in (start..).zip(script) {
        step(release, &root.join(place), &words(line), "", number);
    }
}

fn step(release: &Release, dir: &Path, args: &[String], input: &str, number: u64) {
    let mut command = release.git.command(dir, args);
    at(&mut command, EPOCH + 100 * number);
    let output = run(command, input.as_bytes());
    assert_eq!(output.status, 0, "{}: {args:?}: {output:#?}", release.name);
}

/// The words of a line; single quotes group.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn many(verb: &str, value: &str, numbers: impl Iterator<Item = usize>) -> String {
    numbers
        .map(|number| format!("{verb} refs/heads/many/{number:03}{value}\n"))
        .collect()
}

fn batch(release: &Release, root: &Path, input: &str, number: u64) {
    let args = words("update-ref --stdin -m many");
    step(release, &root.join("repo"), &args, input, number);
}

/// Makes the repository in the empty directory `root`.
fn make(release: &Release, root: &Path, hash: &str) {
    let format = format!("--object-format={hash}");
    release
        .git
        .run(root, &["init", "-q", "-b", "main", &format, "repo"], "");
    play(release, root, MAKE, 1);
    batch(
        release,
        root,
        &many("create", " refs/heads/main", 0..MANY),
        90,
    );
    batch(release, root, &many("delete", "", (0..MANY).step_by(3)), 91);
}

fn visit(release: &Release, root: &Path) {
    play(release, root, VISIT, 100);
    batch(
        release,
        root,
        &many("delete", "", (1..MANY).step_by(3)),
        190,
    );
    batch(
        release,
        root,
        &many("create", "/below HEAD", (0..MANY).step_by(3)),
        191,
    );
}

/// One git in the repository of another. Everything is compared with what the first of all gits
/// has read in a repository of its own.
struct Visit<'a> {
    maker: &'a Release,
    user: &'a Release,
    root: &'a Path,
    hash: HashId,
}

/// What every git reads before and after [`VISIT`].
struct Expected {
    made: [String; 2],
    visited: [String; 2],
}

impl Visit<'_> {
    /// Both gits read what is expected, and so does the crate.
    fn compare(&self, when: &str, expected: &[String; 2]) {
        let context = format!(
            "{} in a repository of {}, {when}",
            self.user.name, self.maker.name
        );
        for reader in [self.user, self.maker] {
            let found = state::read(reader, self.root);
            assert_same(
                &found,
                &expected[0],
                &format!("{context}, read by {}", reader.name),
            );
        }
        let found = state::decoded(self.root, self.hash);
        assert_same(&found, &expected[1], &context);
    }

    fn run(&self, expected: &Expected) {
        self.compare("as made", &expected.made);
        visit(self.user, self.root);
        self.compare("visited", &expected.visited);
        self.check();
        let repo = self.root.join("repo");
        self.user.git.run(&repo, &["pack-refs", "--all"], "");
        assert_eq!(listed(&repo.join(".git/reftable")).len(), 1);
        self.compare("packed", &expected.visited);
        self.user.git.run(&repo, &KEEPING_GC, "");
        self.compare("after gc", &expected.visited);
        self.check();
    }

    /// Both gits find nothing wrong, now that no symbolic ref dangles.
    fn check(&self) {
        for reader in [self.user, self.maker] {
            let found = state::fsck(reader, self.root);
            assert!(found.ends_with(" fsck (0):\n\n"), "{found}");
            state::verify(reader, self.root);
        }
    }
}

/// Fails with the lines that differ.
fn assert_same(found: &str, expected: &str, context: &str) {
    let only = |one: &str, other: &str| -> Vec<String> {
        let other: HashSet<&str> = other.lines().collect();
        let lines = one.lines().filter(|line| !other.contains(line));
        lines.map(str::to_owned).collect()
    };
    assert!(
        found == expected,
        "{context}: {:#?}\nexpected: {:#?}",
        only(found, expected),
        only(expected, found)
    );
}

fn expected(first: &Release, root: &Path, hash: HashId) -> Expected {
    let both = || {
        let read = state::read(first, root);
        [read, state::decoded(root, hash)]
    };
    let made = both();
    visit(first, root);
    let visited = both();
    Expected { made, visited }
}

/// All pairs of gits; prints how many.
fn try_all(hash: HashId) {
    let Some(releases) = releases() else { return };
    let name = match hash {
        HashId::Sha1 => "sha1",
        HashId::Sha256 => "sha256",
    };
    let scratch = scratch();
    // Worktrees contain absolute paths, so the directory is always the same.
    let (root, template) = (scratch.path().join("run"), scratch.path().join("template"));
    let mut known = None;
    for maker in &releases {
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).unwrap();
        make(maker, &root, name);
        copy(&root, &template);
        let known = known.get_or_insert_with(|| expected(maker, &root, hash));
        for user in &releases {
            copy(&template, &root);
            let visit = Visit {
                maker,
                user,
                root: &root,
                hash,
            };
            visit.run(known);
        }
    }
    println!(
        "{name}: {} gits, each in the repositories of all",
        releases.len()
    );
}

#[test]
fn each_git_uses_the_repositories_of_all_with_sha1() {
    try_all(HashId::Sha1);
}

#[test]
fn each_git_uses_the_repositories_of_all_with_sha256() {
    try_all(HashId::Sha256);
}
