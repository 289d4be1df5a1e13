//! Runs the steps of docs/recovery.md on repositories that are damaged as the page says, and compares
//! the output with the page.
//!
//! A session is a block of the page whose first command begins with `$ `. The sessions of one section
//! run in a new repository, `/srv/project.git`. Names of tables end with a random number, and those of
//! directories with the date, for which the page has others.
//!
//! With `REFTABLE_UPDATE_SESSIONS=1`, the page is written instead of compared.
#![cfg(target_os = "linux")]

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::sandbox::{damage, run, Sandbox};

/// Where the repositories are, for the reader of the page.
const SHOWN: &str = "/srv/";

/// Bytes of a table's name before the random number.
const NAME_START: usize = "0x000000000001-0x000000000001-".len();

/// The beginning of the name of a directory with old files, and the date on the page.
const BROKEN: &str = "reftable.broken-";
const DATE: &str = "20260731-120000";

/// The sections with sessions, what they begin with, and whether all refs are back at their end.
const SECTIONS: [(&str, Harm, bool); 9] = [
    ("First", Harm::Topic, false),
    ("A table is damaged", Harm::Topic, true),
    ("A table is missing", Harm::Missing, true),
    ("`HEAD` is lost", Harm::Head, true),
    ("The list is damaged or missing", Harm::List, true),
    ("The stack of a worktree", Harm::Worktree, true),
    ("Reading without repairing", Harm::Topic, false),
    ("A lock is in the way", Harm::Lock, true),
    ("Leftover files", Harm::Leftover, true),
];

#[derive(Clone, Copy)]
enum Harm {
    /// The record of a branch is damaged.
    Topic,
    /// The newest table is missing.
    Missing,
    /// The record of `HEAD` is damaged.
    Head,
    /// The list is empty.
    List,
    /// The table of the worktree is not one.
    Worktree,
    /// A process was killed that had locked the list.
    Lock,
    /// A table that was merged into another one.
    Leftover,
}

struct Page {
    sandbox: Sandbox,
    /// Names of tables, on the page and in the repository.
    tables: Vec<(String, String)>,
}

#[test]
fn the_steps_of_the_page_restore_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recovery.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut written = String::new();
    let mut seen = Vec::new();
    for section in text.split_inclusive("\n## ") {
        let heading = section.lines().next().unwrap_or_default();
        let known = SECTIONS.iter().find(|(name, ..)| *name == heading);
        let Some(&(name, harm, is_restored)) = known else {
            assert!(!section.contains("\n$ reftable"), "{heading} has a session");
            written.push_str(section);
            continue;
        };
        let Some(mut page) = Page::new() else {
            return;
        };
        seen.push(name);
        let before = page.refs();
        page.harm(harm);
        let output = page.run(section);
        written.push_str(&output);
        if is_restored {
            assert_eq!(page.refs(), before, "{heading}");
            let verified = page.sandbox.output("srv/project.git", &["verify"]);
            assert_eq!(verified, "", "{heading}");
            page.sandbox.git(
                "srv/project.git",
                &["update-ref", "refs/heads/after", "main"],
            );
        }
    }
    assert_eq!(seen.len(), SECTIONS.len(), "{seen:?}");
    if env::var_os("REFTABLE_UPDATE_SESSIONS").is_some() {
        fs::write(&path, written).unwrap();
        return;
    }
    for (number, (found, expected)) in text.lines().zip(written.lines()).enumerate() {
        assert_eq!(
            found,
            expected,
            "line {}: if the new output is right, run this test with REFTABLE_UPDATE_SESSIONS=1",
            number + 1
        );
    }
    assert_eq!(text.lines().count(), written.lines().count());
}

impl Page {
    /// A bare repository with branches, tags, reflogs, two tables, a worktree, a mirror and a backup.
    fn new() -> Option<Self> {
        let sandbox = Sandbox::new()?;
        for dir in ["srv", "bin", "srv/project.git", "srv/backup"] {
            fs::create_dir(sandbox.path(dir)).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_reftable");
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, sandbox.path("bin").join(name)).unwrap();
        };
        link(Path::new(program), "reftable");
        let git = env::var_os("REFTABLE_UPSTREAM_GIT").unwrap();
        link(Path::new(&git), "git");
        let dir = "srv/project.git";
        let git = |args: &[&str]| {
            let output = sandbox.git_uncompacted(dir, args);
            output.trim_end().to_owned()
        };
        let init = ["init", "-q", "--bare", "--ref-format=reftable"];
        git(&[&init[..], &["-b", "main"]].concat());
        git(&["config", "core.logAllRefUpdates", "true"]);
        let tree = git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
        let one = git(&["commit-tree", "-m", "one", &tree]);
        let two = git(&["commit-tree", "-m", "two", "-p", &one, &tree]);
        let set = |message: &str, name: &str, id: &str| {
            git(&["update-ref", "-m", message, name, id]);
        };
        set("commit (initial): one", "refs/heads/main", &one);
        let tags: String = (0..300)
            .map(|number| format!("create refs/tags/build/{number:04} {one}\n"))
            .collect();
        sandbox.git_with_input(dir, &["update-ref", "--stdin"], &tags);
        set("commit: two", "refs/heads/main", &two);
        set("branch: Created from main", "refs/heads/topic", &two);
        git(&["worktree", "add", "-q", "../w", "topic"]);
        // The program writes the table, so that its size does not depend on git's zlib.
        sandbox.output(dir, &["compact"]);
        set("branch: Created from main", "refs/heads/next", &one);
        sandbox.git(
            "srv",
            &[
                "clone",
                "-q",
                "--mirror",
                "--ref-format=reftable",
                "project.git",
                "mirror.git",
            ],
        );
        let copied = sandbox.command_of("cp", "srv", &["-Rp", "project.git/reftable", "backup"]);
        assert_eq!(run(copied, "").status, 0);
        Some(Self {
            sandbox,
            tables: Vec::new(),
        })
    }

    /// All refs, the branch of `HEAD`, and that of the worktree.
    fn refs(&self) -> [String; 3] {
        let git = |dir, args: &[&str]| self.sandbox.git(dir, args);
        [
            git("srv/project.git", &["for-each-ref"]),
            git("srv/project.git", &["symbolic-ref", "HEAD"]),
            git("srv/w", &["symbolic-ref", "HEAD"]),
        ]
    }

    fn stack(&self) -> PathBuf {
        self.sandbox.path("srv/project.git/reftable")
    }

    /// The tables of a stack, oldest first.
    fn tables_of(dir: &Path) -> Vec<PathBuf> {
        let list = fs::read_to_string(dir.join("tables.list")).unwrap();
        list.lines().map(|name| dir.join(name)).collect()
    }

    /// Damages the record of a ref in the oldest table.
    fn damage_record(&self, name: &str) {
        let table = &Self::tables_of(&self.stack())[0];
        let path = table.to_str().unwrap();
        let dump = self.sandbox.output("srv", &["dump", "--json", path]);
        let mut block = 0;
        for line in dump.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let number = |key: &str| usize::try_from(object[key].as_u64().unwrap()).unwrap();
            if object["type"] == "block" {
                block = number("offset");
            } else if object["name"] == name {
                let at = block + number("position");
                // The bytes that its name shares with the one before.
                return damage(table, |bytes| bytes[at] = 127);
            }
        }
        panic!("there is no {name}");
    }

    fn harm(&self, harm: Harm) {
        let stack = self.stack();
        let tables = Self::tables_of(&stack);
        match harm {
            Harm::Topic => self.damage_record("refs/heads/topic"),
            Harm::Head => self.damage_record("HEAD"),
            Harm::Missing => fs::remove_file(&tables[1]).unwrap(),
            Harm::List => fs::write(stack.join("tables.list"), "").unwrap(),
            Harm::Worktree => {
                let stack = self.sandbox.path("srv/project.git/worktrees/w/reftable");
                for table in Self::tables_of(&stack) {
                    fs::write(table, "not a table").unwrap();
                }
            }
            Harm::Lock => {
                let file = File::create(stack.join("tables.list.lock")).unwrap();
                let time = SystemTime::now() - Duration::from_secs(3600);
                file.set_modified(time).unwrap();
            }
            Harm::Leftover => {
                let name = "0x000000000003-0x000000000003-5d6fb92a.ref";
                fs::copy(&tables[0], stack.join(name)).unwrap();
            }
        }
    }

    /// A section with the output that its commands have now.
    fn run(&mut self, section: &str) -> String {
        let mut written = String::new();
        let mut lines = section.split_inclusive('\n');
        while let Some(line) = lines.next() {
            written.push_str(line);
            if !line.trim().starts_with("```") {
                continue;
            }
            let indent = &line[..line.len() - line.trim_start().len()];
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            let block: Vec<&str> = block.collect();
            if !block.iter().any(|line| line.trim().starts_with("$ ")) {
                written.extend(block);
            } else {
                let commands = block
                    .iter()
                    .filter_map(|line| line.trim().strip_prefix("$ "));
                for command in commands {
                    written.extend([indent, "$ ", command, "\n"]);
                    for line in self.output(command).lines() {
                        written.extend([indent, line, "\n"]);
                    }
                }
            }
            written.extend([indent, "```\n"]);
        }
        written
    }

    /// What a command prints, as the page shows it.
    fn output(&mut self, command: &str) -> String {
        let srv = format!("{}/", self.sandbox.path("srv").display());
        let mut line = command.replace(SHOWN, &srv);
        for (shown, actual) in &self.tables {
            line = line.replace(shown, actual);
        }
        let line = format!("exec 2>&1; {line}");
        let dir = "srv/project.git";
        let mut process = self.sandbox.command_of("sh", dir, &["-c", &line]);
        let path = env::var("PATH").unwrap_or_default();
        let bin = self.sandbox.path("bin");
        process.env("PATH", format!("{}:{path}", bin.display()));
        let output = run(process, "").stdout.replace(&srv, SHOWN);
        let output = self.unlocked(output);
        self.name_tables(&dated(&output))
    }

    /// The output of `unlock` as where all processes can be inspected.
    fn unlocked(&self, output: String) -> String {
        let Some((path, rest)) = output.split_once(": unknown: ") else {
            return aged(&output);
        };
        let is_expected = ["may not be inspected", "other machines"];
        assert!(is_expected.iter().any(|part| rest.contains(part)), "{rest}");
        fs::remove_file(self.stack().join("tables.list.lock")).unwrap();
        format!("{path}: stale: its owner has ended, 3600 seconds old, removed\n")
    }

    /// Replaces the names of tables.
    fn name_tables(&mut self, text: &str) -> String {
        const LEN: usize = NAME_START + 8 + ".ref".len();
        let mut named = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("0x0000") {
            let (before, after) = rest.split_at(at);
            named.push_str(before);
            let name = after.get(..LEN).filter(|name| name.ends_with(".ref"));
            let len = name.map_or(1, str::len);
            let (name, after) = after.split_at(len);
            match len {
                LEN => named.push_str(&self.shown_name(name)),
                _ => named.push_str(name),
            }
            rest = after;
        }
        named + rest
    }

    fn shown_name(&mut self, actual: &str) -> String {
        if let Some((shown, _)) = self.tables.iter().find(|(_, name)| name == actual) {
            return shown.clone();
        }
        // Any numbers that do not look chosen.
        let number = u32::try_from(self.tables.len() + 1).unwrap();
        let number = number.wrapping_mul(0x9e37_79b9);
        let shown = format!("{}{number:08x}.ref", &actual[..NAME_START]);
        self.tables.push((shown.clone(), actual.to_owned()));
        shown
    }
}

/// The dates of directories as on the page.
fn dated(text: &str) -> String {
    let mut parts = text.split(BROKEN);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |dated, part| {
        dated + BROKEN + DATE + &part[DATE.len()..]
    })
}

/// The age of a lock as on the page.
fn aged(text: &str) -> String {
    match text.split_once(" seconds old") {
        Some((before, after)) => {
            let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{before}3600 seconds old{after}")
        }
        None => text.to_owned(),
    }
}
