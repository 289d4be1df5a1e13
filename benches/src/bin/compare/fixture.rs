//! A repository with many refs.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reftable::format::Error;
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::ObjectId;
use reftable_benches::name;
use tempfile::TempDir;

/// Commits that the refs point to.
const COMMITS: usize = 1000;
/// Branches that have logs, besides `main`, and the entries of each.
const LOGS: (usize, u64) = (10_000, 10);
/// Entries of the log of `main`.
const LOGS_OF_MAIN: u64 = 1000;

pub struct Fixture {
    dir: TempDir,
    refs: usize,
    commits: Vec<ObjectId>,
}

/// A copy of the repository, and two commits in it.
pub struct Copy {
    pub work_dir: PathBuf,
    pub refs: usize,
    pub commits: [ObjectId; 2],
    /// The number of updates so far.
    pub updates: usize,
}

impl Copy {
    pub fn stack_dir(&self) -> PathBuf {
        self.work_dir.join(".git/reftable")
    }

    /// The commit for the next update.
    pub fn next_commit(&mut self) -> ObjectId {
        self.updates += 1;
        self.commits[self.updates % 2]
    }
}

/// The refs to look up, in scattered order.
pub fn scattered(refs: usize) -> Vec<String> {
    (0..crate::LOOKUPS)
        .map(|number| name(number * 77_773 % refs))
        .collect()
}

impl Fixture {
    pub fn new(git: &Path, refs: usize) -> Self {
        let dir = match Path::new("/dev/shm").is_dir() {
            true => tempfile::tempdir_in("/dev/shm"),
            false => tempfile::tempdir(),
        };
        let dir = dir.expect("a temporary directory");
        run(
            git,
            dir.path(),
            &["init", "-q", "-b", "main", "--ref-format=reftable", "seed"],
            "",
        );
        let seed = dir.path().join("seed");
        for (key, value) in [
            ("user.name", "A U Thor"),
            ("user.email", "author@example.com"),
        ] {
            run(git, &seed, &["config", key, value], "");
        }
        let mut input = String::new();
        for number in 0..COMMITS {
            let committer = format!(
                "A U Thor <author@example.com> {} +0000",
                1_700_000_000 + number
            );
            write!(
                input,
                "commit refs/heads/main\ncommitter {committer}\ndata 1\nx\n"
            )
            .expect("text");
        }
        run(git, &seed, &["fast-import", "--quiet"], &input);
        let ids = run(git, &seed, &["rev-list", "main"], "");
        let commits = ids.lines().map(|id| id.parse().expect("an id")).collect();
        let fixture = Self { dir, refs, commits };
        fixture.write(&seed.join(".git/reftable"));
        fixture
    }

    /// Writes the refs and the logs as one table, and compacts it with those of git.
    fn write(&self, dir: &Path) {
        let stack = Stack::open(dir, StackOptions::default()).expect("a stack");
        let first = stack.next_update_index();
        let last = first + LOGS_OF_MAIN - 1;
        let id = |number: usize| &self.commits[number % COMMITS];
        let added = stack.add::<Error>(OnOutdated::Fail, |writer| {
            writer.set_limits(first, last)?;
            for number in 0..self.refs {
                writer.add_ref(&RefRecord {
                    name: name(number).as_bytes(),
                    update_index: first,
                    value: RefValue::Val1(id(number).as_bytes()),
                })?;
            }
            let branches = (0..LOGS.0.min(self.refs)).map(|number| (name(number), LOGS.1));
            // Sorts after the branches.
            let main = ("refs/heads/main".to_owned(), LOGS_OF_MAIN);
            for (name, entries) in branches.chain([main]) {
                for entry in (0..entries).rev() {
                    let number = usize::try_from(entry).expect("a small number");
                    let update = LogUpdate {
                        old_hash: id(number).as_bytes(),
                        new_hash: id(number + 1).as_bytes(),
                        name: b"A U Thor",
                        email: b"author@example.com",
                        time: 1_700_000_000 + entry,
                        tz_offset: Zone::from_stored(120),
                        message: b"commit: change of something",
                    };
                    writer.add_log(&LogRecord {
                        name: name.as_bytes(),
                        update_index: first + entry,
                        value: LogValue::Update(update),
                    })?;
                }
            }
            Ok(())
        });
        assert!(added.expect("a table").published);
        stack.compact_all(None).expect("a compaction");
    }

    pub fn copy(&self, name: &str) -> Copy {
        let work_dir = self.dir.path().join(name);
        let copied = Command::new("cp")
            .arg("-r")
            .arg(self.dir.path().join("seed"))
            .arg(&work_dir)
            .status();
        assert!(copied.expect("cp").success());
        Copy {
            work_dir,
            refs: self.refs,
            commits: [self.commits[0], self.commits[1]],
            updates: 0,
        }
    }
}

/// Runs git, and returns its output.
fn run(git: &Path, dir: &Path, args: &[&str], input: &str) -> String {
    let mut command = crate::processes::git(git, dir, args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("git runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("git reads");
    drop(stdin);
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success(), "git {args:?} failed");
    String::from_utf8(output.stdout).expect("text")
}
