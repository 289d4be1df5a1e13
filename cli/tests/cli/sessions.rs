//! Runs the sessions of docs/reftable.md, and compares the output with the page.
//!
//! A session is a block of the page whose first line begins with `$ `. All run one after another
//! in a repository that [`Page::repository`] builds, as `/srv/project.git`. Some sections
//! [prepare](Page::prepare) it.
//!
//! With `REFTABLE_UPDATE_SESSIONS=1`, the page is written instead of compared.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::page::{compare, read, Desk};
use crate::sandbox::copy_all;
use crate::sandbox::damage;

struct Page {
    desk: Desk,
    /// Position of a damaged byte in the first table, and what it was.
    damaged: Option<(usize, u8)>,
    /// A lock that this process has open.
    lock: Option<File>,
}

#[test]
fn the_page_shows_what_the_program_prints() {
    let Some(mut page) = Page::repository() else {
        return;
    };
    let text = read("reftable.md");
    let mut written = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        written.extend([line, "\n"]);
        if let Some(heading) = line.strip_prefix("## ") {
            page.prepare(heading);
        }
        if !line.starts_with("```") {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if !block.first().is_some_and(|line| line.starts_with("$ ")) {
            written.extend(block.iter().flat_map(|line| [line, "\n"]));
        } else {
            for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                written.extend(["$ ", command, "\n", &*page.output(command)]);
            }
        }
        written.push_str("```\n");
    }
    compare("reftable.md", &written);
}

impl Page {
    /// A repository with two branches, a tag, 300 lightweight tags, reflogs, and two tables.
    fn repository() -> Option<Self> {
        let desk = Desk::new()?;
        let sandbox = &desk.sandbox;
        let dir = "srv/project.git";
        let git = |args: &[&str]| {
            let output = sandbox.git_uncompacted(dir, args);
            output.trim_end().to_owned()
        };
        git(&[
            "init",
            "-q",
            "--bare",
            "--ref-format=reftable",
            "-b",
            "main",
        ]);
        git(&["config", "core.logAllRefUpdates", "true"]);
        let tree = git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
        let one = git(&["commit-tree", "-m", "one", &tree]);
        let two = git(&["commit-tree", "-m", "two", "-p", &one, &tree]);
        let three = git(&["commit-tree", "-m", "three", "-p", &two, &tree]);
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
        set("commit: three", "refs/heads/main", &three);
        git(&["tag", "-a", "-m", "Version 1", "v1", "main"]);
        // The program writes the table, so that its size does not depend on git's zlib.
        sandbox.output(dir, &["compact"]);
        git(&["update-ref", "-d", "refs/tags/build/0000"]);
        Some(Self {
            desk,
            damaged: None,
            lock: None,
        })
    }

    /// The oldest table.
    fn first_table(&self) -> PathBuf {
        let stack = self.desk.stack();
        let list = fs::read_to_string(stack.join("tables.list")).unwrap();
        stack.join(list.lines().next().unwrap())
    }

    /// What has happened before the session of a section.
    fn prepare(&mut self, heading: &str) {
        let lock = self.desk.stack().join("tables.list.lock");
        match heading {
            "Checking a store" => {
                let at = self
                    .desk
                    .start_of("refs/tags/build/0190", &self.first_table());
                damage(&self.first_table(), |bytes| {
                    self.damaged = Some((at, std::mem::replace(&mut bytes[at], 31)))
                });
            }
            "A lock is in the way" => {
                let (at, byte) = self.damaged.take().unwrap();
                damage(&self.first_table(), |bytes| bytes[at] = byte);
                let file = File::create(&lock).unwrap();
                let time = SystemTime::now() - Duration::from_secs(12);
                file.set_modified(time).unwrap();
                self.lock = Some(file);
            }
            "Housekeeping" => {
                self.lock = None;
                fs::remove_file(lock).unwrap();
                let name = "0x000000000003-0x000000000003-5d6fb92a.ref";
                fs::copy(self.first_table(), self.desk.stack().join(name)).unwrap();
            }
            "Moving a repository" => {
                let dir = self.desk.sandbox.path("srv");
                copy_all(&dir.join("project.git"), &dir.join("saved"));
            }
            "Backups" => {
                let dir = self.desk.sandbox.path("srv");
                fs::remove_dir_all(dir.join("project.git")).unwrap();
                fs::rename(dir.join("saved"), dir.join("project.git")).unwrap();
            }
            _ => {}
        }
    }

    /// What a command prints, as the page shows it.
    fn output(&mut self, command: &str) -> String {
        if command.ends_with("--ignore-case") {
            let git = ["update-ref", "refs/heads/Topic", "refs/heads/topic"];
            self.desk.sandbox.git("srv/project.git", &git);
        }
        let output = self.desk.output(command);
        let output = self.desk.name_tables(&output);
        // This process has a lock for a while.
        let owner = format!("process {} (", std::process::id());
        match output.split_once(&owner) {
            None => output,
            Some((before, after)) => {
                let (_, after) = after.split_once(" seconds").unwrap();
                format!("{before}process 4711 (git), 12 seconds{after}")
            }
        }
    }
}
