//! How git's commands behave in a malformed repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run::{Ended, Runner};
use super::world::{File, Objects, Stack};

/// The commands, in the order of the tables in the documentation.
pub const COMMANDS: [&str; 14] = [
    "list",
    "show",
    "read",
    "resolve",
    "reflog",
    "upload-pack",
    "clone",
    "verify",
    "update",
    "delete",
    "expire",
    "pack-refs",
    "gc",
    "reflogs",
];

/// The result of a command in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The same effect and output as in the sound repository.
    Right,
    /// It failed with a message.
    Reported,
    /// It succeeded with a different answer.
    Silent,
}

/// A repository whose stack is replaced for each command.
pub struct Place {
    runner: Runner,
    root: PathBuf,
    pub objects: Objects,
    /// Hexadecimal ids of all objects that refs point at.
    ids: Vec<String>,
    /// Whether the linked worktree has the malformed stack.
    linked: bool,
}

/// What must never happen, and where it happened.
pub type Broken = Vec<String>;

impl Place {
    /// Makes the repository in the empty directory `root`.
    pub fn new(runner: &Runner, root: &Path, sha256: bool, linked: bool) -> Self {
        let format = if sha256 { "sha256" } else { "sha1" };
        let format = format!("--object-format={format}");
        let init = [
            "init",
            "-q",
            "--ref-format=reftable",
            "-b",
            "main",
            &format,
            "repo",
        ];
        runner.must(root, &init);
        let repo = root.join("repo");
        let mut commits: Vec<String> = Vec::new();
        for n in 0..6 {
            let message = format!("number {n}");
            let mut commit = vec!["commit-tree", "-m", &message];
            let tree = runner.must(&repo, &["write-tree"]);
            commit.push(tree.trim());
            let parent = commits.last().cloned();
            if let Some(parent) = &parent {
                commit.extend(["-p", parent]);
            }
            commits.push(runner.must(&repo, &commit).trim().into());
        }
        runner.must(&repo, &["update-ref", "refs/heads/main", &commits[2]]);
        runner.must(&repo, &["tag", "-a", "-m", "t1", "t1", &commits[3]]);
        let tag = runner.must(&repo, &["rev-parse", "t1"]).trim().to_owned();
        // All objects are in one pack, so that the repository has few files.
        for (n, id) in commits.iter().enumerate() {
            runner.must(&repo, &["update-ref", &format!("refs/keep/{n}"), id]);
        }
        runner.must(&repo, &["worktree", "add", "-q", "--detach", "../linked"]);
        runner.must(&repo, &["repack", "-a", "-d", "-q"]);
        runner.must(&repo, &["prune-packed"]);
        let place = Self {
            runner: runner.clone(),
            root: root.to_owned(),
            objects: Objects {
                sha256,
                commits: commits.iter().map(|id| bytes(id)).collect(),
                tag: (bytes(&tag), bytes(&commits[3])),
            },
            ids: commits.into_iter().chain([tag]).collect(),
            linked,
        };
        fs::rename(&repo, root.join("template")).unwrap();
        fs::rename(root.join("linked"), root.join("template-linked")).unwrap();
        place
    }

    fn repo(&self) -> PathBuf {
        self.root.join("repo")
    }

    /// The working directory of the commands.
    fn dir(&self) -> PathBuf {
        self.root.join(if self.linked { "linked" } else { "repo" })
    }

    fn name(&self, short: &str) -> String {
        let dir = if self.linked { "worktree" } else { "heads" };
        format!("refs/{dir}/{short}")
    }

    fn stack_dir(&self) -> PathBuf {
        let git = self.repo().join(".git");
        match self.linked {
            true => git.join("worktrees/linked/reftable"),
            false => git.join("reftable"),
        }
    }

    /// Resets the repository and puts this stack into it.
    pub fn set_up(&self, stack: &Stack) {
        for name in ["repo", "linked", "clone"] {
            let _ = fs::remove_dir_all(self.root.join(name));
        }
        copy(&self.root.join("template"), &self.repo());
        copy(
            &self.root.join("template-linked"),
            &self.root.join("linked"),
        );
        self.replace_stack(stack);
    }

    /// Puts another stack into the repository, and files that a list must not refer to.
    fn replace_stack(&self, stack: &Stack) {
        let dir = self.stack_dir();
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("sub")).unwrap();
        for (name, file) in &stack.files {
            let path = dir.join(name);
            match file {
                File::Plain(bytes) => fs::write(path, bytes).unwrap(),
                File::Directory => fs::create_dir(path).unwrap(),
                File::Fifo => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
                File::Link(to) => std::os::unix::fs::symlink(to, path).unwrap(),
            }
        }
        let victim = super::raw::Raw {
            version: 1,
            ..Default::default()
        };
        fs::write(dir.join("../victim.ref"), victim.encode()).unwrap();
        fs::write(dir.join("sub/victim.ref"), victim.encode()).unwrap();
        // `git gc` removes a file among the worktrees.
        if !self.linked {
            fs::write(dir.join("../../victim.ref"), victim.encode()).unwrap();
        }
    }

    fn run(&self, args: &[&str], more: usize) -> Ended {
        self.runner.git(&self.dir(), args, more)
    }

    /// The results of those ways to read the current stack whose names `choose` accepts.
    fn readings(
        &self,
        more: usize,
        choose: impl Fn(&str) -> bool,
    ) -> BTreeMap<&'static str, Ended> {
        let (b05, sym, main) = (self.name("b05"), self.name("sym"), self.name("main"));
        let commands: [(&'static str, &[&str]); 7] = [
            ("list", &["for-each-ref"]),
            ("show", &["show-ref", "--head", "-d"]),
            ("read", &["rev-parse", "--verify", &b05]),
            ("resolve", &["rev-parse", "HEAD", &sym]),
            ("reflog", &["reflog", "show", &main]),
            ("reflogs", &["reflog", "list"]),
            ("upload-pack", &["upload-pack", "--advertise-refs", "."]),
        ];
        let chosen = commands.into_iter().filter(|(name, _)| choose(name));
        chosen
            .map(|(name, args)| (name, self.run(args, more)))
            .collect()
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// All files of a directory, with their kinds and contents.
fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut directories = vec![dir.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let text = if kind.is_dir() {
                directories.push(path.clone());
                "directory".into()
            } else if kind.is_file() {
                let bytes = fs::read(&path).unwrap();
                format!("{} {:08x}", bytes.len(), crc32fast::hash(&bytes))
            } else {
                format!("{kind:?} {:?}", fs::read_link(&path).ok())
            };
            all.insert(path, text);
        }
    }
    all
}

/// The effect of a command on the list of refs.
enum Effect {
    None,
    /// Adds a line.
    Adds(String),
    /// Removes the line with this ending.
    Removes(String),
}

impl Effect {
    fn on(&self, mut lines: Vec<String>) -> Vec<String> {
        match self {
            Self::None => {}
            Self::Adds(line) => {
                lines.push(line.clone());
                lines.sort_by(|a, b| a.split('\t').nth(1).cmp(&b.split('\t').nth(1)));
            }
            Self::Removes(end) => lines.retain(|line| !line.ends_with(end)),
        }
        lines
    }
}

fn lines(ended: &Ended) -> Vec<String> {
    let text = String::from_utf8_lossy(&ended.stdout);
    text.lines().map(ToString::to_string).collect()
}

/// A repository with one stack, and what is known about it so far.
pub struct Trial<'p> {
    place: &'p Place,
    stack: Stack,
    /// The list of refs in the sound repository.
    sound: Vec<String>,
    pub readings: BTreeMap<&'static str, Ended>,
    pub verdicts: BTreeMap<&'static str, Verdict>,
    pub broken: Broken,
}

impl<'p> Trial<'p> {
    /// Reads the stack in all ways and compares the results with those of the sound stack.
    pub fn read(place: &'p Place, stack: &Stack, sound: Option<&Trial<'_>>) -> Self {
        let mut trial = Self {
            place,
            stack: stack.clone(),
            sound: sound.map_or(Vec::new(), |sound| lines(&sound.readings["list"])),
            readings: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            broken: Vec::new(),
        };
        place.set_up(stack);
        let before = files(&place.stack_dir());
        trial.readings = place.readings(stack.size(), |_| true);
        let readings = trial.readings.clone();
        for (name, ended) in &readings {
            let right = sound.is_none_or(|sound| sound.readings[name].stdout == ended.stdout);
            trial.judge(name, ended, right);
        }
        let verify = place.run(&["refs", "verify"], stack.size());
        trial.judge("verify", &verify, sound.is_none());
        trial.readings.insert("verify", verify);
        if files(&place.stack_dir()) != before {
            trial.broken.push("reading has changed files".into());
        }
        trial
    }

    fn judge(&mut self, name: &'static str, ended: &Ended, right: bool) {
        if let Some(what) = &ended.broken {
            // If there is nothing to show, only the exit status says so.
            let nothing = name == "show" && ended.code == 1 && ended.stdout.is_empty();
            if !(nothing && what == "fails without a word") {
                self.broken
                    .push(format!("{name}: {what}: {}", ended.stderr.trim()));
            }
        }
        let verdict = match (ended.ok(), right) {
            (false, _) => Verdict::Reported,
            (true, true) => Verdict::Right,
            (true, false) => Verdict::Silent,
        };
        self.verdicts.insert(name, verdict);
    }

    /// Tries the commands that write to the stack.
    pub fn write(&mut self) {
        let oid = self.place.ids[0].clone();
        let (b05, b99) = (self.place.name("b05"), self.place.name("b99"));
        let new = Effect::Adds(format!("{oid} commit\t{b99}"));
        let update = ["update-ref", "-m", "x", &b99, &oid];
        self.one("update", &update, &new);
        let gone = Effect::Removes(format!("\t{b05}"));
        self.one("delete", &["update-ref", "-d", &b05], &gone);
        self.one("pack-refs", &["pack-refs", "--all"], &Effect::None);
        let expire = ["reflog", "expire", "--expire=now", "--all"];
        self.one("expire", &expire, &Effect::None);
    }

    /// A command that changes the stack, and its effect on the list of refs.
    fn one(&mut self, name: &'static str, args: &[&str], effect: &Effect) {
        let place = self.place;
        place.set_up(&self.stack);
        let dir = place.repo().join(".git");
        let before = files(&dir);
        let ended = place.run(args, self.stack.size());
        let now = files(&dir);
        // Each reflog is a separate transaction.
        let by_parts = name == "expire" || name == "gc";
        if !ended.ok() && !by_parts && now != before {
            let differs = |(path, text): &(&PathBuf, &String)| before.get(*path) != Some(*text);
            let new: Vec<_> = now.iter().filter(differs).collect();
            self.broken
                .push(format!("{name} fails and changes files: {new:?}"));
        }
        self.look_for_leftovers(name, &before, &now);
        let right = ended.ok() && self.is_right(name, effect);
        self.judge(name, &ended, right);
    }

    fn look_for_leftovers(
        &mut self,
        name: &str,
        before: &BTreeMap<PathBuf, String>,
        now: &BTreeMap<PathBuf, String>,
    ) {
        for path in now.keys().filter(|path| !before.contains_key(*path)) {
            let text = path.to_string_lossy();
            if text.ends_with(".lock") || text.contains(".temp.") || text.contains("tmp_") {
                self.broken.push(format!("{name} leaves {text}"));
            }
        }
        for (path, text) in before {
            let is_victim = path.ends_with("victim.ref");
            if is_victim && now.get(path) != Some(text) {
                self.broken
                    .push(format!("{name} has touched {}", path.display()));
            }
        }
    }

    /// Whether the list of refs is the one before the command plus the command's effect. If that
    /// could not be read, it must be the list of the sound repository, provided that the command
    /// has left out the damaged part.
    fn is_right(&mut self, name: &'static str, effect: &Effect) -> bool {
        let place = self.place;
        let list = place.run(&["for-each-ref"], self.stack.size());
        let lines = lines(&list);
        let same = match (self.readings["list"].ok(), list.ok()) {
            (true, true) => lines == effect.on(self::lines(&self.readings["list"])),
            (false, true) => lines == effect.on(self.sound.clone()),
            // Nothing is known about refs that cannot be read.
            (was_ok, false) => !was_ok,
        };
        // A ref that seems to be missing is not deleted.
        let missed = name == "delete" && self.verdicts["read"] != Verdict::Right;
        if !same && !missed {
            self.broken
                .push(format!("{name} has changed other refs: {lines:?}"));
        }
        if name == "pack-refs" {
            let logs = ["reflog", "reflogs"];
            for (log, now) in place.readings(self.stack.size(), |name| logs.contains(&name)) {
                let then = &self.readings[log];
                let wrong = self.verdicts[log] == Verdict::Silent;
                if now.ok() && then.ok() && now.stdout != then.stdout && !wrong {
                    self.broken.push(format!("{name} has changed reflogs"));
                }
            }
        }
        same
    }

    /// Clones the repository, and collects garbage in it.
    pub fn use_whole(&mut self, sound: Option<&Trial<'_>>) {
        let place = self.place;
        place.set_up(&self.stack);
        let clone = ["clone", "-q", "--mirror", ".", "../clone"];
        let ended = place.run(&clone, self.stack.size());
        let mut right = false;
        if ended.ok() {
            let args = ["for-each-ref", "--format=%(refname) %(objectname)"];
            let list = place.runner.git(&place.root.join("clone"), &args, 0);
            right = sound.is_none_or(|sound| sound.readings["clone"].stdout == list.stdout);
            self.readings.insert("clone", list);
        }
        self.judge("clone", &ended, right);
        self.one("gc", &["gc", "-q", "--prune=now"], &Effect::None);
        if self.verdicts["gc"] == Verdict::Reported {
            return;
        }
        let mut show = vec!["show", "--no-notes", "-s", "--format="];
        show.extend(place.ids.iter().map(String::as_str));
        if place.run(&show, 0).ok() {
            return;
        }
        for id in &place.ids {
            if !place.run(&["cat-file", "-e", id], 0).ok() {
                self.verdicts.insert("gc", Verdict::Silent);
                if self
                    .verdicts
                    .values()
                    .all(|verdict| *verdict != Verdict::Silent)
                {
                    self.broken.push(format!("gc has removed {id}"));
                }
            }
        }
    }
}
