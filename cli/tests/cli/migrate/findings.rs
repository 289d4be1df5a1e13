//! What cannot be moved, and what the command refuses.

use std::fs;

use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::table::WriteOptions;
use serde_json::Value;

use super::kinds::repository;
use super::state;
use crate::sandbox::Sandbox;

const TO_TABLES: [&str; 5] = ["migrate", "--to", "reftable", "--grace", "0"];
const TO_FILES: [&str; 3] = ["migrate", "--to", "files"];

/// The kinds and names in the output.
fn found(text: &str) -> Vec<(String, String)> {
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let flaws = objects.filter(|object: &Value| object.get("kind").is_some());
    let member = |object: &Value, key: &str| object[key].as_str().unwrap().to_owned();
    flaws
        .map(|object| (member(&object, "kind"), member(&object, "name")))
        .collect()
}

#[test]
fn broken_files_are_reported_and_nothing_is_changed() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let git_dir = sandbox.path("r/.git");
    let put = |name: &str, text: &str| fs::write(git_dir.join(name), text).unwrap();
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    put("refs/heads/empty", "");
    put("refs/heads/odd", "not an id\n");
    put("refs/heads/null", &format!("{}\n", "0".repeat(40)));
    put("refs/heads/bad name", &head);
    put("refs/heads/target", "ref: refs/heads/a..b\n");
    put("worktrees/w/ORIG_HEAD", "x");
    // Git ignores these.
    put("refs/heads/.hidden", "");
    put("refs/heads/stale.lock", "");
    put("worktrees/w/refs/stray", &head);
    put("logs/refs/heads/main", "broken\n");
    let expected = state(&sandbox, &["x"]);
    for dry in [true, false] {
        let args = [&TO_TABLES[..], &["--json"], if dry { &["-n"] } else { &[] }].concat();
        let outcome = sandbox.reftable("r", &args);
        assert_eq!((outcome.status, &*outcome.stderr), (1, ""), "{outcome:?}");
        let expected = [
            ("log", "refs/heads/main"),
            ("file", "worktrees/w/refs/stray"),
            ("broken", "refs/heads/empty"),
            ("name", "refs/heads/bad name"),
            ("broken", "refs/heads/null"),
            ("broken", "refs/heads/odd"),
            ("broken", "refs/heads/target"),
            ("broken", "worktrees/w/ORIG_HEAD"),
        ];
        let mut expected = expected.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        let mut all = found(&outcome.stdout);
        expected.sort();
        all.sort();
        assert_eq!(all, expected);
    }
    assert_eq!(state(&sandbox, &["x"]), expected);
    assert!(!git_dir.join("reftable").exists() && !git_dir.join("ref-migration").exists());
    for name in ["empty", "odd", "null", "bad name", "target"] {
        fs::remove_file(git_dir.join("refs/heads").join(name)).unwrap();
    }
    fs::remove_file(git_dir.join("worktrees/w/ORIG_HEAD")).unwrap();
    let text = sandbox.output("r", &TO_TABLES);
    assert!(
        text.contains("left out: refs/heads/main: 1 malformed line of its log\n"),
        "{text}"
    );
}

#[test]
fn what_files_cannot_hold_is_reported() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let options = StackOptions {
        write: WriteOptions {
            exact_log_message: true,
            ..WriteOptions::default()
        },
        ..StackOptions::default()
    };
    let stack = Stack::open(&sandbox.stack(), options).unwrap();
    let mut addition = stack.begin(OnOutdated::Reload).unwrap();
    let update_index = addition.next_update_index();
    let long = format!("refs/heads/{}", "x".repeat(252));
    let names = [
        "FOO",
        "refs/heads/a",
        "refs/heads/a/b",
        &long,
        "refs/heads/z z",
    ];
    let entry = |message: &'static [u8], time| LogUpdate {
        old_hash: &[1; 20],
        new_hash: &[2; 20],
        name: b"A",
        email: b"a",
        time,
        tz_offset: Zone::default(),
        message,
    };
    let logs = [
        ("refs/heads/a", entry(b"two\nlines\n", 1)),
        ("refs/heads/topic", entry(b"x\n", 0)),
    ];
    addition
        .add_table(|writer| {
            writer.set_limits(update_index, update_index)?;
            for name in names {
                writer.add_ref(&RefRecord {
                    name: name.as_bytes(),
                    update_index,
                    value: RefValue::Val1(&[7; 20]),
                })?;
            }
            for (name, update) in logs {
                writer.add_log(&LogRecord {
                    name: name.as_bytes(),
                    update_index,
                    value: LogValue::Update(update),
                })?;
            }
            Ok::<(), reftable::format::Error>(())
        })
        .unwrap();
    let _ = stack.commit(addition).unwrap();
    let before = fs::read(sandbox.stack().join("tables.list")).unwrap();
    for dry in [true, false] {
        let args = [&TO_FILES[..], &["--json"], if dry { &["-n"] } else { &[] }].concat();
        let outcome = sandbox.reftable("r", &args);
        assert_eq!(outcome.status, 1, "{outcome:?}");
        let expected = [
            ("name", "FOO"),
            ("conflict", "refs/heads/a/b"),
            ("name", &long),
            ("name", "refs/heads/z z"),
            ("log", "refs/heads/a"),
            ("log", "refs/heads/topic"),
        ];
        let expected = expected.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        assert_eq!(found(&outcome.stdout), expected);
    }
    assert_eq!(
        fs::read(sandbox.stack().join("tables.list")).unwrap(),
        before
    );
}

#[test]
fn names_that_differ_in_case_are_reported() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    for name in ["Topic", "e\u{301}", "\u{e9}", "DEEP/x"] {
        sandbox.git("r", &["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
    }
    let args = [&TO_FILES[..], &["--json", "-n"]].concat();
    // The file systems of the tests distinguish them.
    assert_eq!(sandbox.reftable("r", &args).status, 0);
    let outcome = sandbox.reftable("r", &[&args[..], &["--ignore-case"]].concat());
    assert_eq!(outcome.status, 1);
    let mut names: Vec<String> = found(&outcome.stdout)
        .into_iter()
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect();
    names.sort();
    names.dedup();
    let expected = ["deep/er/x", "topic", "\u{e9}"];
    assert_eq!(
        names,
        expected.map(|name| format!("alike refs/heads/{name}"))
    );
}

#[test]
fn files_in_the_way_are_reported() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let git_dir = sandbox.path("r/.git");
    fs::write(git_dir.join("packed-refs"), "").unwrap();
    fs::create_dir_all(git_dir.join("refs/tags")).unwrap();
    fs::write(git_dir.join("refs/tags/late"), "").unwrap();
    fs::write(git_dir.join("ORIG_HEAD"), "").unwrap();
    let outcome = sandbox.reftable("r", &[&TO_FILES[..], &["--json"]].concat());
    let names: Vec<String> = found(&outcome.stdout)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names, ["ORIG_HEAD", "packed-refs", "refs"]);
    for name in ["packed-refs", "refs/tags/late", "ORIG_HEAD"] {
        fs::remove_file(git_dir.join(name)).unwrap();
    }
    sandbox.output("r", &TO_FILES);
    fs::create_dir(git_dir.join("reftable")).unwrap();
    let outcome = sandbox.reftable("r", &[&TO_TABLES[..], &["--json"]].concat());
    assert_eq!(found(&outcome.stdout)[0].1, "reftable");
}

#[test]
fn the_command_refuses_in_one_line() {
    let Some(sandbox) = repository("plain", "sha1") else {
        return;
    };
    let refuses = |args: &[&str], parts: &[&str]| sandbox.fails("r", args, 2, parts);
    refuses(&TO_FILES, &["r/.git' are already in files"]);
    refuses(
        &["migrate", "-n", "--to", "files"],
        &["are already in files"],
    );
    sandbox.fails(".", &TO_TABLES, 2, &["is not in a git repository"]);
    sandbox.fails(
        "r",
        &["migrate", "--to", "reftable", "../none"],
        2,
        &["../none"],
    );
    for name in ["config.lock", "HEAD.lock", "packed-refs.lock"] {
        let lock = sandbox.path("r/.git").join(name);
        fs::write(&lock, "").unwrap();
        refuses(&TO_TABLES, &[name, "another process is writing"]);
        assert!(lock.exists());
        fs::remove_file(&lock).unwrap();
    }
    sandbox.git("r", &["config", "core.repositoryFormatVersion", "1"]);
    sandbox.git("r", &["config", "extensions.worktreeConfig", "true"]);
    let config = sandbox.path("r/.git/config");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}[extensions]\n\tnewer = x\n")).unwrap();
    refuses(
        &TO_TABLES,
        &["extensions.newer is 'x', which this program does not know"],
    );
    fs::write(&config, &text).unwrap();
    sandbox.output("r", &TO_TABLES);
    refuses(&TO_TABLES, &["are already in reftables"]);
    let lock = sandbox.path("r/.git/reftable/tables.list.lock");
    fs::write(&lock, "").unwrap();
    refuses(&TO_FILES, &["tables.list.lock' exists"]);
    fs::remove_file(&lock).unwrap();
    sandbox.output("r", &TO_FILES);
    // The version stays, as there is another extension.
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
    assert!(!sandbox.path("r/.git/ref-migration").exists());
}

#[test]
fn a_dry_run_and_json_count() {
    let Some(sandbox) = repository("worktrees", "sha1") else {
        return;
    };
    let parse = |args: &[&str]| -> Value {
        let text = sandbox.output("r", &[args, &["--json"]].concat());
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    };
    let mut before = parse(&["migrate", "-n", "--to", "reftable"]);
    let after = parse(&TO_TABLES);
    assert_eq!(before["moved"], false);
    assert_eq!(after["worktrees"], 2);
    before["moved"] = true.into();
    assert_eq!(before, after);
    let stat = sandbox.output("r", &["stat", "--json"]);
    let sum = |key: &str| -> u64 {
        let stats = stat
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        stats.map(|stat| stat[key].as_u64().unwrap()).sum()
    };
    let number = |key: &str| after[key].as_u64().unwrap();
    assert_eq!(sum("refs"), number("refs") + number("symbolic_refs"));
    // The marker of the empty log is a record.
    assert_eq!(sum("log_entries"), number("log_entries") + 1);
    let back = parse(&TO_FILES);
    for key in ["refs", "symbolic_refs", "logs", "log_entries", "worktrees"] {
        assert_eq!(back[key], after[key], "{key}");
    }
}
