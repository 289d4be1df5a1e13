//! Locks that a later run recognises if this process is killed.
//!
//! A lock is a file, as git's locks are: a hard link to the mark, a file of this process that the
//! operating system also locks for as long as the process lives. So no lock is ever without a
//! mark, and a later run can tell that its owner has ended. The lock of the configuration is taken
//! first. A mark in any other lock then means that its owner has ended.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use super::disk;
use crate::failure::{quoted_path, Failure, Result};

/// What a lock of this program contains.
const TEXT: &[u8] = b"locked by `reftable migrate`\n";

/// The beginning of the name of a mark, in the directory that all worktrees share.
const NAME: &str = "ref-migration.";

/// How long other processes are waited for, as by git for `packed-refs`.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// The file that the locks of this process are links to. It is removed when dropped.
#[derive(Debug)]
pub struct Mark {
    path: PathBuf,
    _file: File,
}

impl Mark {
    pub fn new(common_dir: &Path) -> Result<Self> {
        let path = common_dir.join(format!("{NAME}{}", process::id()));
        let failed = |e: io::Error| Failure::io("create", &path, &e);
        // One of a process with the same id has been left behind.
        disk::remove(&path)?;
        let mut file = File::create_new(&path).map_err(failed)?;
        lock_file(&file);
        if let Err(e) = file.write_all(TEXT) {
            disk::remove(&path)?;
            return Err(failed(e));
        }
        Ok(Self { path, _file: file })
    }

    /// Removes the marks of processes that have ended. The caller has locked the configuration.
    pub fn remove_abandoned(&self) -> Result<()> {
        let dir = self.path.parent().unwrap_or(&self.path);
        let failed = |e: io::Error| Failure::io("read", dir, &e);
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_mark = entry.file_name().to_string_lossy().starts_with(NAME);
            let path = entry.path();
            if is_mark && path != self.path && File::open(&path).is_ok_and(|file| lock_file(&file))
            {
                disk::remove(&path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // If this fails, the next run does it.
        let _ = fs::remove_file(&self.path);
    }
}

/// A lock file, which is removed when dropped.
#[derive(Debug)]
pub struct Lock(PathBuf);

impl Lock {
    /// Creates the lock file `path`, and waits if another process has it.
    pub fn take(path: PathBuf, mark: &Mark) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match link(mark, &path) {
                Ok(()) => return Ok(Self(path)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Failure::io("create", &path, &e)),
            }
            if remove_abandoned(&path)? {
                continue;
            }
            if Instant::now() >= deadline {
                let path = quoted_path(&path);
                return Err(Failure::new(format!(
                    "{path} exists: another process is writing, or was killed; remove the file if \
                     none is running"
                )));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If this fails, the next run does it.
        let _ = fs::remove_file(&self.0);
    }
}

fn link(mark: &Mark, path: &Path) -> io::Result<()> {
    match fs::hard_link(&mark.path, path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            // On another file system, or on one without links.
            File::create_new(path)?.write_all(TEXT)
        }
        done => done,
    }
}

/// Removes a lock that a run which was killed has left. Returns whether there was one.
pub fn remove_abandoned(path: &Path) -> Result<bool> {
    // The file stays open, and so locked, until it is removed: of several runs only one removes it,
    // and none removes the lock that another one has made since.
    let file = abandoned(path);
    if file.is_some() {
        disk::remove(path)?;
    }
    Ok(file.is_some())
}

/// Whether a file is a lock of a run that has ended.
pub fn is_abandoned(path: &Path) -> bool {
    abandoned(path).is_some()
}

/// The file of a lock whose owner has ended, locked by this process.
#[cfg(unix)]
fn abandoned(path: &Path) -> Option<File> {
    use std::os::unix::fs::MetadataExt as _;

    let file = File::open(path).ok()?;
    let mut text = Vec::new();
    (&file).take(1 << 10).read_to_end(&mut text).ok()?;
    if text != TEXT || !lock_file(&file) {
        return None;
    }
    // Its owner may just have removed it, and another process made a new one.
    let (own, now) = (file.metadata().ok()?, fs::metadata(path).ok()?);
    ((own.dev(), own.ino()) == (now.dev(), now.ino())).then_some(file)
}

#[cfg(not(unix))]
fn abandoned(_: &Path) -> Option<File> {
    None
}

/// Locks the open file. Returns whether no other process has locked it.
#[cfg(unix)]
fn lock_file(file: &File) -> bool {
    use rustix::fs::{flock, FlockOperation};
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

#[cfg(not(unix))]
fn lock_file(_: &File) -> bool {
    true
}
