//! Checks of a repository in which a process failed or was killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::directory::{leftovers, listed, make_leftovers_old, stacks};
use crate::common::{run, Git, Output};

/// The gits that read it.
#[derive(Debug)]
pub struct Judges<'a> {
    pub patched: &'a Git,
    pub upstream: &'a Git,
}

/// References and logs of the repository, and references of the linked worktree, if there is one.
pub fn listing(git: &Git, repo: &Path) -> Result<String, Output> {
    let mut text = String::new();
    let format = "--format=%(refname) %(objectname) %(symref)";
    let refs: &[&str] = &["for-each-ref", "--include-root-refs", format];
    let logs: &[&str] = &["log", "-g", "--all", "--format=%gD %H %gn %gs"];
    let worktree = repo.with_file_name("wt");
    let mut commands = vec![(repo, refs), (repo, &["reflog", "list"]), (repo, logs)];
    if worktree.join(".git").exists() {
        commands.push((&worktree, refs));
    }
    for (dir, args) in commands {
        let output = run(git.command(dir, args), b"");
        if output.status != 0 || !output.stderr.is_empty() {
            return Err(output);
        }
        text += &output.stdout;
        text += "\n";
    }
    Ok(text)
}

/// What [`listing`] may return after a command.
#[derive(Debug)]
pub struct States {
    /// Before the command, and after each of its steps.
    pub in_order: Vec<String>,
    /// Whether each log may also be in its first or last state regardless of the others.
    pub each_log_alone: bool,
}

impl States {
    /// The index of `state`; the last one if it occurs more than once. If logs are in different
    /// states, that of the first one, because the command is not complete.
    fn index(&self, state: &str) -> Option<usize> {
        let index = self.in_order.iter().rposition(|known| known == state);
        index.or_else(|| self.is_mixed(state).then_some(0))
    }

    fn is_mixed(&self, state: &str) -> bool {
        let [first, .., last] = self.in_order.as_slice() else {
            return false;
        };
        let [first, last, state] = [first, last, state].map(by_log);
        let is_known = |log| state.get(log) == first.get(log) || state.get(log) == last.get(log);
        let mut logs = first.keys().chain(last.keys()).chain(state.keys());
        self.each_log_alone && logs.all(is_known)
    }
}

/// The lines of each log, and under the empty name those that do not belong to a log.
fn by_log(listing: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut logs: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in listing.lines() {
        let name = line.split_once("@{").map_or("", |(name, _)| name);
        logs.entry(name).or_default().push(line);
    }
    logs
}

impl Judges<'_> {
    /// The index of the state that both gits read. Fails if they read anything else or cannot
    /// continue from there.
    pub fn judge(&self, repo: &Path, states: &States, context: &str) -> usize {
        let git_dir = repo.join(".git");
        let stacks = stacks(&git_dir);
        let by_patched = listing(self.patched, repo);
        let by_upstream = listing(self.upstream, repo);
        assert_eq!(by_patched, by_upstream, "{context}");
        let state = by_patched.unwrap_or_else(|e| panic!("{context}: {e:#?}"));
        let number = states.index(&state);
        let number = number.unwrap_or_else(|| panic!("{context}: in no state: {state}"));
        for git in [self.patched, self.upstream] {
            let output = run(git.command(repo, &["refs", "verify"]), b"");
            assert_eq!(output.status, 0, "{context}: {output:#?}");
        }
        for stack in &stacks {
            assert_few_leftovers(stack, context);
        }
        self.go_on(repo, &stacks, context);
        number
    }

    /// Both gits can write, after removing the locks that they report, and clean up.
    fn go_on(&self, repo: &Path, stacks: &[PathBuf], context: &str) {
        let update = |git: &Git, name: &str| {
            let args = ["update-ref", name, "refs/heads/wt"];
            run(git.command(repo, &args), b"")
        };
        let main_lock = repo.join(".git/reftable/tables.list.lock");
        if main_lock.exists() {
            let output = update(self.patched, "refs/heads/later");
            assert_eq!(output.status, 128, "{context}: {output:#?}");
            let path = format!("'{}': File exists", main_lock.display());
            assert!(output.stderr.contains(&path), "{context}: {output:#?}");
            let mentions_crash = ["may be stale", "may have crashed"]
                .iter()
                .any(|text| output.stderr.contains(text));
            assert!(mentions_crash, "{context}: {output:#?}");
            assert_ne!(update(self.upstream, "refs/heads/later").status, 0);
        }
        for stack in stacks {
            // There may be none.
            let _ = fs::remove_file(stack.join("tables.list.lock"));
        }
        for (git, name) in [
            (self.patched, "refs/heads/z1"),
            (self.upstream, "refs/heads/z2"),
        ] {
            let output = update(git, name);
            assert_eq!(output.status, 0, "{context}: {output:#?}");
        }
        self.clean_up(repo, &repo.join(".git/reftable"), context);
        for name in ["refs/heads/z1", "refs/heads/z2"] {
            let output = run(
                self.upstream
                    .command(repo, &["rev-parse", "--verify", name]),
                b"",
            );
            assert_eq!(output.status, 0, "{context}: {output:#?}");
        }
    }

    /// `pack-refs` succeeds immediately and removes all locks; it removes other leftovers once they
    /// are old.
    fn clean_up(&self, repo: &Path, stack: &Path, context: &str) {
        let pack = || {
            let output = run(self.patched.command(repo, &["pack-refs"]), b"");
            assert_eq!(output.status, 0, "{context}: {output:#?}");
            assert_eq!(output.stderr, "", "{context}");
        };
        pack();
        assert_eq!(listed(stack).len(), 1, "{context}");
        let is_lock = |path: &PathBuf| path.extension().is_some_and(|e| e == "lock");
        let locks: Vec<_> = leftovers(stack).into_iter().filter(is_lock).collect();
        assert!(locks.is_empty(), "{context}: {locks:?}");
        make_leftovers_old(stack);
        // Tables with higher update indexes than the stack's are kept until it has caught up.
        for _ in 0..2 {
            pack();
        }
        let left = leftovers(stack);
        assert!(left.is_empty(), "{context}: {left:?}");
    }
}

/// One process leaves at most its temporary file, its tables and its locks.
fn assert_few_leftovers(stack: &Path, context: &str) {
    let left = leftovers(stack);
    let temporary = |path: &&PathBuf| path.to_string_lossy().contains(".temp.");
    assert!(
        left.iter().filter(temporary).count() <= 1,
        "{context}: {left:?}"
    );
    assert!(left.len() <= 12, "{context}: {left:?}");
}

#[test]
fn logs_may_differ_only_if_each_is_old_or_new() {
    let old = "main 1\n\nmain@{0} a\nmain@{1} b\ntopic@{0} c\n";
    let new = "main 1\n\n";
    let alone = States {
        in_order: vec![old.to_owned(), new.to_owned()],
        each_log_alone: true,
    };
    assert_eq!(alone.index(old), Some(0));
    assert_eq!(alone.index(new), Some(1));
    assert_eq!(alone.index("main 1\n\ntopic@{0} c\n"), Some(0));
    assert_eq!(alone.index("main 1\n\nmain@{0} a\n"), None);
    assert_eq!(alone.index("main 1\n\nother@{0} a\n"), None);
    assert_eq!(alone.index("main 2\n\ntopic@{0} c\n"), None);
    let together = States {
        each_log_alone: false,
        ..alone
    };
    assert_eq!(together.index(new), Some(1));
    assert_eq!(together.index("main 1\n\ntopic@{0} c\n"), None);
}
