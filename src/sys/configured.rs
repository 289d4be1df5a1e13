//! The storage of the standard library, with a choice of permissions and durability.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use super::outcome::uninterrupted;
use super::std_storage::NewFileOptions;
use super::{
    FileId, FileKind, LinkedLock, ListFile, LockFile, LockState, StdStorage, Storage, TableData,
    TempFile,
};

/// The permissions of new files and directories, as git's `core.sharedRepository`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// `umask`: those that the umask leaves.
    #[default]
    Umask,
    /// `group` or `all`: these bits besides, such as `0o660`.
    Also(u32),
    /// `0xxx`: these bits whatever the umask is.
    Exactly(u32),
}

impl Sharing {
    /// The permissions of a file that was created with `mode`. As git's `calc_shared_perm()`.
    fn of_file(self, mode: u32) -> u32 {
        let is_executable = mode & 0o100 != 0;
        let is_writable = mode & 0o200 != 0;
        let bits = |mut bits: u32| {
            if !is_writable {
                bits &= !0o222;
            }
            if is_executable {
                bits |= (bits & 0o444) >> 2;
            }
            bits
        };
        match self {
            Self::Umask => mode,
            Self::Also(more) => mode | bits(more),
            Self::Exactly(all) => mode & !0o777 | bits(all),
        }
    }

    /// The permissions of a directory that was created with `mode`. As git's
    /// `adjust_shared_perm()`.
    fn of_dir(self, mode: u32) -> u32 {
        // Files in the directory get its group, as far as the group has access.
        const SET_GROUP: u32 = 0o2000;
        if self == Self::Umask {
            return mode;
        }
        let mut mode = self.of_file(mode);
        mode |= (mode & 0o444) >> 2;
        if cfg!(target_os = "linux") && mode & 0o060 != 0 {
            mode |= SET_GROUP;
        }
        mode
    }
}

/// How files are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileOptions {
    pub(crate) sharing: Sharing,
    /// Starts writing files to the disk without waiting, and leaves directories to the system.
    pub(crate) no_fsync: bool,
}

/// The storage of the standard library, with options that may become known after it was first
/// used for reading. Until then it flushes, and permissions are those of the umask. Unlike
/// [`StdStorage`] it creates the directory of a stack again if it has been removed.
#[derive(Debug, Default)]
pub(crate) struct ConfiguredStorage {
    options: OnceLock<FileOptions>,
}

impl ConfiguredStorage {
    /// Sets the options. Only the first call has an effect.
    pub(crate) fn configure(&self, options: FileOptions) {
        let _ = self.options.set(options);
    }

    fn options(&self) -> FileOptions {
        self.options.get().copied().unwrap_or_default()
    }

    fn new_file_options(&self) -> NewFileOptions {
        NewFileOptions {
            no_fsync: self.options().no_fsync,
        }
    }

    /// Gives a new file the permissions of the options.
    fn share<F: super::WriteFile + ?Sized>(&self, file: &mut F) -> io::Result<()> {
        let sharing = self.options().sharing;
        if sharing == Sharing::Umask {
            return Ok(());
        }
        match mode_of(file.path())? {
            Some(mode) if sharing.of_file(mode) != mode => file.set_mode(sharing.of_file(mode)),
            _ => Ok(()),
        }
    }
}

/// The permission bits of a file; `None` if the platform has none.
#[cfg(unix)]
fn mode_of(path: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    Ok(Some(uninterrupted(|| fs::metadata(path))?.mode() & 0o7777))
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    uninterrupted(|| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

impl Storage for ConfiguredStorage {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        StdStorage.read_list(path)
    }

    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        StdStorage.file_id(path)
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        StdStorage.kind(path)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir(dir)?;
        let sharing = self.options().sharing;
        match mode_of(dir)? {
            Some(mode) if sharing.of_dir(mode) != mode => set_mode(dir, sharing.of_dir(mode)),
            _ => Ok(()),
        }
    }

    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        StdStorage.open_table(path)
    }

    fn lock(&self, target: &Path, timeout_ms: i64) -> io::Result<Box<dyn LockFile>> {
        let mut lock = StdStorage::lock_with(target, timeout_ms, self.new_file_options())?;
        self.share(&mut lock)?;
        Ok(Box::new(lock))
    }

    fn lock_by_link(&self, mark: &Path, target: &Path) -> io::Result<Box<dyn LinkedLock>> {
        StdStorage.lock_by_link(mark, target)
    }

    fn inspect_lock(&self, lock: &Path) -> io::Result<LockState> {
        StdStorage.inspect_lock(lock)
    }

    fn system_id(&self) -> Option<String> {
        StdStorage.system_id()
    }

    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        let mut temp = StdStorage::temp_file_with(prefix, self.new_file_options())?;
        self.share(&mut temp)?;
        Ok(Box::new(temp))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        StdStorage.remove(path)
    }

    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        StdStorage.list_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        match self.options().no_fsync {
            true => Ok(()),
            false => StdStorage.sync_dir(dir),
        }
    }

    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        StdStorage.age_ms(path)
    }

    fn random(&self) -> u32 {
        StdStorage.random()
    }

    fn now_ms(&self) -> u64 {
        StdStorage.now_ms()
    }

    fn sleep_ms(&self, ms: u64) {
        StdStorage.sleep_ms(ms);
    }
}

#[cfg(test)]
mod tests;
