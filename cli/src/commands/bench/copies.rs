//! The repositories in which a benchmark works.
#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use reftable::stack::StackOptions;
use reftable::{HashId, Repository};

use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use crate::place::Place;
use crate::writing::write_stack;

/// Two copies of a repository's refs. They are removed when dropped.
pub struct Copies {
    dir: PathBuf,
}

impl Copies {
    pub fn new(place: &Place, repository: &Repository, interrupt: &Interrupt) -> Result<Self> {
        let copies = Self { dir: new_dir()? };
        let hash = match repository.hash() {
            HashId::Sha1 => "sha1",
            HashId::Sha256 => "sha256",
        };
        let options = StackOptions {
            interrupt: Some(interrupt.flag()),
            ..place.stack_options()?
        };
        let view = place.view()?;
        let objects = repository.layout().common_dir().join("objects");
        let objects = fs::canonicalize(&objects).map_err(|e| Failure::io("open", &objects, &e))?;
        for copy in [copies.git_dir(), copies.our_dir()] {
            let format = format!("--object-format={hash}");
            let mut command = Command::new("git");
            command.args(["init", "-q", "--bare", "--ref-format=reftable", &format]);
            command.arg(&copy);
            output_of(command, b"")?;
            let alternates = copy.join("objects/info/alternates");
            let line = [objects.as_os_str().as_encoded_bytes(), b"\n"].concat();
            fs::write(&alternates, line).map_err(|e| Failure::io("write", &alternates, &e))?;
            let stack = copy.join("reftable");
            fs::remove_dir_all(&stack).map_err(|e| Failure::io("remove", &stack, &e))?;
            write_stack(&stack, &view, &options)?;
        }
        Ok(copies)
    }

    fn git_dir(&self) -> PathBuf {
        self.dir.join("git")
    }

    fn our_dir(&self) -> PathBuf {
        self.dir.join("reftable")
    }

    /// The copy of this program, opened again.
    pub fn open(&self) -> Result<Repository> {
        Ok(Repository::open(self.our_dir())?)
    }

    /// What git prints in its copy.
    pub fn git(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "core.logAllRefUpdates=true",
            "-c",
            "maintenance.auto=false",
        ]);
        command.args(args).current_dir(self.git_dir());
        output_of(command, input)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // It is in a directory for temporary files.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A new directory for temporary files.
fn new_dir() -> Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let name = format!("reftable-bench-{}-{number}", std::process::id());
        let dir = env::temp_dir().join(name);
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(e) => return Err(Failure::io("create", &dir, &e)),
        }
    }
}

/// The standard output of a git that must succeed. It sees no repository of the environment.
fn output_of(mut command: Command, input: &[u8]) -> Result<Vec<u8>> {
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_REF_URI",
    ] {
        command.env_remove(name);
    }
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "bench");
        command.env(format!("GIT_{name}_EMAIL"), "bench@localhost");
    }
    let failed = |e: &io::Error| Failure::io("run", Path::new("git"), e);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| failed(&e))?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        scope.spawn(move || {
            // If git ends early, its status tells.
            stdin.map(|mut stdin| stdin.write_all(input))
        });
        child.wait_with_output()
    });
    let output = output.map_err(|e| failed(&e))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().next().unwrap_or_default();
    Err(Failure::new(format!(
        "git {} failed: {line}",
        text_of_args(&command)
    )))
}

fn text_of_args(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    // The first ones name the command; there may be many names of refs.
    args.take(6).collect::<Vec<_>>().join(" ")
}
