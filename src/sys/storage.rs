//! The operations that a stack needs from the platform.
#![forbid(unsafe_code)]

use std::any::Any;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::TableData;

/// Largest accepted size of `tables.list`: 4 MiB, about 90,000 table names.
pub const MAX_LIST_BYTES: usize = 4 << 20;

/// Suffix of the file that locks another one.
pub const LOCK_SUFFIX: &str = ".lock";

/// Infix of a temporary file's name, followed by six random characters.
pub const TEMP_INFIX: &str = ".temp.";

/// The identity of a file: device and inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Number of the device.
    pub dev: u64,
    /// Number of the inode on that device.
    pub ino: u64,
}

/// The type of a directory entry. Symbolic links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, with any or no target.
    Symlink,
    /// A FIFO, a socket or a device.
    Other,
}

/// An open list file.
///
/// While it is open the system cannot reuse its inode number, so an equal [`FileId`] means the
/// same file. And as lists are replaced, never rewritten, that means the same content.
#[derive(Clone, Debug)]
pub struct ListHandle {
    id: FileId,
    _open: Arc<dyn Any + Send + Sync>,
}

impl ListHandle {
    /// Creates a handle of the file `id`, which is open until `open` is dropped.
    pub fn new(id: FileId, open: impl Any + Send + Sync) -> Self {
        Self {
            id,
            _open: Arc::new(open),
        }
    }

    /// The identity of the open file.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }
}

/// A list file's content.
#[derive(Debug)]
pub struct ListFile {
    /// The content, cut off after [`MAX_LIST_BYTES`] and one byte more; the parser rejects a list
    /// of that length.
    pub bytes: Vec<u8>,
    /// The open file; `None` if the platform cannot tell files apart.
    pub handle: Option<ListHandle>,
}

/// Files, locks, clock and random numbers of a platform.
pub trait Storage: Send + Sync {
    /// Reads a list file and keeps it open.
    ///
    /// # Errors
    /// `NotFound` if there is no such file; `InvalidInput` if it is not a regular file.
    fn read_list(&self, path: &Path) -> io::Result<ListFile>;

    /// Returns the identity of the file `path`.
    ///
    /// # Errors
    /// `NotFound` if there is no such file; `Unsupported` if the platform cannot tell files apart.
    fn file_id(&self, path: &Path) -> io::Result<FileId>;

    /// Returns the type of `path`, without following a symbolic link.
    ///
    /// # Errors
    /// `NotFound` if there is no such entry; any error reported by the platform.
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Creates the directory of a stack again, with the permissions of new directories in the
    /// host's repositories.
    ///
    /// # Errors
    /// `AlreadyExists` if the name exists; `Unsupported` if this storage creates no directories;
    /// any other error reported by the platform.
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let _ = dir;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Opens a table for reading. Does not block if it is a FIFO.
    ///
    /// # Errors
    /// `NotFound` if there is no such file; `InvalidInput` if it is not a regular file.
    fn open_table(&self, path: &Path) -> io::Result<TableData>;

    /// Locks `target` by creating `target.lock`, which must not exist.
    ///
    /// If the lock is held, retries with growing, jittered pauses for about `timeout_ms`
    /// milliseconds: not at all for 0, forever if negative.
    ///
    /// # Errors
    /// `AlreadyExists` if the lock is held.
    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>>;

    /// Locks `target` by a hard link `target.lock` to the file `mark`; the link must not exist.
    ///
    /// The lock appears with the content of `mark`. While `mark` is [held](TempFile::hold), so are
    /// all locks linked to it.
    ///
    /// # Errors
    /// `AlreadyExists` if the lock is held; any error reported by the platform, for instance that
    /// it has no hard links.
    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        let _ = (mark, target);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Examines a lock file, or another file that may be [held](TempFile::hold).
    ///
    /// # Errors
    /// `NotFound` if there is no such file; any other error reported by the platform.
    fn inspect_lock(&self, lock: &Path) -> io::Result<LockState> {
        let _ = lock;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A unique name of the running system, from boot to shutdown. On this system a process can
    /// see whether a file is held. `None` if the platform has no such name.
    fn system_id(&self) -> Option<String> {
        None
    }

    /// Creates a new file named `prefix.temp.XXXXXX`.
    ///
    /// # Errors
    /// Any error reported by the platform.
    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` if there is no such file; any other error reported by the platform.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns the names in a directory, unsorted, without `.` and `..`.
    ///
    /// # Errors
    /// Any error reported by the platform.
    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>>;

    /// Flushes a directory, so that files created, renamed and removed in it are durable. A
    /// storage may do nothing if its host is configured not to flush.
    ///
    /// # Errors
    /// Any error reported by the platform, except that it cannot flush directories.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// As [`sync_dir`](Self::sync_dir), for a change that saves a compaction and its flushes. A
    /// host that counts flushes counts this one instead of those.
    ///
    /// # Errors
    /// As for [`sync_dir`](Self::sync_dir).
    fn sync_dir_for_fold(&self, dir: &Path) -> io::Result<()> {
        self.sync_dir(dir)
    }

    /// Returns the milliseconds since the file was last modified; `None` if that is unknown.
    ///
    /// # Errors
    /// `NotFound` if there is no such file; any other error reported by the platform.
    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        let _ = path;
        Ok(None)
    }

    /// Returns a random number, to make names of different processes distinct.
    fn random(&self) -> u32;

    /// Returns the time of a monotonic clock, in milliseconds from an arbitrary start.
    fn now_ms(&self) -> u64;

    /// Sleeps for `ms` milliseconds.
    fn sleep_ms(&self, ms: u64);
}

/// A new file that is being written.
pub trait WriteFile {
    /// The file's current path.
    fn path(&self) -> &Path;

    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// Any error reported by the platform; part of the bytes may have been written.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Sets the permission bits, independently of the umask.
    ///
    /// # Errors
    /// Any error reported by the platform.
    fn set_mode(&mut self, mode: u32) -> io::Result<()>;

    /// Flushes the content to the disk. If its host is configured not to flush, a storage starts
    /// writing the content without waiting: many file systems write a new name long before the
    /// content, and a power failure in between leaves an empty file.
    ///
    /// # Errors
    /// Any error reported by the platform.
    fn sync(&mut self) -> io::Result<()>;

    /// Closes the file descriptor; the file stays. Closing it twice is harmless.
    ///
    /// # Errors
    /// Any error reported by the platform.
    fn close(&mut self) -> io::Result<()>;
}

/// A held lock, which is also the file that replaces its target when committed. Dropping it
/// releases the lock and removes the lock file.
pub trait LockFile: WriteFile + Send {
    /// Renames the lock file over its target, which releases the lock.
    ///
    /// # Errors
    /// Any error reported by the platform; the lock is released.
    fn commit(self: Box<Self>) -> io::Result<()>;

    /// As [`commit`](Self::commit). Returns the new target's handle if the storage still has it
    /// open, so that the caller need not open it again.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    fn commit_keeping_handle(self: Box<Self>) -> io::Result<Option<ListHandle>> {
        self.commit().map(|()| None)
    }
}

/// A held lock that is a hard link to some file. Dropping it removes the link.
pub trait LinkedLock {}

/// Implements `Debug` for trait objects, by the name of the trait. If `Debug` were a supertrait,
/// each vtable would refer to the debug output of its type and of all that the type holds: data
/// that is relocated whenever git starts, for output that git never prints.
macro_rules! debug_by_name {
    ($($name:ident)+) => {
        $(impl std::fmt::Debug for dyn $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}
debug_by_name!(Storage LockFile TempFile LinkedLock);

/// A guard that keeps a file held; see [`TempFile::hold`].
#[derive(Debug)]
pub struct Hold {
    file: File,
}

impl Hold {
    /// Keeps the locked `file` open until the guard is dropped.
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    /// Sets the file's modification time to now. Other processes respect a hold for a day after
    /// that time, since anyone who can read the file can hold it.
    pub fn renew(&self) {
        // On failure the hold is respected until a day after the last renewal.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

/// The state of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockState {
    /// The first bytes of the file.
    pub bytes: Vec<u8>,
    /// Its device number; `None` if the platform has none.
    pub dev: Option<u64>,
    /// Whether a live process holds the file, on this system or possibly on another; true also if
    /// that is unknown.
    pub is_held: bool,
}

/// A temporary file. Dropping it removes it.
pub trait TempFile: WriteFile {
    /// Marks the file as held by this process, until the guard is dropped or the process ends.
    /// [`inspect_lock`](Storage::inspect_lock) reports that for all links to the file.
    ///
    /// # Errors
    /// Any error reported by the platform, for instance that it has no advisory locks.
    fn hold(&self) -> io::Result<Hold> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Renames the file to `to`, and keeps it.
    ///
    /// # Errors
    /// Any error reported by the platform; the file is removed.
    fn persist(self: Box<Self>, to: &Path) -> io::Result<()>;
}

/// Returns `target` with [`LOCK_SUFFIX`] appended.
#[must_use]
pub fn lock_path(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(LOCK_SUFFIX);
    path.into()
}
