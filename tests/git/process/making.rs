//! Commands that create, convert and remove repositories and worktrees, with a fault at each call
//! on a stack.
//!
//! git's front end does not make these changes in one step. A killed command must leave the old
//! state, the new state, or a state that upstream's git leaves if it is killed at one of its own
//! calls; and the same steps lead on from there.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::faults::{Tally, EINTR};
use super::preload::{Call, Library, Run, Strike};
use super::verdict::Judges;
use crate::common::directory::{copy, fingerprint, leftovers, stacks, walk};
use crate::common::{run, scratch, Git};

/// The paths of a command, below the directory of a run.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// The working directory.
    pub dir: &'static str,
    pub args: &'static [&'static str],
    /// The repository that it creates or changes.
    pub repo: &'static str,
    /// The worktree that it creates or changes.
    pub worktree: Option<&'static str>,
    /// Makes the initial state.
    pub prepare: fn(&Git, &Path),
    /// What a user does, in the directory of the run, about a state that is neither old nor new, or
    /// that a kill has left, before running the command again.
    pub mend: fn(&Git, &Path, Left),
}

/// The state that a command has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Old,
    New,
    Between,
}

/// How often each state was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    pub tally: Tally,
    /// Neither old nor new, but as upstream's git leaves it.
    pub between: usize,
}

pub struct Workshop<'a> {
    judges: &'a Judges<'a>,
    library: &'a Library,
    making: Making,
    root: tempfile::TempDir,
}

impl<'a> Workshop<'a> {
    pub fn new(judges: &'a Judges<'a>, library: &'a Library, making: Making) -> Self {
        let root = scratch();
        let workshop = Self {
            judges,
            library,
            making,
            root,
        };
        fs::create_dir(workshop.run_dir()).unwrap();
        (making.prepare)(judges.patched, &workshop.run_dir());
        copy(&workshop.run_dir(), &workshop.root.path().join("template"));
        workshop
    }

    fn run_dir(&self) -> PathBuf {
        self.root.path().join("run")
    }

    fn repo(&self) -> PathBuf {
        self.run_dir().join(self.making.repo)
    }

    fn stacks(&self) -> Vec<PathBuf> {
        stacks(&self.repo())
    }

    /// Runs the command from the initial state.
    fn run(&self, git: &Git, strike: Option<(usize, Strike)>) -> Run {
        copy(&self.root.path().join("template"), &self.run_dir());
        let command = git.command(&self.run_dir().join(self.making.dir), self.making.args);
        // In the source of a clone only reading counts; other tests cover it.
        self.library.run(command, "", &self.repo(), strike)
    }

    /// What `git` reads: format, `HEAD`, references, logs and worktrees.
    fn state(&self, git: &Git) -> String {
        let repo = self.repo();
        // Directories without files are ignored.
        if !walk(&repo).iter().any(|path| path.is_file()) {
            return "nothing".to_owned();
        }
        let mut text = String::new();
        let refs = "--format=%(refname) %(objectname) %(symref)";
        let commands: [&[&str]; 6] = [
            &["rev-parse", "--show-ref-format"],
            &["symbolic-ref", "HEAD"],
            &["for-each-ref", "--include-root-refs", refs],
            &["reflog", "list"],
            &["log", "-g", "--all", "--format=%gD %H %gn %gs"],
            &["worktree", "list", "--porcelain"],
        ];
        let worktree = self.making.worktree.map(|name| self.run_dir().join(name));
        let worktree = worktree.filter(|path| path.join(".git").exists());
        for dir in [Some(repo), worktree].into_iter().flatten() {
            for args in commands {
                let output = run(git.command(&dir, args), b"");
                let complains = if output.stderr.is_empty() { "" } else { "!" };
                let done = if output.status == 0 { "" } else { "failed" };
                writeln!(text, "{}{done}{complains}", output.stdout).unwrap();
            }
        }
        text
    }

    /// The states in which the patched git leaves references in files when it is killed, as if they
    /// were in tables: some that its release leaves, and that of upstream's git does not.
    fn states_of_files(&self) -> HashSet<String> {
        let args = self.making.args.iter();
        let args: Vec<_> = args.map(|arg| arg.replace("=reftable", "=files")).collect();
        let library = Library::build().of_every_file();
        let run = |strike| {
            copy(&self.root.path().join("template"), &self.run_dir());
            let dir = self.run_dir().join(self.making.dir);
            let command = self.judges.patched.command(&dir, &args);
            library.run(command, "", &self.repo(), strike)
        };
        let mut states = HashSet::new();
        for at in 1..=run(None).calls.len() {
            run(Some((at, Strike::KillAfter)));
            let state = self.state(self.judges.patched);
            states.insert(state.replacen("files", "reftable", 1));
        }
        states
    }

    pub fn strike(&self, strikes: impl Fn(usize, &Call) -> Vec<Strike>) -> Found {
        let name = format!("git {}", self.making.args.join(" "));
        let old = {
            copy(&self.root.path().join("template"), &self.run_dir());
            self.state(self.judges.upstream)
        };
        let mut known_to_upstream = StatesOfUpstream::new(self);
        let is_same_release = self.judges.patched.is_release_of(self.judges.upstream);
        let chooses_format = self.making.args.contains(&"--ref-format=reftable");
        let known_to_files = match !is_same_release && chooses_format {
            true => self.states_of_files(),
            false => HashSet::new(),
        };
        let untouched = self.run(self.judges.patched, None);
        assert_eq!(untouched.output.status, 0, "{name}: {untouched:#?}");
        let new = self.state(self.judges.upstream);
        assert_ne!(old, new, "{name}");
        let mut found = Found::default();
        let mut known: HashMap<_, String> = HashMap::new();
        for (at, call) in (1..).zip(&untouched.calls) {
            for strike in strikes(at, call) {
                let run = self.run(self.judges.patched, Some((at, strike)));
                let context = format!(
                    "{name}: {strike:?} at {at}, {} {}: {:#?}",
                    call.name, call.path, run.output
                );
                assert!(run.calls.len() >= at, "{context}: not struck");
                let print = fingerprint(&self.run_dir());
                let is_killed = strike.kills();
                // What cannot be removed remains.
                let may_lock =
                    is_killed || matches!(strike, Strike::FailOn(_)) || call.name == "unlink";
                let state = known.entry(print).or_insert_with(|| {
                    let state = self.judge(&context);
                    let locked = self.remove_list_locks();
                    assert!(may_lock || !locked, "{context}: a lock is left");
                    self.go_on(&old, &new, is_killed, &context);
                    let is_between = state != old && state != new;
                    assert!(
                        !is_between
                            || known_to_files.contains(&state)
                            || known_to_upstream.has(&state),
                        "{context}: {state}\nnot of {:#?}\n{known_to_files:#?}",
                        known_to_upstream.found
                    );
                    state
                });
                if *state != old && *state != new {
                    found.between += 1;
                }
                if is_killed {
                    found.tally.kills += 1;
                    // Some calls are made by a command that this one runs.
                    assert_ne!(run.output.status, 0, "{context}");
                } else if is_invisible(strike, call) {
                    found.tally.invisible += 1;
                    assert_eq!(run.output, untouched.output, "{context}");
                    assert_eq!(*state, new, "{context}");
                } else {
                    found.tally.failures += 1;
                    assert!(run.output.status >= 0, "{context}");
                    let may_succeed = run.output.status != 0 || *state == new;
                    assert!(
                        may_succeed || known_to_upstream.has_with_success(state),
                        "{context}: {state}"
                    );
                }
            }
        }
        found.tally.different = known.len();
        println!("{name}: {}, {} between", found.tally, found.between);
        found
    }

    /// Kills the command before or after every `step`-th call, from call `first` on: what is left
    /// is always the old or the new state. Returns the number of kills.
    pub fn kill_between_states(&self, first: usize, step: usize) -> usize {
        let old = {
            copy(&self.root.path().join("template"), &self.run_dir());
            self.judge("before")
        };
        let calls = self.run(self.judges.patched, None).calls.len();
        let new = self.judge("after");
        let mut kills = 0;
        for at in (1..=calls).skip(first).step_by(step) {
            let strike = match kills % 2 {
                0 => Strike::KillBefore,
                _ => Strike::KillAfter,
            };
            self.run(self.judges.patched, Some((at, strike)));
            let context = format!("{strike:?} at {at}");
            let state = self.judge(&context);
            assert!(state == old || state == new, "{context}: {state}");
            self.remove_locks();
            self.go_on(&old, &new, true, &context);
            kills += 1;
        }
        kills
    }

    /// Kills the command before and after each call: once stale locks are removed, running the same
    /// command again must complete the work. Returns the number of different states that were left.
    pub fn kill_and_repeat(&self) -> usize {
        let patched = self.judges.patched;
        let calls = self.run(patched, None).calls;
        let new = self.state(self.judges.upstream);
        let mut known = HashSet::new();
        for (at, call) in (1..).zip(&calls) {
            for strike in [Strike::KillBefore, Strike::KillAfter] {
                let killed = self.run(patched, Some((at, strike)));
                let context = format!("{strike:?} at {at}, {} {}", call.name, call.path);
                assert_eq!(killed.output.status, -9, "{context}: {:#?}", killed.output);
                if !known.insert(fingerprint(&self.run_dir())) {
                    continue;
                }
                self.remove_locks();
                let dir = self.run_dir().join(self.making.dir);
                let output = run(patched.command(&dir, self.making.args), b"");
                assert_eq!(output.status, 0, "{context}, again: {output:#?}");
                assert_eq!(self.judge(&context), new, "{context}, again");
                self.assert_usable(&context);
            }
        }
        known.len()
    }

    /// What both gits read.
    fn judge(&self, context: &str) -> String {
        let state = self.state(self.judges.patched);
        assert_eq!(state, self.state(self.judges.upstream), "{context}");
        state
    }

    /// Removes locks of lists, as a user would; returns whether there were any.
    fn remove_list_locks(&self) -> bool {
        let locks = self
            .stacks()
            .into_iter()
            .map(|s| s.join("tables.list.lock"));
        let removed = locks.filter(|lock| fs::remove_file(lock).is_ok());
        removed.count() > 0
    }

    /// Removes locks of any kind.
    fn remove_locks(&self) {
        for path in walk(&self.repo()) {
            if path.extension().is_some_and(|e| e == "lock") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Running the command again leads to the same state as if nothing had happened.
    fn go_on(&self, old: &str, new: &str, is_killed: bool, context: &str) {
        let (dir, patched) = (self.run_dir(), self.judges.patched);
        let left = match self.state(patched) {
            state if state == old => Left::Old,
            state if state == new => Left::New,
            _ => Left::Between,
        };
        if is_killed || left == Left::Between {
            (self.making.mend)(patched, &dir, left);
        }
        if self.state(patched) != new {
            let command = patched.command(&dir.join(self.making.dir), self.making.args);
            let output = run(command, b"");
            assert_eq!(output.status, 0, "{context}, again: {output:#?}");
        }
        assert_eq!(self.judge(context), new, "{context}, again");
        self.assert_usable(context);
    }

    /// Both gits can write and verify, and no lock remains.
    fn assert_usable(&self, context: &str) {
        let repo = self.repo();
        let object = "hash-object -w -t tree --stdin";
        let object: Vec<&str> = object.split(' ').collect();
        for (git, name) in [
            (self.judges.patched, "refs/later/1"),
            (self.judges.upstream, "refs/later/2"),
        ] {
            let tree = run(git.command(&repo, &object), b"").stdout;
            let update = ["update-ref", name, tree.trim()];
            for args in [&update[..], &["refs", "verify"], &["pack-refs", "--all"]] {
                let output = run(git.command(&repo, args), b"");
                assert_eq!(output.status, 0, "{context}: {args:?} {output:#?}");
            }
        }
        for stack in self.stacks() {
            let is_lock = |path: &PathBuf| path.extension().is_some_and(|e| e == "lock");
            let locks: Vec<_> = leftovers(&stack).into_iter().filter(is_lock).collect();
            assert!(locks.is_empty(), "{context}: {locks:?}");
        }
    }
}

const EIO: i32 = 5;

/// The states in which upstream's git leaves everything when it is killed or fails. They are
/// looked for only as far as needed: most faults leave the old or the new state.
struct StatesOfUpstream<'a> {
    workshop: &'a Workshop<'a>,
    /// The faults that were not tried yet.
    faults: Box<dyn Iterator<Item = (usize, Strike)>>,
    /// The states found so far, each with whether upstream's git has reported success.
    found: HashMap<String, bool>,
    /// The state of files with a fingerprint.
    known: HashMap<Vec<(String, Vec<u8>)>, String>,
}

impl<'a> StatesOfUpstream<'a> {
    fn new(workshop: &'a Workshop<'a>) -> Self {
        let calls = workshop.run(workshop.judges.upstream, None).calls.len();
        let faults = (1..=calls).flat_map(|at| {
            [
                Strike::KillBefore,
                Strike::KillAfter,
                Strike::Fail(EIO),
                Strike::FailOn(EIO),
            ]
            .map(|strike| (at, strike))
        });
        Self {
            workshop,
            faults: Box::new(faults),
            found: HashMap::new(),
            known: HashMap::new(),
        }
    }

    fn has(&mut self, state: &str) -> bool {
        self.look_for(|found| found.contains_key(state))
    }

    fn has_with_success(&mut self, state: &str) -> bool {
        self.look_for(|found| found.get(state) == Some(&true))
    }

    /// Tries faults until `is_found`; returns false if all of them have been tried.
    fn look_for(&mut self, is_found: impl Fn(&HashMap<String, bool>) -> bool) -> bool {
        let (workshop, upstream) = (self.workshop, self.workshop.judges.upstream);
        while !is_found(&self.found) {
            let Some((at, strike)) = self.faults.next() else {
                return false;
            };
            let run = workshop.run(upstream, Some((at, strike)));
            let state = self
                .known
                .entry(fingerprint(&workshop.run_dir()))
                .or_insert_with(|| workshop.state(upstream));
            *self.found.entry(state.clone()).or_insert(false) |= run.output.status == 0;
        }
        true
    }
}

/// Whether the fault must not be noticed. Directories are read, created and removed by git's front
/// end, which treats an interruption as an error.
fn is_invisible(strike: Strike, call: &Call) -> bool {
    let by_front_end = [
        "rename",
        "unlink",
        "unlinkat",
        "mkdir",
        "rmdir",
        "opendir",
        "readdir",
        "readdir64",
        "lstat",
        "lstat64",
        "access",
    ];
    match strike {
        Strike::Short => true,
        Strike::Fail(EINTR) => !by_front_end.contains(&call.name.as_str()),
        _ => false,
    }
}
