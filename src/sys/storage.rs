//! What the stack needs of a platform.
#![forbid(unsafe_code)]

use std::any::Any;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::TableData;

/// The most bytes of a `tables.list` that are read: 4 MiB, some 90,000 table names.
pub const MAX_LIST_BYTES: usize = 4 << 20;

/// Suffix of the file that locks another one.
pub const LOCK_SUFFIX: &str = ".lock";

/// Part of a temporary file's name between its prefix and six random characters.
pub const TEMP_INFIX: &str = ".temp.";

/// What tells one file from another: device and inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Number of the device.
    pub dev: u64,
    /// Number of the inode on that device.
    pub ino: u64,
}

/// What a name in a directory stands for, without following it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, whatever it leads to.
    Symlink,
    /// A FIFO, a socket or a device.
    Other,
}

/// An open list file.
///
/// As long as it is open the system cannot give its inode number to another
/// file, so an equal [`FileId`] means the same file, and lists are replaced,
/// never rewritten.
#[derive(Clone, Debug)]
pub struct ListHandle {
    id: FileId,
    _open: Arc<dyn Any + Send + Sync>,
}

impl ListHandle {
    /// A handle of the file `id`, which `open` keeps open until it is dropped.
    pub fn new(id: FileId, open: impl Any + Send + Sync) -> Self {
        Self {
            id,
            _open: Arc::new(open),
        }
    }

    /// The file that is kept open.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }
}

/// A list file's content.
#[derive(Debug)]
pub struct ListFile {
    /// The content, at most [`MAX_LIST_BYTES`] and one byte more: who parses it
    /// refuses what is longer.
    pub bytes: Vec<u8>,
    /// The open file, where the platform can tell files apart.
    pub handle: Option<ListHandle>,
}

/// The platform as the stack sees it.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Reads a small file as a whole and keeps it open.
    ///
    /// # Errors
    /// `NotFound` when there is no such file; `InvalidInput` when it is not a regular file.
    fn read_list(&self, path: &Path) -> io::Result<ListFile>;

    /// The identity of the file that `path` names now.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Unsupported` where files cannot be told apart.
    fn file_id(&self, path: &Path) -> io::Result<FileId>;

    /// What `path` is, without following a symbolic link.
    ///
    /// # Errors
    /// `NotFound` when there is nothing; any error reported by the platform.
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes the directory of a stack that has been removed, with the permissions that the host
    /// gives to new directories of a repository.
    ///
    /// # Errors
    /// `AlreadyExists` when there is something of that name; `Unsupported` where making it is
    /// left to the caller; any other error reported by the platform.
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let _ = dir;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Opens a table for reading. Never blocks on a FIFO.
    ///
    /// # Errors
    /// `NotFound` when there is no such file; `InvalidInput` when it is not a regular file.
    fn open_table(&self, path: &Path) -> io::Result<TableData>;

    /// Locks `target` by creating `target.lock`, which must not exist.
    ///
    /// While another holds the lock, tries again with growing, jittered pauses
    /// for about `timeout_ms` milliseconds: not at all for 0, for ever when negative.
    ///
    /// # Errors
    /// `AlreadyExists` when the lock is held by another.
    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>>;

    /// Locks `target` by giving the file `mark` the name `target.lock`, too, which must not
    /// exist: so the lock appears together with the content of `mark`, and while that is
    /// [held](TempFile::hold) so is every lock made of it.
    ///
    /// # Errors
    /// `AlreadyExists` when the lock is held by another; whatever the platform tells, for
    /// instance that it cannot give a file two names.
    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        let _ = (mark, target);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Looks at a lock file, or at another that may be [held](TempFile::hold).
    ///
    /// # Errors
    /// `NotFound` when there is none; whatever the platform tells.
    fn look_at_lock(&self, lock: &Path) -> io::Result<LockLook> {
        let _ = lock;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A name for the system from its start to its end, which no other system has: there a
    /// held file can be seen to be held. Nothing when there is no such name.
    fn system_id(&self) -> Option<String> {
        None
    }

    /// Creates a file named `prefix.temp.XXXXXX` that did not exist.
    ///
    /// # Errors
    /// Whatever the platform tells.
    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` when there is no such file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, in no order, without `.` and `..`.
    ///
    /// # Errors
    /// Whatever the platform tells.
    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>>;

    /// Brings the names in a folder to the disk: what was created, renamed and removed
    /// there. A storage whose host does without flushing does nothing.
    ///
    /// # Errors
    /// Whatever the platform tells, other than that it cannot flush folders.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// As [`sync_dir`](Self::sync_dir), where that spares a compaction with its flushes: a
    /// host that counts flushes counts this one in their place.
    ///
    /// # Errors
    /// Those of [`sync_dir`](Self::sync_dir).
    fn sync_dir_for_fold(&self, dir: &Path) -> io::Result<()> {
        self.sync_dir(dir)
    }

    /// Milliseconds since the file was last written, if that can be told.
    ///
    /// # Errors
    /// `NotFound` when there is no such file.
    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        let _ = path;
        Ok(None)
    }

    /// A random number, good enough that names of different processes differ.
    fn random(&self) -> u32;

    /// Milliseconds of a clock that is only used for differences.
    fn now_ms(&self) -> u64;

    /// Sleeps.
    fn sleep_ms(&self, ms: u64);
}

/// A new file that is being written.
pub trait WriteFile: std::fmt::Debug {
    /// Where the file stands now.
    fn path(&self) -> &Path;

    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// Whatever the platform tells; part of the bytes may then have been written.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Sets the permission bits, free of the umask.
    ///
    /// # Errors
    /// Whatever the platform tells.
    fn set_mode(&mut self, mode: u32) -> io::Result<()>;

    /// Brings the content to the disk. A storage whose host does without flushing at
    /// least begins to write it there, without waiting: many file systems bring a new name
    /// to the disk long before the content, which after a power failure is then missing.
    ///
    /// # Errors
    /// Whatever the platform tells.
    fn sync(&mut self) -> io::Result<()>;

    /// Gives the file descriptor back and leaves the file where it is. Harmless
    /// when done twice.
    ///
    /// # Errors
    /// Whatever the platform tells.
    fn close(&mut self) -> io::Result<()>;
}

/// A held lock, which is also the file that will take its target's place.
/// Dropping it gives the lock up and removes the lock file.
pub trait LockFile: WriteFile {
    /// Renames the lock file over its target, which ends the lock.
    ///
    /// # Errors
    /// Whatever the platform tells; the lock is given up.
    fn commit(self: Box<Self>) -> io::Result<()>;

    /// As [`commit`](Self::commit), and gives the new target's handle if the storage
    /// still has it open, which spares its user to open what it has just written.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    fn commit_keeping_handle(self: Box<Self>) -> io::Result<Option<ListHandle>> {
        self.commit().map(|()| None)
    }
}

/// A held lock that is another name of some file. Dropping it removes that name.
pub trait LinkedLock: std::fmt::Debug {}

/// What keeps a file held; see [`TempFile::hold`].
#[derive(Debug)]
pub struct Hold {
    file: File,
}

impl Hold {
    /// Keeps `file`, which is locked, open until the result is dropped.
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    /// Sets the file's time to now: others respect a hold only as long as its file is younger
    /// than a day, since anybody who may read the file can hold it, too.
    pub fn renew(&self) {
        // Without it the hold is respected for a day all the same.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

/// What a look at a lock file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockLook {
    /// The first bytes of the file.
    pub bytes: Vec<u8>,
    /// The number of its device, where the platform can tell it.
    pub dev: Option<u64>,
    /// Whether a process that lives holds the file, of those of this system and perhaps of
    /// others; true also when that cannot be told.
    pub is_held: bool,
}

/// A temporary file. Dropping it removes it.
pub trait TempFile: WriteFile {
    /// Shows whoever [looks](Storage::look_at_lock) at the file, under whatever name, that
    /// this process lives, for as long as that is so and what is returned is kept.
    ///
    /// # Errors
    /// Whatever the platform tells, for instance that it does not know of such a thing.
    fn hold(&self) -> io::Result<Hold> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Renames the file to `to`, where it stays.
    ///
    /// # Errors
    /// Whatever the platform tells; the file is removed.
    fn persist(self: Box<Self>, to: &Path) -> io::Result<()>;
}

/// `target` with [`LOCK_SUFFIX`] at its end.
#[must_use]
pub fn lock_path(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(LOCK_SUFFIX);
    path.into()
}
