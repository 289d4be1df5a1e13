//! Runs a program under limits, and checks how it ends.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::dialect::{self, Version};

/// The time limit of a command.
pub const MOST_SECONDS: u64 = 5;
/// The memory limit of a process, in bytes, in addition to the size of the files.
pub const MOST_MEMORY: usize = 64 << 20;
/// How often a command that took too long is retried: the machine may be busy.
const TRIES: u32 = 3;

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// What must never happen, if it happened.
    pub broken: Option<String>,
}

impl Ended {
    pub fn ok(&self) -> bool {
        self.code == 0
    }
}

/// A git, and where it may write its output.
#[derive(Clone, Debug)]
pub struct Runner {
    git: PathBuf,
    exec_path: PathBuf,
    version: Version,
    scratch: PathBuf,
}

impl Runner {
    /// Runs the git behind `wrapper`, a file of `bin-wrappers`.
    pub fn new(wrapper: &Path, scratch: &Path) -> Self {
        let build = wrapper.parent().and_then(Path::parent).unwrap();
        Self {
            git: build.join("git"),
            exec_path: build.to_owned(),
            version: dialect::version_of(wrapper),
            scratch: scratch.to_owned(),
        }
    }

    /// Runs git in `dir` with a memory limit of [`MOST_MEMORY`] plus `more` bytes.
    pub fn git(&self, dir: &Path, args: &[&str], more: usize) -> Ended {
        let mut ended = Ended::default();
        for _ in 0..TRIES {
            ended = self.once(dir, args, more);
            if !matches!(&ended.broken, Some(what) if what.starts_with("more than")) {
                break;
            }
        }
        ended
    }

    /// The output of a git command that must succeed.
    pub fn must(&self, dir: &Path, args: &[&str]) -> String {
        let ended = self.once(dir, args, MOST_MEMORY);
        assert!(ended.ok(), "git {args:?}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }

    fn command(&self, dir: &Path, args: &[&str], more: usize) -> Command {
        // A sanitizer tracks all memory, and reports accesses outside of it.
        let limit = if env::var_os("HOSTILE_SANITIZED").is_some() {
            String::new()
        } else {
            format!("ulimit -d {}; ", (MOST_MEMORY + more) >> 10)
        };
        let limits = format!("ulimit -c 0; {limit}exec \"$@\"");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &limits, "sh"]).arg(&self.git);
        // Thread stacks count as memory.
        for setting in [
            "pack.threads=1",
            "index.threads=1",
            "gc.auto=0",
            "maintenance.auto=0",
        ] {
            command.args(["-c", setting]);
        }
        let args = args.iter().map(OsString::from).collect();
        command.args(dialect::in_release(self.version, args));
        command.current_dir(dir).env_clear();
        command.envs([
            ("PATH", "/usr/bin:/bin"),
            ("HOME", "/nonexistent"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "A U Thor"),
            ("GIT_AUTHOR_EMAIL", "author@example.com"),
            ("GIT_AUTHOR_DATE", "1700000000 +0000"),
            ("GIT_COMMITTER_NAME", "C O Mitter"),
            ("GIT_COMMITTER_EMAIL", "committer@example.com"),
            ("GIT_COMMITTER_DATE", "1700000000 +0000"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
        ]);
        // git does not free everything before it ends.
        command.env("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1");
        command.env("GIT_EXEC_PATH", &self.exec_path);
        command.env("GIT_TEMPLATE_DIR", "");
        command
    }

    fn once(&self, dir: &Path, args: &[&str], more: usize) -> Ended {
        let (out, err) = (self.scratch.join("out"), self.scratch.join("err"));
        let mut command = self.command(dir, args, more);
        command
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .process_group(0);
        let mut child = command.spawn().unwrap();
        let (ended, limit) = mpsc::channel::<()>();
        let group = format!("-{}", child.id());
        // Blocks until the command has ended: polling would leave the processor idle.
        let watch = thread::spawn(move || {
            let late = limit.recv_timeout(Duration::from_secs(MOST_SECONDS));
            let too_long = late == Err(RecvTimeoutError::Timeout);
            if too_long {
                let kill = Command::new("kill").args(["-KILL", "--", &group]).status();
                assert!(kill.is_ok());
            }
            too_long
        });
        let status = child.wait().unwrap();
        drop(ended);
        let too_long = watch.join().unwrap();
        let stderr = String::from_utf8_lossy(&fs::read(&err).unwrap()).into_owned();
        let mut ended = Ended {
            code: status.code().unwrap_or(-1),
            stdout: fs::read(&out).unwrap(),
            stderr,
            broken: None,
        };
        ended.broken = if too_long {
            Some(format!("more than {MOST_SECONDS} seconds"))
        } else if let Some(signal) = status.signal() {
            Some(format!("signal {signal}"))
        } else {
            unclean(&ended)
        };
        ended
    }
}

/// What is wrong with an end that is neither a signal nor a hang.
fn unclean(ended: &Ended) -> Option<String> {
    for sign in [
        "panicked at",
        "BUG:",
        "Sanitizer",
        "died of signal",
        "ssertion",
        "out of memory",
        "Out of memory",
        "overflowed its stack",
    ] {
        if ended.stderr.contains(sign) {
            return Some(format!("says '{sign}'"));
        }
    }
    match ended.code {
        0 => None,
        // A shell in between turns a signal into such a status.
        130..=165 => Some(format!("exit status {}", ended.code)),
        _ if ended.stderr.trim().is_empty() => Some("fails without a word".into()),
        _ => None,
    }
}
