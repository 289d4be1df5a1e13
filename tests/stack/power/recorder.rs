//! A storage that records its operations.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use reftable::internals::{
    FileId, ListFile, ListHandle, LockFile, StdStorage, Storage, TableData, TempFile, WriteFile,
};

use super::trace::{Event, FileNumber};

/// What a flush does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Contents and names are flushed, as with `core.fsync=reference`.
    All,
    /// Writing of the contents begins, as in the backend's default.
    Begin,
    /// Nothing.
    Nothing,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Event>,
    next: FileNumber,
    /// Milliseconds that callers requested to sleep.
    slept: u64,
}

/// The standard storage in one directory, recording every change. It flushes nothing, and advances
/// its clock instead of sleeping: no other process changes the directory.
#[derive(Clone, Debug)]
pub struct Recorder {
    log: Arc<Mutex<Log>>,
    flush: Flush,
}

impl Recorder {
    pub fn new(flush: Flush) -> Self {
        Self {
            log: Arc::default(),
            flush,
        }
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.log.lock().unwrap().events.clone()
    }

    /// Records that a caller has been reported of its success.
    pub fn acknowledge(&self) {
        self.push(Event::Acknowledge);
    }

    fn push(&self, event: Event) {
        self.log.lock().unwrap().events.push(event);
    }

    fn file<F: WriteFile + ?Sized>(&self, inner: Box<F>) -> Recorded<F> {
        let mut log = self.log.lock().unwrap();
        log.next += 1;
        let file = log.next;
        let name = name(inner.path());
        log.events.push(Event::Create { name, file });
        drop(log);
        Recorded {
            path: inner.path().to_owned(),
            inner: Some(inner),
            file,
            recorder: self.clone(),
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl Storage for Recorder {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        StdStorage.read_list(path)
    }
    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        StdStorage.file_id(path)
    }
    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        StdStorage.open_table(path)
    }
    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        let lock = StdStorage.lock(target, timeout_ms)?;
        Ok(Box::new(self.file(lock)))
    }
    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        let temp = StdStorage.temp_file(prefix)?;
        Ok(Box::new(self.file(temp)))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        StdStorage.remove(path)?;
        self.push(Event::Remove { name: name(path) });
        Ok(())
    }
    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        StdStorage.list_dir(dir)
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        if self.flush == Flush::All {
            self.push(Event::SyncDir);
        }
        Ok(())
    }
    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        StdStorage.age_ms(path)
    }
    fn random(&self) -> u32 {
        StdStorage.random()
    }
    fn now_ms(&self) -> u64 {
        StdStorage.now_ms() + self.log.lock().unwrap().slept
    }
    fn sleep_ms(&self, ms: u64) {
        self.log.lock().unwrap().slept += ms;
    }
}

/// A lock or temporary file whose changes are recorded.
#[derive(Debug)]
struct Recorded<F: WriteFile + ?Sized> {
    path: PathBuf,
    inner: Option<Box<F>>,
    file: FileNumber,
    recorder: Recorder,
}

impl<F: WriteFile + ?Sized> Recorded<F> {
    fn inner(&mut self) -> &mut F {
        self.inner.as_deref_mut().unwrap()
    }

    fn renamed(&self, to: &Path) {
        self.recorder.push(Event::Rename {
            from: name(&self.path),
            to: name(to),
        });
    }
}

impl<F: WriteFile + ?Sized> WriteFile for Recorded<F> {
    fn path(&self) -> &Path {
        &self.path
    }
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner().write_all(bytes)?;
        let (file, bytes) = (self.file, bytes.to_owned());
        self.recorder.push(Event::Write { file, bytes });
        Ok(())
    }
    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.inner().set_mode(mode)
    }
    fn sync(&mut self) -> io::Result<()> {
        let file = self.file;
        match self.recorder.flush {
            Flush::All => self.recorder.push(Event::Sync { file }),
            Flush::Begin => self.recorder.push(Event::Begin { file }),
            Flush::Nothing => {}
        }
        Ok(())
    }
    fn close(&mut self) -> io::Result<()> {
        self.inner().close()
    }
}

impl LockFile for Recorded<dyn LockFile> {
    fn commit(self: Box<Self>) -> io::Result<()> {
        self.commit_keeping_handle().map(drop)
    }
    fn commit_keeping_handle(mut self: Box<Self>) -> io::Result<Option<ListHandle>> {
        let inner = self.inner.take().unwrap();
        let handle = inner.commit_keeping_handle()?;
        self.renamed(Path::new(name(&self.path).strip_suffix(".lock").unwrap()));
        Ok(handle)
    }
}

impl TempFile for Recorded<dyn TempFile> {
    fn persist(mut self: Box<Self>, to: &Path) -> io::Result<()> {
        let inner = self.inner.take().unwrap();
        inner.persist(to)?;
        self.renamed(to);
        Ok(())
    }
}

impl<F: WriteFile + ?Sized> Drop for Recorded<F> {
    fn drop(&mut self) {
        if self.inner.take().is_some() {
            let name = name(&self.path);
            self.recorder.push(Event::Remove { name });
        }
    }
}
