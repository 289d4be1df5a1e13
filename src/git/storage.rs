//! The storage of a repository. It reads through `std`, and writes through git's own lock files
//! and temporary files, which git removes on a signal or an early exit.
#![forbid(unsafe_code)]

use super::sys::files::{self, Lock, Temp};
use super::sys::repo::Repository;
use crate::sys::{
    lock_path, outcome::ignore_unsupported, with_backoff, FileId, FileKind, Hold, LinkedLock,
    ListFile, ListHandle, LockFile, LockState, StdStorage, Storage, TableData, TempFile, WriteFile,
};
use std::ffi::{c_int, CString, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The storage of a git process.
#[derive(Debug)]
pub struct GitStorage {
    std: StdStorage,
    repo: Repository,
}

impl GitStorage {
    /// The storage of `repo`.
    pub fn new(repo: Repository) -> Self {
        Self {
            std: StdStorage,
            repo,
        }
    }
}

impl Storage for GitStorage {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        self.std.read_list(path)
    }

    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        self.std.file_id(path)
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        self.std.kind(path)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.repo.try_create_dir(&c_path(dir)?)
    }

    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        self.std.open_table(path)
    }

    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        let target = c_path(target)?;
        let lock = with_backoff(timeout_ms, || Lock::acquire(&target))?;
        let path = lock.path();
        Ok(Box::new(GitLock { lock, path }))
    }

    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        let lock = lock_path(target);
        let name = c_path(&lock)?;
        fs::hard_link(mark, &lock)?;
        Ok(Box::new(GitLinked(Temp::adopt(&name))))
    }

    fn inspect_lock(&self, lock: &Path) -> io::Result<LockState> {
        self.std.inspect_lock(lock)
    }

    fn system_id(&self) -> Option<String> {
        self.std.system_id()
    }

    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        let mut pattern = prefix.as_os_str().as_bytes().to_vec();
        pattern.extend_from_slice(b".temp.XXXXXX");
        let temp = Temp::create(&CString::new(pattern)?)?;
        let path = temp.path();
        Ok(Box::new(GitTemp { temp, path }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.std.remove(path)
    }

    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.std.list_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if !files::flushes_references() {
            return Ok(());
        }
        ignore_unsupported(File::open(dir).and_then(|dir| files::sync_dir(&dir)))
    }

    fn sync_dir_for_fold(&self, dir: &Path) -> io::Result<()> {
        if !files::flushes_references() {
            return Ok(());
        }
        // Git's own function counts this flush in its traces, which its tests compare.
        ignore_unsupported(File::open(dir).and_then(|dir| files::sync_reference(dir.as_raw_fd())))
    }

    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        self.std.age_ms(path)
    }

    fn random(&self) -> u32 {
        files::random()
    }

    fn now_ms(&self) -> u64 {
        files::now_ms()
    }

    fn sleep_ms(&self, ms: u64) {
        self.std.sleep_ms(ms);
    }
}

#[derive(Debug)]
struct GitLock {
    lock: Lock,
    path: PathBuf,
}

impl WriteFile for GitLock {
    fn path(&self) -> &Path {
        &self.path
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        files::write_all(self.lock.fd(), bytes)
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        files::set_mode(self.lock.fd(), mode)
    }

    fn sync(&mut self) -> io::Result<()> {
        sync(self.lock.fd())
    }

    fn close(&mut self) -> io::Result<()> {
        self.lock.close()
    }
}

impl LockFile for GitLock {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.lock.close()?;
        self.lock.commit()
    }

    fn commit_keeping_handle(mut self: Box<Self>) -> io::Result<Option<ListHandle>> {
        // Without the handle the list is only read more often.
        let file = self.lock.duplicate().ok();
        self.lock.close()?;
        self.lock.commit()?;
        Ok(file.and_then(ListHandle::of_file))
    }
}

#[derive(Debug)]
struct GitTemp {
    temp: Temp,
    path: PathBuf,
}

impl WriteFile for GitTemp {
    fn path(&self) -> &Path {
        &self.path
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        files::write_all(self.temp.fd(), bytes)
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        files::set_mode(self.temp.fd(), mode)
    }

    fn sync(&mut self) -> io::Result<()> {
        sync(self.temp.fd())
    }

    fn close(&mut self) -> io::Result<()> {
        self.temp.close()
    }
}

/// Removed when dropped, or by git's handlers. A signal between the creation of the file and its
/// adoption leaves the file, which is marked as that of a dead process.
#[derive(Debug)]
struct GitLinked(#[expect(dead_code, reason = "its drop removes the file")] Temp);

impl LinkedLock for GitLinked {}

impl TempFile for GitTemp {
    fn hold(&self) -> io::Result<Hold> {
        Hold::of_file(self.temp.duplicate()?)
    }

    fn persist(mut self: Box<Self>, to: &Path) -> io::Result<()> {
        self.temp.close()?;
        self.temp.persist(&c_path(to)?)
    }
}

/// Flushes an open file if `core.fsync` includes references. Otherwise asks the system to
/// start writing it.
fn sync(fd: c_int) -> io::Result<()> {
    if !files::flushes_references() {
        files::begin_writing(fd);
        return Ok(());
    }
    files::sync_reference(fd)
}

/// `path` as git's functions take it.
fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
