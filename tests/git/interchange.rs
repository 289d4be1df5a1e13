//! The crate reads stacks written by upstream's git, and vice versa: equal refs, peeled ids,
//! symbolic refs and reflogs, for both hashes and many block sizes.
//!
//! Runs if `REFTABLE_UPSTREAM_GIT` names upstream's git.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::common::{at, number, records, run, scratch, Git, Random, EPOCH};
use reftable::format::{HashId, Result};
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{OnOutdated, Stack};
use reftable::table::{WriteOptions, Writer};

const HASHES: [HashId; 2] = [HashId::Sha1, HashId::Sha256];
const BLOCK_SIZES: [u32; 5] = [256, 512, 1024, 4096, 65_536];

/// A repository of upstream's git, and objects for its refs.
struct Repository {
    git: Git,
    dir: PathBuf,
    options: WriteOptions,
    commits: Vec<String>,
    /// Annotated tags and what they peel to.
    tags: Vec<(String, String)>,
    /// The number of commands so far; each has its own time.
    clock: u64,
}

impl Repository {
    fn new(git: &Git, root: &Path, options: WriteOptions) -> Self {
        let hash = match options.hash_id {
            HashId::Sha1 => "sha1",
            HashId::Sha256 => "sha256",
        };
        let dir = root.join(format!("{hash}-{}", options.block_size));
        let name = dir.to_str().unwrap();
        git.run(
            root,
            &["init", "-q", "-b", "main", "--object-format", hash, name],
            "",
        );
        for (key, value) in [
            ("reftable.blockSize", options.block_size.to_string()),
            (
                "reftable.restartInterval",
                options.restart_interval.to_string(),
            ),
            (
                "reftable.indexObjects",
                (!options.skip_index_objects).to_string(),
            ),
            ("core.logAllRefUpdates", "always".to_owned()),
        ] {
            git.run(&dir, &["config", key, &value], "");
        }
        let mut repository = Self {
            git: git.clone(),
            dir,
            options,
            commits: Vec::new(),
            tags: Vec::new(),
            clock: 0,
        };
        repository.make_objects();
        repository
    }

    fn make_objects(&mut self) {
        let tree = self.line(&["mktree"], "");
        for number in 0..6 {
            let message = number.to_string();
            let commit = self.line(&["commit-tree", "-m", &message, &tree], "");
            self.commits.push(commit);
        }
        for number in 0..3 {
            let (target, kind) = match self.tags.last() {
                // A tag of a tag peels to the commit.
                Some((tag, _)) if number == 2 => (tag.clone(), "tag"),
                _ => (self.commits[number].clone(), "commit"),
            };
            let peeled = match kind {
                "tag" => self.tags[number - 1].1.clone(),
                _ => target.clone(),
            };
            let text = format!(
                "object {target}\ntype {kind}\ntag t{number}\ntagger T <t@e> 1 +0000\n\nm\n"
            );
            let tag = self.line(&["mktag"], &text);
            self.tags.push((tag, peeled));
        }
    }

    /// Returns one line of output.
    fn line(&self, args: &[&str], input: &str) -> String {
        self.git.run(&self.dir, args, input).trim().to_owned()
    }

    /// Runs a command at its own time; compacts only when reported to.
    fn git(&mut self, args: &[&str], input: &str) -> String {
        self.clock += 1;
        let mut command = self.git.command(&self.dir, args);
        at(&mut command, EPOCH + self.clock);
        command.env("GIT_TEST_REFTABLE_AUTOCOMPACTION", "false");
        let output = run(command, input.as_bytes());
        assert_eq!(output.status, 0, "git {args:?}: {}", output.stderr);
        output.stdout
    }

    fn stack(&self) -> Stack {
        records::open(&self.dir.join(".git/reftable"), self.options)
    }

    /// Both read the same refs and logs, and git reports no errors.
    fn compare(&self) {
        let merged = self.stack().merged();
        assert_eq!(refs_by_crate(&merged), self.refs_by_git());
        let logs = records::logs(&merged, false);
        let names = names_of_logs(&logs);
        assert_eq!(without_markers(&logs), self.logs_by_git(&names));
        assert_eq!(self.line(&["refs", "verify"], ""), "");
        check_lookups(&merged);
    }

    /// One line per ref, in the format of [`refs_by_crate`].
    fn refs_by_git(&self) -> String {
        let format = "--format=%(refname) %(objectname) %(*objectname) %(symref)";
        let args = ["for-each-ref", "--include-root-refs", format];
        let listing = self.git.run(&self.dir, &args, "");
        let mut all = String::new();
        for line in listing.lines() {
            let mut words = line.split(' ');
            let mut next = || words.next().unwrap();
            let (name, id, peeled, target) = (next(), next(), next(), next());
            if !target.is_empty() {
                writeln!(all, "{name} -> {target}").unwrap();
            } else if peeled.is_empty() {
                writeln!(all, "{name} {id}").unwrap();
            } else {
                writeln!(all, "{name} {id} peeled {peeled}").unwrap();
            }
        }
        all
    }

    fn logs_by_git(&self, names: &BTreeSet<String>) -> String {
        let mut listed: Vec<_> = self
            .line(&["reflog", "list"], "")
            .lines()
            .map(String::from)
            .collect();
        listed.sort();
        assert_eq!(listed, names.iter().cloned().collect::<Vec<_>>());
        let mut all = String::new();
        for name in names {
            let args = ["ref-store", "main", "for-each-reflog-ent-reverse", name];
            for entry in self.git.test_tool(&self.dir, &args).lines() {
                writeln!(all, "{name} {entry}").unwrap();
            }
        }
        all
    }
}

fn refs_by_crate(merged: &Merged) -> String {
    records::refs(merged, false)
}

fn names_of_logs(logs: &str) -> BTreeSet<String> {
    let name = |line: &str| line.split(' ').next().unwrap().to_owned();
    logs.lines().map(name).collect()
}

/// Without the entries that only mark an existing log, which git does not show.
fn without_markers(logs: &str) -> String {
    let is_null = |id: &str| id.bytes().all(|digit| digit == b'0');
    logs.lines()
        .filter(|line| !line.split(' ').skip(1).take(2).all(is_null))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// Every ref is found by its name and by its object.
fn check_lookups(merged: &Merged) {
    let mut finder = merged.finder();
    let mut cursor = merged.refs(Tombstones::Hide);
    while cursor.advance().unwrap() {
        let record = cursor.record();
        assert_eq!(finder.find(record.name).unwrap(), Some(record));
        let mut absent = record.name.to_vec();
        absent.push(b'!');
        assert_eq!(finder.find(&absent).unwrap(), None);
    }
    for table in merged.tables() {
        let mut refs = table.refs();
        while refs.advance().unwrap() {
            let record = refs.record();
            let Some(id) = record.value.id() else {
                continue;
            };
            let mut found = table.refs_for(id).unwrap();
            let mut names = Vec::new();
            while found.advance().unwrap() {
                names.push(found.record().name.to_vec());
            }
            assert!(
                names.iter().any(|name| name == record.name),
                "{record:?} in {names:?}"
            );
        }
    }
}

fn options(hash_id: HashId, block_size: u32, random: &mut Random) -> WriteOptions {
    WriteOptions {
        block_size,
        restart_interval: [1, 2, 16, 64][random.below(4)],
        hash_id,
        skip_index_objects: random.one_in(4),
        ..WriteOptions::default()
    }
}

#[test]
fn the_crate_reads_what_git_writes() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let mut random = Random::new(1);
    for hash_id in HASHES {
        for block_size in BLOCK_SIZES {
            let options = options(hash_id, block_size, &mut random);
            let mut repository = Repository::new(&git, root.path(), options);
            make_history(&mut repository);
            assert!(repository.stack().merged().tables().len() > 5);
            repository.compare();
            repository.git(&["reflog", "delete", "main@{0}"], "");
            repository.git(&["pack-refs"], "");
            assert_eq!(repository.stack().merged().tables().len(), 1);
            repository.compare();
        }
    }
}

/// Creates, changes and deletes many refs, tags and a symref.
fn make_history(repository: &mut Repository) {
    let commits = repository.commits.clone();
    let commit = |number: usize| &commits[number % commits.len()];

    let mut input = format!("create refs/heads/main {}\n", commit(0));
    for number in 0..300 {
        writeln!(
            input,
            "create refs/heads/many/{number:04} {}",
            commit(number)
        )
        .unwrap();
    }
    repository.git(&["update-ref", "--stdin", "-m", "many"], &input);
    for (number, (tag, _)) in repository.tags.clone().iter().enumerate() {
        repository.git(&["update-ref", &format!("refs/tags/t{number}"), tag], "");
    }
    repository.git(
        &[
            "symbolic-ref",
            "-m",
            "link",
            "refs/heads/link",
            "refs/heads/main",
        ],
        "",
    );
    let mut input = String::new();
    for number in (0..300).step_by(3) {
        writeln!(input, "delete refs/heads/many/{number:04}").unwrap();
    }
    for number in (1..300).step_by(7) {
        writeln!(
            input,
            "update refs/heads/many/{number:04} {}",
            commit(number + 1)
        )
        .unwrap();
    }
    let unique: BTreeMap<&str, &str> = input
        .lines()
        .map(|line| (line.split(' ').nth(1).unwrap(), line))
        .collect();
    let input = unique.into_values().collect::<Vec<_>>().join("\n") + "\n";
    repository.git(&["update-ref", "--stdin", "-m", "less"], &input);
    repository.git(&["update-ref", "-m", "head", "HEAD", commit(3)], "");
}

/// A change to one ref in its own transaction of the crate.
#[derive(Clone, Debug)]
enum Change {
    Direct(Vec<u8>),
    Peeled(Vec<u8>, Vec<u8>),
    Symref(String),
    Deletion,
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Writes the changes with one log entry each; deleted refs lose their logs.
fn write(
    writer: &mut Writer<'_>,
    merged: &Merged,
    index: u64,
    changes: &BTreeMap<String, Change>,
) -> Result<()> {
    writer.set_limits(index, index)?;
    let null = vec![0; merged.hash_id().len()];
    for (name, change) in changes {
        let value = match change {
            Change::Direct(id) => RefValue::Val1(id),
            Change::Peeled(value, target) => RefValue::Val2 { value, target },
            Change::Symref(target) => RefValue::Symref(target.as_bytes()),
            Change::Deletion => RefValue::Deletion,
        };
        let name = name.as_bytes();
        writer.add_ref(&RefRecord {
            name,
            update_index: index,
            value,
        })?;
    }
    let mut finder = merged.finder();
    for (name, change) in changes {
        let name = name.as_bytes();
        let (Change::Direct(new) | Change::Peeled(new, _)) = change else {
            delete_log(writer, merged, name)?;
            continue;
        };
        let old = finder.find(name)?.and_then(|record| record.value.id());
        let update = LogUpdate {
            old_hash: old.unwrap_or(&null),
            new_hash: new,
            name: b"A Crate",
            email: b"crate@example.com",
            time: EPOCH + index,
            tz_offset: Zone::from_stored(-130),
            message: b"written by the crate",
        };
        let value = LogValue::Update(update);
        writer.add_log(&LogRecord {
            name,
            update_index: index,
            value,
        })?;
    }
    Ok(())
}

fn delete_log(writer: &mut Writer<'_>, merged: &Merged, name: &[u8]) -> Result<()> {
    let mut logs = merged.logs(Tombstones::Hide);
    logs.seek(name)?;
    while logs.advance()? && logs.record().name == name {
        let update_index = logs.record().update_index;
        let value = LogValue::Deletion;
        writer.add_log(&LogRecord {
            name,
            update_index,
            value,
        })?;
    }
    Ok(())
}

fn changes(repository: &Repository, random: &mut Random, count: usize) -> BTreeMap<String, Change> {
    let mut changes = BTreeMap::new();
    for _ in 0..count {
        let name = format!("refs/heads/crate/{:03}", random.below(150));
        let commit = &repository.commits[random.below(repository.commits.len())];
        let change = match random.below(8) {
            0 => {
                let (tag, target) = &repository.tags[random.below(repository.tags.len())];
                changes.insert(
                    name.replace("heads", "tags"),
                    Change::Peeled(unhex(tag), unhex(target)),
                );
                continue;
            }
            1 => Change::Symref("refs/heads/main".into()),
            2 | 3 => Change::Deletion,
            _ => Change::Direct(unhex(commit)),
        };
        changes.insert(name, change);
    }
    changes
}

fn add(stack: &Stack, changes: &BTreeMap<String, Change>) {
    stack.reload().unwrap();
    let merged = stack.merged();
    let index = stack.next_update_index();
    let outcome = stack
        .add(OnOutdated::Fail, |writer| {
            write(writer, &merged, index, changes)
        })
        .unwrap();
    assert!(
        outcome.published && outcome.compaction.is_none(),
        "{outcome:?}"
    );
}

#[test]
fn git_reads_what_the_crate_writes() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let mut random = Random::new(2);
    for hash_id in HASHES {
        for block_size in BLOCK_SIZES {
            let options = options(hash_id, block_size, &mut random);
            let mut repository = Repository::new(&git, root.path(), options);
            let main = repository.commits[0].clone();
            repository.git(&["update-ref", "refs/heads/main", &main], "");
            let stack = repository.stack();
            for _ in 0..6 {
                add(&stack, &changes(&repository, &mut random, 80));
            }
            repository.compare();
            if random.one_in(2) {
                stack.compact_all(None).unwrap();
            } else {
                repository.git(&["pack-refs"], "");
                stack.reload().unwrap();
            }
            assert_eq!(stack.merged().tables().len(), 1);
            repository.compare();
        }
    }
}

/// An operation of git on refs that the crate writes as well.
fn operate(repository: &mut Repository, random: &mut Random) {
    let name = format!("refs/heads/crate/{:03}", random.below(150));
    let commit = repository.commits[random.below(repository.commits.len())].clone();
    match random.below(6) {
        0 => drop(repository.git(&["pack-refs"], "")),
        1 => drop(repository.git(&["reflog", "expire", "--expire=now", "--all"], "")),
        2 => drop(repository.git(&["symbolic-ref", &name, "refs/heads/main"], "")),
        3 => drop(repository.git(&["update-ref", "--no-deref", "-d", &name], "")),
        _ => drop(repository.git(
            &["update-ref", "--no-deref", "-m", "by git", &name, &commit],
            "",
        )),
    }
}

#[test]
fn git_and_the_crate_take_turns() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    for seed in 1..=number("REFTABLE_STACK_SEQUENCES", 8) {
        let mut random = Random::new(seed);
        let hash_id = HASHES[random.below(HASHES.len())];
        let block_size = BLOCK_SIZES[random.below(BLOCK_SIZES.len())];
        let options = options(hash_id, block_size, &mut random);
        let directory = root.path().join(seed.to_string());
        std::fs::create_dir(&directory).unwrap();
        let mut repository = Repository::new(&git, &directory, options);
        let main = repository.commits[0].clone();
        repository.git(&["update-ref", "refs/heads/main", &main], "");
        let stack = repository.stack();
        for _ in 0..30 {
            match random.below(5) {
                0 | 1 => {
                    let count = 1 + random.below(20);
                    add(&stack, &changes(&repository, &mut random, count));
                }
                2 => {
                    stack.reload().unwrap();
                    stack.compact_all(None).unwrap();
                }
                _ => operate(&mut repository, &mut random),
            }
        }
        eprintln!("seed {seed}: {hash_id:?}, blocks of {block_size}");
        repository.compare();
    }
}
