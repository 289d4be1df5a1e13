//! A directory with repositories, and programs that run in it.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The file of a template that has the path of the directory in which it was made.
const ROOT: &str = "root";

/// A directory that is removed when dropped.
pub struct Sandbox {
    git: PathBuf,
    dir: tempfile::TempDir,
}

/// The outcome of a program.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// An empty directory, if git is named.
    pub fn new() -> Option<Self> {
        let Some(git) = env::var_os("REFTABLE_UPSTREAM_GIT") else {
            eprintln!("NOT RUN: REFTABLE_UPSTREAM_GIT does not name a git");
            return None;
        };
        Some(Self {
            git: git.into(),
            dir: tempfile::tempdir().unwrap(),
        })
    }

    /// A directory with the repository `r`, which has branches, tags, symbolic refs, reflogs, and
    /// the worktree `w`.
    pub fn with_repository() -> Option<Self> {
        Self::of_hash("sha1")
    }

    pub fn of_hash(hash: &str) -> Option<Self> {
        Self::from_template(hash, include_str!("sandbox.rs"), |sandbox| {
            sandbox.make_repository(hash)
        })
    }

    /// A copy of what `make` makes in an empty directory. It is made once, and kept as a template
    /// that has this name, until `source`, the code of `make`, changes.
    pub fn from_template(name: &str, source: &str, make: impl FnOnce(&Self)) -> Option<Self> {
        let sandbox = Self::new()?;
        let meta = fs::metadata(&sandbox.git).unwrap();
        let mut hasher = DefaultHasher::new();
        (&sandbox.git, meta.len(), meta.modified().unwrap()).hash(&mut hasher);
        source.hash(&mut hasher);
        let key = format!("{name}-{:016x}", hasher.finish());
        let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(key);
        if !template.exists() {
            make(&sandbox);
            fs::write(sandbox.path(ROOT), sandbox.path("").to_str().unwrap()).unwrap();
            let new = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            copy_all(&sandbox.path(""), &new.path().join("new"));
            fs::remove_file(sandbox.path(ROOT)).unwrap();
            // Another test may have been faster.
            let _ = fs::rename(new.path().join("new"), template);
            return Some(sandbox);
        }
        for entry in fs::read_dir(&template).unwrap() {
            let name = entry.unwrap().file_name();
            copy_all(&template.join(&name), &sandbox.dir.path().join(&name));
        }
        let root = fs::read_to_string(sandbox.path(ROOT)).unwrap();
        fs::remove_file(sandbox.path(ROOT)).unwrap();
        sandbox.repair_links(&sandbox.path(""), &root);
        Some(sandbox)
    }

    /// Worktrees and their repositories have the paths of each other.
    fn repair_links(&self, dir: &Path, old_root: &str) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let is_link = path.ends_with(".git") || path.ends_with("gitdir");
            if path.is_dir() && !path.ends_with("objects") {
                self.repair_links(&path, old_root);
            } else if is_link && path.is_file() {
                let text = fs::read_to_string(&path).unwrap();
                let root = self.path("");
                fs::write(&path, text.replace(old_root, root.to_str().unwrap())).unwrap();
            }
        }
    }

    fn make_repository(&self, hash: &str) {
        let sandbox = self;
        let format = format!("--object-format={hash}");
        sandbox.git(
            ".",
            &[
                "init",
                "-q",
                "--template=",
                "--ref-format=reftable",
                "-b",
                "main",
                &format,
                "r",
            ],
        );
        for message in ["one", "two", "three"] {
            sandbox.git("r", &["commit", "-q", "--allow-empty", "-m", message]);
        }
        for args in [
            &["branch", "topic", "HEAD^"][..],
            &["branch", "deep/er/x"],
            &["tag", "light"],
            &["tag", "-a", "-m", "x", "v1"],
            &["tag", "-a", "-m", "x", "v2", "HEAD~2"],
            &["symbolic-ref", "refs/heads/sym", "refs/heads/topic"],
            &["symbolic-ref", "refs/heads/dangling", "refs/heads/none"],
            &["update-ref", "refs/remotes/origin/main", "HEAD"],
            &["branch", "gone"],
            &["branch", "-D", "gone"],
            &["worktree", "add", "-q", "../w", "topic"],
            &["update-ref", "ORIG_HEAD", "HEAD"],
        ] {
            sandbox.git("r", args);
        }
        sandbox.git("w", &["update-ref", "refs/bisect/bad", "HEAD"]);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The directory of the stack of `r`.
    pub fn stack(&self) -> PathBuf {
        self.path("r/.git/reftable")
    }

    /// The tables of `r`, oldest first.
    pub fn tables(&self) -> Vec<PathBuf> {
        let list = fs::read_to_string(self.stack().join("tables.list")).unwrap();
        list.lines().map(|name| self.stack().join(name)).collect()
    }

    /// The output of git, which must succeed.
    pub fn git(&self, dir: &str, args: &[&str]) -> String {
        let outcome = self.run_git(dir, args, "");
        assert_eq!(outcome.status, 0, "git {args:?}: {}", outcome.stderr);
        outcome.stdout
    }

    pub fn git_with_input(&self, dir: &str, args: &[&str], input: &str) -> String {
        let outcome = self.run_git(dir, args, input);
        assert_eq!(outcome.status, 0, "git {args:?}: {}", outcome.stderr);
        outcome.stdout
    }

    /// As [`git`](Self::git), without compaction: each transaction leaves its table.
    pub fn git_uncompacted(&self, dir: &str, args: &[&str]) -> String {
        let mut command = Command::new(&self.git);
        let args = [&["-c", "maintenance.auto=false"], args].concat();
        self.prepare(&mut command, dir, &args);
        command.env("GIT_TEST_REFTABLE_AUTOCOMPACTION", "false");
        let outcome = run(command, "");
        assert_eq!(outcome.status, 0, "git {args:?}: {}", outcome.stderr);
        outcome.stdout
    }

    /// Runs git, which may fail.
    pub fn run_git(&self, dir: &str, args: &[&str], input: &str) -> Outcome {
        let mut command = Command::new(&self.git);
        self.prepare(&mut command, dir, args);
        run(command, input)
    }

    /// The output of git's test program, which must succeed.
    pub fn test_tool(&self, dir: &str, args: &[&str]) -> String {
        let tool = self.git.with_file_name("test-tool");
        let outcome = run(self.command_of(tool.to_str().unwrap(), dir, args), "");
        assert_eq!(outcome.status, 0, "test-tool {args:?}: {}", outcome.stderr);
        outcome.stdout
    }

    /// Runs the program in a directory of the sandbox.
    pub fn reftable(&self, dir: &str, args: &[&str]) -> Outcome {
        run(self.command(dir, args), "")
    }

    /// The output of the program, which must succeed and print no messages.
    pub fn output(&self, dir: &str, args: &[&str]) -> String {
        let outcome = self.reftable(dir, args);
        assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{args:?}");
        outcome.stdout
    }

    /// The program must fail with this status, print no output, and one line that has `parts`.
    pub fn fails(&self, dir: &str, args: &[&str], status: i32, parts: &[&str]) {
        let outcome = self.reftable(dir, args);
        assert_eq!(outcome.status, status, "{args:?}: {outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{args:?}: {outcome:?}");
        for part in parts {
            assert!(
                outcome.stderr.contains(part),
                "{args:?} {part}: {outcome:?}"
            );
        }
    }

    pub fn command(&self, dir: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reftable"));
        self.prepare(&mut command, dir, args);
        command
    }

    /// A command of another program.
    pub fn command_of(&self, program: &str, dir: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        self.prepare(&mut command, dir, args);
        command
    }

    fn prepare(&self, command: &mut Command, dir: &str, args: &[&str]) {
        command.args(args).current_dir(self.path(dir)).env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
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
            ("GIT_AUTHOR_DATE", "1700000000 +0200"),
            ("GIT_COMMITTER_DATE", "1700000000 +0200"),
        ]);
        command.env("GIT_CEILING_DIRECTORIES", self.dir.path());
    }
}

/// Runs a command until it ends.
pub fn run(mut command: Command, input: &str) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // The program may not read its input.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome {
        status: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Copies a file, or a directory with all that is in it.
pub fn copy_all(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy_all(&from.join(&name), &to.join(&name));
    }
}

/// Changes some bytes of a file.
pub fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}
