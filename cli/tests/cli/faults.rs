//! Faults in the system calls of the program, by the library `tests/c/faults.c`.
//!
//! `REFTABLE_FAULTS=all` asks for a fault at every call, `few` for the quickest run.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

use crate::sandbox::{run, Outcome};

/// A call: its name, and the path of its file.
pub type Call = (String, String);

/// Calls that change nothing: a fault at another call leaves what one at the next call leaves.
const READS: [&str; 9] = [
    "stat", "lstat", "statx", "fstat", "read", "readdir", "close", "opendir", "mmap",
];

/// How many of all cases are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Few,
    Some,
    All,
}

pub fn extent() -> Extent {
    match env::var("REFTABLE_FAULTS").as_deref() {
        Ok("few") => Extent::Few,
        Ok("all") => Extent::All,
        _ => Extent::Some,
    }
}

/// The numbers of all calls that may change something, or of about `some` of them.
pub fn chosen(calls: &[Call], some: usize) -> Vec<usize> {
    let is_read = |name: &str| READS.contains(&name.trim_end_matches("64"));
    let changes = (1..).zip(calls).filter(|(_, (name, _))| !is_read(name));
    let changes: Vec<usize> = changes.map(|(number, _)| number).collect();
    let step = match extent() {
        Extent::Few | Extent::Some => changes.len() / some + 1,
        Extent::All => 1,
    };
    changes.into_iter().step_by(step).collect()
}

/// The library, compiled once for all tests of this process. `None` if there is no C compiler.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = dir.join("faults.so");
        let new = dir.join(format!("faults-{}.so", process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/c/faults.c");
        let mut compile = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&new);
        match compile.arg(source).arg("-ldl").status() {
            Ok(status) if status.success() => {
                fs::rename(&new, &path).unwrap();
                Some(path)
            }
            _ => {
                eprintln!("NOT RUN: there is no C compiler");
                None
            }
        }
    });
    library.as_deref()
}

/// Runs programs with faults.
pub struct Faults {
    library: &'static Path,
    dir: tempfile::TempDir,
}

impl Faults {
    /// `None` if there is no C compiler.
    pub fn new() -> Option<Self> {
        Some(Self {
            library: library()?,
            dir: tempfile::tempdir().unwrap(),
        })
    }

    /// Runs a program, whose calls on files below `root` count, with a fault at the call with this
    /// number. Returns its calls, too.
    pub fn run(
        &self,
        mut command: Command,
        root: &Path,
        strike: Option<(usize, &str)>,
    ) -> (Outcome, Vec<Call>) {
        let file = |name: &str| self.dir.path().join(name);
        for name in ["count", "log"] {
            // They do not exist before the first run.
            let _ = fs::remove_file(file(name));
        }
        command
            .env("LD_PRELOAD", self.library)
            .env("FAULTS_ROOT", root)
            .env("FAULTS_EVERY_FILE", "1")
            .env("FAULTS_COUNT", file("count"))
            .env("FAULTS_LOG", file("log"));
        if let Some((at, kind)) = strike {
            command.env("FAULTS_AT", at.to_string());
            command.env("FAULTS_KIND", kind);
        }
        let outcome = run(command, "");
        // Number, name and path.
        let log = fs::read_to_string(file("log")).unwrap();
        let call = |line: &str| {
            let (_, call) = line.split_once(' ').unwrap();
            let (name, path) = call.split_once(' ').unwrap();
            (name.to_owned(), path.to_owned())
        };
        (outcome, log.lines().map(call).collect())
    }
}
