//! Tests of permissions and of files without flushes.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn permissions_are_those_of_git() {
    // From `git init --shared=SHARED` and `adjust_shared_perm()`.
    for (sharing, file, shared_file, dir, shared_dir) in [
        (Sharing::Umask, 0o644, 0o644, 0o755, 0o755),
        (Sharing::Also(0o660), 0o644, 0o664, 0o755, 0o2775),
        (Sharing::Also(0o660), 0o600, 0o660, 0o700, 0o2770),
        (Sharing::Also(0o660), 0o444, 0o444, 0o755, 0o2775),
        (Sharing::Also(0o664), 0o600, 0o664, 0o700, 0o2775),
        (Sharing::Exactly(0o640), 0o644, 0o640, 0o755, 0o2750),
        (Sharing::Exactly(0o600), 0o664, 0o600, 0o775, 0o700),
    ] {
        assert_eq!(sharing.of_file(file), shared_file, "{sharing:?}");
        if cfg!(target_os = "linux") {
            assert_eq!(sharing.of_dir(dir), shared_dir, "{sharing:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn new_files_and_directories_are_shared() {
    let dir = tempfile::tempdir().unwrap();
    let storage = ConfiguredStorage::default();
    storage.configure(FileOptions {
        sharing: Sharing::Exactly(0o640),
        no_fsync: true,
    });
    let stack = dir.path().join("reftable");
    storage.create_dir(&stack).unwrap();
    let temp = storage.temp_file(&stack.join("table")).unwrap();
    let mode = |path: &Path| mode_of(path).unwrap().unwrap();
    assert_eq!(mode(temp.path()), 0o640);
    let mut lock = storage.lock(&stack.join("tables.list"), 0).unwrap();
    assert_eq!(mode(lock.path()), 0o640);
    lock.write_all(b"x").unwrap();
    lock.sync().unwrap();
    assert!(lock.commit_keeping_handle().unwrap().is_some());
    assert_eq!(mode(&stack.join("tables.list")), 0o640);
    assert_eq!(mode(&stack) & 0o777, 0o750);
    storage.sync_dir(&stack).unwrap();
}
