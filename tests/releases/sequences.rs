//! Random commands, each by another git, and the same commands by one git: after each command both
//! repositories are in the same state.
//!
//! `REFTABLE_DIFF_SEQUENCES` sets the number of sequences (20), `REFTABLE_DIFF_SEED` runs a single
//! one.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::commands::{Generator, Step};
use crate::common::objects::Objects;
use crate::common::{at, number, run, scratch, Output, Random, EPOCH};
use crate::{releases, state, Release};
use reftable::format::HashId;

const STEPS: u64 = 25;

/// Whether every release has the command and does the same.
fn is_common(step: &Step) -> bool {
    let newer = [
        "--batch-updates",
        "--include-root-refs",
        "--exists",
        "--auto",
        "refs",
    ];
    let newer_with_value = ["--exclude=", "--start-after="];
    let is_newer = |arg: &String| {
        newer.contains(&arg.as_str()) || newer_with_value.iter().any(|n| arg.starts_with(n))
    };
    let is_newer_reflog = |pair: &[String]| {
        pair[0] == "reflog" && ["drop", "list", "write"].contains(&pair[1].as_str())
    };
    !step.args.iter().any(is_newer)
        && !step.args.windows(2).any(is_newer_reflog)
        && !step.input.contains("symref-")
}

/// One of the two repositories of a sequence.
struct Side {
    root: PathBuf,
}

impl Side {
    fn new(root: PathBuf, release: &Release, objects: &Objects, hash: &str) -> Self {
        fs::create_dir_all(&root).unwrap();
        let init = ["init", "-q", "-b", "main", "--object-format", hash, "repo"];
        release.git.run(&root, &init, "");
        objects.lend_to(&root.join("repo/.git"));
        let id = |number: usize| &objects.ids[number];
        let refs = format!(
            "create refs/heads/main {}\ncreate refs/heads/a {}\ncreate refs/heads/dir/x {}\n\
             create refs/tags/t1 {}\n",
            id(7),
            id(3),
            id(5),
            id(9)
        );
        let repo = root.join("repo");
        release.git.run(&repo, &["update-ref", "--stdin"], &refs);
        let link = ["symbolic-ref", "refs/heads/sym", "refs/heads/main"];
        release.git.run(&repo, &link, "");
        Self { root }
    }

    fn run(&self, release: &Release, step: &Step, number: u64) -> Output {
        let place = self.root.join(step.place);
        let place = if place.is_dir() {
            place
        } else {
            self.root.join("repo")
        };
        let mut command = release.git.command(&place, &step.args);
        at(&mut command, EPOCH + 100 * number);
        run(command, step.input.as_bytes())
    }
}

/// Runs one sequence. A difference is returned as an error that says how to reproduce it.
fn sequence(seed: u64, releases: &[Release], objects: &Objects, hash: &str) -> Result<(), String> {
    let scratch = scratch();
    let mut random = Random::new(seed);
    let all: Vec<&Release> = releases.iter().collect();
    let one = random.pick(&all);
    let mut others = random.clone();
    let first = others.pick(&all);
    let mixed = Side::new(scratch.path().join("mix"), first, objects, hash);
    let alone = Side::new(scratch.path().join("one"), one, objects, hash);
    let mut generator = Generator {
        random,
        ids: &objects.ids,
        commits: objects.commits,
        several_logs: true,
    };
    let mut history = format!("seed {seed}, {hash}: made by {}\n", first.name);
    let mut number = 0;
    while number < STEPS {
        let step = generator.step();
        if !is_common(&step) {
            continue;
        }
        number += 1;
        let another = others.pick(&all);
        writeln!(history, "{}: {step}", another.name).unwrap();
        let by_another = mixed.run(another, &step, number);
        let by_one = alone.run(one, &step, number);
        let reader = others.pick(&all);
        let found = state::read(reader, &mixed.root) + &state::fsck(reader, &mixed.root);
        let expected = state::read(one, &alone.root) + &state::fsck(reader, &alone.root);
        let is_same_end = (by_another.status == 0) == (by_one.status == 0);
        if found != expected || !is_same_end {
            return Err(format!(
                "{history}{}: {by_another:#?}\n{}: {by_one:#?}\nread by {}:\n{found}\n\
                 one git, {}:\n{expected}",
                another.name, one.name, reader.name, one.name
            ));
        }
    }
    let expected = state::read(one, &alone.root);
    for reader in releases {
        let found = state::read(reader, &mixed.root);
        if found != expected {
            let name = &reader.name;
            return Err(format!(
                "{history}at the end, {name}:\n{found}\nexpected:\n{expected}"
            ));
        }
    }
    let hash_id = match hash {
        "sha1" => HashId::Sha1,
        _ => HashId::Sha256,
    };
    let decoded = |root: &Path| state::decoded(root, hash_id);
    if decoded(&mixed.root) != decoded(&alone.root) {
        return Err(format!("{history}the records differ"));
    }
    Ok(())
}

/// Half of the sequences that `REFTABLE_DIFF_SEQUENCES` asks for.
fn try_all(hash: &str) {
    let Some(releases) = releases() else { return };
    let scratch = scratch();
    let objects = Objects::new(&releases[0].git, scratch.path(), hash);
    let only = number("REFTABLE_DIFF_SEED", 0);
    let seeds = match only {
        0 => 1..=number("REFTABLE_DIFF_SEQUENCES", 20) / 2,
        seed => seed..=seed,
    };
    let mut differences = Vec::new();
    for seed in seeds.clone() {
        differences.extend(sequence(seed, &releases, &objects, hash).err());
        if differences.len() == 5 {
            break;
        }
    }
    println!("{hash}, {seeds:?}: {} sequences differ", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n----\n"));
}

#[test]
fn random_commands_of_several_gits_behave_like_those_of_one_with_sha1() {
    try_all("sha1");
}

#[test]
fn random_commands_of_several_gits_behave_like_those_of_one_with_sha256() {
    try_all("sha256");
}
