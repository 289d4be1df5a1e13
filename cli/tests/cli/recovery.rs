//! Runs the steps of docs/recovery.md on repositories that are damaged as the page says, and compares
//! the output with the page.
//!
//! A session is a block of the page whose first command begins with `$ `. The sessions of one section
//! run in a new repository, `/srv/project.git`. Names of directories end with the date, for which the
//! page has another one.
//!
//! With `REFTABLE_UPDATE_SESSIONS=1`, the page is written instead of compared.
#![cfg(target_os = "linux")]

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::page::{compare, read, Desk};
use crate::sandbox::{damage, run};

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
    desk: Desk,
}

#[test]
fn the_steps_of_the_page_restore_the_repository() {
    let text = read("recovery.md");
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
            let verified = page.desk.sandbox.output("srv/project.git", &["verify"]);
            assert_eq!(verified, "", "{heading}");
            page.desk.sandbox.git(
                "srv/project.git",
                &["update-ref", "refs/heads/after", "main"],
            );
        }
    }
    assert_eq!(seen.len(), SECTIONS.len(), "{seen:?}");
    compare("recovery.md", &written);
}

impl Page {
    /// A bare repository with branches, tags, reflogs, two tables, a worktree, a mirror and a backup.
    fn new() -> Option<Self> {
        let desk = Desk::new()?;
        desk.provide(
            Path::new(&env::var_os("REFTABLE_UPSTREAM_GIT").unwrap()),
            "git",
        );
        let sandbox = &desk.sandbox;
        fs::create_dir(sandbox.path("srv/backup")).unwrap();
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
        Some(Self { desk })
    }

    /// All refs, the branch of `HEAD`, and that of the worktree.
    fn refs(&self) -> [String; 3] {
        let git = |dir, args: &[&str]| self.desk.sandbox.git(dir, args);
        [
            git("srv/project.git", &["for-each-ref"]),
            git("srv/project.git", &["symbolic-ref", "HEAD"]),
            git("srv/w", &["symbolic-ref", "HEAD"]),
        ]
    }

    /// The tables of a stack, oldest first.
    fn tables_of(dir: &Path) -> Vec<PathBuf> {
        let list = fs::read_to_string(dir.join("tables.list")).unwrap();
        list.lines().map(|name| dir.join(name)).collect()
    }

    /// Damages the record of a ref in the oldest table.
    fn damage_record(&self, name: &str) {
        let table = &Self::tables_of(&self.desk.stack())[0];
        let at = self.desk.start_of(name, table);
        // The bytes that its name shares with the one before.
        damage(table, |bytes| bytes[at] = 127);
    }

    fn harm(&self, harm: Harm) {
        let stack = self.desk.stack();
        let tables = Self::tables_of(&stack);
        match harm {
            Harm::Topic => self.damage_record("refs/heads/topic"),
            Harm::Head => self.damage_record("HEAD"),
            Harm::Missing => fs::remove_file(&tables[1]).unwrap(),
            Harm::List => fs::write(stack.join("tables.list"), "").unwrap(),
            Harm::Worktree => {
                let stack = self
                    .desk
                    .sandbox
                    .path("srv/project.git/worktrees/w/reftable");
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
        let output = self.desk.output(command);
        let output = self.unlocked(output);
        self.desk.name_tables(&dated(&output))
    }

    /// The output of `unlock` as where all processes can be inspected.
    fn unlocked(&self, output: String) -> String {
        let Some((path, rest)) = output.split_once(": unknown: ") else {
            return aged(&output);
        };
        let is_expected = ["may not be inspected", "other machines"];
        assert!(is_expected.iter().any(|part| rest.contains(part)), "{rest}");
        fs::remove_file(self.desk.stack().join("tables.list.lock")).unwrap();
        format!("{path}: stale: its owner has ended, 3600 seconds old, removed\n")
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
