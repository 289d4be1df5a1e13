//! Cases of git's `u-reftable-stack.c`; `docs/git-suite.md` names the test for each.

use std::cmp::Reverse;
use std::fs;
use std::sync::Arc;

use reftable::format::Error;
use reftable::internals::StdStorage;
use reftable::merged::Tombstones;
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::stack::{OnOutdated, Stack, StackOptions};

use crate::support::*;

/// Adds a table with one log entry, written at the next update index.
fn add_log(stack: &Stack, update_index: u64, value: LogValue<'_>) -> Result<(), Error> {
    let next = stack.next_update_index();
    stack
        .add::<Error>(OnOutdated::Fail, |writer| {
            writer.set_limits(next, next)?;
            writer.add_log(&LogRecord {
                name: b"branch",
                update_index,
                value,
            })
        })
        .map(drop)
}

fn message(message: &[u8]) -> LogValue<'_> {
    LogValue::Update(LogUpdate {
        old_hash: &[2; 20],
        new_hash: &[1; 20],
        name: b"",
        email: b"identity@invalid",
        time: 0,
        tz_offset: Zone::from_stored(0),
        message,
    })
}

/// The newest message of "branch".
fn newest(stack: &Stack) -> Option<Vec<u8>> {
    let mut logs = stack.merged().logs(Tombstones::Hide);
    logs.seek(b"branch").unwrap();
    logs.advance().unwrap().then(|| match logs.record().value {
        LogValue::Update(update) => update.message.to_vec(),
        LogValue::Deletion => panic!("tombstones are hidden"),
    })
}

#[test]
fn messages_are_normalized() {
    let dir = scratch();
    let stack = open(dir.path());
    let refused = add_log(&stack, 1, message(b"one\ntwo")).unwrap_err();
    assert!(matches!(refused, Error::Misuse(_)), "{refused}");
    assert_eq!(newest(&stack), None);
    add_log(&stack, 1, message(b"one")).unwrap();
    assert_eq!(newest(&stack).unwrap(), b"one\n");
    add_log(&stack, 2, message(b"two\n")).unwrap();
    assert_eq!(newest(&stack).unwrap(), b"two\n");
    assert_tidy(dir.path());
}

#[test]
fn tombstones_hide_refs_and_log_entries_before_and_after_compaction() {
    let dir = scratch();
    let stack = open(dir.path());
    let next = || stack.next_update_index();
    for value in [RefValue::Val1(&[1; 20]), RefValue::Deletion] {
        let update_index = next();
        let outcome = stack
            .add::<Error>(OnOutdated::Fail, |writer| {
                writer.set_limits(update_index, update_index)?;
                writer.add_ref(&RefRecord {
                    name: b"branch",
                    update_index,
                    value,
                })
            })
            .unwrap();
        assert!(outcome.published);
    }
    // The key of a log entry contains its update index: both are at 1.
    add_log(&stack, 1, message(b"gone")).unwrap();
    assert_eq!(newest(&stack).unwrap(), b"gone\n");
    add_log(&stack, 1, LogValue::Deletion).unwrap();
    for compacted in [false, true] {
        let view = stack.merged();
        assert!(
            view.finder().find(b"branch").unwrap().is_none(),
            "{compacted}"
        );
        assert_eq!(newest(&stack), None, "{compacted}");
        stack.compact_all(None).unwrap();
    }
    assert_tidy(dir.path());
}

#[test]
fn refs_and_logs_of_many_tables_are_read_in_order() {
    let dir = scratch();
    let options = StackOptions {
        disable_auto_compact: false,
        ..quiet()
    };
    for options in [quiet(), options] {
        let stack = open_with(Arc::new(StdStorage), dir.path(), options).unwrap();
        let mut model = Snapshot::of(&stack.merged());
        for i in 0..10 {
            let name = format!("branch{i:02}");
            let changes = [(name.as_str(), Some(i))];
            let at = add(&stack, &changes).unwrap();
            model.apply(&changes, at);
        }
        assert_eq!(Snapshot::of(&stack.merged()), model);
        let mut refs = stack.merged().refs(Tombstones::Hide);
        refs.seek(b"branch03").unwrap();
        for i in 3..10 {
            assert!(refs.advance().unwrap());
            assert_eq!(refs.record().name, format!("branch{i:02}").as_bytes());
        }
        assert!(!refs.advance().unwrap());
        assert!(model.logs.contains_key(&("branch09".into(), Reverse(10))));
    }
}

/// Errors of a writer's callback are returned unchanged, and no lock remains.
#[test]
fn errors_of_the_callback_are_returned() {
    let dir = scratch();
    let stack = open(dir.path());
    for (error, code) in [
        (Error::Misuse("x"), -6),
        (Error::EntryTooBig { size: 2, limit: 1 }, -11),
        (Error::Outdated, -12),
        (Error::OutOfMemory { size: 1 }, -13),
    ] {
        let mut error = Some(error);
        let got = stack
            .add::<Error>(OnOutdated::Fail, |_| Err(error.take().unwrap()))
            .unwrap_err();
        assert_eq!(got.code(), code);
        assert_eq!(files(dir.path()), [""; 0]);
    }
    add(&stack, &[("a", Some(1))]).unwrap();
}

#[test]
fn compaction_is_done_only_when_it_is_enabled() {
    let dir = scratch();
    for (count, disable_auto_compact) in [(20, true), (1, false)] {
        let options = StackOptions {
            disable_auto_compact,
            ..quiet()
        };
        let stack = open_with(Arc::new(StdStorage), dir.path(), options).unwrap();
        for i in 1..=count {
            let name = format!("branch-{disable_auto_compact}-{i:04}");
            add(&stack, &[(&name, Some(1))]).unwrap();
            let (depth, required) = if disable_auto_compact {
                (i, i > 1)
            } else {
                (1, false)
            };
            assert_eq!(stack.merged().tables().len(), depth);
            assert_eq!(stack.compaction_required(true), required);
        }
    }
    assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 21);
    assert_tidy(dir.path());
}

#[test]
fn auto_compaction_rewrites_few_records() {
    let dir = scratch();
    let stack = open(dir.path());
    let count = 100_u64;
    for i in 0..count {
        let update_index = stack.next_update_index();
        let outcome = stack
            .add::<Error>(OnOutdated::Fail, |writer| {
                writer.set_limits(update_index, update_index)?;
                writer.add_ref(&RefRecord {
                    name: format!("branch{i:04}").as_bytes(),
                    update_index,
                    value: RefValue::Symref(b"master"),
                })
            })
            .unwrap();
        assert!(outcome.published);
        stack.auto_compact().unwrap();
        let depth = stack.merged().tables().len();
        let most = 2 * usize::try_from(i.max(1).ilog2()).unwrap();
        assert!(i < 2 || depth < most, "{depth} tables after {i} additions");
    }
    let written = stack.stats().entries_written;
    assert!(written < count * u64::from(count.ilog2()), "{written}");
}

#[test]
fn readers_do_not_keep_old_tables_in_the_directory() {
    let dir = scratch();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    for name in ["a", "b", "c"] {
        add(&ours, &[(name, Some(1))]).unwrap();
    }
    theirs.reload().unwrap();
    assert_eq!(theirs.merged().tables().len(), 3);
    ours.compact_all(None).unwrap();
    drop((ours, theirs));
    assert_eq!(files(dir.path()).len(), 2);
    open(dir.path()).clean().unwrap();
    assert_eq!(files(dir.path()).len(), 2);
    assert_tidy(dir.path());
}

#[test]
fn a_list_with_a_missing_table_leaves_the_old_view() {
    let dir = scratch();
    let stack = open(dir.path());
    for name in ["refs/heads/branch-0000", "refs/heads/branch-0001"] {
        add(&stack, &[(name, Some(1))]).unwrap();
    }
    let mut refs = stack.merged().refs(Tombstones::Hide);
    let mut text = list(dir.path()).join("\n");
    text.push_str("\ngarbage\n");
    put_list(dir.path(), text);
    let error = stack.reload().unwrap_err();
    assert_eq!(error.code(), -4, "{error}");
    assert_eq!(stack.merged().tables().len(), 2);
    for name in ["refs/heads/branch-0000", "refs/heads/branch-0001"] {
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record().name, name.as_bytes());
    }
    assert!(!refs.advance().unwrap());
}

#[test]
fn limits_are_set_before_the_first_record() {
    let dir = scratch();
    let stack = open(dir.path());
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    let refused = addition.add_table::<Error>(|writer| {
        write(writer, 1, &[("HEAD", Some(1))])?;
        writer.set_limits(1, 1)
    });
    assert!(matches!(refused, Err(Error::Misuse(_))));
    drop(addition);
    assert_eq!(files(dir.path()), [""; 0]);
    assert!(fs::metadata(dir.path()).unwrap().is_dir());
}
