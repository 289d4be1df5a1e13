//! `git refs migrate` after random commands: there and back, refs and logs stay the same. Git may
//! refuse to move reftables to files, which cannot hold the logs of `a` and of `a/b`.
//!
//! Runs if `REFTABLE_GIT` names a built git that migrates reflogs. `REFTABLE_DIFF_SEQUENCES` sets
//! the number of sequences, `REFTABLE_DIFF_SEED` runs a single one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::common::commands::{Generator, Step};
use crate::common::objects::Objects;
use crate::common::{at, number, run, scratch, Git, Random, EPOCH};

const STEPS: u64 = 25;

/// The refs, and the entries of each log.
#[derive(Debug, PartialEq, Eq)]
struct State {
    refs: String,
    logs: BTreeMap<String, Vec<String>>,
}

impl State {
    fn read(git: &Git, repo: &Path) -> Self {
        let format = "--format=%(refname) %(objectname) %(symref)";
        let refs = git.run(repo, &["for-each-ref", "--include-root-refs", format], "");
        let store = |args: &[&str]| git.test_tool(repo, &[&["ref-store", "main"], args].concat());
        let names = store(&["for-each-reflog"]);
        let logs = names.lines().map(|name| {
            let entries = store(&["for-each-reflog-ent", name]);
            let entries = entries.lines().filter(|entry| !is_marker(entry));
            (name.to_owned(), entries.map(str::to_owned).collect())
        });
        Self {
            refs,
            logs: logs.collect(),
        }
    }
}

/// Whether both ids are null, which in reftables marks a log without an entry. Files can have such
/// entries, for instance after `git reflog write`.
fn is_marker(entry: &str) -> bool {
    let mut ids = entry.split(' ').take(2);
    ids.all(|id| id.bytes().all(|digit| digit == b'0'))
}

/// Makes a repository in `format` by random commands and migrates it. Returns whether git cannot do
/// that.
fn sequence(
    seed: u64,
    git: &Git,
    objects: &Objects,
    hash: &str,
    format: &str,
) -> Result<bool, String> {
    let root = scratch();
    let option = format!("--ref-format={format}");
    let init = ["init", "-q", "-b", "main", &option, "--object-format", hash];
    git.run(root.path(), &[&init[..], &["repo"]].concat(), "");
    let repo = root.path().join("repo");
    objects.lend_to(&repo.join(".git"));
    let mut generator = Generator {
        random: Random::new(seed),
        ids: &objects.ids,
        commits: objects.commits,
        several_logs: true,
    };
    let mut history = format!("seed {seed}, {hash}, {format}\n");
    for number in 0..STEPS {
        let step = generator.step();
        // Repositories with worktrees are not migrated.
        if step.args.iter().any(|arg| arg == "worktree") {
            continue;
        }
        let step = Step {
            place: "repo",
            ..step
        };
        writeln!(history, "{step}").unwrap();
        let mut command = git.command(&repo, &step.args);
        at(&mut command, EPOCH + 100 * number);
        run(command, step.input.as_bytes());
    }
    if !repo.join(".git/HEAD").exists() {
        // With files, to delete HEAD leaves no repository.
        return Ok(true);
    }
    let before = State::read(git, &repo);
    let other = match format {
        "files" => "reftable",
        _ => "files",
    };
    for to in [other, format] {
        let option = format!("--ref-format={to}");
        let command = git.command(&repo, &["refs", "migrate", &option]);
        let output = run(command, b"");
        let after = State::read(git, &repo);
        let is_refused = to == "files" && output.status > 0;
        if after != before || output.status != 0 && !is_refused {
            return Err(format!(
                "{history}to {to}: {output:#?}\nbefore: {before:#?}\nafter: {after:#?}"
            ));
        }
        if is_refused {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn migrations_there_and_back_change_nothing() {
    let Some(git) = Git::patched().filter(Git::can_migrate) else {
        return;
    };
    let root = scratch();
    let only = number("REFTABLE_DIFF_SEED", 0);
    let seeds = match only {
        0 => 1..=number("REFTABLE_DIFF_SEQUENCES", 12),
        seed => seed..=seed,
    };
    let objects = ["sha1", "sha256"].map(|hash| (hash, Objects::new(&git, root.path(), hash)));
    let (mut differences, mut migrated, mut refused) = (Vec::new(), 0, 0);
    for seed in seeds {
        let (hash, objects) = &objects[usize::from(seed % 4 == 0)];
        for format in ["files", "reftable"] {
            match sequence(seed, &git, objects, hash, format) {
                Ok(false) => migrated += 1,
                Ok(true) => refused += 1,
                Err(difference) => differences.push(difference),
            }
        }
        if differences.len() > 4 {
            break;
        }
    }
    eprintln!("{migrated} migrated, {refused} refused");
    assert!(differences.is_empty(), "{}", differences.join("\n----\n"));
    assert!(only != 0 || migrated > 9 * refused, "most are migrated");
}
