//! Each command, given what it cannot work on: one line that names the path and the way on.

use std::fs;

use crate::sandbox::{damage, Outcome, Sandbox};

/// All commands that work on a place; `OUT` stands for a new directory.
const COMMANDS: [&[&str]; 18] = [
    &["ls"],
    &["show", "main"],
    &["log", "main"],
    &["find", "1234"],
    &["head"],
    &["stat"],
    &["tree"],
    &["diff", "1", "2"],
    &["verify"],
    &["repair"],
    &["repair", "--to", "OUT"],
    &["unlock"],
    &["compact"],
    &["expire", "--keep", "1"],
    &["clean"],
    &["copy", "--to", "OUT"],
    &["dump", "PLACE"],
    // Last, as it repairs the damage.
    &["repair", "--apply"],
];

/// Commands for which damage is no reason to fail.
const MENDERS: [&str; 6] = ["verify", "repair", "unlock", "stat", "tree", "dump"];

/// Commands that take the lock of a sound stack.
const WRITERS: [&str; 3] = ["compact", "expire", "clean"];

/// Runs each command on a place, and hands its name and its outcome to `check`.
fn run_all(sandbox: &Sandbox, place: &str, check: impl Fn(&str, Outcome)) {
    for command in COMMANDS {
        let out = sandbox.path("out");
        let _ = fs::remove_dir_all(&out);
        let word = |word: &&'static str| match *word {
            "OUT" => "out".to_owned(),
            "PLACE" => place.to_owned(),
            word => word.to_owned(),
        };
        let mut args = vec!["-C".to_owned(), place.to_owned()];
        args.extend(command.iter().map(word));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        check(command[0], sandbox.reftable(".", &args));
    }
}

/// The command has failed with one line that has one of `parts`.
fn assert_refused(name: &str, outcome: &Outcome, parts: &[&[&str]]) {
    assert_eq!(
        (outcome.status, &*outcome.stdout),
        (2, ""),
        "{name}: {outcome:?}"
    );
    assert_eq!(outcome.stderr.lines().count(), 1, "{name}: {outcome:?}");
    assert!(outcome.stderr.starts_with("reftable: "), "{outcome:?}");
    let is_said = |parts: &&[&str]| parts.iter().all(|part| outcome.stderr.contains(part));
    assert!(parts.iter().any(is_said), "{name}: {outcome:?}");
}

#[test]
fn places_that_are_none() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    fs::create_dir(sandbox.path("empty")).unwrap();
    fs::write(sandbox.path("text"), "text").unwrap();
    sandbox.git(".", &["init", "-q", "--ref-format=files", "f"]);
    let name = "name a repository, a reftable directory or a table";
    for (place, said) in [
        ("empty", ["'empty' is not in a git repository", name]),
        ("none", ["cannot open 'none': No such file", name]),
        ("text", ["'text' is neither a table nor", name]),
        ("f", ["f/.git' are not in reftables", " migrate"]),
    ] {
        run_all(&sandbox, place, |command, outcome| match command {
            "dump" => assert_refused(
                command,
                &outcome,
                &[
                    &[place, "name one of the tables in it"],
                    &["none"],
                    &["text"],
                ],
            ),
            _ => assert_refused(command, &outcome, &[&said]),
        });
    }
    // A command that needs a directory, and a new directory that is not new.
    let table = sandbox.tables()[0].display().to_string();
    for args in [
        &["compact"][..],
        &["unlock"],
        &["clean"],
        &["repair", "--apply"],
    ] {
        let outcome = sandbox.reftable(".", &[&["-C", &table], args].concat());
        let said = ["is one table; name the directory"];
        assert_refused(args[0], &outcome, &[&said]);
    }
    for command in ["copy", "repair"] {
        let outcome = sandbox.reftable("r", &[command, "--to", ".."]);
        assert_refused(command, &outcome, &[&["'..' is not empty; name a new"]]);
    }
}

#[test]
fn a_held_lock() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    // An unlisted file, so that `clean` has something to do.
    let leftover = "0x000000000001-0x000000000001-00000000.ref";
    fs::copy(&sandbox.tables()[0], sandbox.stack().join(leftover)).unwrap();
    let lock = sandbox.stack().join("tables.list.lock");
    fs::write(&lock, "").unwrap();
    run_all(&sandbox, "r", |command, outcome| {
        if WRITERS.contains(&command) {
            let said = ["tables.list.lock' is locked", "`reftable unlock`"];
            assert_refused(command, &outcome, &[&said]);
        } else {
            assert!(outcome.status <= 2, "{command}: {outcome:?}");
            assert!(!outcome.stderr.contains("locked"), "{command}: {outcome:?}");
        }
    });
    damage(&sandbox.tables()[0], |bytes| bytes[24] ^= 0x20);
    let outcome = sandbox.reftable("r", &["repair", "--apply"]);
    let said = ["tables.list.lock' is locked", "`reftable unlock`"];
    assert_refused("repair", &outcome, &[&said]);
    assert!(lock.exists());
}

#[test]
fn damage_of_each_kind() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let table = sandbox.tables()[0].clone();
    let sound = fs::read(&table).unwrap();
    let list = sandbox.stack().join("tables.list");
    let names = fs::read(&list).unwrap();
    let name = table.file_name().unwrap().to_str().unwrap();
    for (kind, says) in [("footer", name), ("missing", name), ("list", "tables.list")] {
        match kind {
            "footer" => damage(&table, |bytes| *bytes.last_mut().unwrap() ^= 1),
            "missing" => fs::remove_file(&table).unwrap(),
            _ => fs::write(&list, "../x.ref\n").unwrap(),
        }
        run_all(&sandbox, "r/.git/reftable", |command, outcome| {
            if MENDERS.contains(&command) {
                return;
            }
            let said = [says, "`reftable verify`"];
            assert_refused(command, &outcome, &[&said]);
        });
        for entry in fs::read_dir(sandbox.stack()).unwrap().flatten() {
            fs::remove_file(entry.path()).unwrap();
        }
        fs::write(&table, &sound).unwrap();
        fs::write(&list, &names).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn missing_permissions() {
    use std::os::unix::fs::PermissionsExt as _;

    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let [list, table] = [
        sandbox.stack().join("tables.list"),
        sandbox.tables()[0].clone(),
    ];
    for path in [&list, &table] {
        set(path, 0o000);
        if fs::read(path).is_ok() {
            eprintln!("NOT RUN: permissions do not apply to root");
            return;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let said = [name, "Permission denied; run as a user who may"];
        run_all(&sandbox, "r", |command, outcome| match command {
            // Which locks there are, is in the directory; the directory is no table.
            "unlock" | "dump" => {}
            // They show what they can read, and name the file.
            "verify" | "tree" => {
                let has_name = outcome.stdout.contains(name) || outcome.stderr.contains(name);
                assert!(has_name, "{outcome:?}");
                assert!(command == "tree" || outcome.status > 0, "{outcome:?}");
            }
            _ => assert_refused(command, &outcome, &[&said]),
        });
        set(path, 0o644);
    }
    // A directory that must not be written: reading commands work.
    let leftover = "0x000000000001-0x000000000001-00000000.ref";
    fs::copy(&table, sandbox.stack().join(leftover)).unwrap();
    set(&sandbox.stack(), 0o555);
    run_all(&sandbox, "r", |command, outcome| {
        if WRITERS.contains(&command) {
            let said = ["tables.list.lock", "Permission denied; run as a user"];
            assert_refused(command, &outcome, &[&said]);
        } else {
            assert!(
                !outcome.stderr.contains("Permission"),
                "{command}: {outcome:?}"
            );
        }
    });
    set(&sandbox.stack(), 0o755);
}
