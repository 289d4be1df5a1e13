//! A command that is interrupted, or that fails, leaves nothing: no lock, no temporary file, no part
//! of a new store.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::faults::{chosen, Call, Faults};
use crate::sandbox::{copy_all, damage, Outcome, Sandbox};

/// About how many calls of each command have a fault.
const SOME: usize = 12;

/// SIGINT, ENOSPC, EACCES.
const KINDS: [&str; 3] = ["interrupt", "28", "13"];

/// The directories of the repository and its worktree.
const DIRS: [&str; 2] = ["r", "w"];

/// The files and directories below `dir`, except objects.
fn everything(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("objects") || path.ends_with("template") {
            continue;
        }
        if path.is_dir() {
            found.append(&mut everything(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// Whether a file or a directory is a part of a repository: of tables, those that are listed.
fn belongs(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    if name.ends_with(".ref") && path.parent().unwrap().ends_with("reftable") {
        let list = fs::read_to_string(path.with_file_name("tables.list")).unwrap();
        return list.lines().any(|line| line == name);
    }
    let is_foreign = |part| name.contains(part);
    ![".lock", ".temp.", ".new", "ref-migration", "broken-"]
        .into_iter()
        .any(is_foreign)
}

/// A repository that is made again before each run.
struct Template {
    sandbox: Sandbox,
    faults: Faults,
}

impl Template {
    fn new() -> Option<Self> {
        let sandbox = Sandbox::with_repository()?;
        for n in 0..3 {
            let name = format!("refs/heads/n{n}");
            sandbox.git_uncompacted("r", &["update-ref", &name, "HEAD"]);
            sandbox.git_uncompacted("w", &["update-ref", &format!("refs/bisect/{n}"), "HEAD"]);
        }
        Some(Self {
            sandbox,
            faults: Faults::new()?,
        })
    }

    /// Keeps the present state.
    fn keep(&self) {
        let template = self.sandbox.path("template");
        let _ = fs::remove_dir_all(&template);
        fs::create_dir(&template).unwrap();
        for dir in DIRS {
            copy_all(&self.sandbox.path(dir), &template.join(dir));
        }
    }

    fn restore(&self) {
        for dir in ["new", "empty"] {
            let _ = fs::remove_dir_all(self.sandbox.path(dir));
        }
        fs::create_dir(self.sandbox.path("empty")).unwrap();
        for dir in DIRS {
            fs::remove_dir_all(self.sandbox.path(dir)).unwrap();
            copy_all(
                &self.sandbox.path("template").join(dir),
                &self.sandbox.path(dir),
            );
        }
    }

    fn strike(&self, args: &[&str], fault: Option<(usize, &str)>) -> (Outcome, Vec<Call>) {
        let command = self.sandbox.command("r", args);
        self.faults.run(command, &self.sandbox.path(""), fault)
    }

    fn refs(&self) -> String {
        let refs = DIRS.map(|dir| self.sandbox.output(dir, &["ls", "--include-root-refs"]));
        refs.concat()
    }

    /// Runs a command with faults, and calls `check` after each run that has failed.
    fn try_faults(&self, args: &[&str], check: impl Fn(&str, &[PathBuf])) {
        self.keep();
        self.restore();
        let (_, calls) = self.strike(args, None);
        let mut failures = 0;
        for (number, at) in chosen(&calls, SOME).into_iter().enumerate() {
            let (name, path) = &calls[at - 1];
            let kind = KINDS[number % KINDS.len()];
            if kind != "interrupt" && name.starts_with("unlink") {
                // What cannot be removed is left.
                continue;
            }
            self.restore();
            let before = everything(&self.sandbox.path(""));
            let (outcome, _) = self.strike(args, Some((at, kind)));
            let what = format!("{args:?}, {kind} at {at}, {name} {path}: {outcome:?}");
            match outcome.status {
                // It was too late, or the call does not matter.
                0 | 1 => {}
                2 if kind != "interrupt" => failures += 1,
                130 if kind == "interrupt" => failures += 1,
                // It had not begun to change anything.
                -1 if kind == "interrupt" => {
                    assert_eq!(everything(&self.sandbox.path("")), before, "{what}");
                }
                _ => panic!("{what}"),
            }
            if outcome.status > 1 {
                assert_eq!(outcome.stderr.lines().count(), 1, "{what}");
                check(&what, &before);
            }
        }
        assert!(failures > 0, "{args:?}");
        self.restore();
    }
}

#[test]
fn nothing_is_left_of_a_new_store() {
    let Some(template) = Template::new() else {
        return;
    };
    // The directory exists, or it does not.
    for to in ["../new/copy", "../empty"] {
        for args in [["copy", "--to", to], ["repair", "--to", to]] {
            template.try_faults(&args, |what, before| {
                assert_eq!(everything(&template.sandbox.path("")), before, "{what}");
            });
        }
    }
}

#[test]
fn no_lock_is_left_of_a_change() {
    let Some(template) = Template::new() else {
        return;
    };
    let refs = template.refs();
    let check = |what: &str, _: &[PathBuf]| {
        let left = everything(&template.sandbox.path(""));
        let foreign: Vec<_> = left.iter().filter(|path| !belongs(path)).collect();
        assert!(foreign.is_empty(), "{what}: {foreign:?}");
        assert_eq!(template.refs(), refs, "{what}");
    };
    template.try_faults(&["compact"], check);
    template.try_faults(&["expire", "--keep", "1"], check);
}

#[test]
fn a_migration_that_fails_leaves_the_repository_as_it_was() {
    let Some(template) = Template::new() else {
        return;
    };
    let config = || fs::read_to_string(template.sandbox.path("r/.git/config")).unwrap();
    for to in ["files", "reftable"] {
        let args = ["migrate", "--to", to, "--grace", "0"];
        let old = config();
        template.try_faults(&args, |what, before| {
            if config() == old {
                assert_eq!(everything(&template.sandbox.path("")), before, "{what}");
                return;
            }
            // The old store could not be removed.
            assert!(what.contains("run the command again"), "{what}");
            let again = template.sandbox.reftable("r", &args);
            // If only an empty directory was left, the command has nothing to report.
            let is_done = again.stderr.contains("already in");
            assert!(again.status == 0 || is_done, "{what}: {again:?}");
            let left = everything(&template.sandbox.path(""));
            assert!(left.iter().all(|path| belongs(path)), "{what}: {left:?}");
        });
        template.sandbox.output("r", &args);
    }
}

#[test]
fn nothing_is_left_of_a_repair_in_place_that_fails() {
    let Some(template) = Template::new() else {
        return;
    };
    // Footers, which cost no record.
    for dir in ["r/.git/reftable", "r/.git/worktrees/w/reftable"] {
        let dir = template.sandbox.path(dir);
        let list = fs::read_to_string(dir.join("tables.list")).unwrap();
        damage(&dir.join(list.lines().next().unwrap()), |bytes| {
            *bytes.last_mut().unwrap() ^= 1
        });
    }
    template.try_faults(&["repair", "--apply"], |what, before| {
        // A stack that has been replaced keeps its old files beside it.
        let is_replaced = |path: &Path| {
            let list = path.join("reftable/tables.list");
            let old = template.sandbox.path("template").join(
                list.strip_prefix(template.sandbox.path(""))
                    .unwrap_or(&list),
            );
            fs::read(&list).unwrap() != fs::read(old).unwrap()
        };
        for path in everything(&template.sandbox.path("")) {
            let text = path.to_str().unwrap();
            let expected = match text.find("reftable.broken-") {
                Some(at) => is_replaced(Path::new(&text[..at])),
                None => before.contains(&path) || belongs(&path),
            };
            assert!(expected, "{what}: {text}");
        }
    });
}
