//! The same random commands with the patched git and with upstream's: equal output, messages,
//! exit statuses, and records in all stacks, after every command.
//!
//! Upstream's git expires each log in a transaction of its own, this backend several in one. In half
//! of the sequences commands do that, and update indexes are not compared.
//!
//! Runs if `REFTABLE_GIT` and `REFTABLE_UPSTREAM_GIT` name built gits. A run is short;
//! `REFTABLE_DIFF_SEQUENCES` sets the number of sequences, `REFTABLE_DIFF_SEED` runs a single one.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::common::commands::{Generator, Step};
use crate::common::objects::Objects;
use crate::common::{at, number, records, run, scratch, Git, Output, Random, EPOCH};
use reftable::format::HashId;

const STEPS: u64 = 25;

/// The status of a command that ended by `abort()`.
const ABORTED: i32 = -6;

/// One of the two runs of a sequence.
struct Side<'a> {
    git: &'a Git,
    root: PathBuf,
}

impl<'a> Side<'a> {
    fn new(git: &'a Git, root: PathBuf, objects: &Objects, hash: &str, config: &str) -> Self {
        fs::create_dir_all(&root).unwrap();
        let init = ["init", "-q", "-b", "main", "--object-format", hash, "repo"];
        git.run(&root, &init, "");
        let git_dir = root.join("repo/.git");
        objects.lend_to(&git_dir);
        let mut settings = fs::read_to_string(git_dir.join("config")).unwrap();
        settings += config;
        fs::write(git_dir.join("config"), settings).unwrap();
        let id = |number: usize| &objects.ids[number];
        let refs = format!(
            "create refs/heads/main {}\ncreate refs/heads/a {}\ncreate refs/heads/dir/x {}\n\
             create refs/tags/t1 {}\nsymref-create refs/heads/sym refs/heads/main\n",
            id(7),
            id(3),
            id(5),
            id(9)
        );
        git.run(&root.join("repo"), &["update-ref", "--stdin"], &refs);
        Self { git, root }
    }

    fn run(&self, git: &Git, step: &Step, number: u64) -> Output {
        let place = self.root.join(step.place);
        let place = if place.is_dir() {
            place
        } else {
            self.root.join("repo")
        };
        let mut command = git.command(&place, &step.args);
        at(&mut command, EPOCH + 100 * number);
        let mut output = run(command, step.input.as_bytes());
        let root = self.root.display().to_string();
        for text in [&mut output.stdout, &mut output.stderr] {
            *text = text.replace(&root, "ROOT");
        }
        output
    }

    fn git_dir(&self) -> PathBuf {
        self.root.join("repo/.git")
    }

    fn records(&self, hash_id: HashId, with_indexes: bool) -> String {
        match with_indexes {
            true => records::of_repository(&self.git_dir(), hash_id),
            false => records::without_indexes(&self.git_dir(), hash_id),
        }
    }

    /// What `git` prints about the references.
    fn listing(&self, git: &Git) -> Vec<Output> {
        let commands: [&[&str]; 4] = [
            &["for-each-ref", "--include-root-refs"],
            &["reflog", "list"],
            &["log", "-g", "--all", "--format=%gD %H %gn %gs"],
            &["refs", "verify"],
        ];
        commands
            .iter()
            .map(|args| {
                let args = args.iter().map(ToString::to_string).collect();
                let step = Step {
                    place: "repo",
                    args,
                    input: String::new(),
                };
                self.run(git, &step, STEPS + 1)
            })
            .collect()
    }
}

/// Settings that change how tables are written and when they are compacted.
fn settings(random: &mut Random) -> String {
    // `git commit` would start maintenance in the background, which packs while the next command runs.
    let mut config = String::from("[maintenance]\n\tauto = false\n[reftable]\n");
    for (name, values) in [
        ("blockSize", ["256", "512", "4096"]),
        ("restartInterval", ["1", "3", "16"]),
        ("geometricFactor", ["2", "4", "255"]),
        ("indexObjects", ["true", "false", "true"]),
    ] {
        if random.one_in(2) {
            writeln!(config, "\t{name} = {}", random.pick(&values)).unwrap();
        }
    }
    config
}

/// How a sequence without differences ended.
#[derive(Clone, Copy, Debug)]
enum End {
    /// After its last command.
    Whole,
    /// An assertion of upstream's git failed, which leaves its lock behind: nothing more can be
    /// compared.
    UpstreamAborted,
    /// Upstream's git wrote a key twice (`docs/compatibility.md`): the records differ from here on.
    RepeatedKey,
}

/// Whether both fail to rewrite reflogs, and only this backend names the reflog
/// (`docs/compatibility.md`).
fn is_reported_better(step: &Step, ours: &Output, theirs: &Output) -> bool {
    let is_expiry = step.args.iter().any(|arg| arg == "reflog");
    let is_about_a_reflog =
        |line: &&str| line.starts_with("error: unable to expire the reflog of '");
    let (reported, rest): (Vec<_>, Vec<_>) = ours.stderr.lines().partition(is_about_a_reflog);
    is_expiry
        && !reported.is_empty()
        && ours.status == 255
        && theirs.status > 0
        && ours.stdout == theirs.stdout
        && rest.join("\n") == theirs.stderr.trim_end()
}

/// Runs one sequence. A difference is returned as an error that says how to reproduce it.
fn sequence(
    seed: u64,
    patched: &Git,
    upstream: &Git,
    objects: &Objects,
    hash: &str,
) -> Result<End, String> {
    let hash_id = if hash == "sha1" {
        HashId::Sha1
    } else {
        HashId::Sha256
    };
    let root = scratch();
    let mut random = Random::new(seed);
    let config = settings(&mut random);
    let ours = Side::new(patched, root.path().join("ours"), objects, hash, &config);
    let theirs = Side::new(upstream, root.path().join("them"), objects, hash, &config);
    let several_logs = seed % 2 == 0;
    let mut generator = Generator {
        random,
        ids: &objects.ids,
        commits: objects.commits,
        several_logs,
    };
    let mut history = format!("seed {seed}, {hash}\n{config}");
    for number in 0..STEPS {
        let step = generator.step();
        writeln!(history, "{step}").unwrap();
        let our_output = ours.run(ours.git, &step, number);
        let their_output = theirs.run(theirs.git, &step, number);
        if their_output.status == ABORTED {
            if our_output.status < 0 {
                return Err(format!(
                    "{history}ours crashed as upstream did: {our_output:#?}"
                ));
            }
            return Ok(End::UpstreamAborted);
        }
        if our_output != their_output && !is_reported_better(&step, &our_output, &their_output) {
            return Err(format!(
                "{history}ours: {our_output:#?}\nupstream: {their_output:#?}"
            ));
        }
        if records::repeat_a_key(&theirs.git_dir(), hash_id) {
            // This backend writes one of the two entries; tests/git/repeated_log_keys.rs continues
            // from here.
            ours.records(hash_id, true);
            return Ok(End::RepeatedKey);
        }
        let of = |side: &Side<'_>| side.records(hash_id, !several_logs);
        let (our_records, their_records) = (of(&ours), of(&theirs));
        if our_records != their_records {
            return Err(format!(
                "{history}ours:\n{our_records}\nupstream:\n{their_records}"
            ));
        }
    }
    match compare_listings(&ours, &theirs) {
        Ok(()) => Ok(End::Whole),
        Err(difference) => Err(format!("{history}{difference}")),
    }
}

/// Checks that each git lists both repositories in the same way.
fn compare_listings(ours: &Side<'_>, theirs: &Side<'_>) -> Result<(), String> {
    let (patched, upstream) = (ours.git, theirs.git);
    let expected = theirs.listing(upstream);
    for (side, git, what) in [
        (ours, patched, "ours on ours"),
        (ours, upstream, "upstream on ours"),
        (theirs, patched, "ours on upstream's"),
    ] {
        let found = side.listing(git);
        if found != expected {
            return Err(format!("{what}: {found:#?}\nexpected: {expected:#?}"));
        }
    }
    Ok(())
}

#[test]
fn random_commands_behave_the_same_in_both_gits() {
    let Some((patched, upstream)) = Git::both_of_one_release() else {
        return;
    };
    let root = scratch();
    let sha1 = Objects::new(&upstream, root.path(), "sha1");
    let sha256 = Objects::new(&upstream, root.path(), "sha256");
    let only = number("REFTABLE_DIFF_SEED", 0);
    let first = if only == 0 { 1 } else { only };
    let last = if only == 0 {
        number("REFTABLE_DIFF_SEQUENCES", 40)
    } else {
        only
    };
    let next = AtomicU64::new(first);
    let ends: [AtomicU64; 3] = Default::default();
    let work = || {
        let mut differences = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > last || differences.len() >= 5 {
                return differences;
            }
            let (hash, objects) = if seed % 4 == 0 {
                ("sha256", &sha256)
            } else {
                ("sha1", &sha1)
            };
            match sequence(seed, &patched, &upstream, objects, hash) {
                Ok(end) => {
                    ends[end as usize].fetch_add(1, Ordering::Relaxed);
                }
                Err(difference) => differences.push(difference),
            }
        }
    };
    let differences: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let [whole, aborted, repeated] = ends.map(AtomicU64::into_inner);
    eprintln!(
        "{whole} sequences ran to their end; {aborted} ended where an assertion of upstream's \
         failed, {repeated} where upstream wrote a key twice; {} differ",
        differences.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n----\n"));
}
