//! One command, with a fault at each of its calls.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::preload::{Call, Library, Run, Strike};
use super::verdict::{listing, Judges, States};
use crate::common::directory::{copy, fingerprint};
use crate::common::{scratch, Git};

/// Error numbers of Linux.
pub const EINTR: i32 = 4;
pub const ERRORS: [(&str, i32); 4] = [("EIO", 5), ("EACCES", 13), ("EMFILE", 24), ("ENOSPC", 28)];

/// All faults at every call.
fn all(_: usize, _: &Call) -> Vec<Strike> {
    let errors = ERRORS.iter().map(|(_, number)| *number);
    let errors = errors.flat_map(|e| [Strike::Fail(e), Strike::FailOn(e)]);
    let kills = [Strike::KillBefore, Strike::KillAfter];
    errors.chain(kills).chain(invisible()).collect()
}

fn invisible() -> [Strike; 2] {
    [Strike::Fail(EINTR), Strike::Short]
}

/// One fault at every call, all kinds in turn.
fn some(at: usize, _: &Call) -> Vec<Strike> {
    let turn = at / 3;
    let (_, error) = ERRORS[turn % 4];
    vec![match at % 3 {
        0 => [Strike::Fail(error), Strike::FailOn(error)][turn / 4 % 2],
        1 => [Strike::KillBefore, Strike::KillAfter][turn % 2],
        _ => invisible()[turn % 2],
    }]
}

/// The same at each of the first calls, and then at every fifth call.
fn few(at: usize, call: &Call) -> Vec<Strike> {
    match at {
        0..=12 => some(at, call),
        _ if at % 5 == 0 => some(at / 5, call),
        _ => Vec::new(),
    }
}

/// Chooses the faults at a call by its number.
pub type Choice = fn(usize, &Call) -> Vec<Strike>;

/// The faults that `REFTABLE_FAULTS` names: `all`, `few`, or some.
pub fn chosen() -> Choice {
    match std::env::var("REFTABLE_FAULTS").as_deref() {
        Ok("all") => all,
        Ok("few") => few,
        _ => some,
    }
}

/// A command and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub args: &'static [&'static str],
    pub input: &'static str,
    /// The number of steps in which it changes references and logs; each step is atomic.
    pub steps: usize,
    /// Whether it fails if it has not done all of them. If a command fails to look for more work,
    /// git assumes that there is none; if it fails to check its work, it fails.
    pub reports_failure: bool,
    /// Whether it goes on with the other logs if it fails with one.
    pub each_log_alone: bool,
}

impl Case {
    /// A command without input.
    pub const fn new(args: &'static [&'static str], steps: usize) -> Self {
        Self {
            args,
            input: "",
            steps,
            reports_failure: steps > 0,
            each_log_alone: false,
        }
    }
}

/// How often each fault was injected, and how many different repositories resulted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub failures: usize,
    pub invisible: usize,
    pub kills: usize,
    pub different: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failing calls, {} interrupted or short ones, {} kills: {} different \
             repositories, 0 states lost",
            self.failures, self.invisible, self.kills, self.different
        )
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.failures += other.failures;
        self.invisible += other.invisible;
        self.kills += other.kills;
        self.different += other.different;
    }
}

/// A repository to run commands in, always in the same initial state.
pub struct World<'a> {
    judges: &'a Judges<'a>,
    library: &'a Library,
    root: tempfile::TempDir,
}

impl<'a> World<'a> {
    /// A repository made by `make`, which gets the directory and the patched git.
    pub fn new(judges: &'a Judges<'a>, library: &'a Library, make: fn(&Git, &Path)) -> Self {
        let root = scratch();
        let world = Self {
            judges,
            library,
            root,
        };
        // Worktrees contain absolute paths, so the directory is always the same.
        std::fs::create_dir(world.run_dir()).unwrap();
        make(judges.patched, &world.run_dir());
        copy(&world.run_dir(), &world.template());
        world
    }

    fn run_dir(&self) -> PathBuf {
        self.root.path().join("run")
    }

    fn template(&self) -> PathBuf {
        self.root.path().join("template")
    }

    pub fn repo(&self) -> PathBuf {
        self.run_dir().join("repo")
    }

    /// Runs a command from the initial state.
    pub fn run(&self, args: &[&str], input: &str, strike: Option<(usize, Strike)>) -> Run {
        copy(&self.template(), &self.run_dir());
        let git = self.judges.patched;
        let command = git.command(&self.repo(), args);
        let has_symrefs = git.is_since(2, 46);
        let is_known = |line: &&str| has_symrefs || !line.trim_start().starts_with("symref-");
        let input: String = input.split_inclusive('\n').filter(is_known).collect();
        self.library.run(command, &input, self.root.path(), strike)
    }

    /// Runs the command once for each call and fault that `strikes` chooses.
    pub fn strike(&self, case: Case, strikes: impl Fn(usize, &Call) -> Vec<Strike>) -> Tally {
        let name = format!("git {}", case.args.join(" "));
        let states = States {
            in_order: self.states(case),
            each_log_alone: case.each_log_alone,
        };
        assert_eq!(states.in_order.len(), case.steps + 1, "{name}: {states:#?}");
        let untouched = self.run(case.args, case.input, None);
        assert_eq!(
            untouched.output.status, 0,
            "{name}: {:#?}",
            untouched.output
        );
        let mut tally = Tally::default();
        let mut known: HashMap<_, usize> = HashMap::new();
        for (at, call) in (1..).zip(&untouched.calls) {
            for strike in strikes(at, call) {
                let run = self.run(case.args, case.input, Some((at, strike)));
                let context = format!(
                    "{name}: {strike:?} at {at}, {} {}: {:#?}",
                    call.name, call.path, run.output
                );
                assert!(run.calls.len() >= at, "{context}: not struck");
                let print = fingerprint(&self.run_dir());
                let number = *known
                    .entry(print)
                    .or_insert_with(|| self.judges.judge(&self.repo(), &states, &context));
                let is_new = number == case.steps;
                if strike.kills() {
                    tally.kills += 1;
                    assert_eq!(run.output.status, -9, "{context}");
                } else if is_invisible(strike, call) {
                    tally.invisible += 1;
                    assert_eq!(run.output, untouched.output, "{context}");
                    assert!(is_new, "{context}");
                } else {
                    tally.failures += 1;
                    assert!(run.output.status >= 0, "{context}");
                    let is_success = run.output.status == 0;
                    assert!(
                        is_success == is_new || !case.reports_failure,
                        "{context}: state {number}"
                    );
                }
            }
        }
        tally.different = known.len();
        println!("{name}: {tally}");
        tally
    }

    /// What both gits read before the command and after each rename of a list that changes it,
    /// determined by kills there.
    fn states(&self, case: Case) -> Vec<String> {
        let untouched = self.run(case.args, case.input, None);
        let is_publishing =
            |call: &Call| call.name == "rename" && call.path.ends_with("/tables.list");
        let calls = (1..).zip(&untouched.calls);
        let publishing = calls.filter(|(_, call)| is_publishing(call));
        copy(&self.template(), &self.run_dir());
        let mut states = vec![listing(self.judges.upstream, &self.repo()).unwrap()];
        for (at, _) in publishing {
            self.run(case.args, case.input, Some((at, Strike::KillAfter)));
            let state = listing(self.judges.upstream, &self.repo()).unwrap();
            if states.last() != Some(&state) {
                states.push(state);
            }
        }
        states
    }
}

/// Whether the fault must not be noticed: interrupted and short calls are repeated, except a rename
/// or removal that reports an interruption, because it may have happened.
fn is_invisible(strike: Strike, call: &Call) -> bool {
    match strike {
        Strike::Short => true,
        Strike::Fail(EINTR) => !matches!(call.name.as_str(), "rename" | "unlink"),
        _ => false,
    }
}
