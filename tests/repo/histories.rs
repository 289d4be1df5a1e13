//! Random histories made by git: everything that this crate reads, from each worktree, compared
//! with what git shows.
//!
//! `REFTABLE_READ_SEQUENCES` sets the number of histories, `REFTABLE_READ_SEED` runs a single one.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::commands::Generator;
use crate::common::objects::Objects;
use crate::common::{at, number, run, scratch, Git, Random, EPOCH};
use crate::shown::{by_crate, by_git, Question};

const STEPS: u64 = 30;

/// The status of a command that ended by `abort()`.
const ABORTED: i32 = -6;

/// A history in the directory `root`, with up to three worktrees.
struct History<'a> {
    git: &'a Git,
    objects: &'a Objects,
    hash: &'static str,
    root: &'a Path,
    text: String,
}

impl History<'_> {
    fn begin(&mut self, random: &mut Random) {
        let init = ["init", "-q", "-b", "main", "--object-format", self.hash];
        self.git
            .run(self.root, &[&init[..], &["repo"]].concat(), "");
        let git_dir = self.root.join("repo/.git");
        self.objects.lend_to(&git_dir);
        let mut config = fs::read_to_string(git_dir.join("config")).unwrap();
        let size = random.pick(&["256", "512", "4096"]);
        let factor = random.pick(&["2", "255"]);
        write!(
            config,
            "[reftable]\n\tblockSize = {size}\n\tgeometricFactor = {factor}\n"
        )
        .unwrap();
        fs::write(git_dir.join("config"), config).unwrap();
        let ids = &self.objects.ids;
        let input = format!(
            "create refs/heads/main {}\ncreate refs/tags/t1 {}\ncreate refs/tags/t2 {}\n\
             symref-create refs/heads/sym refs/heads/main\n",
            ids[7], ids[8], ids[9]
        );
        let repo = self.root.join("repo");
        self.git.run(&repo, &["update-ref", "--stdin"], &input);
        let add = ["worktree", "add", "-q", "--detach", "../wt1"];
        self.git.run(&repo, &add, "");
    }

    /// Runs random commands, some of which fail. Returns whether the last of them ended by itself.
    fn continue_by(&mut self, steps: u64, generator: &mut Generator<'_>) -> bool {
        for number in 0..steps {
            let step = generator.step();
            writeln!(self.text, "{step}").unwrap();
            let place = self.root.join(step.place);
            let place = match place.is_dir() {
                true => place,
                false => self.root.join("repo"),
            };
            let mut command = self.git.command(&place, &step.args);
            at(&mut command, EPOCH + 100 * number);
            if run(command, step.input.as_bytes()).status == ABORTED {
                return false;
            }
        }
        true
    }

    fn places(&self) -> Vec<PathBuf> {
        let places = ["repo", "wt1", "wt2"].map(|name| self.root.join(name));
        places.into_iter().filter(|path| path.is_dir()).collect()
    }

    /// The differences in what each worktree shows.
    fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        for place in self.places() {
            for question in Question::all(&self.objects.ids) {
                let expected = by_git(self.git, &place, &question);
                let found = by_crate(&place, &question);
                if found != expected {
                    differences.push(format!(
                        "{}: {question:?}\n{found}git:\n{expected}",
                        place.display()
                    ));
                }
            }
        }
        differences
    }
}

fn history(seed: u64, git: &Git, objects: &Objects, hash: &'static str) -> Vec<String> {
    let root = scratch();
    let mut random = Random::new(seed);
    let mut history = History {
        git,
        objects,
        hash,
        root: root.path(),
        text: format!("seed {seed}, {hash}\n"),
    };
    history.begin(&mut random);
    let mut generator = Generator {
        random,
        ids: &objects.ids,
        commits: objects.commits,
        several_logs: true,
    };
    let mut differences = Vec::new();
    for _ in 0..2 {
        let goes_on = history.continue_by(STEPS / 2, &mut generator);
        differences.extend(history.differences());
        if !goes_on {
            break;
        }
    }
    let differences = differences.into_iter();
    let with_history = |difference| format!("{}{difference}", history.text);
    differences.map(with_history).collect()
}

#[test]
fn random_histories_are_read_as_by_git() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let objects = ["sha1", "sha256"].map(|hash| (hash, Objects::new(&git, root.path(), hash)));
    let seeds = match number("REFTABLE_READ_SEED", 0) {
        0 => 1..=number("REFTABLE_READ_SEQUENCES", 12),
        seed => seed..=seed,
    };
    let mut differences = Vec::new();
    for seed in seeds {
        let (hash, objects) = &objects[usize::from(seed % 4 == 0)];
        differences.extend(history(seed, &git, objects, hash));
        assert!(differences.len() < 5, "{}", differences.join("\n----\n"));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n----\n"));
}
