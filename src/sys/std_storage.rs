//! The storage of the standard library.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::data::Quota;
use super::flock;
use super::mmap::Mapping;
use super::outcome::{ignore_unsupported, uninterrupted};
use super::{
    lock_path, random, with_backoff, FileId, FileKind, Hold, LinkedLock, ListFile, ListHandle,
    LockFile, LockState, Storage, TableData, TempFile, WriteFile, MAX_LIST_BYTES, TEMP_INFIX,
};

/// Tables up to this size, in bytes, are read; larger ones are mapped. Reading a few pages costs
/// less than mapping, faulting and unmapping them.
const MAP_FROM: usize = 32 << 10;

/// Tables up to this size, in bytes, are always read: a mapping takes a page, too.
const PAGE: usize = 4 << 10;

/// Limit of the bytes of all tables that are read; further ones are mapped. So the content of
/// thousands of tables is in the system's cache and not in the memory of each process.
static READ: Quota = Quota::new(16 << 20);

/// Limit of the number of mapped tables; further ones are read. Linux allows a process 65,530
/// mappings, and the host program needs some of them.
static MAPPINGS: Quota = Quota::new(32 << 10);

/// The most bytes of a lock file that are read.
const MAX_LOCK_BYTES: u64 = 256;

/// Number of names tried for a temporary file.
const TEMP_TRIES: u32 = 1000;

/// The storage of the standard library.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdStorage;

/// How a new file is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NewFileOptions {
    /// Starts writing the content to the disk, but does not wait for it.
    pub(super) no_fsync: bool,
}

impl StdStorage {
    pub(super) fn lock_with(
        target: &Path,
        timeout_ms: i64,
        options: NewFileOptions,
    ) -> io::Result<StdLock> {
        let path = lock_path(target);
        let file = with_backoff(timeout_ms, || create_new(&path))?;
        Ok(StdLock {
            new: NewFile::new(path, file, options),
            target: target.to_owned(),
        })
    }

    pub(super) fn temp_file_with(prefix: &Path, options: NewFileOptions) -> io::Result<StdTemp> {
        let mut tries = 0;
        loop {
            let mut path = prefix.as_os_str().to_owned();
            path.push(TEMP_INFIX);
            path.push(temp_suffix(random::next()));
            let path = PathBuf::from(path);
            match create_new(&path) {
                Ok(file) => return Ok(StdTemp(NewFile::new(path, file, options))),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && tries < TEMP_TRIES => {
                    tries += 1;
                }
                Err(e) => return Err(e),
            }
        }
    }
}

impl Storage for StdStorage {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        let (file, meta) = open_regular(path)?;
        let limit = u64::try_from(MAX_LIST_BYTES).unwrap_or(u64::MAX);
        let expected = usize::try_from(meta.len().min(limit)).unwrap_or(MAX_LIST_BYTES);
        // One byte more than the file has, so that one read reaches its end.
        let mut bytes = Vec::with_capacity(expected + 1);
        (&file).take(limit + 1).read_to_end(&mut bytes)?;
        let handle = id_of(&meta).map(|id| ListHandle::new(id, file));
        Ok(ListFile { bytes, handle })
    }

    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        id_of(&uninterrupted(|| fs::metadata(path))?)
            .ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let kind = uninterrupted(|| fs::symlink_metadata(path))?.file_type();
        Ok(match () {
            () if kind.is_file() => FileKind::File,
            () if kind.is_dir() => FileKind::Directory,
            () if kind.is_symlink() => FileKind::Symlink,
            () => FileKind::Other,
        })
    }

    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        let (file, meta) = open_regular(path)?;
        let len = usize::try_from(meta.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        if len <= MAP_FROM {
            let share = READ.take(len);
            if share.is_some() || len <= PAGE {
                return Ok(TableData::read(read_all(file, len)?, share));
            }
        }
        if let Some(share) = MAPPINGS.take(1) {
            if let Ok(mapping) = Mapping::new(&file, len) {
                return Ok(TableData::mapped(mapping, share));
            }
        }
        // The quota is used up, or the file system does not support mappings.
        Ok(TableData::read(read_all(file, len)?, None))
    }

    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        let lock = Self::lock_with(target, timeout_ms, NewFileOptions::default())?;
        Ok(Box::new(lock))
    }

    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        let path = lock_path(target);
        // Not repeated after an interruption: the link may have been created.
        fs::hard_link(mark, &path)?;
        Ok(Box::new(StdLinked(NewFile {
            path,
            file: None,
            keep: false,
            options: NewFileOptions::default(),
        })))
    }

    fn inspect_lock(&self, lock: &Path) -> io::Result<LockState> {
        let (file, meta) = open_regular(lock)?;
        let mut bytes = Vec::new();
        (&file).take(MAX_LOCK_BYTES).read_to_end(&mut bytes)?;
        Ok(LockState {
            bytes,
            dev: id_of(&meta).map(|id| id.dev),
            is_held: !flock::try_shared(&file).unwrap_or(false),
        })
    }

    fn system_id(&self) -> Option<String> {
        static ID: OnceLock<Option<String>> = OnceLock::new();
        ID.get_or_init(start_of_system).clone()
    }

    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        Ok(Box::new(Self::temp_file_with(
            prefix,
            NewFileOptions::default(),
        )?))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        uninterrupted(|| fs::remove_file(path))
    }

    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        uninterrupted(|| {
            fs::read_dir(dir)?
                .map(|entry| entry.map(|e| e.file_name()))
                .collect()
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // Other systems cannot open a directory as a file.
        if cfg!(unix) {
            ignore_unsupported(uninterrupted(|| File::open(dir)?.sync_all()))?;
        }
        Ok(())
    }

    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        let age = uninterrupted(|| fs::metadata(path))?.modified()?.elapsed();
        Ok(age.ok().and_then(|d| u64::try_from(d.as_millis()).ok()))
    }

    fn random(&self) -> u32 {
        random::next()
    }

    fn now_ms(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let since = START.get_or_init(Instant::now).elapsed();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_ms(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }
}

/// The boot ID of Linux; other systems have no such file.
fn start_of_system() -> Option<String> {
    let mut bytes = [0; 64];
    let mut file = File::open("/proc/sys/kernel/random/boot_id").ok()?;
    // The kernel returns all of it in the first call.
    let len = uninterrupted(|| file.read(&mut bytes)).ok()?;
    let id = std::str::from_utf8(bytes.get(..len)?).ok()?.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Asks the system to start writing the content of `file` to the disk. Linux does so when it is told
/// that the content is not needed in the cache; other systems have no such request.
fn begin_writing(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{fadvise, Advice};
        // A hint, so a failure has no consequence.
        let _ = fadvise(file, 0, None, Advice::DontNeed);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Opens a regular file for reading. Without `O_NONBLOCK`, opening a FIFO would wait for a
/// writer.
fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    let meta = uninterrupted(|| file.metadata())?;
    if !meta.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    Ok((file, meta))
}

/// Reads all `len` bytes of the file.
fn read_all(mut file: File, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len)?;
    bytes.resize(len, 0);
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
pub(super) fn id_of(meta: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let (dev, ino) = (meta.dev(), meta.ino());
    // Some file systems report zeros; git does not trust them, either.
    (dev != 0 && ino != 0).then_some(FileId { dev, ino })
}

#[cfg(not(unix))]
pub(super) fn id_of(_: &Metadata) -> Option<FileId> {
    None
}

impl Hold {
    /// Holds `file` until the last descriptor duplicated from this one is closed.
    ///
    /// # Errors
    /// `WouldBlock` if the file is held; any other error reported by the platform.
    pub fn of_file(file: File) -> io::Result<Self> {
        if !flock::try_exclusive(&file)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Self::new(file))
    }
}

impl ListHandle {
    /// Creates a handle that keeps `file` open; `None` if the platform cannot tell files apart.
    #[must_use]
    pub fn of_file(file: File) -> Option<Self> {
        let id = file.metadata().ok().as_ref().and_then(id_of)?;
        Some(Self::new(id, file))
    }
}

/// The six random characters of a temporary name; 62⁶ is a little more than 2³².
fn temp_suffix(mut number: u32) -> String {
    let digit = |n: u32| char::from_digit(n, 36).unwrap_or('0');
    let mut suffix = String::with_capacity(6);
    for _ in 0..6 {
        let n = number % 62;
        number /= 62;
        suffix.push(match n {
            0..=35 => digit(n),
            _ => digit(n - 26).to_ascii_uppercase(),
        });
    }
    suffix
}

/// A file created by this process. Dropping it removes the file unless it is kept.
#[derive(Debug)]
struct NewFile {
    path: PathBuf,
    file: Option<File>,
    keep: bool,
    options: NewFileOptions,
}

impl NewFile {
    fn new(path: PathBuf, file: File, options: NewFileOptions) -> Self {
        Self {
            path,
            file: Some(file),
            keep: false,
            options,
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let no_fsync = self.options.no_fsync;
        let file = self.open()?;
        if no_fsync {
            begin_writing(file);
            return Ok(());
        }
        file.sync_all()
    }

    fn open(&mut self) -> io::Result<&mut File> {
        self.file
            .as_mut()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "file is already closed"))
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let permissions = fs::Permissions::from_mode(mode);
            uninterrupted(|| match &self.file {
                Some(file) => file.set_permissions(permissions.clone()),
                None => fs::set_permissions(&self.path, permissions.clone()),
            })?;
        }
        #[cfg(not(unix))]
        let _ = mode;
        Ok(())
    }

    /// Renames the file to `to`. An open file stays open. On failure, `drop` removes it.
    fn rename(&mut self, to: &Path) -> io::Result<()> {
        if cfg!(not(unix)) {
            self.file = None;
        }
        fs::rename(&self.path, to)?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.keep {
            self.file = None;
            // On failure the file is a leftover, which is cleaned up later.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[derive(Debug)]
pub(super) struct StdLock {
    new: NewFile,
    target: PathBuf,
}

#[derive(Debug)]
pub(super) struct StdTemp(NewFile);

/// A link that is removed when dropped.
#[derive(Debug)]
struct StdLinked(#[expect(dead_code, reason = "held to be dropped")] NewFile);

impl LinkedLock for StdLinked {}

/// Locks and temporary files are written in the same way.
macro_rules! write_by_new_file {
    ($type:ty, $field:tt) => {
        impl WriteFile for $type {
            fn path(&self) -> &Path {
                &self.$field.path
            }
            fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
                self.$field.open()?.write_all(bytes)
            }
            fn set_mode(&mut self, mode: u32) -> io::Result<()> {
                self.$field.set_mode(mode)
            }
            fn sync(&mut self) -> io::Result<()> {
                self.$field.sync()
            }
            fn close(&mut self) -> io::Result<()> {
                self.$field.file = None;
                Ok(())
            }
        }
    };
}

write_by_new_file!(StdLock, new);
write_by_new_file!(StdTemp, 0);

impl LockFile for StdLock {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.new.rename(&self.target)
    }

    fn commit_keeping_handle(mut self: Box<Self>) -> io::Result<Option<ListHandle>> {
        self.new.rename(&self.target)?;
        // The rename is done, so an unknown identity is no failure.
        Ok(self.new.file.take().and_then(ListHandle::of_file))
    }
}

impl TempFile for StdTemp {
    fn hold(&self) -> io::Result<Hold> {
        let file = self.0.file.as_ref();
        Hold::of_file(file.ok_or(io::ErrorKind::InvalidInput)?.try_clone()?)
    }

    fn persist(mut self: Box<Self>, to: &Path) -> io::Result<()> {
        self.0.rename(to)
    }
}

#[cfg(test)]
mod tests;
