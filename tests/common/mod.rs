//! Shared by the differential tests: running a git, random numbers, and decoded stacks.
//!
//! They need built gits, named by environment variables, and report a missing one:
//! `REFTABLE_UPSTREAM_GIT` is `bin-wrappers/git` of upstream's build, `REFTABLE_GIT` that of the
//! patched git.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test program uses a part

pub mod commands;
pub mod dialect;
pub mod directory;
pub mod objects;
pub mod records;

use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use dialect::Version;

/// Time of the first command, in seconds since 1970; later commands have later times.
pub const EPOCH: u64 = 1_700_000_000;

/// The variables that make a git create repositories with reftables.
const PATCHED: (&str, &str) = ("GIT_TEST_REFTABLE", "1");
const UPSTREAM: (&str, &str) = ("GIT_DEFAULT_REF_FORMAT", "reftable");

/// One built git.
#[derive(Clone, Debug)]
pub struct Git {
    wrapper: PathBuf,
    /// The variable that makes this git create repositories with reftables.
    format: (&'static str, &'static str),
    version: Version,
    /// The release whose commands it is given.
    dialect: Version,
}

/// The outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit status, or the negated number of the signal that ended the command.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Git {
    /// Upstream's git, if it is named.
    pub fn upstream() -> Option<Self> {
        Self::named("REFTABLE_UPSTREAM_GIT", UPSTREAM)
    }

    /// The patched git and the one to compare its backend with, if both are of one release.
    pub fn both_of_one_release() -> Option<(Self, Self)> {
        let (patched, upstream) = (Self::patched()?, Self::c_backend()?);
        if patched.version != upstream.version {
            eprintln!("NOT RUN: the two gits are of different releases");
            return None;
        }
        Some((patched, upstream))
    }

    /// A git with upstream's backend and with the front end of the patched git, if it was built;
    /// otherwise upstream's git.
    fn c_backend() -> Option<Self> {
        const VARIABLE: &str = "REFTABLE_PATCHED_C_GIT";
        match env::var_os(VARIABLE) {
            Some(_) => Self::named(VARIABLE, UPSTREAM),
            None => Self::upstream(),
        }
    }

    /// The patched git, if it is named.
    pub fn patched() -> Option<Self> {
        Self::named("REFTABLE_GIT", PATCHED)
    }

    fn named(variable: &str, format: (&'static str, &'static str)) -> Option<Self> {
        let Some(wrapper) = env::var_os(variable) else {
            eprintln!("NOT RUN: {variable} does not name a git");
            return None;
        };
        Some(Self::new(PathBuf::from(wrapper), format))
    }

    /// A patched git or one as released, by its file in `bin-wrappers`.
    pub fn at(wrapper: PathBuf, is_patched: bool) -> Self {
        Self::new(wrapper, if is_patched { PATCHED } else { UPSTREAM })
    }

    fn new(wrapper: PathBuf, format: (&'static str, &'static str)) -> Self {
        let version = dialect::version_of(&wrapper);
        Self {
            wrapper,
            format,
            version,
            dialect: version,
        }
    }

    /// Whether it is the patched git.
    pub fn is_patched(&self) -> bool {
        self.format == PATCHED
    }

    /// The patched git and upstream's, if both are named, with the commands of the older one: what
    /// both list can be compared.
    pub fn both() -> Option<(Self, Self)> {
        let (mut patched, mut upstream) = (Self::patched()?, Self::upstream()?);
        let dialect = patched.version.min(upstream.version);
        (patched.dialect, upstream.dialect) = (dialect, dialect);
        Some((patched, upstream))
    }

    /// Whether both are the same release.
    pub fn is_release_of(&self, other: &Self) -> bool {
        self.version == other.version
    }

    /// Whether it is this release or a later one.
    pub fn is_since(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// Whether it has `git refs migrate` that keeps reflogs.
    pub fn can_migrate(&self) -> bool {
        let can_migrate = self.is_since(2, 49);
        if !can_migrate {
            eprintln!("NOT RUN: this git does not migrate reflogs");
        }
        can_migrate
    }

    /// A command of this git, without the caller's environment. It runs the program itself, with
    /// what the wrapper would set: the wrapper, a shell script, makes a short command take half as
    /// long again.
    pub fn command<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> Command {
        self.command_of(&self.program(), dir, args)
    }

    /// The program.
    pub fn program(&self) -> PathBuf {
        self.tree().join("git")
    }

    fn tree(&self) -> &Path {
        self.wrapper.parent().and_then(Path::parent).unwrap()
    }

    /// `test-tool` of the same build.
    pub fn test_tool<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> String {
        let output = run(self.test_tool_command(dir, args), b"");
        assert_eq!(output.status, 0, "test-tool: {output:?}");
        output.stdout
    }

    /// A command of `test-tool`, which may fail.
    pub fn test_tool_command<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> Command {
        let tool = self.tree().join("t/helper/test-tool");
        self.command_of(&tool, dir, args)
    }

    fn command_of<S: AsRef<OsStr>>(&self, program: &Path, dir: &Path, args: &[S]) -> Command {
        let args = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut command = Command::new(program);
        command
            .args(dialect::in_release(self.dialect, args))
            .current_dir(dir)
            .env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        let tree = self.tree();
        command.env("GIT_EXEC_PATH", tree);
        command.env("GIT_TEMPLATE_DIR", tree.join("templates/blt"));
        command.env(self.format.0, self.format.1);
        command.envs([
            ("HOME", "/nonexistent"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
            ("GIT_AUTHOR_NAME", "A U Thor"),
            ("GIT_AUTHOR_EMAIL", "author@example.com"),
            ("GIT_COMMITTER_NAME", "C O Mitter"),
            ("GIT_COMMITTER_EMAIL", "committer@example.com"),
        ]);
        command.env("GIT_CEILING_DIRECTORIES", dir.parent().unwrap_or(dir));
        at(&mut command, EPOCH);
        command
    }

    /// Runs a command that must succeed, and returns its output.
    pub fn run<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S], input: &str) -> String {
        let command = self.command(dir, args);
        let shown = format!("{command:?}");
        let output = run(command, input.as_bytes());
        assert_eq!(output.status, 0, "{shown}: {}", output.stderr);
        output.stdout
    }
}

/// Sets the current time of a command.
pub fn at(command: &mut Command, seconds: u64) {
    let date = format!("{seconds} +0200");
    command
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date);
    command.env("GIT_TEST_DATE_NOW", (EPOCH + 1_000_000).to_string());
}

/// Runs a command until it ends.
pub fn run(mut command: Command, input: &[u8]) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that fails may not read all its input.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Output {
        status: output
            .status
            .code()
            .unwrap_or_else(|| -signal(output.status)),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
fn signal(_status: std::process::ExitStatus) -> i32 {
    0
}

/// A directory, in memory if possible, that is removed when dropped.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A number from the environment, or the default.
pub fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Reproducible random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 33) % u64::try_from(end).unwrap()).unwrap()
    }

    /// True one time in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// One of the choices, or nothing, with equal probability.
    pub fn maybe<'a>(&mut self, choices: &[&'a str]) -> Option<&'a str> {
        self.one_in(2).then(|| self.pick(choices))
    }
}

/// Compiles `tests/c/NAME.c` with the library of upstream's git into `dir`. Returns `None` if no
/// git tree is named.
pub fn upstream_program(name: &str, dir: &Path) -> Option<PathBuf> {
    let source = PathBuf::from(env::var_os("REFTABLE_UPSTREAM_SRC")?);
    let program = dir.join(name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // With git's own flags: some of its headers depend on them.
    let output = Command::new(root.join("scripts/link-upstream"))
        .arg(&source)
        .arg(root.join(format!("tests/c/{name}.c")))
        .arg(&program)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(program)
}
