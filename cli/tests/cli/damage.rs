//! Verifying and repairing stacks with each kind of damage.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use reftable::merged::Tombstones;
use reftable::stack::{Stack, StackOptions};
use reftable::table::{RawTable, RawValue};
use reftable::HashId;

use crate::faults::{extent, Extent};
use crate::hostile::world::{self, table, Objects, Setting, TABLE};
use crate::hostile::{all_mutations, lists, many, Makes, Mutation};
use crate::sandbox::{run, Outcome};

/// Refs and log entries in a block of the tables.
const REFS_IN_BLOCK: usize = 5;
const LOGS_IN_BLOCK: usize = 3;

/// One in this number of cases is also repaired in place.
const APPLIED: usize = 5;

/// The results for one part of the format.
#[derive(Debug, Default)]
struct Results {
    cases: usize,
    reported: usize,
    /// Repositories of which nothing is lost.
    whole: usize,
    /// Most records that are lost of one repository.
    most: [usize; 2],
    /// Records in undamaged blocks, and how many of these are back.
    outside: usize,
    back: usize,
}

/// Refs and log entries, as texts.
pub type Records = [BTreeSet<String>; 2];

fn reftable(dir: &Path, args: &[&str]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reftable"));
    command.current_dir(dir).args(args).env_clear();
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    run(command, "")
}

/// The records in a stack.
fn records(dir: &Path, hash_id: HashId) -> Records {
    let mut options = StackOptions::default();
    options.write.hash_id = hash_id;
    let view = Stack::open(dir, options).unwrap().merged();
    let mut all = Records::default();
    let mut refs = view.refs(Tombstones::Hide);
    while refs.advance().unwrap() {
        all[0].insert(format!("{:?}", refs.record()));
    }
    let mut logs = view.logs(Tombstones::Hide);
    while logs.advance().unwrap() {
        all[1].insert(format!("{:?}", logs.record()));
    }
    all
}

/// The records of a sound table by block, with the bytes of the block.
fn blocks(whole: &[u8]) -> Vec<(Vec<u8>, Vec<String>)> {
    let raw = RawTable::new("sound", whole.to_vec().into()).unwrap();
    let mut all = Vec::new();
    let mut at = raw.first_block();
    while at < raw.end() {
        let block = raw.block(at).unwrap();
        let next = block.next_offset();
        let skipped = if at == 0 { raw.header_len() } else { 0 };
        let start = usize::try_from(at).unwrap() + skipped;
        let end = usize::try_from(next).unwrap();
        // Padding may be damaged, too, which is not the block.
        let bytes = whole[start..end].trim_ascii_end_of(0).to_vec();
        let mut found = Vec::new();
        let mut records = block.records();
        while let Some(record) = records.next().unwrap() {
            match &record.value {
                RawValue::Ref(value) => found.push(format!("{value:?}")),
                RawValue::Log(value) => found.push(format!("{value:?}")),
                _ => {}
            }
        }
        all.push((bytes, found));
        at = next;
    }
    all
}

trait TrimEnd {
    fn trim_ascii_end_of(&self, byte: u8) -> &[u8];
}

impl TrimEnd for [u8] {
    fn trim_ascii_end_of(&self, byte: u8) -> &[u8] {
        let len = self.iter().rposition(|&b| b != byte).map_or(0, |at| at + 1);
        &self[..len]
    }
}

/// A bare repository, of which only the stack matters.
pub struct Repository {
    root: tempfile::TempDir,
    hash_id: HashId,
}

impl Repository {
    pub fn new(sha256: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let repo = root.path().join("r");
        for dir in ["objects", "refs"] {
            fs::create_dir_all(repo.join(dir)).unwrap();
        }
        fs::write(repo.join("HEAD"), "ref: refs/heads/.invalid\n").unwrap();
        let mut config = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n\
                          [extensions]\n\trefStorage = reftable\n"
            .to_owned();
        if sha256 {
            config += "\tobjectFormat = sha256\n";
        }
        fs::write(repo.join("config"), config).unwrap();
        let hash_id = if sha256 { HashId::Sha256 } else { HashId::Sha1 };
        Self { root, hash_id }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes the stack.
    pub fn put(&self, stack: &world::Stack) {
        for entry in fs::read_dir(self.path("r")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().contains("reftable") {
                fs::remove_dir_all(path).unwrap();
            }
        }
        let dir = self.path("r/reftable");
        fs::create_dir(&dir).unwrap();
        for (name, file) in &stack.files {
            let path = dir.join(name);
            match file {
                world::File::Plain(bytes) => fs::write(path, bytes).unwrap(),
                world::File::Directory => fs::create_dir(path).unwrap(),
                world::File::Fifo => {
                    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
                }
                #[cfg(unix)]
                world::File::Link(to) => std::os::unix::fs::symlink(to, path).unwrap(),
                #[cfg(not(unix))]
                world::File::Link(_) => {}
            }
        }
    }

    pub fn records(&self, dir: &str) -> Records {
        records(&self.path(dir), self.hash_id)
    }

    /// Verifies and repairs the stack. Returns the exit status of the former, and what the latter
    /// has brought back.
    fn repair(&self, what: &str, applies: bool) -> (i32, Records) {
        let root = self.root.path();
        let _ = fs::remove_dir_all(root.join("new"));
        let verified = reftable(root, &["verify", "--full", "r"]);
        assert!(matches!(verified.status, 0 | 1), "{what}: {verified:?}");
        let repaired = reftable(root, &["repair", "-C", "r", "--to", "new"]);
        assert!(matches!(repaired.status, 0 | 1), "{what}: {repaired:?}");
        assert_eq!(repaired.stderr, "", "{what}");
        // What was written is sound.
        let again = reftable(root, &["verify", "new/reftable"]);
        assert_eq!((again.status, &*again.stdout), (0, ""), "{what}: {again:?}");
        let back = self.records("new/reftable");
        if applies {
            self.apply(what, &verified, &back);
        }
        (verified.status, back)
    }

    /// Repairs the stack in place, which must bring back the same.
    fn apply(&self, what: &str, verified: &Outcome, expected: &Records) {
        let root = self.root.path();
        let applied = reftable(root, &["repair", "-C", "r", "--apply", "--json"]);
        let list = root.join("r/reftable/tables.list");
        if list.is_dir() {
            assert_eq!(applied.status, 2, "{what}: {applied:?}");
            return;
        }
        assert!(matches!(applied.status, 0 | 1), "{what}: {applied:?}");
        assert_eq!(applied.stderr, "", "{what}");
        if applied.stdout.contains("\"kept\"") {
            assert_eq!(&self.records("r/reftable"), expected, "{what}");
            // A directory or a link that is in the place of a table is not the stack's.
            let again = reftable(root, &["verify", "r/reftable"]);
            assert!(again.status <= 1, "{what}: {again:?}");
            assert!(!again.stdout.contains("error: "), "{what}: {again:?}");
            let kept = fs::read_dir(root.join("r")).unwrap().flatten();
            let is_kept = |name: &str| name.starts_with("reftable.broken-");
            assert!(kept
                .into_iter()
                .any(|entry| is_kept(entry.file_name().to_str().unwrap())));
        } else {
            assert_eq!(applied.stdout, "", "{what}");
            // Refs that only git's own rules forbid are not damaged.
            let is_error = |line: &str| line.starts_with("error: ") && !line.contains(": ref-");
            let has_error = verified.stdout.lines().any(is_error);
            assert!(!has_error, "{what}: not repaired: {verified:?}");
        }
    }
}

/// Every how many cases one is tried, from which on: a sample of all kinds. `REFTABLE_ALL_DAMAGE`
/// asks for all cases, which take some minutes, or names one kind of which all are tried.
fn sample() -> (usize, usize) {
    match (env::var_os("REFTABLE_ALL_DAMAGE"), extent()) {
        (Some(_), _) => (0, 1),
        (None, Extent::Few) => (7, 100),
        (None, _) => (7, 40),
    }
}

/// Whether cases of a kind are tried.
fn is_wanted(group: &str) -> bool {
    env::var("REFTABLE_ALL_DAMAGE").map_or(true, |kind| kind == "1" || kind == group)
}

/// Whether the bytes of a block are in a file.
fn has(file: &[u8], block: &[u8]) -> bool {
    file.windows(block.len()).any(|bytes| bytes == block)
}

fn print(results: &ByGroup) {
    for (group, result) in results {
        let Results {
            cases,
            reported,
            whole,
            most: [refs, logs],
            outside,
            back,
        } = result;
        println!(
            "| {group} | {cases} | {reported} | {whole} | {refs} | {logs} | {back} of {outside} |"
        );
    }
}

/// The results by part of the format.
type ByGroup = BTreeMap<&'static str, Results>;

impl Results {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.reported += other.reported;
        self.whole += other.whole;
        for (most, other) in self.most.iter_mut().zip(other.most) {
            *most = other.max(*most);
        }
        self.outside += other.outside;
        self.back += other.back;
    }
}

/// Threads for the tables of one kind.
const THREADS: usize = 4;

/// Puts tables with the same bytes into a stack.
type Place = fn(&Mutation, &[u8]) -> world::Stack;

/// The damaged table alone.
fn one(_: &Mutation, bytes: &[u8]) -> world::Stack {
    let mut stack = world::Stack::default();
    stack.put(TABLE, world::File::Plain(bytes.to_vec()));
    stack.list(TABLE);
    stack
}

/// Twenty copies of it, whose update indexes overlap.
fn many(mutation: &Mutation, bytes: &[u8]) -> world::Stack {
    many::copies(mutation, bytes).stack
}

/// The ways of damaging a table, and the stack that it is put into.
#[derive(Clone, Copy)]
struct Ways {
    /// The group of all cases, if they are counted as one.
    group: Option<&'static str>,
    /// One in this number of mutations is a case.
    every: usize,
    place: Place,
}

/// Damages a table in one of [`THREADS`] parts of all ways.
fn damage_table(ways: Ways, sha256: bool, aligned: bool, part: usize) -> ByGroup {
    let mut results = ByGroup::new();
    let setting = Setting {
        sha256,
        aligned,
        amid: false,
        linked: false,
    };
    let repository = Repository::new(sha256);
    let (raw, layout) = table(&setting, &Objects::made_up(sha256));
    let whole = raw.encode();
    let blocks = blocks(&whole);
    let mutations = all_mutations().into_iter().step_by(ways.every);
    repository.put(&one(&all_mutations()[0], &whole));
    let sound = repository.records("r/reftable");
    assert!(sound[0].len() > 2 * REFS_IN_BLOCK && sound[1].len() > 2 * LOGS_IN_BLOCK);
    let (first, step) = sample();
    let mutations = mutations.enumerate().skip(first).step_by(step);
    for (number, mutation) in mutations.skip(part).step_by(THREADS) {
        let group = ways.group.unwrap_or(mutation.group);
        if !is_wanted(group) {
            continue;
        }
        let what = format!("{}: {}, {setting}", mutation.group, mutation.name);
        let bytes = mutation.apply(&raw, &layout);
        // Copies are damaged nevertheless.
        if bytes == whole && ways.group.is_none() {
            continue;
        }
        repository.put(&(ways.place)(&mutation, &bytes));
        let (verified, left) = repository.repair(&what, number % APPLIED == 2);
        if mutation.makes != Makes::Damaged && ways.group.is_none() {
            continue;
        }
        assert_eq!(verified, 1, "{what}: damage that verify does not report");
        let most = [0, 1].map(|at: usize| sound[at].difference(&left[at]).count());
        let mut result = Results {
            cases: 1,
            reported: usize::from(verified == 1),
            whole: usize::from(most == [0, 0]),
            most,
            ..Results::default()
        };
        for (block, records) in blocks.iter().filter(|(block, _)| has(&bytes, block)) {
            let is_back = |text: &&String| left.iter().any(|all| all.contains(*text));
            let back = records.iter().filter(is_back).count();
            result.outside += records.len();
            result.back += back;
            if back < records.len() {
                let name = String::from_utf8_lossy(&block[..block.len().min(20)]);
                println!("{what}: {back} of {} in {name:?}", records.len());
            }
        }
        if !matches!(mutation.group, "truncation" | "deflated blocks") {
            let is_little = most[0] <= REFS_IN_BLOCK && most[1] <= LOGS_IN_BLOCK;
            assert!(is_little, "{what}: {most:?} are lost");
        }
        results.entry(group).or_default().add(&result);
    }
    results
}

/// Damages tables in all ways, and prints the results.
fn damage_tables(ways: Ways) {
    let mut results = ByGroup::new();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (sha256, aligned) in [(false, true), (false, false), (true, true)] {
            for part in 0..THREADS {
                threads.push(scope.spawn(move || damage_table(ways, sha256, aligned, part)));
            }
        }
        for thread in threads {
            for (group, result) in thread.join().unwrap() {
                results.entry(group).or_default().add(&result);
            }
        }
    });
    print(&results);
    for (group, result) in &results {
        assert_eq!(result.back, result.outside, "{group}");
    }
}

/// Of damage in one block, only that block is lost. Prints the table of docs/reliability.md.
#[test]
fn each_kind_of_damage_is_reported_and_repaired() {
    damage_tables(Ways {
        group: None,
        every: 1,
        place: one,
    });
}

/// The same damage in all tables of a stack.
#[test]
fn damage_of_many_tables_is_reported_and_repaired() {
    damage_tables(Ways {
        group: Some("many tables"),
        every: many::EVERY,
        place: many,
    });
}

/// Damage of the list and of what is in the place of files: all tables that are there are found.
#[test]
fn damage_around_tables_is_reported_and_repaired() {
    let mut results = ByGroup::new();
    for amid in [false, true] {
        let setting = Setting {
            sha256: false,
            aligned: true,
            amid,
            linked: false,
        };
        let objects = Objects::made_up(false);
        let repository = Repository::new(false);
        let (raw, _) = table(&setting, &objects);
        let stack = world::Stack::with(raw.encode(), &setting, &objects);
        repository.put(&stack);
        let sound = repository.records("r/reftable");
        for (number, case) in lists::all().into_iter().enumerate() {
            let is_large = case.name.starts_with("5 MiB") || case.name.starts_with("90,000");
            let (_, step) = sample();
            let is_left_out = step > 1 && (number + usize::from(amid)) % 4 > 0;
            let is_too_much = is_large && (amid || step > 1);
            let is_lock = case.group == "in the lock's place";
            if is_lock || is_left_out || is_too_much || !is_wanted(case.group) {
                continue;
            }
            let what = format!("{}: {}, {setting}", case.group, case.name);
            let damaged = case.apply(&stack);
            // The records of the tables that are still there.
            let file = |stack: &world::Stack, name: &str| {
                let found = stack.files.iter().find(|(other, _)| other == name);
                found.map(|(_, file)| file.clone())
            };
            let mut intact = stack.clone();
            intact
                .files
                .retain(|(name, _)| file(&stack, name) == file(&damaged, name));
            intact.list(&intact.names().join("\n"));
            repository.put(&intact);
            let expected = repository.records("r/reftable");
            repository.put(&damaged);
            let (verified, left) = repository.repair(&what, number % APPLIED < 3);
            if case.makes != Makes::Damaged {
                continue;
            }
            assert_eq!(verified, 1, "{what}: damage that verify does not report");
            let has_order = case.name.contains("another order") || case.name.contains("twice by");
            if case.group.starts_with("list") && !has_order {
                repository.put(&damaged);
                let fast = reftable(&repository.path("."), &["verify", "--fast", "r"]);
                assert_eq!(fast.status, 1, "{what}: {fast:?}");
            }
            let result = results.entry(case.group).or_default();
            result.cases += 1;
            result.reported += usize::from(verified == 1);
            result.whole += usize::from(left == sound);
            let lost = [0, 1].map(|at: usize| sound[at].difference(&left[at]).count());
            for (most, lost) in result.most.iter_mut().zip(lost) {
                *most = lost.max(*most);
            }
            let count = |all: &Records| all.iter().map(BTreeSet::len).sum::<usize>();
            let missing = [0, 1].map(|at: usize| expected[at].difference(&left[at]).count());
            result.outside += count(&expected);
            result.back += count(&expected) - missing[0] - missing[1];
            assert_eq!(missing, [0, 0], "{what}");
        }
    }
    print(&results);
}
