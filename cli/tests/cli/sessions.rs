//! Runs the sessions of docs/reftable.md, and compares the output with the page.
//!
//! A session is a block of the page whose first line begins with `$ `. All run one after another
//! in a repository that [`Page::repository`] builds, as `/srv/project.git`. Some sections
//! [prepare](Page::prepare) it. Names of tables end with a random number, for which the page has
//! another one.
//!
//! With `REFTABLE_UPDATE_SESSIONS=1`, the page is written instead of compared.
#![cfg(target_os = "linux")]

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::sandbox::{damage, run, Sandbox};
use crate::saving::copy_all;

/// Where the repository is, for the reader of the page.
const SHOWN: &str = "/srv/";

/// Bytes of a table's name before the random number.
const NAME_START: usize = "0x000000000001-0x000000000001-".len();

/// Bytes of a table's name.
const NAME_LEN: usize = NAME_START + 8 + ".ref".len();

struct Page {
    sandbox: Sandbox,
    /// Names of tables, on the page and in the repository.
    tables: Vec<(String, String)>,
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reftable.md");
    let text = fs::read_to_string(&path).unwrap();
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
    /// A repository with two branches, a tag, 300 lightweight tags, reflogs, and two tables.
    fn repository() -> Option<Self> {
        let sandbox = Sandbox::new()?;
        for dir in ["srv", "bin"] {
            fs::create_dir(sandbox.path(dir)).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_reftable");
        std::os::unix::fs::symlink(program, sandbox.path("bin/reftable")).unwrap();
        let dir = "srv/project.git";
        let git = |args: &[&str]| {
            let output = sandbox.git_uncompacted(dir, args);
            output.trim_end().to_owned()
        };
        fs::create_dir(sandbox.path(dir)).unwrap();
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
            sandbox,
            tables: Vec::new(),
            damaged: None,
            lock: None,
        })
    }

    fn stack(&self) -> PathBuf {
        self.sandbox.path("srv/project.git/reftable")
    }

    /// The oldest table.
    fn first_table(&self) -> PathBuf {
        let list = fs::read_to_string(self.stack().join("tables.list")).unwrap();
        self.stack().join(list.lines().next().unwrap())
    }

    /// Position of the record of a ref in the first table.
    fn start_of(&self, name: &str) -> usize {
        let table = self.first_table();
        let dump = self
            .sandbox
            .output("srv", &["dump", "--json", table.to_str().unwrap()]);
        let mut block = 0;
        for line in dump.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let number = |key: &str| usize::try_from(object[key].as_u64().unwrap()).unwrap();
            if object["type"] == "block" {
                block = number("offset");
            } else if object["name"] == name {
                return block + number("position");
            }
        }
        panic!("there is no {name}");
    }

    /// What has happened before the session of a section.
    fn prepare(&mut self, heading: &str) {
        let lock = self.stack().join("tables.list.lock");
        match heading {
            "Checking a store" => {
                let at = self.start_of("refs/tags/build/0190");
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
                fs::copy(self.first_table(), self.stack().join(name)).unwrap();
            }
            "Moving a repository" => {
                let dir = self.sandbox.path("srv");
                copy_all(&dir.join("project.git"), &dir.join("saved"));
            }
            "Backups" => {
                let dir = self.sandbox.path("srv");
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
            self.sandbox.git("srv/project.git", &git);
        }
        let srv = self.sandbox.path("srv");
        let srv = format!("{}/", srv.display());
        let mut command = command.replace(SHOWN, &srv);
        for (shown, actual) in &self.tables {
            command = command.replace(shown, actual);
        }
        let line = format!("exec 2>&1; {command}");
        let dir = "srv/project.git";
        let mut command = self.sandbox.command_of("sh", dir, &["-c", &line]);
        let path = env::var("PATH").unwrap_or_default();
        command.env(
            "PATH",
            format!("{}:{path}", self.sandbox.path("bin").display()),
        );
        let output = run(command, "").stdout.replace(&srv, SHOWN);
        let output = self.name_tables(&output);
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

    /// Replaces the names of tables.
    fn name_tables(&mut self, text: &str) -> String {
        let mut named = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("0x0000") {
            let (before, after) = rest.split_at(at);
            named.push_str(before);
            let name = after.get(..NAME_LEN).filter(|name| name.ends_with(".ref"));
            let Some(name) = name else {
                let (digits, after) = after.split_at(1);
                named.push_str(digits);
                rest = after;
                continue;
            };
            named.push_str(&self.shown_name(name));
            rest = &after[NAME_LEN..];
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
