//! One stack in one process: additions, compactions, options.

use reftable::format::Error;
use reftable::stack::{CheckEvent, LogExpiry, OnOutdated, Progress, Stack, StackOptions};
use reftable::table::WriteOptions;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::{fs, path::Path};

use crate::support::*;

fn open_std(dir: &Path, options: StackOptions) -> Stack {
    Stack::open(dir, options).unwrap()
}

#[test]
fn a_directory_without_a_list_is_an_empty_stack() {
    let dir = scratch();
    let stack = open(dir.path());
    assert_eq!(stack.next_update_index(), 1);
    assert!(stack.merged().tables().is_empty());
    assert!(!stack.reload().unwrap());
    stack.compact_all(None).unwrap();
    stack.compact_all(Some(&LogExpiry::default())).unwrap();
    stack.auto_compact().unwrap();
    stack.clean().unwrap();
    assert!(!stack.compaction_required(false));
    assert_eq!(files(dir.path()), [""; 0]);
}

#[test]
fn additions_are_visible_to_this_stack_and_others() {
    let dir = scratch();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    assert_eq!(add(&ours, &[("refs/heads/a", Some(1))]).unwrap(), 1);
    assert_eq!(add(&ours, &[("refs/heads/b", Some(2))]).unwrap(), 2);
    let mut model = Snapshot::default();
    model.apply(&[("refs/heads/a", Some(1))], 1);
    model.apply(&[("refs/heads/b", Some(2))], 2);
    assert_eq!(Snapshot::of(&ours.merged()), model);
    assert!(theirs.reload().unwrap());
    let view = theirs.merged();
    assert_eq!(Snapshot::of(&view), model);
    assert!(!theirs.reload().unwrap());
    assert!(Arc::ptr_eq(&view, &theirs.merged()), "same list, same view");
    add(&ours, &[("refs/heads/a", None)]).unwrap();
    model.apply(&[("refs/heads/a", None)], 3);
    theirs.reload().unwrap();
    assert_eq!(Snapshot::of(&theirs.merged()), model);
    assert!(view.tables().len() == 2, "a held view stays as it was");
    assert_tidy(dir.path());
}

#[test]
fn reload_keeps_tables_open_that_are_still_listed() {
    let dir = scratch();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    add(&ours, &[("a", Some(1))]).unwrap();
    theirs.reload().unwrap();
    let before = theirs.merged();
    add(&ours, &[("b", Some(1))]).unwrap();
    theirs.reload().unwrap();
    let after = theirs.merged();
    assert!(Arc::ptr_eq(&before.tables()[0], &after.tables()[0]));
}

#[test]
fn an_empty_addition_adds_no_table() {
    let dir = scratch();
    let stack = open(dir.path());
    let outcome = stack
        .add::<Error>(OnOutdated::Fail, |writer| writer.set_limits(1, 1))
        .unwrap();
    assert!(!outcome.published && outcome.compaction.is_none());
    assert_eq!(files(dir.path()), [""; 0]);
}

#[test]
fn an_addition_that_is_dropped_leaves_nothing() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    let before = files(dir.path());
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    addition
        .add_table::<Error>(|w| write(w, 2, &[("b", Some(2))]))
        .unwrap();
    assert_eq!(files(dir.path()).len(), before.len() + 2);
    drop(addition);
    assert_eq!(files(dir.path()), before);

    let error = stack.add(OnOutdated::Fail, |w| {
        write(w, 2, &[("b", Some(2))])?;
        Err(Error::Misuse("changed my mind"))
    });
    assert!(matches!(error, Err(Error::Misuse("changed my mind"))));
    assert_eq!(files(dir.path()), before);
}

#[test]
fn tables_of_one_addition_use_ascending_indexes() {
    let dir = scratch();
    let stack = open(dir.path());
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    for (index, name) in [(1, "a"), (2, "b")] {
        assert_eq!(addition.next_update_index(), index);
        addition
            .add_table::<Error>(|w| write(w, index, &[(name, Some(1))]))
            .unwrap();
    }
    let again = addition.add_table::<Error>(|w| write(w, 2, &[("c", Some(1))]));
    assert!(matches!(again, Err(Error::Misuse(_))));
    assert!(stack.commit(addition).unwrap().published);
    assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 2);
    assert_eq!(stack.next_update_index(), 3);
    assert_tidy(dir.path());
}

#[test]
fn old_update_indexes_are_refused() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    let error = stack.add::<Error>(OnOutdated::Fail, |w| write(w, 1, &[("b", Some(1))]));
    assert!(matches!(error, Err(Error::Misuse(_))));
    assert_tidy(dir.path());
    let addition = open(dir.path()).begin(OnOutdated::Fail).unwrap();
    assert!(matches!(stack.commit(addition), Err(Error::Misuse(_))));
    assert_tidy(dir.path());
}

#[test]
fn update_indexes_end_without_wrapping() {
    let dir = scratch();
    let stack = open(dir.path());
    for (index, name) in [(u64::MAX - 1, "a"), (u64::MAX, "b")] {
        let done = stack.add::<Error>(OnOutdated::Fail, |w| write(w, index, &[(name, Some(1))]));
        assert!(done.unwrap().published);
    }
    for stack in [&stack, &open(dir.path())] {
        assert_eq!(stack.next_update_index(), u64::MAX);
        for index in [0, 1, u64::MAX] {
            let full = stack.add::<Error>(OnOutdated::Fail, |w| write(w, index, &[("c", Some(1))]));
            assert!(matches!(full, Err(Error::Misuse(_))), "{index}");
        }
    }
    stack.compact_all(None).unwrap();
    stack.clean().unwrap();
    assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 2);
    assert_tidy(dir.path());
}

#[test]
fn compaction_keeps_the_view_and_drops_tombstones() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1)), ("b", Some(1)), ("c", Some(1))]).unwrap();
    add(&stack, &[("b", None)]).unwrap();
    add(&stack, &[("c", Some(3))]).unwrap();
    let before = Snapshot::of(&stack.merged());
    assert!(stack.compaction_required(false));
    stack.compact_all(None).unwrap();
    assert!(!stack.compaction_required(false));
    assert_eq!(Snapshot::of(&stack.merged()), before);
    assert_eq!(Snapshot::of_dir(dir.path()), before);
    let view = stack.merged();
    let [table] = view.tables() else {
        panic!("{} tables", view.tables().len())
    };
    assert!(table.name().starts_with("0x000000000001-0x000000000003-"));
    let mut cursor = table.refs();
    let mut names = Vec::new();
    while cursor.advance().unwrap() {
        names.push(cursor.record().name.to_vec());
    }
    assert_eq!(names, [b"a", b"c"]);
    assert_tidy(dir.path());
    let stats = stack.stats();
    assert_eq!((stats.attempts, stats.failures), (1, 0));
    assert_eq!(stats.entries_written, 2 + 5);
    assert!(stats.bytes > 0);
}

#[test]
fn a_compaction_without_records_leaves_an_empty_list() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    add(&stack, &[("a", None)]).unwrap();
    let all = LogExpiry {
        time: u64::MAX,
        min_update_index: 0,
        ..LogExpiry::default()
    };
    stack.compact_all(Some(&all)).unwrap();
    assert_eq!(list(dir.path()), [""; 0]);
    assert_tidy(dir.path());
    assert_eq!(stack.next_update_index(), 1);
    assert_eq!(add(&stack, &[("b", Some(1))]).unwrap(), 1);
}

#[test]
fn expiry_drops_old_log_entries() {
    let dir = scratch();
    let stack = open(dir.path());
    for index in 1..=10 {
        assert_eq!(add(&stack, &[("a", Some(1))]).unwrap(), index);
    }
    let logs = || {
        let keys = Snapshot::of(&stack.merged()).logs.into_keys();
        keys.map(|(_, index)| index.0).collect::<Vec<_>>()
    };
    stack.compact_all(Some(&LogExpiry::default())).unwrap();
    assert_eq!(logs(), (1..=10).rev().collect::<Vec<_>>());
    let by_time = LogExpiry {
        time: 1_700_000_004,
        min_update_index: 0,
        ..LogExpiry::default()
    };
    stack.compact_all(Some(&by_time)).unwrap();
    assert_eq!(logs(), [10, 9, 8, 7, 6, 5, 4]);
    let by_index = LogExpiry {
        time: 0,
        min_update_index: 8,
        ..LogExpiry::default()
    };
    stack.compact_all(Some(&by_index)).unwrap();
    assert_eq!(logs(), [10, 9, 8]);
    let by_number = LogExpiry {
        max_entries: 2,
        ..LogExpiry::default()
    };
    stack.compact_all(Some(&by_number)).unwrap();
    assert_eq!(logs(), [10, 9]);
    assert_tidy(dir.path());
}

#[test]
fn an_interrupted_compaction_leaves_no_locks() {
    let dir = scratch();
    let flag = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(Progress::default());
    let options = StackOptions {
        interrupt: Some(Arc::clone(&flag)),
        progress: Some(Arc::clone(&progress)),
        ..quiet()
    };
    let stack = open_std(dir.path(), options);
    let names: Vec<String> = (0..10_000).map(|n| format!("{n:05}")).collect();
    let refs: Vec<(&str, Option<u8>)> = names.iter().map(|name| (&**name, Some(1))).collect();
    add(&stack, &refs).unwrap();
    add(&stack, &[("a", Some(1))]).unwrap();
    flag.store(true, Ordering::Relaxed);
    match stack.compact_all(None) {
        Err(Error::Io(failure)) => assert_eq!(failure.source.kind(), ErrorKind::Interrupted),
        other => panic!("{other:?}"),
    }
    assert_eq!(list(dir.path()).len(), 2);
    assert_tidy(dir.path());
    assert_eq!(progress.records.load(Ordering::Relaxed), 0);
    flag.store(false, Ordering::Relaxed);
    stack.compact_all(None).unwrap();
    // Of 10,001 refs and as many log entries.
    assert_eq!(progress.records.load(Ordering::Relaxed), 4 * 4096);
    let bytes = progress.bytes.load(Ordering::Relaxed);
    assert!(
        (1..stack.merged().tables()[0].size()).contains(&bytes),
        "{bytes}"
    );
    assert_eq!(list(dir.path()).len(), 1);
}

#[test]
fn auto_compaction_keeps_the_stack_shallow() {
    for factor in [0, 2, 3, 5] {
        let dir = scratch();
        let options = StackOptions {
            auto_compaction_factor: factor,
            disable_auto_compact: false,
            ..quiet()
        };
        let stack = open_std(dir.path(), options);
        let base = f64::from(if factor == 0 { 2 } else { factor });
        for i in 1..=100 {
            let name = format!("refs/heads/branch-{i:04}");
            add(&stack, &[(&name, Some(1))]).unwrap();
            let depth = stack.merged().tables().len();
            let most = f64::from(i).log(base).ceil() as usize + 1;
            assert!(depth <= most, "{depth} tables after {i} additions");
            assert!(!stack.compaction_required(true));
        }
        assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 100);
        assert_tidy(dir.path());
    }
}

#[test]
fn hashes_are_not_mixed() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let write = WriteOptions {
        hash_id: reftable::format::HashId::Sha256,
        ..WriteOptions::default()
    };
    let options = StackOptions { write, ..quiet() };
    let error = Stack::open(dir.path(), options).unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error}");
    assert!(error.to_string().contains(".ref"), "{error}");
}

#[cfg(unix)]
#[test]
fn permissions_are_set_on_tables_and_list() {
    use std::os::unix::fs::PermissionsExt;
    let dir = scratch();
    let options = StackOptions {
        default_permissions: 0o664,
        ..quiet()
    };
    let stack = open_std(dir.path(), options);
    let check = || {
        for name in files(dir.path()) {
            let meta = fs::metadata(dir.path().join(&name)).unwrap();
            assert_eq!(meta.permissions().mode() & 0o777, 0o664, "{name}");
        }
    };
    add(&stack, &[("a", Some(1))]).unwrap();
    add(&stack, &[("b", Some(1))]).unwrap();
    check();
    stack.compact_all(None).unwrap();
    check();
}

#[test]
fn large_tables_are_written_and_read_back() {
    let dir = scratch();
    let stack = open(dir.path());
    let names: Vec<_> = (0..5000).map(|i| format!("refs/heads/{i:05}")).collect();
    let changes: Vec<Change<'_>> = names.iter().map(|n| (n.as_str(), Some(1))).collect();
    add(&stack, &changes).unwrap();
    add(&stack, &changes).unwrap();
    stack.compact_all(None).unwrap();
    assert_eq!(Snapshot::of(&stack.merged()).refs.len(), 5000);
    assert_eq!(Snapshot::of_dir(dir.path()).logs.len(), 10_000);
    assert_tidy(dir.path());
}

fn make_old(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
}

/// Puts a table with update index 3 into `dir`, and returns its name. It may belong to a later
/// version of the stack.
fn copy_newer_table(dir: &Path) -> String {
    let other = scratch();
    let stack = open(other.path());
    for _ in 0..3 {
        add(&stack, &[("x", Some(1))]).unwrap();
    }
    let newer = list(other.path()).pop().unwrap();
    fs::copy(other.path().join(&newer), dir.join(&newer)).unwrap();
    newer
}

#[test]
fn clean_removes_only_what_is_stale() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    add(&stack, &[("b", Some(1))]).unwrap();
    let [first, second] = &list(dir.path())[..] else {
        panic!("two tables expected")
    };
    let at = |name: &str| dir.path().join(name);
    let stale = "0x000000000001-0x000000000001-ffffffff.ref";
    fs::copy(at(first), at(stale)).unwrap();
    let fresh_temp = "0x000000000001-0x000000000001-ffffffff.temp.abcdef";
    let old_temp = "0x000000000001-0x000000000001-ffffffff.temp.ABCDEF";
    // What a power failure can leave of a table.
    let fresh_empty = "0x000000000001-0x000000000001-fffffff0.ref";
    let old_empty = "0x000000000001-0x000000000001-fffffff1.ref";
    let old_damaged = "0x000000000001-0x000000000001-fffffff3.ref";
    let orphaned_lock = "0x000000000001-0x000000000001-fffffff2.ref.lock";
    let fresh_lock = format!("{first}.lock");
    let old_lock = format!("{second}.lock");
    for name in [
        fresh_temp,
        old_temp,
        "mine.temp.abcdef",
        "garbage.ref",
        old_damaged,
    ] {
        fs::write(at(name), "garbage").unwrap();
    }
    for name in [fresh_empty, old_empty, "odd.ref"] {
        fs::write(at(name), "").unwrap();
    }
    for name in [orphaned_lock, &fresh_lock, &old_lock] {
        fs::write(at(name), "").unwrap();
    }
    for name in [
        old_temp,
        "mine.temp.abcdef",
        old_empty,
        old_damaged,
        "odd.ref",
        "garbage.ref",
        &old_lock,
    ] {
        make_old(&at(name));
    }
    let newer = copy_newer_table(dir.path());

    stack.clean().unwrap();
    let mut expected = vec![
        first.as_str(),
        second,
        &newer,
        fresh_temp,
        "mine.temp.abcdef",
        "garbage.ref",
        fresh_empty,
        old_damaged,
        &fresh_lock,
        "odd.ref",
        "tables.list",
    ];
    expected.sort_unstable();
    assert_eq!(files(dir.path()), expected);
    assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 2);
}

#[test]
fn cleaning_a_missing_directory_does_not_create_it() {
    let root = scratch();
    let dir = root.path().join("stack");
    let stack = open(&dir);
    stack.clean().unwrap();
    assert!(!dir.exists());
}

#[cfg(unix)]
#[test]
fn clean_keeps_symbolic_links() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    let link = dir
        .path()
        .join("0x000000000001-0x000000000001-ffffffff.ref");
    std::os::unix::fs::symlink(&list(dir.path())[0], &link).unwrap();
    stack.clean().unwrap();
    assert!(link.is_symlink());
}

#[cfg(unix)] // elsewhere the age of a file is unknown
#[test]
fn the_age_of_the_lists_lock_is_known() {
    let dir = scratch();
    let stack = open(dir.path());
    assert_eq!(stack.locked_for_ms(), None);
    let addition = stack.begin(OnOutdated::Reload).unwrap();
    let day = 86_400_000;
    assert!(stack.locked_for_ms().is_some_and(|age| age < day));
    make_old(&stack.lock_path());
    assert!(stack.locked_for_ms().is_some_and(|age| age > day));
    drop(addition);
    assert_eq!(stack.locked_for_ms(), None);
}

/// The findings of a check, as text.
fn report(stack: &Stack) -> Vec<String> {
    let mut reported = Vec::new();
    stack.check(&mut |event| {
        reported.push(match event {
            CheckEvent::Checking(table) => format!("{table}: checking table"),
            CheckEvent::Finding(finding) => format!("{}: {finding}", finding.file),
        });
    });
    reported
}

#[test]
fn check_reports_names() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    add(&stack, &[("b", Some(1))]).unwrap();
    let names = list(dir.path());
    let steps = |names: [&str; 2]| names.map(|n| format!("{n}: checking table"));
    assert_eq!(report(&stack), steps([&names[0], &names[1]]));

    fs::rename(dir.path().join(&names[1]), dir.path().join("odd.ref")).unwrap();
    let text = format!("{}\nodd.ref\n", names[0]);
    put_list(dir.path(), text);
    let mut expected = steps([&names[0], "odd.ref"]).to_vec();
    expected.push("odd.ref: invalid reftable table name".to_owned());
    assert_eq!(report(&open(dir.path())), expected);
}

#[test]
fn tables_of_one_addition_may_share_an_update_index() {
    let dir = scratch();
    let stack = open(dir.path());
    let mut addition = stack.begin(OnOutdated::Fail).unwrap();
    addition.share_update_indexes();
    for id in [1, 2] {
        addition
            .add_table::<Error>(|w| write(w, 1, &[("a", Some(id))]))
            .unwrap();
        assert_eq!(addition.next_update_index(), 1);
    }
    let early = addition.add_table::<Error>(|w| write(w, 0, &[("a", Some(3))]));
    assert!(matches!(early, Err(Error::Misuse(_))));
    assert!(stack.commit(addition).unwrap().published);
    let mut model = Snapshot::default();
    model.apply(&[("a", Some(1))], 1);
    model.apply(&[("a", Some(2))], 1);
    assert_eq!(Snapshot::of(&stack.merged()), model);
    assert_eq!(stack.next_update_index(), 2);
}

#[test]
fn cleaning_can_refuse_an_outdated_stack() {
    let dir = scratch();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    add(&ours, &[("a", Some(1))]).unwrap();
    let refused = theirs.clean_if(OnOutdated::Fail);
    assert!(matches!(refused, Err(Error::Outdated)));
    theirs.clean_if(OnOutdated::Reload).unwrap();
    theirs.clean_if(OnOutdated::Fail).unwrap();
}

#[test]
fn leftover_replaced_tables_are_removed() {
    let dir = scratch();
    let stack = open_std(
        dir.path(),
        StackOptions {
            disable_auto_compact: true,
            ..StackOptions::default()
        },
    );
    add(&stack, &[("a", Some(1))]).unwrap();
    add(&stack, &[("b", Some(1))]).unwrap();
    let view = stack.merged();
    let [old, new] = [0, 1].map(|n| dir.path().join(view.tables()[n].name()));
    stack.remove_replaced(&view);
    assert!(old.exists() && new.exists(), "the list names both");
    let list = format!("{}\n", view.tables()[1].name());
    fs::write(dir.path().join("other"), list).unwrap();
    fs::rename(dir.path().join("other"), dir.path().join("tables.list")).unwrap();
    stack.remove_replaced(&view);
    assert!(!old.exists() && new.exists());
    fs::remove_file(dir.path().join("tables.list")).unwrap();
    stack.remove_replaced(&view);
    assert!(new.exists());
}
