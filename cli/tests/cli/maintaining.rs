//! The commands that count, check, and change a store.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use reftable::record::{RefRecord, RefValue};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use serde_json::Value;

use crate::sandbox::{damage, Sandbox};

fn parse(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn make_older(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn verify_reports_what_is_wrong() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    for option in ["--fast", "--full", "--json"] {
        assert_eq!(sandbox.output("r", &["verify", option]), "");
    }
    assert_eq!(sandbox.output(".", &["verify", "r"]), "");
    let table = &sandbox.tables()[0];
    assert_eq!(
        sandbox.output(".", &["verify", table.to_str().unwrap()]),
        ""
    );

    // The type of the first block: only a whole check finds it.
    damage(table, |bytes| bytes[24] ^= 0x20);
    assert_eq!(sandbox.output("r", &["verify", "--fast"]), "");
    let found = sandbox.reftable("r", &["verify"]);
    assert_eq!((found.status, &*found.stderr), (1, ""));
    let name = table.file_name().unwrap().to_str().unwrap();
    let line = found.stdout.lines().next().unwrap();
    assert!(line.starts_with("error: ") && line.contains(name), "{line}");
    let json = parse(&sandbox.reftable("r", &["verify", "--json"]).stdout);
    assert_eq!(
        (&json[0]["file"], &json[0]["severity"]),
        (&name.into(), &"error".into())
    );
    let alone = sandbox.reftable(".", &["verify", table.to_str().unwrap()]);
    assert_eq!(alone.status, 1);
    assert_eq!(alone.stdout.lines().count(), found.stdout.lines().count());
    damage(table, |bytes| bytes[24] ^= 0x20);

    // A footer, and a table that is missing.
    damage(table, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let found = sandbox.reftable("r", &["verify", "--fast", "--json"]);
    assert_eq!(
        (found.status, &parse(&found.stdout)[0]["kind"]),
        (1, &"footer".into())
    );
    fs::remove_file(table).unwrap();
    for option in ["--fast", "--full"] {
        let found = sandbox.reftable("r", &["verify", "--json", option]);
        let kinds: Vec<Value> = parse(&found.stdout)
            .iter()
            .map(|f| f["kind"].clone())
            .collect();
        assert!(kinds.contains(&"missing-table".into()), "{kinds:?}");
        assert_eq!(found.status, 1);
    }
}

#[test]
fn verify_reports_leftovers_as_warnings() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let table = &sandbox.tables()[0];
    let name = "0x000000000001-0x000000000001-00000000.ref";
    fs::copy(table, sandbox.stack().join(name)).unwrap();
    let found = sandbox.reftable("r", &["verify", "--json"]);
    let json = parse(&found.stdout);
    assert_eq!(found.status, 1);
    assert_eq!(json[0]["kind"], "unlisted-file");
    assert_eq!(json[0]["severity"], "warning");
}

#[test]
fn verify_full_checks_refs() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let many: String = ["a", "a-b", "a.b", "a0"]
        .map(|name| format!("create refs/heads/{name} HEAD\n"))
        .concat();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
    assert_eq!(sandbox.output("r", &["verify", "--full"]), "");

    // What git does not write: a table of this crate.
    let stack = Stack::open(&sandbox.stack(), StackOptions::default()).unwrap();
    let mut addition = stack.begin(OnOutdated::Reload).unwrap();
    let update_index = addition.next_update_index();
    let names = [
        "HEAD",
        "refs/heads/a..b",
        "refs/heads/a/b",
        "refs/heads/y",
        "refs/heads/z",
    ];
    addition
        .add_table(|writer| {
            writer.set_limits(update_index, update_index)?;
            for name in names {
                let value = match name {
                    "HEAD" => RefValue::Deletion,
                    "refs/heads/y" => RefValue::Symref(b"main"),
                    "refs/heads/z" => RefValue::Val1(&[0; 20]),
                    _ => RefValue::Val1(&[7; 20]),
                };
                writer.add_ref(&RefRecord {
                    name: name.as_bytes(),
                    update_index,
                    value,
                })?;
            }
            Ok::<(), reftable::format::Error>(())
        })
        .unwrap();
    assert!(stack.commit(addition).unwrap().published);
    assert_eq!(sandbox.output("r", &["verify"]), "");
    let found = sandbox.reftable("r", &["verify", "--full", "--json"]);
    assert_eq!(found.status, 1);
    let found: Vec<(String, String)> = parse(&found.stdout)
        .iter()
        .map(|f| {
            (
                f["kind"].as_str().unwrap().into(),
                f["file"].as_str().unwrap().into(),
            )
        })
        .collect();
    let expected = [
        ("ref-name", "refs/heads/a..b"),
        ("ref-conflict", "refs/heads/a/b"),
        ("ref-target", "refs/heads/y"),
        ("ref-id", "refs/heads/z"),
        ("ref-head", "HEAD"),
    ];
    assert_eq!(
        found,
        expected.map(|(kind, name)| (kind.into(), name.into()))
    );
}

#[test]
fn stat_counts() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let many: String = (0..2000)
        .map(|n| format!("create refs/many/{n:05} HEAD\n"))
        .collect();
    sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
    sandbox.git("r", &["update-ref", "-d", "refs/many/00000"]);
    let all = parse(&sandbox.output("r", &["stat", "--json"]));
    assert_eq!(all.len(), 2);
    assert_eq!(all[1]["worktree"], "w");
    let main = &all[0];
    let listed = sandbox.output("r", &["ls", "--include-root-refs"]);
    assert_eq!(main["refs"], listed.lines().count());
    let tables = main["tables"].as_array().unwrap();
    assert_eq!(tables.len(), sandbox.tables().len());
    let size: u64 = sandbox
        .tables()
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert_eq!(main["size"], size);
    let sum = |key: &str| -> u64 {
        let values = tables
            .iter()
            .map(|table| table["refs"][key].as_u64().unwrap_or(0));
        values.sum()
    };
    assert!(sum("deletions") >= 1 && sum("index_levels") >= 1 && sum("index_blocks") >= 1);
    assert!(sum("used") <= sum("room"));
    let text = sandbox.output("r", &["stat"]);
    assert!(
        text.contains("next compaction: ") && text.contains(" deletion"),
        "{text}"
    );
    let tree = sandbox.output("r", &["tree"]);
    for table in sandbox.tables() {
        let name = table.file_name().unwrap().to_str().unwrap();
        assert!(text.contains(name) && tree.contains(name), "{tree}");
    }
    let trees = parse(&sandbox.output("r", &["tree", "--json"]));
    assert_eq!((trees.len(), &trees[0]["size"]), (2, &main["size"]));
    assert_eq!(trees[0]["tables"], main["tables"]);
    let alone = parse(&sandbox.output(
        ".",
        &["stat", "--json", sandbox.tables()[0].to_str().unwrap()],
    ));
    assert_eq!(alone[0]["tables"][0], tables[0]);
}

#[test]
fn tree_marks_damaged_tables() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let table = &sandbox.tables()[0];
    fs::remove_file(table).unwrap();
    let name = table.file_name().unwrap().to_str().unwrap();
    let drawn = sandbox.reftable("r", &["tree"]);
    assert_eq!((drawn.status, &*drawn.stderr), (1, ""));
    assert!(
        drawn
            .stdout
            .contains(&format!("{name}  damaged or missing")),
        "{drawn:?}"
    );
    let outcome = sandbox.reftable("r", &["tree", "--json"]);
    assert_eq!(outcome.status, 1);
    let tables = &parse(&outcome.stdout)[0]["tables"];
    assert_eq!(
        (&tables[0]["name"], &tables[0]["is_damaged"]),
        (&name.into(), &true.into())
    );
}

#[test]
fn compact_merges_all_tables_or_by_the_rule() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let add = |name: &str| {
        sandbox.git_uncompacted("r", &["update-ref", name, "HEAD"]);
    };
    for name in ["refs/heads/x", "refs/heads/y", "refs/heads/z"] {
        add(name);
    }
    let before = sandbox.output("r", &["ls", "--include-root-refs"]);
    let log = sandbox.output("r", &["log", "--raw"]);
    sandbox.output("r", &["compact", "--auto"]);
    assert_eq!(
        sandbox.output("r", &["compact", "--auto"]),
        sandbox.output("r", &["compact", "--auto"])
    );
    let text = sandbox.output("r", &["compact"]);
    assert!(
        text.lines().next().unwrap().contains(": 1 table, before "),
        "{text}"
    );
    assert_eq!(sandbox.tables().len(), 1);
    assert_eq!(sandbox.output("r", &["ls", "--include-root-refs"]), before);
    assert_eq!(sandbox.output("r", &["log", "--raw"]), log);
    sandbox.git("r", &["refs", "verify"]);
    // A lock is waited for, and named.
    add("refs/heads/v");
    fs::write(sandbox.stack().join("tables.list.lock"), "").unwrap();
    sandbox.fails(
        "r",
        &["compact", "--all"],
        2,
        &["tables.list.lock' is locked", "reftable unlock"],
    );
}

#[test]
fn expire_drops_log_entries_and_leaves_no_deletions() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let log = || sandbox.output("r", &["log", "--raw", "main"]);
    let (before, refs) = (log(), sandbox.output("r", &["ls"]));
    assert_eq!(before.lines().count(), 3);
    sandbox.output("r", &["expire", "--keep", "2"]);
    assert_eq!(
        log().lines().collect::<Vec<_>>(),
        before.lines().take(2).collect::<Vec<_>>()
    );
    sandbox.output("r", &["expire", "--before", "1700000000"]);
    assert_eq!(log().lines().count(), 2);
    sandbox.output("r", &["expire", "--older-than", "1"]);
    let none = sandbox.reftable("r", &["log", "main"]);
    assert_eq!((none.status, &*none.stdout), (1, ""));
    assert_eq!(sandbox.output("r", &["ls"]), refs);
    let stat = parse(&sandbox.output("r", &["stat", "--json"]));
    assert_eq!(stat[0]["log_entries"], 0);
    assert_eq!(stat[0]["tables"][0]["logs"], Value::Null);
    sandbox.git("r", &["refs", "verify"]);
    let wrong = sandbox.reftable("r", &["expire"]);
    assert_eq!((wrong.status, &*wrong.stdout), (2, ""));
}

#[test]
fn clean_removes_leftovers_and_names_them() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    assert_eq!(sandbox.output("r", &["clean"]), "");
    let leftover = sandbox
        .stack()
        .join("0x000000000001-0x000000000001-00000000.ref");
    fs::copy(&sandbox.tables()[0], &leftover).unwrap();
    let other = sandbox.stack().join("other");
    fs::write(&other, "").unwrap();
    let text = sandbox.output("r", &["clean"]);
    // A copy of the newest table is no newer than the stack.
    assert_eq!(text, format!("removed {}\n", leftover.display()));
    assert!(!leftover.exists() && other.exists());
    assert_eq!(sandbox.output("r", &["ls"]).lines().count(), 9);
}

#[test]
#[cfg(target_os = "linux")]
fn unlock_removes_only_what_is_stale() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    assert_eq!(sandbox.output("r", &["unlock"]), "");
    let lock = sandbox.stack().join("tables.list.lock");
    fs::write(&lock, "").unwrap();
    let state = |args: &[&str]| {
        let outcome = sandbox.reftable("r", &[&["unlock", "--json"], args].concat());
        assert_eq!(outcome.stderr, "");
        let json = parse(&outcome.stdout).remove(0);
        (
            outcome.status,
            json["state"].as_str().unwrap().to_owned(),
            json,
        )
    };
    // It is new.
    let (status, name, _) = state(&[]);
    assert_eq!((status, &*name), (1, "unknown"));
    // A process has it open, however old it is.
    let open = File::open(&lock).unwrap();
    make_older(&lock, 100_000);
    let (status, name, json) = state(&[]);
    assert_eq!((status, &*name), (1, "held"));
    assert_eq!(json["pid"], std::process::id());
    assert!(lock.exists());
    drop(open);
    let (status, name, json) = state(&["--dry-run"]);
    if name == "unknown" {
        // Processes that may not be inspected, or a file system of several machines.
        assert!(lock.exists());
        return;
    }
    assert_eq!(
        (status, &*name, &json["removed"]),
        (1, "stale", &false.into())
    );
    assert!(lock.exists());
    let (status, _, json) = state(&[]);
    assert_eq!((status, &json["removed"]), (0, &true.into()));
    assert!(!lock.exists());
    sandbox.git("r", &["update-ref", "refs/heads/after", "HEAD"]);
}

#[test]
fn unlock_leaves_new_locks_of_unknown_owners() {
    let Some(sandbox) = Sandbox::with_repository() else {
        return;
    };
    let table = &sandbox.tables()[0];
    let lock = table.with_extension("ref.lock");
    fs::write(&lock, "").unwrap();
    let outcome = sandbox.reftable("r", &["unlock"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stdout.contains(": unknown: "), "{outcome:?}");
    assert!(lock.exists());
    make_older(&lock, 100_000);
    let text = sandbox.output("r", &["unlock"]);
    assert!(
        text.contains("stale") && text.ends_with(", removed\n"),
        "{text}"
    );
    assert!(!lock.exists());
}

#[test]
fn dump_explains_each_byte() {
    for hash in ["sha1", "sha256"] {
        let Some(sandbox) = Sandbox::of_hash(hash) else {
            return;
        };
        let many: String = (0..500)
            .map(|n| format!("create refs/many/{n:05} HEAD\n"))
            .collect();
        sandbox.git_with_input("r", &["update-ref", "--stdin"], &many);
        sandbox.git("r", &["pack-refs"]);
        let table = &sandbox.tables()[0];
        let path = table.to_str().unwrap();
        let text = sandbox.output(".", &["dump", path]);
        // The parts of the file follow one another without a gap.
        let mut expected: u64 = 0;
        let mut inflated = BTreeSet::new();
        for line in text.lines() {
            let place = line.split_whitespace().next().unwrap();
            if let Some(position) = place
                .parse::<u64>()
                .ok()
                .filter(|_| !place.starts_with('+'))
            {
                if line.starts_with(' ') {
                    assert!(position == expected || !inflated.is_empty(), "{line}");
                    inflated.clear();
                    let bytes = line.split_whitespace().nth(1).unwrap();
                    let len = match bytes.strip_suffix("..") {
                        None => u64::try_from(bytes.len() / 2).unwrap(),
                        Some(_) => 0,
                    };
                    expected = position + len;
                    if len == 0 {
                        // Longer than what is shown: the next line tells.
                        inflated.insert(0);
                    }
                }
            } else {
                inflated.insert(1);
            }
        }
        assert!(text.contains("key refs/many/00499"));
        assert!(text.contains("message commit (initial): one\\n"), "{text}");
        let records = sandbox.output(".", &["dump", "--records", path]);
        let count = records
            .lines()
            .filter(|line| line.contains("refs/many/00"))
            .count();
        assert!(count >= 500, "{count}");
        let json = parse(&sandbox.output(".", &["dump", "--json", path]));
        let is_ref = |value: &&Value| {
            value["type"] == "record"
                && value["value"].is_string()
                && value["name"] == "refs/many/00007"
        };
        assert!(json.iter().any(|value| is_ref(&value)));
        let blocks = sandbox.output(".", &["dump", "--blocks", path]);
        let in_json = json.iter().filter(|value| value["type"] == "block").count();
        assert_eq!(blocks.lines().count() - 1, in_json);
        let raw = sandbox.output(".", &["dump", "--raw", path]);
        assert!(raw.contains("5245 4654"), "{raw}");
        // Damage is reported, and the rest is shown.
        damage(table, |bytes| bytes[5000..5100].fill(0xff));
        let damaged = sandbox.reftable(".", &["dump", "--records", path]);
        assert_eq!(damaged.status, 1);
        assert!(damaged.stdout.contains("damaged: "), "{}", damaged.stdout);
        assert!(damaged.stdout.contains("refs/tags/v2"));
    }
}
