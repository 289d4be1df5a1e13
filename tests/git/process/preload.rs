//! Runs programs with the library of `tests/c/faults.c`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::common::{run, Output};

/// The library, compiled once per test program.
#[derive(Debug)]
pub struct Library {
    path: PathBuf,
    every_file: bool,
    _dir: tempfile::TempDir,
}

/// The fault at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// The call fails with this error number.
    Fail(i32),
    /// The call and all later calls fail with this error number.
    FailOn(i32),
    /// The call reads or writes one byte.
    Short,
    KillBefore,
    KillAfter,
}

impl Strike {
    fn word(self) -> String {
        match self {
            Self::Fail(number) => number.to_string(),
            Self::FailOn(number) => format!("{number}+"),
            Self::Short => "short".into(),
            Self::KillBefore => "kill-before".into(),
            Self::KillAfter => "kill-after".into(),
        }
    }

    pub fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }
}

/// A call on the files of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub path: String,
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Run {
    pub output: Output,
    pub calls: Vec<Call>,
}

impl Library {
    /// Compiles the library.
    pub fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("faults.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/faults.c");
        let mut compile = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compile.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
        compile.arg(&path).arg(source).arg("-ldl");
        let output = compile.output().expect("a C compiler");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        Self {
            path,
            every_file: false,
            _dir: dir,
        }
    }

    /// Counts calls on every file below the root, not only on those of stacks.
    pub fn of_every_file(mut self) -> Self {
        self.every_file = true;
        self
    }

    /// Runs `command` and counts its calls on files of stacks below `root`; injects the fault at
    /// the call with the given number, starting at 1.
    pub fn run(
        &self,
        mut command: Command,
        input: &str,
        root: &Path,
        strike: Option<(usize, Strike)>,
    ) -> Run {
        let file = |name: &str| self.path.with_file_name(name);
        for name in ["count", "log"] {
            // They do not exist before the first run.
            let _ = fs::remove_file(file(name));
        }
        command
            .env("LD_PRELOAD", &self.path)
            .env("FAULTS_ROOT", root)
            .env("FAULTS_COUNT", file("count"))
            .env("FAULTS_LOG", file("log"));
        if self.every_file {
            command.env("FAULTS_EVERY_FILE", "1");
        }
        if let Some((at, strike)) = strike {
            command
                .env("FAULTS_AT", at.to_string())
                .env("FAULTS_KIND", strike.word());
        }
        let output = run(command, input.as_bytes());
        let log = fs::read_to_string(file("log")).unwrap_or_default();
        let calls = log.lines().map(Call::of_line).collect();
        Run { output, calls }
    }
}

impl Call {
    fn of_line(line: &str) -> Self {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let [_, name, path] = words[..] else {
            panic!("malformed line: {line}")
        };
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
        }
    }
}
