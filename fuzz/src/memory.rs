//! A file system in memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use reftable::internals::{
    lock_path, FileId, ListFile, ListHandle, LockFile, Storage, TableData, TempFile, WriteFile,
};

#[derive(Debug, Default)]
struct Files {
    /// Content and inode number of each file.
    files: BTreeMap<PathBuf, (Vec<u8>, u64)>,
    last: u64,
    /// The content of tables that do not exist, if these can be opened.
    answer: Option<Vec<u8>>,
    opened: Vec<PathBuf>,
}

impl Files {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn get(&self, path: &Path) -> io::Result<&(Vec<u8>, u64)> {
        self.files
            .get(path)
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<u64> {
        let file = self.files.remove(from).ok_or(ErrorKind::NotFound)?;
        let number = file.1;
        self.files.insert(to.to_owned(), file);
        Ok(number)
    }
}

/// A storage in memory without directories. Clones share their files.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Files>>);

impl Memory {
    fn lock_all(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap()
    }

    pub fn write(&self, path: &Path, content: Vec<u8>) {
        let mut files = self.lock_all();
        let number = files.next();
        files.files.insert(path.to_owned(), (content, number));
    }

    /// Lets every table that does not exist be opened, with this content.
    pub fn answer_all(&self, content: Vec<u8>) {
        self.lock_all().answer = Some(content);
    }

    /// The paths of all tables opened so far.
    pub fn opened(&self) -> Vec<PathBuf> {
        self.lock_all().opened.clone()
    }

    /// The paths and contents of all files.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = self.lock_all();
        let all = files.files.iter();
        all.map(|(path, (content, _))| (path.clone(), content.clone()))
            .collect()
    }

    /// Removes locks and temporary files, as an administrator does after a crash.
    pub fn remove_leftovers(&self) {
        let is_leftover = |path: &Path| {
            let name = path.to_string_lossy();
            name.ends_with(".lock") || name.contains(".temp.")
        };
        self.lock_all().files.retain(|path, _| !is_leftover(path));
    }

    fn create(&self, path: PathBuf) -> io::Result<New> {
        let mut files = self.lock_all();
        if files.files.contains_key(&path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let number = files.next();
        files.files.insert(path.clone(), (Vec::new(), number));
        drop(files);
        Ok(New {
            memory: self.clone(),
            path,
            target: PathBuf::new(),
            done: false,
        })
    }
}

impl Storage for Memory {
    fn read_list(&self, path: &Path) -> io::Result<ListFile> {
        let files = self.lock_all();
        let (bytes, ino) = files.get(path)?.clone();
        Ok(ListFile {
            bytes,
            handle: Some(ListHandle::new(FileId { dev: 1, ino }, ())),
        })
    }

    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        let ino = self.lock_all().get(path)?.1;
        Ok(FileId { dev: 1, ino })
    }

    fn open_table(&self, path: &Path) -> io::Result<TableData> {
        let mut files = self.lock_all();
        files.opened.push(path.to_owned());
        match (files.get(path), &files.answer) {
            (Ok((bytes, _)), _) => Ok(bytes.clone().into()),
            (Err(_), Some(bytes)) => Ok(bytes.clone().into()),
            (Err(error), None) => Err(error),
        }
    }

    fn lock(&self, target: &Path, _: i64) -> io::Result<Box<dyn LockFile>> {
        let mut new = self.create(lock_path(target))?;
        new.target = target.to_owned();
        Ok(Box::new(new))
    }

    fn temp_file(&self, prefix: &Path) -> io::Result<Box<dyn TempFile>> {
        let mut path = prefix.as_os_str().to_owned();
        path.push(format!(".temp.{:06}", self.random() % 1_000_000));
        Ok(Box::new(self.create(path.into())?))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.lock_all().files.remove(path);
        removed.map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn list_dir(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        let files = self.lock_all();
        let inside = files.files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| path.file_name())
            .map(OsString::from)
            .collect())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn age_ms(&self, path: &Path) -> io::Result<Option<u64>> {
        self.lock_all().get(path).map(|_| Some(0))
    }

    fn random(&self) -> u32 {
        self.lock_all().next() as u32
    }

    fn now_ms(&self) -> u64 {
        self.lock_all().next() * 1000
    }

    fn sleep_ms(&self, _: u64) {}
}

/// A lock or a temporary file that is being written.
#[derive(Debug)]
struct New {
    memory: Memory,
    path: PathBuf,
    target: PathBuf,
    done: bool,
}

impl New {
    fn rename(&mut self, to: &Path) -> io::Result<u64> {
        self.done = true;
        self.memory.lock_all().rename(&self.path, to)
    }
}

impl WriteFile for New {
    fn path(&self) -> &Path {
        &self.path
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.memory.lock_all();
        let file = files.files.get_mut(&self.path).ok_or(ErrorKind::NotFound)?;
        file.0.extend_from_slice(bytes);
        Ok(())
    }

    fn set_mode(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LockFile for New {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        let target = self.target.clone();
        self.rename(&target).map(drop)
    }

    fn commit_keeping_handle(mut self: Box<Self>) -> io::Result<Option<ListHandle>> {
        let target = self.target.clone();
        let ino = self.rename(&target)?;
        Ok(Some(ListHandle::new(FileId { dev: 1, ino }, ())))
    }
}

impl TempFile for New {
    fn persist(mut self: Box<Self>, to: &Path) -> io::Result<()> {
        self.rename(to).map(drop)
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if !self.done {
            self.memory.lock_all().files.remove(&self.path);
        }
    }
}
