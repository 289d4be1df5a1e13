//! A storage whose n-th operation fails, or simulates the death of the process.
//!
//! Tests run the same work once for each of its operations, with a [`FaultPlan`] that makes that
//! operation fail, and then check the directory through another storage.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    lock_path, FileId, FileKind, Hold, LinkedLock, ListFile, ListHandle, LockFile, LockState,
    Storage, TableData, TempFile, WriteFile,
};

/// The operations that are counted and can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is named after the method of `Storage` or its files
pub enum Operation {
    ReadList,
    FileId,
    CreateDir,
    OpenTable,
    Lock,
    LockByLink,
    InspectLock,
    TempFile,
    Remove,
    ListDir,
    SyncDir,
    Age,
    Write,
    SetMode,
    Sync,
    Hold,
    Close,
    Commit,
    Persist,
    /// Dropping a lock or temporary file, which removes it.
    Discard,
}

/// The effect of a plan on the chosen operation.
#[derive(Clone)]
pub enum Fault {
    /// It fails with this kind of error and has no effect; a write is half done.
    Fail(io::ErrorKind),
    /// As `Fail`, with this `errno`.
    Errno(i32),
    /// As `Errno`, and so do all later operations: the disk is broken.
    Broken(i32),
    /// It is done but reports this kind of error, as a network file system may.
    FailAfter(io::ErrorKind),
    /// The process dies: neither this operation nor any later one has an effect, and nothing is
    /// cleaned up. A write is half done.
    Kill,
    /// As `Kill`, but this operation is done.
    KillAfter,
    /// The function is called first, as if another process acted; then the operation is done.
    Call(Arc<dyn Fn() + Send + Sync>),
}

/// Counts operations and applies a fault to one of them.
#[derive(Default)]
pub struct FaultPlan {
    count: AtomicU64,
    dead: AtomicBool,
    fault: Option<(u64, Fault)>,
    seen: Mutex<Vec<(Operation, PathBuf)>>,
}

impl std::fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultPlan")
            .field("count", &self.count)
            .field("dead", &self.dead)
            .finish_non_exhaustive()
    }
}

enum Step {
    Go,
    FailAfter(io::Error),
}

impl FaultPlan {
    /// A plan without a fault.
    #[must_use]
    pub fn count_only() -> Arc<Self> {
        Arc::default()
    }

    /// A plan that applies `fault` to operation `n`, counted from 0.
    #[must_use]
    pub fn at(n: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            fault: Some((n, fault)),
            ..Self::default()
        })
    }

    /// Number of operations so far.
    pub fn operations(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Whether [`Fault::Kill`] or [`Fault::KillAfter`] has been applied.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// The operations so far with their paths.
    pub fn seen(&self) -> Vec<(Operation, PathBuf)> {
        self.lock_seen().clone()
    }

    fn lock_seen(&self) -> MutexGuard<'_, Vec<(Operation, PathBuf)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, operation: Operation, path: &Path) -> io::Result<Step> {
        let killed = || io::Error::other("killed");
        if self.is_dead() {
            return Err(killed());
        }
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        self.lock_seen().push((operation, path.to_owned()));
        let fault = match &self.fault {
            Some((n, fault)) if *n == number => fault.clone(),
            Some((n, fault @ Fault::Broken(_))) if *n < number => fault.clone(),
            _ => return Ok(Step::Go),
        };
        match fault {
            Fault::Fail(kind) => Err(kind.into()),
            Fault::Errno(number) | Fault::Broken(number) => {
                Err(io::Error::from_raw_os_error(number))
            }
            Fault::FailAfter(kind) => Ok(Step::FailAfter(kind.into())),
            Fault::Kill => {
                self.dead.store(true, Ordering::SeqCst);
                Err(killed())
            }
            Fault::KillAfter => {
                self.dead.store(true, Ordering::SeqCst);
                Ok(Step::FailAfter(killed()))
            }
            Fault::Call(call) => {
                call();
                Ok(Step::Go)
            }
        }
    }

    fn run<T>(
        &self,
        operation: Operation,
        path: &Path,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        match self.step(operation, path)? {
            Step::Go => work(),
            Step::FailAfter(error) => {
                let done = work();
                if self.is_dead() {
                    // Dropping a new file would remove it.
                    std::mem::forget(done);
                    return Err(error);
                }
                done.and(Err(error))
            }
        }
    }
}

/// A storage under a [`FaultPlan`]. Clock and random numbers never fail.
#[derive(Debug)]
pub struct FaultStorage {
    inner: Arc<dyn Storage>,
    plan: Arc<FaultPlan>,
}

impl FaultStorage {
    /// Forwards all operations to `inner`, except as `plan` says.
    pub fn new(inner: Arc<dyn Storage>, plan: Arc<FaultPlan>) -> Self {
        Self { inner, plan }
    }
}

impl Storage for FaultStorage {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        self.plan
            .run(Operation::ReadList, path, || self.inner.read_list(path))
    }

    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        self.plan
            .run(Operation::FileId, path, || self.inner.file_id(path))
    }

    /// Not counted: it is only used after another operation has failed.
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        self.inner.kind(path)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.plan
            .run(Operation::CreateDir, dir, || self.inner.create_dir(dir))
    }

    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        self.plan
            .run(Operation::OpenTable, path, || self.inner.open_table(path))
    }

    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        let inner = self.plan.run(Operation::Lock, target, || {
            self.inner.lock(target, timeout_ms)
        })?;
        Ok(Box::new(Faulty::new(inner, &self.plan)))
    }

    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        let inner = self.plan.run(Operation::LockByLink, target, || {
            self.inner.lock_by_link(mark, target)
        })?;
        Ok(Box::new(Faulty {
            path: lock_path(target),
            inner: Some(inner),
            plan: Arc::clone(&self.plan),
        }))
    }

    fn inspect_lock(&self, lock: &Path) -> io::Result<LockState> {
        self.plan.run(Operation::InspectLock, lock, || {
            self.inner.inspect_lock(lock)
        })
    }

    fn system_id(&self) -> Option<String> {
        self.inner.system_id()
    }

    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        let inner = self
            .plan
            .run(Operation::TempFile, prefix, || self.inner.temp_file(prefix))?;
        Ok(Box::new(Faulty::new(inner, &self.plan)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.plan
            .run(Operation::Remove, path, || self.inner.remove(path))
    }

    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.plan
            .run(Operation::ListDir, dir, || self.inner.list_dir(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.plan
            .run(Operation::SyncDir, dir, || self.inner.sync_dir(dir))
    }

    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        self.plan
            .run(Operation::Age, path, || self.inner.age_ms(path))
    }

    fn random(&self) -> u32 {
        self.inner.random()
    }

    fn now_ms(&self) -> u64 {
        self.inner.now_ms()
    }

    fn sleep_ms(&self, ms: u64) {
        self.inner.sleep_ms(ms);
    }
}

/// A lock or temporary file that can be abandoned, as by a process that dies.
trait Leave: std::fmt::Debug {
    /// Closes the file without removing it.
    fn leave(self: Box<Self>);
}

impl Leave for dyn LockFile {
    fn leave(mut self: Box<Self>) {
        // The descriptor is closed even on an error.
        let _ = self.close();
        std::mem::forget(self);
    }
}

impl Leave for dyn TempFile {
    fn leave(mut self: Box<Self>) {
        let _ = self.close();
        std::mem::forget(self);
    }
}

impl Leave for dyn LinkedLock {
    fn leave(self: Box<Self>) {
        std::mem::forget(self);
    }
}

/// A lock or temporary file under a plan; `inner` is `None` after it was consumed.
#[derive(Debug)]
struct Faulty<F: Leave + ?Sized> {
    path: PathBuf,
    inner: Option<Box<F>>,
    plan: Arc<FaultPlan>,
}

impl<F: WriteFile + Leave + ?Sized> Faulty<F> {
    fn new(inner: Box<F>, plan: &Arc<FaultPlan>) -> Self {
        Self {
            path: inner.path().to_owned(),
            inner: Some(inner),
            plan: Arc::clone(plan),
        }
    }

    fn run<T>(
        &mut self,
        operation: Operation,
        work: impl FnOnce(&mut F) -> io::Result<T>,
    ) -> io::Result<T> {
        let inner = self.inner.as_deref_mut().ok_or_else(used_up)?;
        self.plan.run(operation, &self.path, || work(inner))
    }

    /// Runs an operation that consumes the file. If that fails by the plan, the file stays in
    /// `self`, whose `drop` then removes it or, after a kill, abandons it.
    fn consume<T>(
        &mut self,
        operation: Operation,
        work: impl FnOnce(Box<F>) -> io::Result<T>,
    ) -> io::Result<T> {
        let step = self.plan.step(operation, &self.path)?;
        let inner = self.inner.take().ok_or_else(used_up)?;
        match step {
            Step::Go => work(inner),
            Step::FailAfter(error) => work(inner).and(Err(error)),
        }
    }
}

fn used_up() -> io::Error {
    io::ErrorKind::InvalidInput.into()
}

impl<F: WriteFile + Leave + ?Sized> WriteFile for Faulty<F> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let dead_before = self.plan.is_dead();
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        match self.plan.step(Operation::Write, &self.path) {
            Ok(step) => {
                let inner = self.inner.as_deref_mut().ok_or_else(used_up)?;
                inner.write_all(bytes)?;
                match step {
                    Step::Go => Ok(()),
                    Step::FailAfter(error) => Err(error),
                }
            }
            Err(error) => {
                if let (false, Some(inner)) = (dead_before, self.inner.as_deref_mut()) {
                    inner.write_all(half)?;
                }
                Err(error)
            }
        }
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.run(Operation::SetMode, |f| f.set_mode(mode))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.run(Operation::Sync, |f| f.sync())
    }

    fn close(&mut self) -> io::Result<()> {
        self.run(Operation::Close, |f| f.close())
    }
}

impl LockFile for Faulty<dyn LockFile> {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.consume(Operation::Commit, |f| f.commit())
    }

    fn commit_keeping_handle(mut self: Box<Self>) -> io::Result<Option<ListHandle>> {
        self.consume(Operation::Commit, |f| f.commit_keeping_handle())
    }
}

impl TempFile for Faulty<dyn TempFile> {
    /// A dead process holds nothing, so the guard is dropped, not forgotten.
    fn hold(&self) -> io::Result<Hold> {
        let inner = self.inner.as_deref().ok_or_else(used_up)?;
        match self.plan.step(Operation::Hold, &self.path)? {
            Step::Go => inner.hold(),
            Step::FailAfter(error) => inner.hold().and(Err(error)),
        }
    }

    fn persist(mut self: Box<Self>, to: &Path) -> io::Result<()> {
        self.consume(Operation::Persist, |f| f.persist(to))
    }
}

impl LinkedLock for Faulty<dyn LinkedLock> {}

impl<F: Leave + ?Sized> Drop for Faulty<F> {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else {
            return;
        };
        match self.plan.step(Operation::Discard, &self.path) {
            Ok(_) => drop(inner),
            // A dead process leaves the file: dropping `inner` would remove it.
            Err(_) => inner.leave(),
        }
    }
}
