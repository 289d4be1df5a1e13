//! The refs and reflogs of one worktree, in files.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::fs;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use reftable::repo::{check_name, TargetRef};
use reftable::{HashId, Target};

use super::flaw::{Flaw, Kind};
use super::loose;
use super::names::{belongs_to_worktree, is_root_ref, Directories};
use super::packed::{Packed, PackedRef, Peeled};
use super::walk::{files, is_missing, Entry};
use crate::failure::{Failure, Result};

/// Where a store is, and what is read of it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'s> {
    /// The directory with `refs`, `logs`, `HEAD`.
    pub dir: &'s Path,
    /// Whether it is that of a linked worktree, which has no shared refs.
    pub is_linked: bool,
    pub hash: HashId,
    /// Only read loose refs and logs that were modified since. For changes during a migration.
    pub since: Option<SystemTime>,
}

/// The refs and reflogs of a worktree; for the main one, with all shared refs.
#[derive(Debug, Default)]
pub struct FilesStore {
    packed: Packed,
    /// By name.
    loose: Vec<Loose>,
    /// By name.
    pub logs: Vec<LogFile>,
    /// What cannot be moved.
    pub flaws: Vec<Flaw>,
    /// What git ignores, too.
    pub notes: Vec<Flaw>,
}

#[derive(Debug)]
struct Loose {
    name: Vec<u8>,
    target: Target,
}

/// The reflog of a ref.
#[derive(Debug)]
pub struct LogFile {
    pub name: Vec<u8>,
    pub path: PathBuf,
}

/// A ref.
#[derive(Clone, Copy, Debug)]
pub struct FileRef<'s> {
    pub name: &'s [u8],
    pub target: TargetRef<'s>,
    pub peeled: Peeled,
}

impl FilesStore {
    /// Reads all refs, and the names of all logs.
    pub fn read(source: Source<'_>) -> Result<Self> {
        let mut store = Self::default();
        let mut flaws = Vec::new();
        if !source.is_linked {
            let path = source.dir.join("packed-refs");
            store.packed = Packed::read(&path, source.hash, &mut flaws)?;
        }
        store.flaws = flaws;
        store.read_root_refs(&source)?;
        files(&source.dir.join("refs"), b"refs/", &mut |entry| {
            store.add_loose(&source, entry)
        })?;
        store.loose.sort_by(|a, b| a.name.cmp(&b.name));
        files(&source.dir.join("logs"), b"", &mut |entry| {
            store.add_log(&source, entry)
        })?;
        store.logs.sort_by(|a, b| a.name.cmp(&b.name));
        store.find_conflicts();
        Ok(store)
    }

    fn read_root_refs(&mut self, source: &Source<'_>) -> Result<()> {
        for entry in root_refs(source.dir)? {
            self.add_loose(source, entry)?;
        }
        Ok(())
    }

    fn add_loose(&mut self, source: &Source<'_>, entry: Entry) -> Result<()> {
        let Entry { name, path } = entry;
        if is_unchanged(&path, source.since)? {
            return Ok(());
        }
        if source.is_linked && !belongs_to_worktree(&name) {
            let text = "git does not look for it in a linked worktree";
            self.notes.push(Flaw::new(Kind::File, name, text));
            return Ok(());
        }
        if check_name(&name).is_err() {
            let text = "git does not allow this name";
            self.flaws.push(Flaw::new(Kind::Name, name, text));
            return Ok(());
        }
        let flaw = match loose::read(&path, source.hash)? {
            // Packed by another process meanwhile.
            None => return Ok(()),
            Some(Ok(Target::Symbolic(target))) if check_name(&target).is_err() => {
                "it is a symbolic ref to a name that git does not allow"
            }
            Some(Ok(target)) => {
                self.loose.push(Loose { name, target });
                return Ok(());
            }
            Some(Err(flaw)) => flaw,
        };
        self.flaws.push(Flaw::new(Kind::Broken, name, flaw));
        Ok(())
    }

    fn add_log(&mut self, source: &Source<'_>, entry: Entry) -> Result<()> {
        let Entry { name, path } = entry;
        if is_unchanged(&path, source.since)? {
            return Ok(());
        }
        let is_own = !source.is_linked || belongs_to_worktree(&name);
        if !is_own || check_name(&name).is_err() {
            let name = [&b"logs/"[..], &name].concat();
            self.notes
                .push(Flaw::new(Kind::File, name, "not the log of a ref"));
            return Ok(());
        }
        self.logs.push(LogFile { name, path });
        Ok(())
    }

    fn find_conflicts(&mut self) {
        let mut found = Vec::new();
        let mut directories = Directories::default();
        for item in self.refs() {
            if let Some(other) = directories.add(item.name) {
                let other = String::from_utf8_lossy(other).into_owned();
                let text = format!("there is also the ref {}", crate::text::quoted(other));
                found.push(Flaw::new(Kind::Conflict, item.name, text));
            }
        }
        self.flaws.append(&mut found);
    }

    /// The refs by name. A loose ref hides a packed one.
    pub fn refs(&self) -> impl Iterator<Item = FileRef<'_>> {
        Refs {
            loose: self.loose.iter().peekable(),
            packed: self.packed.refs().peekable(),
        }
    }
}

/// The root refs in a git directory, in no order. A missing directory has none.
pub fn root_refs(dir: &Path) -> Result<Vec<Entry>> {
    let failed = |e| Failure::io("read", dir, &e);
    let mut found = Vec::new();
    let entries = match fs::read_dir(dir) {
        Err(e) if is_missing(&e) => return Ok(found),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().as_encoded_bytes().to_vec();
        let kind = entry.file_type().map_err(failed)?;
        if is_root_ref(&name) && !kind.is_dir() {
            let path = entry.path();
            found.push(Entry { name, path });
        }
    }
    Ok(found)
}

/// Whether a file was last modified before `since`.
fn is_unchanged(path: &Path, since: Option<SystemTime>) -> Result<bool> {
    let Some(since) = since else {
        return Ok(false);
    };
    match fs::symlink_metadata(path).and_then(|meta| meta.modified()) {
        Ok(time) => Ok(time < since),
        Err(e) if is_missing(&e) => Ok(true),
        Err(e) => Err(Failure::io("read", path, &e)),
    }
}

/// Merges loose and packed refs.
struct Refs<'s, L, P>
where
    L: Iterator<Item = &'s Loose>,
    P: Iterator<Item = PackedRef<'s>>,
{
    loose: Peekable<L>,
    packed: Peekable<P>,
}

impl<'s, L, P> Iterator for Refs<'s, L, P>
where
    L: Iterator<Item = &'s Loose>,
    P: Iterator<Item = PackedRef<'s>>,
{
    type Item = FileRef<'s>;

    fn next(&mut self) -> Option<FileRef<'s>> {
        let order = match (self.loose.peek(), self.packed.peek()) {
            (Some(loose), Some(packed)) => loose.name.as_slice().cmp(packed.name),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let packed = match order {
            Ordering::Less => None,
            _ => self.packed.next(),
        };
        if order == Ordering::Greater {
            return packed.map(|packed| FileRef {
                name: packed.name,
                target: TargetRef::Id(packed.id),
                peeled: packed.peeled,
            });
        }
        let loose = self.loose.next()?;
        let target = match &loose.target {
            Target::Id(id) => TargetRef::Id(*id),
            Target::Symbolic(target) => TargetRef::Symbolic(target.as_ref()),
        };
        // The same object has the same peeled value.
        let same = packed.filter(|packed| target.id() == Some(packed.id));
        Some(FileRef {
            name: &loose.name,
            target,
            peeled: match target {
                TargetRef::Symbolic(_) => Peeled::Not,
                TargetRef::Id(_) => same.map_or(Peeled::Unknown, |packed| packed.peeled),
            },
        })
    }
}
