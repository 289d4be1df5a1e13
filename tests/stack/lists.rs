//! Damaged and malicious lists, and missing tables.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::{fs, iter};

use reftable::format::{Error, HashId};
use reftable::internals::{
    check_in, FaultPlan, FaultStorage, FileId, ListFile, LockFile, Operation, StdStorage, Storage,
    TableData, TempFile, MAX_LIST_BYTES,
};
use reftable::stack::{CheckEvent, OnOutdated};

use crate::support::*;

/// Everything below a directory, with contents.
fn tree(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for name in files(dir) {
        let path = dir.join(&name);
        if path.is_dir() {
            all.extend(
                tree(&path)
                    .into_iter()
                    .map(|(n, b)| (format!("{name}/{n}"), b)),
            );
        } else {
            all.push((name, fs::read(path).unwrap()));
        }
    }
    all
}

#[test]
fn names_outside_the_directory_are_refused() {
    let outer = scratch();
    let dir = outer.path().join("reftable");
    fs::create_dir(&dir).unwrap();
    let stack = open(&dir);
    add(&stack, &[("a", Some(1))]).unwrap();
    let table = list(&dir).pop().unwrap();
    // A valid table in every place that a name with `..` could reach.
    fs::create_dir(dir.join("sub")).unwrap();
    for place in [outer.path().join("out.ref"), dir.join("sub/in.ref")] {
        fs::copy(dir.join(&table), place).unwrap();
    }
    let absolute = outer.path().join("out.ref");
    let absolute = absolute.to_str().unwrap();
    let before_dir = outer.path().join("keep");
    fs::create_dir(&before_dir).unwrap();
    for entry in [
        "../out.ref",
        absolute,
        "sub/in.ref",
        "./x.ref",
        "sub/../x.ref",
        "..",
        ".",
        "/",
        "a\0.ref",
        &"a".repeat(256),
    ] {
        for content in [format!("{entry}\n"), format!("{table}\n{entry}\n")] {
            put_list(&dir, &content);
            let before = tree(outer.path());
            let error = open_with(Arc::new(StdStorage), &dir, quiet()).unwrap_err();
            assert!(matches!(error, Error::Corrupt(_)), "{entry:?}: {error}");
            let line = format!("tables.list:{}: ", content.lines().count());
            assert!(error.to_string().contains(&line), "{entry:?}: {error}");
            for error in [
                stack.reload().map(drop).unwrap_err(),
                stack.begin(OnOutdated::Reload).map(drop).unwrap_err(),
                stack
                    .compact_all(None)
                    .map_or_else(|e| e, |()| Error::Outdated),
                stack.clean().unwrap_err(),
            ] {
                let refused = matches!(error, Error::Corrupt(_) | Error::Outdated);
                assert!(refused, "{entry:?}: {error}");
            }
            assert_eq!(Snapshot::of(&stack.merged()).refs.len(), 1);
            assert_eq!(tree(outer.path()), before, "{entry:?}");
        }
    }
}

#[test]
fn damaged_lists_are_refused() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let table = list(dir.path()).pop().unwrap();
    for content in [
        table.clone().into_bytes(),
        format!("{table}\n{table}\n").into_bytes(),
        b"\xff\xfe\n".to_vec(),
        vec![b'\n'; MAX_LIST_BYTES + 1],
    ] {
        put_list(dir.path(), &content);
        let error = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap_err();
        assert!(matches!(error, Error::Corrupt(_)), "{error}");
    }
}

#[test]
fn only_regular_files_are_accepted() {
    let dir = scratch();
    put_list(dir.path(), "t.ref\n");
    fs::create_dir(dir.path().join("t.ref")).unwrap();
    let error = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
    fs::remove_dir(dir.path().join("t.ref")).unwrap();
    if cfg!(unix) {
        let made = std::process::Command::new("mkfifo")
            .arg(dir.path().join("t.ref"))
            .status();
        assert!(made.unwrap().success());
        let error = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap_err();
        assert!(matches!(error, Error::Io(_)), "{error}");
    }
    fs::remove_file(dir.path().join("tables.list")).unwrap();
    fs::create_dir(dir.path().join("tables.list")).unwrap();
    let error = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
}

#[test]
fn damaged_tables_are_refused_and_the_old_view_remains() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    let other = open(dir.path());
    add(&other, &[("b", Some(1))]).unwrap();
    let newest = dir.path().join(list(dir.path()).pop().unwrap());
    let good = fs::read(&newest).unwrap();
    for bad in [&b""[..], b"REFT", &good[..good.len() - 1]] {
        fs::write(&newest, bad).unwrap();
        let error = stack.reload().unwrap_err();
        assert!(matches!(error, Error::Corrupt(_)), "{error}");
        assert_eq!(Snapshot::of(&stack.merged()).refs.len(), 1);
    }
    fs::write(&newest, good).unwrap();
    assert!(stack.reload().unwrap());
    assert_eq!(Snapshot::of(&stack.merged()).refs.len(), 2);
}

#[test]
fn a_missing_table_of_an_unchanged_list_is_an_error() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    add(&stack, &[("b", Some(1))]).unwrap();
    let path = dir.path().join(list(dir.path()).pop().unwrap());
    fs::remove_file(&path).unwrap();
    let error = open_with(Arc::new(StdStorage), dir.path(), quiet()).unwrap_err();
    assert!(
        matches!(&error, Error::NotExist { path: p } if *p == path),
        "{error}"
    );
    assert!(!stack.reload().unwrap(), "open tables are no longer needed");
    assert_eq!(Snapshot::of(&stack.merged()).refs.len(), 2);
}

/// A list that differs at each reading and names missing tables; time passes only during sleeps.
#[derive(Debug, Default)]
struct Restless {
    looks: AtomicU64,
    now: AtomicU64,
}

impl Storage for Restless {
    fn read_list(&self, _: &Path) -> io::Result<ListFile> {
        let look = self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(ListFile {
            bytes: format!("{look}.ref\n").into_bytes(),
            handle: None,
        })
    }
    fn file_id(&self, _: &Path) -> io::Result<FileId> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn open_table(&self, _: &Path) -> io::Result<TableData> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn lock(&self, _: &Path, _: i64) -> io::Result<Box<dyn LockFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn temp_file(&self, _: &Path) -> io::Result<Box<dyn TempFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn list_dir(&self, _: &Path) -> io::Result<Vec<OsString>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn random(&self) -> u32 {
        u32::MAX / 2
    }
    fn now_ms(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }
    fn sleep_ms(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }
}

#[test]
fn reading_a_list_that_keeps_changing_ends_after_three_seconds() {
    let storage = Arc::new(Restless::default());
    let error = open_with(storage.clone(), Path::new("nowhere"), quiet()).unwrap_err();
    assert!(matches!(error, Error::NotExist { .. }), "{error}");
    let (looks, now) = (storage.looks.load(Ordering::SeqCst), storage.now_ms());
    assert!((3000..10_000).contains(&now), "gave up after {now} ms");
    assert!(looks > 3, "after {looks} looks");
}

#[test]
fn a_check_of_a_list_that_keeps_changing_ends() {
    let storage = Restless::default();
    let mut findings = Vec::new();
    check_in(&storage, Path::new("nowhere"), HashId::Sha1, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            findings.push(finding.to_string());
        }
    });
    assert_eq!(findings.len(), 1, "{findings:?}");
    let looks = storage.looks.load(Ordering::SeqCst);
    assert!((3..100).contains(&looks), "after {looks} looks");
}

/// A directory that never rests: other processes replace all its tables whenever its user sleeps,
/// and before each of the first tables that it opens.
#[derive(Debug)]
struct Busy {
    dir: PathBuf,
    first: AtomicU64,
    now: AtomicU64,
}

impl Busy {
    fn replace_all(&self) {
        let other = open(&self.dir);
        add(&other, &[("a", Some(2))]).unwrap();
        other.compact_all(None).unwrap();
    }
}

impl Storage for Busy {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        StdStorage.read_list(path)
    }
    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        StdStorage.file_id(path)
    }
    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        let first = |n: u64| n.checked_sub(1);
        if self
            .first
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, first)
            .is_ok()
        {
            self.replace_all();
        }
        StdStorage.open_table(path)
    }
    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        StdStorage.lock(target, timeout_ms)
    }
    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        StdStorage.temp_file(prefix)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        StdStorage.remove(path)
    }
    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        StdStorage.list_dir(dir)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        StdStorage.sync_dir(dir)
    }
    fn random(&self) -> u32 {
        StdStorage.random()
    }
    fn now_ms(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }
    fn sleep_ms(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
        self.replace_all();
    }
}

#[test]
fn tables_are_opened_by_a_list_that_was_read_after_the_pause() {
    let dir = scratch();
    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    let storage = Busy {
        dir: dir.path().to_owned(),
        first: AtomicU64::new(8),
        now: AtomicU64::new(0),
    };
    let stack = open_with(Arc::new(storage), dir.path(), quiet()).unwrap();
    assert_eq!(Snapshot::of(&stack.merged()).refs["a"], 2);
}

#[test]
fn a_long_list_is_read() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    let table = list(dir.path()).pop().unwrap();
    let names: Vec<_> = (0..500).map(|i| format!("copy-{i}.ref")).collect();
    for name in &names {
        fs::copy(dir.path().join(&table), dir.path().join(name)).unwrap();
    }
    let text: String = iter::once(&table)
        .chain(&names)
        .flat_map(|name| [name, "\n"])
        .collect();
    put_list(dir.path(), text);
    assert!(stack.reload().unwrap());
    assert_eq!(stack.merged().tables().len(), 501);
    stack.compact_all(None).unwrap();
    assert_tidy(dir.path());
    assert_eq!(Snapshot::of_dir(dir.path()).refs.len(), 1);
}

#[test]
fn a_stack_whose_list_is_removed_is_empty() {
    let dir = scratch();
    let stack = open(dir.path());
    add(&stack, &[("a", Some(1))]).unwrap();
    fs::remove_file(dir.path().join("tables.list")).unwrap();
    assert!(stack.reload().unwrap());
    assert!(Snapshot::of(&stack.merged()).refs.is_empty());
}

/// A clone looks for each of its refs before it writes the first list.
#[cfg(unix)]
#[test]
fn a_missing_list_is_not_opened_again_until_it_exists() {
    let dir = scratch();
    let plan = FaultPlan::count_only();
    let storage = Arc::new(FaultStorage::new(Arc::new(StdStorage), Arc::clone(&plan)));
    let stack = open_with(storage, dir.path(), quiet()).unwrap();
    let before = plan.seen().len();
    for _ in 0..10 {
        assert!(!stack.reload().unwrap());
    }
    let operations: Vec<_> = plan.seen().into_iter().map(|(what, _)| what).collect();
    assert_eq!(operations[before..], [Operation::FileId; 10]);

    add(&open(dir.path()), &[("a", Some(1))]).unwrap();
    assert!(stack.reload().unwrap());
    assert_eq!(Snapshot::of(&stack.merged()).refs["a"], 1);
    fs::remove_file(dir.path().join("tables.list")).unwrap();
    assert!(stack.reload().unwrap());
    add(&open(dir.path()), &[("b", Some(2))]).unwrap();
    assert!(stack.reload().unwrap());
    assert_eq!(Snapshot::of(&stack.merged()).refs["b"], 2);
}

#[cfg(unix)]
#[test]
fn a_dangling_symbolic_link_is_no_empty_stack() {
    let root = scratch();
    let link = root.path().join("link");
    let target = root.path().join("target");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let error = open_with(Arc::new(StdStorage), &link, quiet()).unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
    fs::create_dir(&target).unwrap();
    add(&open(&link), &[("a", Some(1))]).unwrap();
    assert_eq!(Snapshot::of_dir(&target).refs["a"], 1);
}
