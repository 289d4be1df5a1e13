//! A repair in place that is killed, or fails, at each of its system calls.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::damage::Repository;
use crate::faults::{extent, Extent, Faults};
use crate::hostile::world::{self, table, Objects, Setting};

/// The files in a directory and their contents.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// The directories with the old files.
fn kept(repo: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(repo).unwrap().flatten();
    let paths = entries.map(|entry| entry.path());
    let is_kept = |path: &PathBuf| path.to_str().unwrap().contains("reftable.broken-");
    paths.filter(is_kept).collect()
}

#[test]
fn a_killed_repair_leaves_the_old_stack_or_the_new_one() {
    let setting = Setting {
        sha256: false,
        aligned: true,
        amid: true,
        linked: false,
    };
    let objects = Objects::made_up(false);
    let mut bytes = table(&setting, &objects).0.encode();
    // The first records.
    bytes[30..60].fill(0xff);
    let stack = world::Stack::with(bytes, &setting, &objects);
    let repository = Repository::new(false);
    let root = fs::canonicalize(repository.path(".")).unwrap();
    let (repo, dir) = (root.join("r"), root.join("r/reftable"));
    let Some(faults) = Faults::new() else {
        return;
    };
    let strike = |at: usize, kind: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reftable"));
        command.current_dir(&root).args(args).env_clear();
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        faults.run(command, &root, Some((at, kind)))
    };
    repository.put(&stack);
    let old = files(&dir);
    let args = ["repair", "-C", "r", "--apply"];
    let has_old = |dir: &Path| {
        let now = files(dir);
        old.iter().all(|(name, bytes)| now.get(name) == Some(bytes))
    };
    let (undisturbed, _) = strike(usize::MAX, "kill-before", &args);
    assert_eq!(undisturbed.status, 1, "{undisturbed:?}");
    assert!(
        undisturbed.stdout.contains("; refs before "),
        "{undisturbed:?}"
    );
    let new = repository.records("r/reftable");
    let (mut kills, mut failures, mut olds) = (0, 0, 0);
    // ENOSPC is 28. All kinds at every call take a minute; otherwise the kinds take turns.
    const KINDS: [&str; 3] = ["kill-before", "kill-after", "28"];
    for (first, kind) in (1..).zip(KINDS) {
        let (first, step) = match extent() {
            Extent::Few => (3 * first, 3 * KINDS.len()),
            Extent::Some => (first, KINDS.len()),
            Extent::All => (1, 1),
        };
        for at in (first..).step_by(step) {
            repository.put(&stack);
            let (outcome, calls) = strike(at, kind, &args);
            let what = format!("{kind} at {at}: {outcome:?}");
            let is_killed = outcome.status == -1;
            let lock = dir.join("tables.list.lock");
            assert!(is_killed || !lock.exists(), "{what}");
            // It does not exist if the program has released it.
            let _ = fs::remove_file(&lock);
            let is_old = old.get("tables.list") == fs::read(dir.join("tables.list")).ok().as_ref();
            if is_old {
                assert!(has_old(&dir), "{what}: an old file is missing");
                assert_ne!(outcome.status, 1, "{what}");
                olds += 1;
            } else {
                assert_eq!(repository.records("r/reftable"), new, "{what}");
            }
            let is_kept = || kept(&repo).iter().any(|dir| has_old(dir));
            assert!(is_old || is_kept(), "{what}: the old files are nowhere");
            // The next one completes it.
            let (again, _) = strike(usize::MAX, kind, &args);
            assert!(matches!(again.status, 0 | 1), "{what}: {again:?}");
            assert_eq!(repository.records("r/reftable"), new, "{what}");
            let (cleaned, _) = strike(usize::MAX, kind, &["clean", "r"]);
            assert_eq!(cleaned.status, 0, "{what}: {cleaned:?}");
            let left: Vec<String> = files(&dir).into_keys().collect();
            assert!(is_kept(), "{what}: {left:?}");
            let listed = fs::read_to_string(dir.join("tables.list")).unwrap();
            // Whether a temporary file has an owner is not known for a day.
            let is_own = |name: &String| {
                name == "tables.list" || listed.contains(name) || name.contains(".temp.")
            };
            assert!(left.iter().all(is_own), "{what}: {left:?} is left");
            if calls.len() < at {
                assert!(at > 50, "only {at} calls");
                break;
            }
            match is_killed {
                true => kills += 1,
                false => failures += 1,
            }
        }
    }
    println!("{failures} failing calls, {kills} kills, {olds} left the old stack, 0 states lost");
}
