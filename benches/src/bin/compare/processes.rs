//! Other programs: git, one with git's C library, and the example `prompt`.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::Copy;
use crate::{Contestant, Task};

/// Runs of short programs in one measurement.
const RUNS: u32 = 20;

/// A command of git, without the configuration of the user.
pub fn git(program: &Path, dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(dir);
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.stdout(Stdio::null());
    command
}

/// The time of the shortest of several runs, from start to exit.
fn shortest(runs: u32, mut command: impl FnMut() -> Command) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..runs {
        let mut command = command();
        let start = Instant::now();
        let status = command.status().expect("a program");
        least = least.min(start.elapsed());
        assert!(status.success(), "{command:?}");
    }
    least
}

/// The command git.
pub struct Git(pub Copy, pub PathBuf);

impl Contestant for Git {
    fn name(&self) -> &'static str {
        "the command git"
    }

    fn run(&mut self, task: Task) -> Option<Duration> {
        let Self(copy, program) = self;
        let (runs, args): (_, &[&str]) = match task {
            Task::Head => (RUNS, &["symbolic-ref", "HEAD"]),
            Task::List => (1, &["for-each-ref", "--format=%(objectname) %(refname)"]),
            // No command looks up that many names.
            Task::LookUp => return None,
            Task::LastLog => (RUNS, &["reflog", "-1", "refs/heads/main"]),
            Task::Update => (RUNS, &["update-ref", "-m", "update", "refs/heads/updated"]),
        };
        Some(shortest(runs, || {
            let mut command = git(program, &copy.work_dir, args);
            if task == Task::Update {
                command.arg(copy.next_commit().to_string());
            }
            command
        }))
    }
}

/// The program in `benches/compare` with git's C library, which measures itself.
pub struct C(pub Copy, pub PathBuf);

impl Contestant for C {
    fn name(&self) -> &'static str {
        "git's C library"
    }

    fn run(&mut self, task: Task) -> Option<Duration> {
        let output = Command::new(&self.1)
            .args([task.name(), &task.repetitions().to_string()])
            .args([crate::LOOKUPS.to_string(), self.0.refs.to_string()])
            .arg(self.0.stack_dir())
            .output()
            .expect("a program");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        Some(Duration::from_nanos(text.trim().parse().expect("a number")))
    }
}

/// The times of the example `prompt` and of `git symbolic-ref HEAD`, in turns.
pub fn prompts(copy: &Copy, prompt: &Path, program: &Path) -> (Duration, Duration) {
    let mut least = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        let ours = shortest(RUNS, || git(prompt, &copy.work_dir, &[]));
        let theirs = shortest(RUNS, || {
            git(program, &copy.work_dir, &["symbolic-ref", "HEAD"])
        });
        least = (least.0.min(ours), least.1.min(theirs));
    }
    least
}
