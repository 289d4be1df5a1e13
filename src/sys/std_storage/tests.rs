//! Tests of the standard library's storage.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn lock_is_exclusive_and_released_on_drop() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("tables.list");
    let lock = StdStorage.lock(&target, 0).unwrap();
    assert_eq!(lock.path(), dir.path().join("tables.list.lock"));
    let busy = StdStorage.lock(&target, 0).unwrap_err();
    assert_eq!(busy.kind(), io::ErrorKind::AlreadyExists);
    drop(lock);
    assert!(!dir.path().join("tables.list.lock").exists());
    StdStorage.lock(&target, 0).unwrap();
}

#[test]
fn lock_waits_until_its_timeout_or_the_release() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("f");
    let held = StdStorage.lock(&target, 0).unwrap();
    let before = Instant::now();
    assert!(StdStorage.lock(&target, 30).is_err());
    assert!(before.elapsed() >= Duration::from_millis(20));

    let waiter = {
        let target = target.clone();
        std::thread::spawn(move || StdStorage.lock(&target, -1).map(drop))
    };
    std::thread::sleep(Duration::from_millis(20));
    drop(held);
    waiter.join().unwrap().unwrap();
}

#[test]
fn committed_lock_replaces_the_target() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("f");
    fs::write(&target, "old").unwrap();
    let mut lock = StdStorage.lock(&target, 0).unwrap();
    lock.write_all(b"new").unwrap();
    lock.sync().unwrap();
    let handle = lock.commit_keeping_handle().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert!(!lock_path(&target).exists());
    assert_eq!(
        handle.map(|h| h.id()),
        StdStorage.file_id(&target).ok(),
        "the handle is that of the new target"
    );
}

#[test]
fn closed_lock_still_locks_and_can_be_committed() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("f");
    let mut lock = StdStorage.lock(&target, 0).unwrap();
    lock.close().unwrap();
    lock.close().unwrap();
    assert!(StdStorage.lock(&target, 0).is_err());
    assert!(lock.write_all(b"x").is_err());
    assert!(lock.commit_keeping_handle().unwrap().is_none());
    assert!(target.exists());
}

#[test]
fn temp_file_is_persisted_or_removed() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("0x1");
    let mut temp = StdStorage.temp_file(&prefix).unwrap();
    let path = temp.path().to_owned();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(name.len(), "0x1.temp.XXXXXX".len());
    assert!(name.starts_with("0x1.temp."));
    temp.write_all(b"abc").unwrap();
    drop(temp);
    assert!(!path.exists());

    let mut temp = StdStorage.temp_file(&prefix).unwrap();
    temp.write_all(b"abc").unwrap();
    let to = dir.path().join("t.ref");
    temp.persist(&to).unwrap();
    assert_eq!(&*StdStorage.open_table(&to).unwrap(), b"abc");
    assert_eq!(StdStorage.list_dir(dir.path()).unwrap(), ["t.ref"]);
}

#[cfg(unix)]
#[test]
fn mode_is_independent_of_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut temp = StdStorage.temp_file(&dir.path().join("p")).unwrap();
    for closed in [false, true] {
        let want = if closed { 0o640 } else { 0o666 };
        temp.set_mode(want).unwrap();
        let mode = fs::metadata(temp.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, want);
        temp.close().unwrap();
    }
}

#[test]
fn small_and_large_tables_read_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    for len in [0, 1, 32 << 10, (32 << 10) + 1, 1 << 20] {
        let bytes: Vec<u8> = (0..len).map(|i: u32| i.to_le_bytes()[0]).collect();
        fs::write(&path, &bytes).unwrap();
        let data = StdStorage.open_table(&path).unwrap();
        assert_eq!(&*data, &bytes[..], "length {len}");
    }
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    for path in [dir.path(), &fifo, Path::new("/dev/null")] {
        let error = StdStorage.open_table(path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        let error = StdStorage.read_list(path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
    }
    let missing = StdStorage.open_table(&dir.path().join("no")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_list_is_read_only_up_to_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tables.list");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    let list = StdStorage.read_list(&path).unwrap();
    assert_eq!(list.bytes.len(), MAX_LIST_BYTES + 1);
}

#[test]
fn temp_suffixes_are_six_letters_or_digits() {
    for n in [0, 1, 61, 62, 12_345_678, u32::MAX] {
        let suffix = temp_suffix(n);
        assert_eq!(suffix.len(), 6);
        assert!(suffix.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
    assert_eq!(temp_suffix(61), "Z00000");
    assert_ne!(temp_suffix(10), temp_suffix(36));
}

#[test]
fn many_small_tables_are_mapped() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("small"), vec![1; MAP_FROM]).unwrap();
    fs::write(path("tiny"), vec![2; PAGE]).unwrap();
    fs::write(path("large"), vec![3; MAP_FROM + 1]).unwrap();
    let open = |name: &str| StdStorage.open_table(&path(name)).unwrap();
    // Other tests may have used part of the quota.
    let most = (16 << 20) / MAP_FROM;
    let tables: Vec<_> = (0..most + 10).map(|_| open("small")).collect();
    assert!(tables.iter().filter(|table| table.is_mapped()).count() >= 10);
    assert!(tables.iter().all(|table| **table == vec![1; MAP_FROM][..]));
    assert!(!open("tiny").is_mapped() && open("large").is_mapped());
    drop(tables);
    assert!(!open("small").is_mapped());
}
