//! Records written by other implementations: a compaction copies them unchanged, regardless of the rules
//! of this crate's own writers. Only an empty message becomes an empty line, as in git's C library.

use std::path::Path;
use std::sync::Arc;

use reftable::format::{Error, HashId, Result};
use reftable::internals::StdStorage;
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{check, CheckEvent, OnOutdated, StackOptions};
use reftable::table::{WriteOptions, Writer};

use crate::support::{add, list, open_with, quiet, scratch};

/// Messages, committers, emails and zones that git itself would not store.
const MESSAGES: [&[u8]; 8] = [
    b"\n",
    b"no line feed",
    b"line one\nline two",
    b"line one\nline two\n",
    b"\n\nfirst\n\n\nlast\n\n",
    b"NUL\0inside",
    b"\xff\xfe\r\x1b[1m\n",
    b"0000 1111 forged <a@b> 1 +0000\tx\n0000\n",
];
const PEOPLE: [(&[u8], &[u8]); 6] = [
    (b"", b""),
    (b"A <x> U", b"<a@b>"),
    (b"two\nlines", b"two\nlines"),
    (b"NUL\0name", b"NUL\0email"),
    (b"\xff\xfe", b"\xff"),
    (b" . ", b"a b c > 1 +0000\tforged"),
];
const ZONES: [i16; 6] = [0, 330, -90, 1400, i16::MAX, i16::MIN];

fn options(write: WriteOptions) -> StackOptions {
    StackOptions { write, ..quiet() }
}

/// Options that other writers may use.
fn free() -> StackOptions {
    options(WriteOptions {
        exact_log_message: true,
        block_size: 1 << 16,
        ..WriteOptions::default()
    })
}

/// Adds a table at the stack's next update index, filled by `write`.
fn table(dir: &Path, write: impl FnOnce(&mut Writer<'_>, u64) -> Result<()>) {
    let stack = open_with(Arc::new(StdStorage), dir, free()).unwrap();
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    let index = addition.next_update_index();
    addition
        .add_table::<Error>(|writer| {
            writer.set_limits(index, index)?;
            write(writer, index)
        })
        .unwrap();
    let _ = stack.commit(addition).unwrap();
}

fn log<'a>(name: &'a [u8], update_index: u64, update: LogUpdate<'a>) -> LogRecord<'a> {
    LogRecord {
        name,
        update_index,
        value: LogValue::Update(update),
    }
}

fn update<'a>(message: &'a [u8]) -> LogUpdate<'a> {
    LogUpdate {
        old_hash: &[1; 20],
        new_hash: &[2; 20],
        name: b"A U Thor",
        email: b"author@example.com",
        time: 1_700_000_000,
        tz_offset: Zone::from_stored(100),
        message,
    }
}

/// Every record of a view, as text.
fn everything(merged: &Merged) -> Vec<String> {
    let mut all = Vec::new();
    let mut refs = merged.refs(Tombstones::Hide);
    while refs.advance().unwrap() {
        all.push(format!("{:?}", refs.record()));
    }
    let mut logs = merged.logs(Tombstones::Hide);
    while logs.advance().unwrap() {
        all.push(format!("{:?}", logs.record()));
    }
    all
}

/// Compacts everything with git's options, and expects the same records afterwards, in a table
/// whose only flaws are those in `tolerated`.
fn assert_compacts(dir: &Path, tolerated: &str) {
    let stack = open_with(Arc::new(StdStorage), dir, quiet()).unwrap();
    let before = everything(&stack.merged());
    stack.compact_all(None).unwrap();
    assert_eq!(list(dir).len(), 1);
    assert_eq!(everything(&stack.merged()), before);
    let stack = open_with(Arc::new(StdStorage), dir, quiet()).unwrap();
    assert_eq!(everything(&stack.merged()), before);
    check(dir, HashId::Sha1, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            let text = finding.to_string();
            assert!(!tolerated.is_empty() && text.contains(tolerated), "{text}");
        }
    });
}

#[test]
fn an_empty_message_becomes_an_empty_line() {
    let dir = scratch();
    for _ in 0..2 {
        table(dir.path(), |writer, index| {
            writer.add_log(&log(b"HEAD", index, update(b"")))
        });
    }
    let stack = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap();
    let before = everything(&stack.merged());
    stack.compact_all(None).unwrap();
    let line = |text: &String| text.replace("message: []", "message: [10]");
    let expected: Vec<_> = before.iter().map(line).collect();
    assert_ne!(expected, before);
    assert_eq!(everything(&stack.merged()), expected);
    assert_compacts(dir.path(), "");
}

#[test]
fn log_entries_are_copied_unchanged() {
    let dir = scratch();
    for message in MESSAGES {
        table(dir.path(), |writer, index| {
            writer.add_log(&log(b"HEAD", index, update(message)))
        });
    }
    for (name, email) in PEOPLE {
        table(dir.path(), |writer, index| {
            let update = LogUpdate {
                name,
                email,
                time: u64::MAX,
                ..update(b"who\n")
            };
            writer.add_log(&log(b"refs/heads/who", index, update))
        });
    }
    for tz_offset in ZONES.map(Zone::from_stored) {
        table(dir.path(), |writer, index| {
            let update = LogUpdate {
                tz_offset,
                ..update(b"when\n")
            };
            writer.add_log(&log(b"refs/heads/when", index, update))
        });
    }
    assert_compacts(dir.path(), "");
}

#[test]
fn refs_are_copied_unchanged() {
    let dir = scratch();
    let names: [&[u8]; 6] = [
        b" ",
        b"../../x",
        b"refs/heads/a..b",
        b"refs/heads/x.lock",
        b"refs/heads/\x01\n\xff",
        b"~",
    ];
    let targets: [&[u8]; 3] = [b"", b"not a name", b"refs/heads/../x\n"];
    for (i, name) in names.into_iter().enumerate() {
        table(dir.path(), |writer, update_index| {
            writer.add_ref(&RefRecord {
                name,
                update_index,
                value: RefValue::Symref(targets[i % targets.len()]),
            })
        });
    }
    assert_compacts(dir.path(), "");
}

/// A table of version 1 with one symbolic ref, to a target of 8 bytes that contains a NUL.
#[test]
fn targets_with_a_nul_are_copied() {
    let dir = scratch();
    table(dir.path(), |writer, update_index| {
        writer.add_ref(&RefRecord {
            name: b"HEAD",
            update_index,
            value: RefValue::Symref(b"refs/h#d"),
        })
    });
    let path = dir.path().join(&list(dir.path())[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(8).position(|w| w == b"refs/h#d").unwrap();
    bytes[at + 6] = 0;
    std::fs::write(&path, bytes).unwrap();
    add(
        &open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap(),
        &[("refs/heads/a", Some(1))],
    )
    .unwrap();
    assert_compacts(dir.path(), "NUL in the target");
}

/// JGit's log blocks are twice as large as git's, and `reftable.blockSize` may have been larger.
#[test]
fn records_that_outgrow_a_block_are_copied() {
    let dir = scratch();
    let long = "x".repeat(30_000);
    for message in ["short\n", &long, &format!("{long}\n"), "short\n"] {
        table(dir.path(), |writer, index| {
            let update = update(message.as_bytes());
            writer.add_log(&log(b"HEAD", index, update))?;
            writer.add_log(&log(b"refs/heads/b", index, update))
        });
    }
    assert_compacts(dir.path(), "");
    let name = format!("refs/heads/{long}");
    for value in [RefValue::Val1(&[1; 20]), RefValue::Symref(long.as_bytes())] {
        table(dir.path(), |writer, update_index| {
            writer.add_ref(&RefRecord {
                name: name.as_bytes(),
                update_index,
                value,
            })
        });
    }
    assert_compacts(dir.path(), "");
}

#[test]
fn commits_compact_and_merge_foreign_tables() {
    for fold_small_tables in [true, false] {
        let dir = scratch();
        let long = "y".repeat(6000);
        for message in [&b"one\ntwo"[..], b"none", long.as_bytes()] {
            table(dir.path(), |writer, index| {
                writer.add_ref(&RefRecord {
                    name: long.as_bytes(),
                    update_index: index,
                    value: RefValue::Val1(&[7; 20]),
                })?;
                writer.add_log(&log(b"HEAD", index, update(message)))
            });
        }
        let options = StackOptions {
            disable_auto_compact: false,
            fold_small_tables,
            ..quiet()
        };
        let stack = open_with(Arc::new(StdStorage), dir.path(), options.clone()).unwrap();
        for i in 0..40 {
            add(&stack, &[(&format!("refs/heads/{i}"), Some(1))]).unwrap();
        }
        assert!(list(dir.path()).len() < 8, "{:?}", list(dir.path()));
        // A transaction that is large enough to merge its older tables while it is written.
        let many: Vec<String> = (0..20_000).map(|i| format!("refs/tags/{i:05}")).collect();
        let mut addition = stack.begin(OnOutdated::Fail).unwrap();
        let update_index = addition.next_update_index();
        addition
            .add_table_of::<Error>(20_000 * 24, |writer| {
                writer.set_limits(update_index, update_index)?;
                for name in &many {
                    writer.add_ref(&RefRecord {
                        name: name.as_bytes(),
                        update_index,
                        value: RefValue::Val1(&[3; 20]),
                    })?;
                }
                Ok(())
            })
            .unwrap();
        let outcome = stack.commit(addition).unwrap();
        assert!(outcome.compaction.is_none(), "{outcome:?}");
        let merged = stack.merged();
        let mut logs = merged.logs(Tombstones::Hide);
        logs.seek(b"HEAD").unwrap();
        for message in [long.as_bytes(), b"none", b"one\ntwo"] {
            assert!(logs.advance().unwrap());
            let LogValue::Update(update) = logs.record().value else {
                panic!("{:?}", logs.record());
            };
            assert_eq!(update.message, message);
        }
    }
}
