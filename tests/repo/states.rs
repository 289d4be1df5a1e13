//! Repositories in the states that programs must cope with, made by git, and programs run in them.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::common::{at, run, scratch, Git, Output, EPOCH};

pub const HASHES: [&str; 2] = ["sha1", "sha256"];

/// A repository and one directory for each state of `HEAD`.
#[derive(Debug)]
pub struct States {
    pub git: Git,
    root: tempfile::TempDir,
    /// The number of commands that have run. Each has its own time.
    clock: u64,
}

impl States {
    /// `None` if no git is named.
    pub fn new(hash: &str) -> Option<Self> {
        let git = Git::upstream()?;
        let mut states = Self {
            git,
            root: scratch(),
            clock: 0,
        };
        for name in ["main", "unborn"] {
            let format = format!("--object-format={hash}");
            let path = states.path(name);
            let path = path.to_str().unwrap();
            states.git(".", &["init", "-q", "-b", "trunk", &format, path]);
            states.git(name, &["config", "user.name", "C O Mitter"]);
            states.git(name, &["config", "user.email", "committer@example.com"]);
        }
        for command in [
            &["commit", "-q", "--allow-empty", "-m", "one"][..],
            &["tag", "light"],
            &["tag", "-a", "-m", "annotated", "v1"],
            &["tag", "-a", "-m", "a tag of a tag", "v2", "v1"],
            &["commit", "-q", "--allow-empty", "-m", "two"],
            &["symbolic-ref", "refs/heads/alias", "refs/heads/trunk"],
            &["symbolic-ref", "refs/tags/newest", "refs/tags/v1"],
            &["symbolic-ref", "refs/heads/dangling", "refs/heads/none"],
            &["worktree", "add", "-q", "-b", "topic/a", "../linked"],
            &["worktree", "add", "-q", "--detach", "../detached", "v2"],
        ] {
            states.git("main", command);
        }
        states.git("linked", &["commit", "-q", "--allow-empty", "-m", "three"]);
        std::fs::create_dir_all(states.path("main/a/directory")).unwrap();
        Some(states)
    }

    /// All states: directories for [`git`](Self::git) and [`program`](Self::program).
    pub const ALL: [&'static str; 5] = ["main", "main/a/directory", "linked", "detached", "unborn"];

    pub fn path(&self, dir: &str) -> PathBuf {
        self.root.path().join(dir)
    }

    /// Runs git, which must succeed, and returns its output.
    pub fn git(&mut self, dir: &str, args: &[&str]) -> String {
        let output = self.try_git(dir, args);
        assert_eq!(output.status, 0, "{dir}: {args:?}: {output:?}");
        output.stdout
    }

    pub fn try_git(&mut self, dir: &str, args: &[&str]) -> Output {
        let mut command = self.git.command(&self.path(dir), args);
        // The directories are in others of the repository.
        command.env("GIT_CEILING_DIRECTORIES", self.root.path());
        self.clock += 1;
        at(&mut command, EPOCH + self.clock);
        run(command, b"")
    }

    /// The short name of the branch, or the first digits of the id, as git has them.
    pub fn head(&mut self, dir: &str) -> String {
        let branch = self.try_git(dir, &["symbolic-ref", "--short", "-q", "HEAD"]);
        match branch.status {
            0 => branch.stdout.trim_end().to_owned(),
            _ => self.git(dir, &["rev-parse", "HEAD"])[..7].to_owned(),
        }
    }
}

/// A program of ours, without the environment of the test.
pub fn program(path: &Path, dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(args).current_dir(dir).env_clear();
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("HOME", "/nonexistent");
    command
}

/// Builds something with cargo, in the directory with its manifest.
pub fn cargo(dir: &Path, args: &[&str]) {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).arg("--offline").current_dir(dir);
    command.env("CARGO_TARGET_DIR", target_dir());
    let output = run(command, b"");
    assert_eq!(output.status, 0, "cargo {args:?}: {}", output.stderr);
}

/// The directory that cargo has built this test in.
pub fn target_dir() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // TARGET/PROFILE/deps/PROGRAM
    own.ancestors().nth(3).unwrap().to_owned()
}

/// A program that runs until it is dropped, and its lines.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    pub fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// The next line. The limit only ends a test that has failed.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
