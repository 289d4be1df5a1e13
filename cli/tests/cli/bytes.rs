//! Stacks with what git does not write: any bytes in names and messages, and chosen object ids.

use std::path::Path;
use std::sync::Arc;

use reftable::format::Error;
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{OnOutdated, Stack, StackOptions};
use reftable::table::{WriteOptions, Writer};
use serde_json::Value;

use crate::sandbox::{run, Sandbox};

/// Adds a table of these refs, sorted by name, and optionally a log entry.
fn add(
    dir: &Path,
    skip_index_objects: bool,
    fill: &mut dyn FnMut(&mut Writer<'_>, u64) -> Result<(), Error>,
) {
    let options = StackOptions {
        write: WriteOptions {
            skip_index_objects,
            exact_log_message: true,
            block_size: 512,
            ..WriteOptions::default()
        },
        disable_auto_compact: true,
        ..StackOptions::default()
    };
    let stack = Stack::open(dir, options).unwrap();
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    let update_index = addition.next_update_index();
    addition
        .add_table(|writer| {
            writer.set_limits(update_index, update_index)?;
            fill(writer, update_index)
        })
        .unwrap();
    assert!(stack.commit(addition).unwrap().published);
}

fn add_refs(dir: &Path, skip_index_objects: bool, refs: &[(Vec<u8>, RefValue<'_>)]) {
    add(dir, skip_index_objects, &mut |writer, update_index| {
        for (name, value) in refs {
            writer.add_ref(&RefRecord {
                name,
                update_index,
                value: *value,
            })?;
        }
        Ok(())
    });
}

/// The bytes of a member that may not be UTF-8.
fn bytes_of(object: &Value, key: &str) -> Vec<u8> {
    match object[format!("{key}_hex")].as_str() {
        None => object[key].as_str().unwrap().as_bytes().to_vec(),
        Some(hex) => {
            let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(digit).collect()
        }
    }
}

#[test]
fn json_is_valid_whatever_the_bytes() {
    let Some(sandbox) = Sandbox::new() else {
        return;
    };
    let dir = sandbox.path("reftable");
    std::fs::create_dir(&dir).unwrap();
    // Each byte but NUL, alone and next to others that may make a character of it.
    let names: Vec<Vec<u8>> = (1..=255_u8)
        .map(|byte| [b"refs/heads/", [byte, b'x', 0xc3, byte].as_slice()].concat())
        .collect();
    let target = b"refs/\"heads\\\n\xff";
    let all: Vec<u8> = (1..=255).collect();
    let message = [&all[..], b"\n"].concat();
    add(&dir, false, &mut |writer, update_index| {
        let head = (&b"HEAD"[..], RefValue::Symref(target));
        let refs = names
            .iter()
            .map(|name| (name.as_slice(), RefValue::Val1(&[0x5a; 20])));
        for (name, value) in [head].into_iter().chain(refs) {
            writer.add_ref(&RefRecord {
                name,
                update_index,
                value,
            })?;
        }
        for name in [&b"HEAD"[..], b"refs/heads/\xff"] {
            writer.add_log(&LogRecord {
                name,
                update_index,
                value: LogValue::Update(LogUpdate {
                    old_hash: &[0; 20],
                    new_hash: &[0x5a; 20],
                    name: b"A \"\\\xff\x01",
                    email: b"\xe2\x28\xa1",
                    time: 1,
                    tz_offset: Zone::default(),
                    message: &message,
                }),
            })?;
        }
        Ok(())
    });
    add_refs(
        &dir,
        true,
        &[(b"refs/tags/x".to_vec(), RefValue::Val1(&[1; 20]))],
    );
    let list = std::fs::read_to_string(dir.join("tables.list")).unwrap();
    let table = format!("reftable/{}", list.lines().next().unwrap());
    let parsed = |args: &[&str]| -> Vec<Value> {
        let mut command = sandbox.command(".", args);
        command.env("TMPDIR", sandbox.path(""));
        let outcome = run(command, "");
        assert!(matches!(outcome.status, 0 | 1), "{args:?} {outcome:?}");
        let lines = outcome.stdout.lines();
        let objects: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect();
        assert!(objects.iter().all(Value::is_object), "{args:?}");
        assert!(!objects.is_empty(), "{args:?}");
        objects
    };
    let c = ["-C", "reftable"];
    let listed = parsed(&[&c[..], &["ls", "--json", "refs/heads"]].concat());
    let found: Vec<_> = listed
        .iter()
        .map(|object| bytes_of(object, "name"))
        .collect();
    assert_eq!(found, names);
    assert!(listed.iter().all(|object| object["update_index"] == 1));
    let found = parsed(&[&c[..], &["find", "--json", "5a5a5"]].concat());
    assert_eq!(found.len(), names.len());
    let shown = &parsed(&[&c[..], &["show", "--json", "HEAD"]].concat())[0];
    assert_eq!(bytes_of(shown, "target"), target);
    assert_eq!(bytes_of(&shown["chain"][1], "name"), target);
    let value = [b"ref: ", &target[..]].concat();
    assert_eq!(bytes_of(&shown["records"][0], "value"), value);
    let head = &parsed(&[&c[..], &["head", "--json"]].concat())[0];
    assert_eq!(bytes_of(head, "name"), target);
    assert_eq!(
        (&head["state"], &head["update_index"]),
        (&"unborn".into(), &1.into())
    );
    let entry = &parsed(&[&c[..], &["log", "--json"]].concat())[0];
    assert_eq!(bytes_of(entry, "message"), all);
    assert_eq!(bytes_of(entry, "name"), b"A \"\\\xff\x01");
    assert_eq!(bytes_of(entry, "email"), b"\xe2\x28\xa1");
    let differs = parsed(&["diff", "--json", &table, "reftable"]);
    assert_eq!(differs.len(), 1);
    for args in [
        &["stat", "--json", "reftable"][..],
        &["tree", "--json", "reftable"],
        &["verify", "--full", "--json", "reftable"],
        &["dump", "--json", &table],
        &["dump", "--json", "--blocks", &table],
        &["stat", "--json", &table],
        &["tree", "--json", &table],
    ] {
        parsed(args);
    }
    // Text of each command is one line for each thing, too.
    let lines = |args: &[&str]| sandbox.reftable(".", args).stdout.lines().count();
    let records = parsed(&["dump", "--json", &table]).len();
    let blocks = parsed(&["dump", "--json", "--blocks", &table]).len();
    assert_eq!(lines(&["dump", "--records", &table]), records);
    assert!(blocks < records);
}

/// Refs that `find` lists.
fn found(sandbox: &Sandbox, place: &str, digits: &str) -> Vec<String> {
    let outcome = sandbox.reftable(".", &["-C", place, "find", digits]);
    assert_eq!(outcome.stderr, "");
    let names = outcome
        .stdout
        .lines()
        .map(|line| line.split_once('\t').unwrap());
    let names: Vec<String> = names.map(|(_, name)| name.to_owned()).collect();
    assert_eq!(outcome.status == 0, !names.is_empty());
    names
}

#[test]
fn find_expands_abbreviations() {
    let Some(sandbox) = Sandbox::new() else {
        return;
    };
    // Other objects fill many blocks, so that there is an object section if it is wanted.
    let ids: Arc<Vec<[u8; 20]>> = Arc::new((0..=255).map(|byte| [byte; 20]).collect());
    let near = |last: u8| -> [u8; 20] {
        let mut id = [0xab; 20];
        id[2] = last;
        id
    };
    let (one, two, tag) = (near(0x10), near(0x11), [0x99; 20]);
    for skips in [false, true] {
        let place = format!("reftable-{skips}");
        let dir = sandbox.path(&place);
        std::fs::create_dir(&dir).unwrap();
        let mut refs: Vec<(Vec<u8>, RefValue<'_>)> = Vec::new();
        for (number, id) in ids.iter().enumerate() {
            let name = format!("refs/heads/many/{number:03}");
            refs.push((name.into_bytes(), RefValue::Val1(id)));
        }
        for (name, value) in [
            ("refs/heads/one", RefValue::Val1(&one)),
            ("refs/heads/one-gone", RefValue::Val1(&one)),
            ("refs/heads/one-moved", RefValue::Val1(&one)),
            ("refs/heads/sym", RefValue::Symref(b"refs/heads/one")),
            ("refs/heads/two", RefValue::Val1(&two)),
            (
                "refs/tags/of-one",
                RefValue::Val2 {
                    value: &tag,
                    target: &one,
                },
            ),
        ] {
            refs.push((name.into(), value));
        }
        add_refs(&dir, skips, &refs);
        add_refs(
            &dir,
            skips,
            &[
                (b"refs/heads/one-gone".to_vec(), RefValue::Deletion),
                (b"refs/heads/one-moved".to_vec(), RefValue::Val1(&two)),
            ],
        );
        let both = [
            "refs/heads/one",
            "refs/heads/one-moved",
            "refs/heads/two",
            "refs/tags/of-one",
        ];
        assert_eq!(found(&sandbox, &place, "abab1"), both);
        assert_eq!(found(&sandbox, &place, "ABAB1"), both);
        let of_one = ["refs/heads/one", "refs/tags/of-one"];
        assert_eq!(found(&sandbox, &place, "abab10"), of_one);
        assert_eq!(found(&sandbox, &place, "abab10a"), of_one);
        let of_two = ["refs/heads/one-moved", "refs/heads/two"];
        assert_eq!(found(&sandbox, &place, "abab11"), of_two);
        // Also the ref with the id of that byte alone.
        let all = found(&sandbox, &place, "abab");
        assert_eq!(all.len(), both.len() + 1);
        assert_eq!(
            found(&sandbox, &place, "99999"),
            ["refs/heads/many/153", "refs/tags/of-one"]
        );
        assert_eq!(found(&sandbox, &place, "abab12"), [""; 0]);
        assert_eq!(found(&sandbox, &place, "fffe"), [""; 0]);
        // As the whole id does.
        let id = format!("ab{}", "ab".repeat(19)).replacen("ababab", "abab10", 1);
        assert_eq!(found(&sandbox, &place, &id), of_one);
    }
}
