//! The repository that a crowd works on, and its state as known from outside.
//!
//! Writer `w` owns the refs `refs/heads/w{w}/a` to `d`. Its n-th update sets them all to the value
//! `n`, and creates or deletes `refs/heads/w{w}/extra`, in one transaction. All writers compete for
//! `refs/heads/shared/a` to `d` by giving the old value. So a reader can tell from one listing
//! whether it saw a complete transaction, and which one.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use crate::common::{run, scratch, Git, Output, Random};
use crate::kills::{run_or_kill, tidy, Toll};

/// The refs of a group that are set together.
pub const LEAVES: [&str; 4] = ["a", "b", "c", "d"];

/// The number of commits that each writer uses in turn as values.
const VALUES: u64 = 256;

/// The number of failures that are kept for the report.
const SHOWN: usize = 20;

/// Size and duration of a crowd.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The gits; the n-th participant uses them in turn, beginning with the n-th.
    pub gits: Vec<Git>,
    pub writers: usize,
    pub readers: usize,
    pub duration: Duration,
    /// Whether packing, garbage collection and verification run at the same time.
    pub keepers: bool,
    /// Whether writers and keepers are sometimes killed.
    pub kills: bool,
}

impl Plan {
    pub fn git(&self, number: usize) -> &Git {
        &self.gits[number % self.gits.len()]
    }

    /// Whether processes are killed and all gits are the patched one, which removes leftovers.
    pub fn expects_clean_up(&self) -> bool {
        self.kills && self.gits.iter().all(Git::is_patched)
    }
}

/// The progress of one writer; updated by the writer, read by the readers.
#[derive(Debug, Default)]
pub struct Progress {
    /// The last update that was started.
    begun: AtomicU64,
    /// The last update that is known to be committed.
    landed: AtomicU64,
}

impl Progress {
    pub fn begin(&self, update: u64) {
        self.begun.store(update, Ordering::SeqCst);
    }

    pub fn land(&self, update: u64) {
        self.landed.store(update, Ordering::SeqCst);
    }

    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    pub fn landed(&self) -> u64 {
        self.landed.load(Ordering::SeqCst)
    }
}

/// The repository and the state that its users share.
pub struct Arena {
    _scratch: tempfile::TempDir,
    dir: PathBuf,
    pub plan: Plan,
    /// Object names by writer and update.
    values: Vec<String>,
    numbers: HashMap<String, usize>,
    pub progress: Vec<Progress>,
    /// Held shared by running processes if there are kills; exclusively by the thread that cleans
    /// up after a kill.
    pub gate: RwLock<()>,
    pub toll: Mutex<Toll>,
    stop: AtomicBool,
    faults: Mutex<Vec<String>>,
}

impl Arena {
    /// Makes a repository in which every ref has the value of update 0.
    pub fn new(plan: Plan) -> Self {
        let scratch = match env::var_os("REFTABLE_CROWD_DIR") {
            Some(dir) => tempfile::tempdir_in(dir).unwrap(),
            None => scratch(),
        };
        let dir = scratch.path().join("repo");
        fs::create_dir(&dir).unwrap();
        let git = plan.git(0);
        git.run(&dir, &["init", "-q", "--bare"], "");
        let settings = "[core]\n\tlogAllRefUpdates = always\n\
             [gc]\n\tauto = 0\n\tpruneExpire = never\n\treflogExpire = never\n\
             \treflogExpireUnreachable = never\n";
        let mut config = fs::read_to_string(dir.join("config")).unwrap();
        config += settings;
        fs::write(dir.join("config"), config).unwrap();
        let values = make_values(git, &dir, plan.writers);
        let numbers = values.iter().cloned().zip(0..).collect();
        let progress = (0..plan.writers).map(|_| Progress::default()).collect();
        let arena = Self {
            _scratch: scratch,
            dir,
            plan,
            values,
            numbers,
            progress,
            gate: RwLock::default(),
            toll: Mutex::default(),
            stop: AtomicBool::new(false),
            faults: Mutex::default(),
        };
        arena.create_refs();
        arena
    }

    fn create_refs(&self) {
        let mut input = String::new();
        for group in 0..self.plan.writers {
            for name in self.group(group) {
                writeln!(input, "create {name} {}", self.value(group, 0)).unwrap();
            }
            writeln!(input, "create {} {}", extra(group), self.value(group, 0)).unwrap();
        }
        for name in shared() {
            writeln!(input, "create {name} {}", self.value(0, 0)).unwrap();
        }
        // `git fsck`, which stands in for `git refs verify` in old releases, reports an unborn HEAD.
        writeln!(input, "option no-deref\nupdate HEAD {}", self.value(0, 0)).unwrap();
        let args = ["update-ref", "-m", "made", "--stdin"];
        self.plan.git(0).run(&self.dir, &args, &input);
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of the stack.
    pub fn stack(&self) -> PathBuf {
        self.dir.join("reftable")
    }

    /// A command of `git` in the repository.
    pub fn command(&self, git: &Git, args: &[&str]) -> Command {
        git.command(&self.dir, args)
    }

    /// Runs a command of `git` until it ends.
    pub fn run(&self, git: &Git, args: &[&str], input: &str) -> Output {
        run(self.command(git, args), input.as_bytes())
    }

    /// The same, but kills the command sometimes if the plan says so, and then returns `None`.
    /// Afterwards calls `look` when no other process runs.
    pub fn run_or_kill(
        &self,
        git: &Git,
        args: &[&str],
        input: &str,
        random: &mut Random,
        look: impl FnOnce(),
    ) -> Option<Output> {
        if !self.plan.kills {
            return Some(self.run(git, args, input));
        }
        let at_work = self.gate.read().unwrap();
        let output = run_or_kill(self.command(git, args), &self.stack(), input, random);
        drop(at_work);
        if output.is_none() {
            let _alone = self.gate.write().unwrap();
            tidy(self, &mut self.toll.lock().unwrap());
            look();
        }
        output
    }

    pub fn group(&self, writer: usize) -> [String; 4] {
        LEAVES.map(|leaf| format!("refs/heads/w{writer}/{leaf}"))
    }

    /// The object that update `update` of `writer` sets.
    pub fn value(&self, writer: usize, update: u64) -> &str {
        let at = usize::try_from(update % VALUES).unwrap();
        &self.values[writer * usize::try_from(VALUES).unwrap() + at]
    }

    /// The last update of `writer`, up to `latest`, that sets this object.
    pub fn update_of(&self, writer: usize, id: &str, latest: u64) -> Option<u64> {
        let number = u64::try_from(*self.numbers.get(id)?).unwrap();
        let first = u64::try_from(writer).unwrap() * VALUES;
        let at = number.checked_sub(first).filter(|at| *at < VALUES)?;
        let back = (latest % VALUES + VALUES - at) % VALUES;
        latest.checked_sub(back)
    }

    /// Records a failure.
    pub fn fault(&self, text: String) {
        let mut faults = self.faults.lock().unwrap();
        if faults.len() < SHOWN {
            faults.push(text);
        }
    }

    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap().clone()
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// The ref that the updates of `writer` create and delete.
pub fn extra(writer: usize) -> String {
    format!("refs/heads/w{writer}/extra")
}

/// Whether it exists after this update.
pub fn has_extra(update: u64) -> bool {
    update % 4 < 2
}

/// The refs that all writers compete for.
pub fn shared() -> [String; 4] {
    LEAVES.map(|leaf| format!("refs/heads/shared/{leaf}"))
}

/// One commit per value, all of them without parents.
fn make_values(git: &Git, dir: &Path, writers: usize) -> Vec<String> {
    let count = writers * usize::try_from(VALUES).unwrap();
    let mut input = String::new();
    for mark in 1..=count {
        write!(
            input,
            "commit refs/none/x\nmark :{mark}\ncommitter C <c@example.com> 1 +0000\n\
             data <<E\nvalue {mark}\nE\n\nreset refs/none/x\nfrom 0000000000000000000000000000000000000000\n\n"
        )
        .unwrap();
    }
    git.run(
        dir,
        &["fast-import", "--quiet", "--force", "--export-marks=marks"],
        &input,
    );
    let marks = fs::read_to_string(dir.join("marks")).unwrap();
    let mut ids = vec![String::new(); count];
    for line in marks.lines() {
        let (mark, id) = line.split_once(' ').unwrap();
        ids[mark[1..].parse::<usize>().unwrap() - 1] = id.to_owned();
    }
    ids
}
