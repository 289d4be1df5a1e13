//! Sessions on a page of the documents: running their commands, and comparing the page with what they
//! print.
//!
//! The repositories are in `srv`, which the page calls `/srv`. Names of tables end with a random
//! number, for which the page has another one.
#![cfg(target_os = "linux")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{run, Sandbox};

/// Where the repositories are, for the reader of the page.
const SHOWN: &str = "/srv/";

/// Bytes of a table's name before the random number.
const NAME_START: usize = "0x000000000001-0x000000000001-".len();

/// Bytes of a table's name.
const NAME_LEN: usize = NAME_START + 8 + ".ref".len();

/// Where the sessions of a page run.
pub struct Desk {
    pub sandbox: Sandbox,
    /// Names of tables, on the page and in the repository.
    tables: Vec<(String, String)>,
}

impl Desk {
    /// A directory with an empty `srv/project.git`, and with the program on the `PATH` of commands,
    /// if git is named.
    pub fn new() -> Option<Self> {
        let sandbox = Sandbox::new()?;
        for dir in ["srv", "srv/project.git", "bin"] {
            fs::create_dir(sandbox.path(dir)).unwrap();
        }
        let desk = Self {
            sandbox,
            tables: Vec::new(),
        };
        desk.provide(Path::new(env!("CARGO_BIN_EXE_reftable")), "reftable");
        Some(desk)
    }

    /// Lets commands find a program.
    pub fn provide(&self, program: &Path, name: &str) {
        let link = self.sandbox.path("bin").join(name);
        std::os::unix::fs::symlink(program, link).unwrap();
    }

    /// The stack of the repository.
    pub fn stack(&self) -> PathBuf {
        self.sandbox.path("srv/project.git/reftable")
    }

    /// Position of the record of a ref in a table.
    pub fn start_of(&self, name: &str, table: &Path) -> usize {
        let path = table.to_str().unwrap();
        let dump = self.sandbox.output("srv", &["dump", "--json", path]);
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

    /// What a command prints in the repository, with the paths of the page.
    pub fn output(&self, command: &str) -> String {
        let srv = format!("{}/", self.sandbox.path("srv").display());
        let mut line = command.replace(SHOWN, &srv);
        for (shown, actual) in &self.tables {
            line = line.replace(shown, actual);
        }
        let line = format!("exec 2>&1; {line}");
        let mut process = self
            .sandbox
            .command_of("sh", "srv/project.git", &["-c", &line]);
        let path = env::var("PATH").unwrap_or_default();
        let bin = self.sandbox.path("bin");
        process.env("PATH", format!("{}:{path}", bin.display()));
        run(process, "").stdout.replace(&srv, SHOWN)
    }

    /// Replaces the names of tables by those on the page.
    pub fn name_tables(&mut self, text: &str) -> String {
        let mut named = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("0x0000") {
            let (before, after) = rest.split_at(at);
            named.push_str(before);
            let name = after.get(..NAME_LEN).filter(|name| name.ends_with(".ref"));
            let len = name.map_or(1, str::len);
            let (name, after) = after.split_at(len);
            match len {
                NAME_LEN => named.push_str(&self.shown_name(name)),
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

/// The text of a page in `docs`.
pub fn read(name: &str) -> String {
    fs::read_to_string(path_of(name)).unwrap()
}

/// Compares a page with what it should be. With `REFTABLE_UPDATE_SESSIONS=1`, writes it.
pub fn compare(name: &str, expected: &str) {
    if env::var_os("REFTABLE_UPDATE_SESSIONS").is_some() {
        return fs::write(path_of(name), expected).unwrap();
    }
    let found = read(name);
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(
            found,
            expected,
            "line {}: if the new output is right, run this test with REFTABLE_UPDATE_SESSIONS=1",
            number + 1
        );
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

fn path_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name)
}
