//! The findings of a check of a stack's directory, and what it does not report.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::support::{add, files, list, open, put_list, scratch};
use reftable::format::{FindingKind, HashId};
use reftable::internals::{check_in, Fault, FaultPlan, FaultStorage, Operation, StdStorage};
use reftable::record::{RefRecord, RefValue};
use reftable::stack::{check, CheckEvent, StackOptions};
use reftable::table::{WriteOptions, Writer};

/// All findings: file and text.
fn findings_of(dir: &Path, hash_id: HashId) -> Vec<(String, String)> {
    let mut findings = Vec::new();
    check(dir, hash_id, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            findings.push((finding.file.to_owned(), finding.to_string()));
        }
    });
    findings
}

fn findings(dir: &Path) -> Vec<(String, String)> {
    findings_of(dir, HashId::Sha1)
}

/// The only finding.
fn one(dir: &Path, file: &str, text: &str) {
    let findings = findings(dir);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].0, file, "{findings:?}");
    assert!(findings[0].1.contains(text), "{findings:?}");
}

/// A stack of three tables.
fn three(dir: &Path) -> Vec<String> {
    let stack = open(dir);
    for name in ["refs/heads/a", "refs/heads/b", "refs/heads/c"] {
        add(&stack, &[(name, Some(1))]).unwrap();
    }
    list(dir)
}

/// A table with one ref at `max`.
fn table(min: u64, max: u64, hash_id: HashId) -> Vec<u8> {
    let options = WriteOptions {
        hash_id,
        ..WriteOptions::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    writer.set_limits(min, max).unwrap();
    let record = RefRecord {
        name: b"refs/heads/x",
        update_index: max,
        value: RefValue::Val1(&[3; 32][..hash_id.len()]),
    };
    writer.add_ref(&record).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Makes a file two days old.
fn make_old(path: &Path) {
    let day = Duration::from_secs(24 * 60 * 60);
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - 2 * day).unwrap();
}

#[test]
fn sound_stacks_are_silent() {
    let dir = scratch();
    assert_eq!(findings(dir.path()), []);
    let stack = open(dir.path());
    for n in 0..40_u8 {
        let name = format!("refs/heads/{}", n % 7);
        add(&stack, &[(name.as_str(), Some(n).filter(|n| n % 5 > 0))]).unwrap();
        if n == 20 {
            stack.compact_all(None).unwrap();
        }
    }
    assert_eq!(findings(dir.path()), []);
    let mut checked = Vec::new();
    stack.check(&mut |event| match event {
        CheckEvent::Checking(table) => checked.push(table.to_owned()),
        CheckEvent::Finding(finding) => panic!("{finding:?}"),
    });
    assert_eq!(checked, list(dir.path()));
    assert!(checked.len() > 10);
}

#[test]
fn missing_directories_are_reported() {
    let dir = scratch();
    assert_eq!(findings(dir.path()), [], "an empty one");
    let missing = dir.path().join("none");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&missing, &link).unwrap();
    for path in [missing, link] {
        let text = format!(
            "unable to open directory '{}': No such file or directory",
            path.display()
        );
        assert_eq!(findings(&path), [("tables.list".to_owned(), text)]);
    }
}

#[test]
fn a_bad_name_in_the_list_is_reported_with_its_line_and_bytes() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("refs/heads/main", Some(1))]).unwrap();
    let good = list(dir.path()).concat();
    let offset = good.len() + 1;
    let no_table = |name| format!("line 2: '{name}' is neither a file nor the name of a table");
    let climbs = format!(
        "tables.list:2: path separators in a table name at offset {offset}: found 1, expected 0, \
         in '../x.ref'"
    );
    for (bad, reported) in [
        ("garbage", no_table("garbage")),
        ("0x1\u{1b}[2J", no_table("0x1\\033[2J")),
        ("../x.ref", climbs),
    ] {
        fs::write(dir.path().join("tables.list"), format!("{good}\n{bad}\n")).unwrap();
        let all = findings(dir.path());
        assert!(
            all.contains(&("tables.list".to_owned(), reported)),
            "{all:?}"
        );
    }
}

#[test]
fn names_made_by_jgit_are_sound() {
    let dir = scratch();
    for name in three(dir.path()) {
        let bare = name.replace("0x", "");
        fs::rename(dir.path().join(&name), dir.path().join(bare)).unwrap();
    }
    let names = fs::read_to_string(dir.path().join("tables.list")).unwrap();
    put_list(dir.path(), names.replace("0x", ""));
    assert_eq!(findings(dir.path()), []);
}

#[test]
fn a_damaged_table_is_named_and_the_others_are_checked() {
    let dir = scratch();
    let names = three(dir.path());
    let damaged = dir.path().join(&names[1]);
    let mut bytes = fs::read(&damaged).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    assert!(crate::support::open_with(
        std::sync::Arc::new(StdStorage),
        dir.path(),
        StackOptions::default()
    )
    .is_err());
    one(dir.path(), &names[1], "checksum of the footer at offset");
    let mut seen = Vec::new();
    check(dir.path(), HashId::Sha1, &mut |event| match event {
        CheckEvent::Finding(finding) => assert_eq!(finding.kind, FindingKind::Footer),
        CheckEvent::Checking(table) => seen.push(table.to_owned()),
    });
    assert_eq!(seen, names);
}

#[test]
fn missing_tables() {
    let dir = scratch();
    let names = three(dir.path());
    fs::remove_file(dir.path().join(&names[0])).unwrap();
    one(dir.path(), &names[0], "does not exist");
    fs::create_dir(dir.path().join(&names[0])).unwrap();
    one(dir.path(), &names[0], "cannot be opened");
}

#[test]
fn malformed_lists() {
    let dir = scratch();
    let names = three(dir.path());
    put_list(dir.path(), "garbage\n");
    one(dir.path(), "garbage", "names no table");
    put_list(dir.path(), "garbage\nmore\n");
    let found = findings(dir.path());
    assert!(found.iter().all(|(file, _)| file == "tables.list"));
    assert_eq!(found.len(), 2, "{found:?}");
    put_list(dir.path(), "../x.ref\n");
    one(dir.path(), "tables.list", "tables.list:1: path separators");
    put_list(dir.path(), format!("{0}\n{0}\n", names[0]));
    one(
        dir.path(),
        "tables.list",
        "tables.list:2: lines with this table name",
    );
    put_list(dir.path(), names[0].as_bytes());
    one(dir.path(), "tables.list", "newlines at the end");
}

#[test]
fn malformed_names() {
    let dir = scratch();
    let names = three(dir.path());
    let rename = |from: &str, to: &str| {
        fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
        let names = fs::read_to_string(dir.path().join("tables.list")).unwrap();
        put_list(dir.path(), names.replace(from, to));
    };
    rename(&names[1], "broken.ref");
    one(dir.path(), "broken.ref", "invalid reftable table name");
    let other = "0x000000000002-0x000000000007-00000000.ref";
    rename("broken.ref", other);
    one(dir.path(), other, "found 0x2 to 0x7, expected 0x2 to 0x2");
}

#[test]
fn adjacent_tables_in_the_wrong_order() {
    let dir = scratch();
    let names = three(dir.path());
    put_list(
        dir.path(),
        format!("{}\n{}\n{}\n", names[0], names[2], names[1]),
    );
    let text = format!("found 2, expected at least 4 ({})", names[2]);
    one(dir.path(), &names[1], &text);
}

#[test]
fn adjacent_tables_that_overlap() {
    let dir = scratch();
    let names = [
        "0x000000000001-0x000000000005-00000000.ref",
        "0x000000000005-0x000000000006-00000000.ref",
    ];
    fs::write(dir.path().join(names[0]), table(1, 5, HashId::Sha1)).unwrap();
    fs::write(dir.path().join(names[1]), table(5, 6, HashId::Sha1)).unwrap();
    put_list(dir.path(), format!("{}\n{}\n", names[0], names[1]));
    one(dir.path(), names[1], "found 5, expected at least 6");
}

#[test]
fn tables_of_another_hash() {
    let dir = scratch();
    let name = "0x000000000001-0x000000000001-00000000.ref";
    for (there, wanted) in [
        (HashId::Sha1, HashId::Sha256),
        (HashId::Sha256, HashId::Sha1),
    ] {
        fs::write(dir.path().join(name), table(1, 1, there)).unwrap();
        put_list(dir.path(), format!("{name}\n"));
        assert_eq!(findings_of(dir.path(), there), []);
        let findings = findings_of(dir.path(), wanted);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let (found, expected) = (there.format_id(), wanted.format_id());
        let numbers = format!("found {found}, expected {expected}");
        assert!(findings[0].1.contains(&numbers), "{findings:?}");
    }
}

#[test]
fn unlisted_tables() {
    let dir = scratch();
    let names = three(dir.path());
    put_list(dir.path(), format!("{}\n{}\n", names[0], names[1]));
    one(dir.path(), &names[2], "tables.list does not name");
    // A compaction may still use it, or a writer may be about to list it.
    for lock in [&format!("{}.lock", names[2]), "tables.list.lock"] {
        let lock = dir.path().join(lock);
        File::create(&lock).unwrap();
        assert_eq!(findings(dir.path()), [], "{lock:?}");
        fs::remove_file(lock).unwrap();
    }
    one(dir.path(), &names[2], "tables.list does not name");
}

#[test]
fn leftovers() {
    let dir = scratch();
    let names = three(dir.path());
    let lock = format!("{}.lock", names[0]);
    let temp = "0x000000000001-0x000000000001-b54f3b59.temp.aZ09xy";
    for name in [lock.as_str(), temp, "tables.list.lock"] {
        let path = dir.path().join(name);
        File::create(&path).unwrap();
        assert_eq!(findings(dir.path()), [], "{name}");
        make_old(&path);
        one(dir.path(), name, "48 hours old");
        fs::remove_file(path).unwrap();
    }
    // A foreign file.
    let stranger = dir.path().join("notes.txt");
    File::create(&stranger).unwrap();
    make_old(&stranger);
    assert_eq!(findings(dir.path()), []);
}

/// All findings of a check before whose `n`-th operation other processes replace all tables.
fn findings_after_replacement(dir: &Path, n: u64) -> (Vec<String>, Vec<Operation>) {
    let other = dir.to_owned();
    let replace = move || open(&other).compact_all(None).unwrap();
    let plan = FaultPlan::at(n, Fault::Call(Arc::new(replace)));
    let storage = FaultStorage::new(Arc::new(StdStorage), plan.clone());
    let mut findings = Vec::new();
    check_in(&storage, dir, HashId::Sha1, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            findings.push(finding.to_string());
        }
    });
    let operations = plan.seen().into_iter().map(|(operation, _)| operation);
    (findings, operations.collect())
}

#[test]
fn tables_replaced_after_the_list_was_read_are_not_missing() {
    for n in 0..4 {
        let dir = scratch();
        three(dir.path());
        let (findings, operations) = findings_after_replacement(dir.path(), n);
        assert_eq!(findings, [""; 0], "before operation {n} of {operations:?}");
        assert!(operations.contains(&Operation::OpenTable), "{operations:?}");
    }
}

#[test]
fn a_check_beside_writers_finds_nothing() {
    let dir = scratch();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let stack = open(dir.path());
            for n in 0..150_u8 {
                let name = format!("refs/heads/{}", n % 11);
                add(&stack, &[(name.as_str(), Some(n))]).unwrap();
                if n % 3 == 0 {
                    stack.auto_compact().unwrap();
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut checks = 0;
        while !done.load(Ordering::Relaxed) || checks == 0 {
            assert_eq!(findings(dir.path()), [], "{:?}", files(dir.path()));
            checks += 1;
        }
    });
}
