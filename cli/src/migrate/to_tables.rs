//! Moving references from files to reftables.
//!
//! Git has no lock for all files. `packed-refs.lock` keeps it from deleting and packing refs, and
//! `HEAD.lock` from changing the current branch, but a new loose ref can be written at any time. So
//! what has changed since the files were read is added before the switch, until nothing has, and
//! once more after it, while the new store is locked. After that, the files that git would write
//! to are gone. What programs that were started before the switch still write is added as long as
//! the new store has no other value.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use reftable::record::RefRecord;
use reftable::repo::TargetRef;
use reftable::{HashId, Target};

use super::compare::{value_of, Differences, Missing};
use super::disk;
use super::lock::{Lock, Mark};
use super::logs::LogText;
use super::meter::{line_len, Meter};
use super::site::{Site, Tree};
use super::staging::Staging;
use super::survey::{full_name, LogCounts, Survey};
use super::tables;
use crate::failure::{Failure, Result};
use crate::files::flaw::{Flaw, Kind};
use crate::files::store::{root_refs, FilesStore, Source};
use crate::files::walk::content;
use crate::interrupt::Interrupt;
use crate::objects::Objects;
use crate::place::StackDir;

/// The contents of files by which old programs recognise a repository with reftables, as git writes
/// them.
pub const STUB_HEAD: &[u8] = b"ref: refs/heads/.invalid\n";
pub const STUB_HEADS: &[u8] = b"this repository uses the reftable format\n";

/// How often what has changed is added before the switch.
const ROUNDS: usize = 20;

/// What old programs may still write to.
pub struct Locks {
    _files: Vec<Lock>,
}

impl Locks {
    /// Locks the deletion and packing of refs, and the current branches.
    pub fn take(site: &Site, mark: &Mark) -> Result<Self> {
        let heads = site.trees.iter().map(|tree| tree.dir.join("HEAD.lock"));
        let paths = heads.chain([site.dir.join("packed-refs.lock")]);
        let files = paths.map(|path| Lock::take(path, mark));
        Ok(Self {
            _files: files.collect::<Result<_>>()?,
        })
    }
}

/// The references of a worktree.
fn read(site: &Site, tree: &Tree) -> Result<FilesStore> {
    FilesStore::read(Source {
        dir: &tree.dir,
        is_linked: tree.name.is_some(),
        hash: site.hash(),
        since: None,
    })
}

/// The references of all worktrees.
pub fn read_all(site: &Site) -> Result<Vec<FilesStore>> {
    site.trees.iter().map(|tree| read(site, tree)).collect()
}

/// What is in the files of all worktrees. Logs are added when they are read.
pub fn survey(site: &Site, stores: &[FilesStore]) -> Survey {
    let mut survey = Survey::default();
    for (tree, store) in site.trees.iter().zip(stores) {
        survey.add_files(tree, store, site.hash());
    }
    survey
}

/// Counts the entries of the logs.
pub fn survey_logs(site: &Site, stores: &[FilesStore], survey: &mut Survey) -> Result<()> {
    for (tree, store) in site.trees.iter().zip(stores) {
        let mut counts = LogCounts::default();
        for log in &store.logs {
            if let Some(text) = LogText::of_file(log, site.hash())? {
                counts.add(&log.name, &text);
            }
        }
        survey.add_logs(tree, counts);
    }
    Ok(())
}

/// Writes the new store, and switches to it.
pub fn switch(
    site: &Site,
    stores: Vec<FilesStore>,
    staging: &Staging,
    mark: &Mark,
    interrupt: &Interrupt,
    survey: &mut Survey,
) -> Result<Stacks> {
    let mut objects = Objects::new(&site.dir, site.hash());
    let new = staging.new_dir();
    let logs: Vec<LogSizes> = stores.iter().map(LogSizes::new).collect();
    let bytes = logs.iter().map(|logs| logs.all).sum::<u64>() + survey.bytes;
    let meter = Meter::start(bytes, interrupt);
    for ((tree, store), logs) in site.trees.iter().zip(stores).zip(logs) {
        interrupt.check()?;
        let stack = site.stack_in(&site.below(&new, tree), tree);
        disk::create_dirs(&stack.dir)?;
        let counts = write_all(&store, logs, &stack, &mut objects, &meter)?;
        survey.add_logs(tree, counts);
    }
    verify(site, staging, &mut objects, &meter)?;
    drop(meter);
    for tree in &site.trees {
        let dir = site.below(&new, tree).join("reftable");
        let (dir_model, file_model) = site.models(tree)?;
        disk::adopt_permissions(&dir, &dir_model, &file_model)?;
    }
    disk::sync_tree(&new)?;
    interrupt.check()?;
    for tree in &site.trees {
        let dir = site.below(&new, tree).join("reftable");
        disk::rename(&dir, &tree.dir.join("reftable"))?;
        disk::sync_dir(&tree.dir)?;
    }
    // So that one that is written later can be told from it. The file is locked.
    disk::link_or_copy(&site.dir.join("packed-refs"), &staging.file("packed-refs"))?;
    let stacks = Stacks::lock(site, mark)?;
    site.switch(staging)?;
    Ok(stacks)
}

/// Writes all refs and logs into a new stack.
fn write_all(
    store: &FilesStore,
    logs: LogSizes,
    stack: &StackDir,
    objects: &mut Objects,
    meter: &Meter<'_>,
) -> Result<LogCounts> {
    let hash = stack.hash;
    let mut counts = LogCounts::default();
    tables::add(&stack.dir, hash, (1, logs.last_index(hash)), |writer| {
        let (_, last) = writer.limits();
        // If blocks are too small, it begins again.
        counts = LogCounts::default();
        for found in store.refs() {
            let target = match found.target {
                TargetRef::Id(id) => Target::Id(id),
                TargetRef::Symbolic(target) => Target::Symbolic(target.into()),
            };
            let peeled = objects.peeled(Some(&target), found.peeled)?;
            writer.add_ref(&RefRecord {
                name: found.name,
                update_index: 1,
                value: value_of(Some(&target), peeled.as_ref()),
            })?;
            meter.add(1, line_len(found.name, hash))?;
        }
        for log in &store.logs {
            let Some(text) = LogText::of_file(log, hash)? else {
                continue;
            };
            counts.add(&log.name, &text);
            // A log that has grown meanwhile is written by `verify`.
            if text.entries <= last {
                text.write(writer, &log.name, 1, hash)?;
            }
            meter.add(text.entries, text.len())?;
        }
        Ok(())
    })?;
    Ok(counts)
}

/// The sizes of logs in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct LogSizes {
    all: u64,
    longest: u64,
}

impl LogSizes {
    fn new(store: &FilesStore) -> Self {
        let mut sizes = Self::default();
        for log in &store.logs {
            let size = fs::metadata(&log.path).map_or(0, |meta| meta.len());
            sizes.all += size;
            sizes.longest = sizes.longest.max(size);
        }
        sizes
    }

    /// At least the number of entries of the longest log, which the table must announce first.
    fn last_index(self, hash: HashId) -> u64 {
        // Each entry has two ids.
        let shortest = u64::try_from(4 * hash.len()).unwrap_or(u64::MAX);
        (self.longest / shortest).max(1)
    }
}

/// Compares the files with the new store, and adds what has changed, until they are the same.
fn verify(site: &Site, staging: &Staging, objects: &mut Objects, meter: &Meter<'_>) -> Result<()> {
    for _ in 0..ROUNDS {
        staging.note_time()?;
        let mut is_same = true;
        for tree in &site.trees {
            let store = read(site, tree)?;
            if let Some(flaw) = store.flaws.first() {
                let name = crate::text::quoted(full_name(tree, &flaw.name));
                return Err(Failure::new(format!(
                    "{name} was changed meanwhile: {}",
                    flaw.text
                )));
            }
            let stack = site.stack_in(&site.below(&staging.new_dir(), tree), tree);
            let view = stack.open()?.merged();
            let found = Differences::new(&store, &view, Missing::Counts, meter)?;
            if !found.is_empty() {
                is_same = false;
                found.write(&stack.dir, &view, objects)?;
            }
        }
        if is_same {
            return Ok(());
        }
    }
    Err(Failure::new(format!(
        "other processes keep changing the references of {}; stop them, and try again",
        crate::failure::quoted_path(&site.dir)
    )))
}

/// The locks of the new stacks.
pub struct Stacks {
    _locks: Vec<Lock>,
}

impl Stacks {
    pub fn lock(site: &Site, mark: &Mark) -> Result<Self> {
        let dirs = site.trees.iter().map(|tree| tree.dir.join("reftable"));
        let dirs = dirs.filter(|dir| dir.is_dir());
        let locks = dirs.map(|dir| Lock::take(dir.join("tables.list.lock"), mark));
        Ok(Self {
            _locks: locks.collect::<Result<_>>()?,
        })
    }
}

/// How references that were written after the files had been read are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// The stacks have been locked since before the switch, so the files are newer.
    Newer,
    /// A ref that the stack has is not changed.
    Unknown,
}

/// After the switch: removes the files, and adds what was written to them since they were read. Refs
/// whose value differs from that in the stack are `flaws`.
pub fn sweep(site: &Site, staging: &Staging, late: Late, flaws: &mut Vec<Flaw>) -> Result<()> {
    let old = staging.next_old_dir()?;
    for tree in &site.trees {
        let old_tree = site.below(&old, tree);
        disk::create_dirs(&old_tree)?;
        remove_files(tree, &old_tree, staging, late)?;
    }
    // There are others if another run was killed.
    for old in staging.old_dirs() {
        merge(site, staging, &old, late, flaws)?;
    }
    Ok(())
}

/// Adds what was written to files since they were read, and that `old` now has.
fn merge(
    site: &Site,
    staging: &Staging,
    old: &Path,
    late: Late,
    flaws: &mut Vec<Flaw>,
) -> Result<()> {
    let mut objects = Objects::new(&site.dir, site.hash());
    for tree in &site.trees {
        let store = FilesStore::read(Source {
            dir: &site.below(old, tree),
            is_linked: tree.name.is_some(),
            hash: site.hash(),
            since: staging.noted_time(),
        })?;
        let stack = site.stack(tree);
        let view = stack.open()?.merged();
        let mut found = Differences::new(&store, &view, Missing::Ignored, &Meter::hidden())?;
        if late == Late::Unknown {
            found.keep_new(tree, flaws);
        }
        if !found.is_empty() {
            found.write(&stack.dir, &view, &mut objects)?;
        }
    }
    staging.note_merged(old)
}

impl Differences {
    /// Keeps only refs that the stack does not have, and their logs. The others are `flaws`.
    fn keep_new(&mut self, tree: &Tree, flaws: &mut Vec<Flaw>) {
        let differs = self.refs.extract(|difference| difference.found.is_some());
        for difference in differs {
            let value = match &difference.target {
                Some(Target::Id(id)) => id.to_string(),
                Some(Target::Symbolic(target)) => format!("ref: {target}"),
                None => continue,
            };
            let text = format!("a program that was started before the switch wrote {value}");
            let name = full_name(tree, &difference.name);
            flaws.push(Flaw::new(Kind::Conflict, name, text));
        }
        let refs = &self.refs;
        self.logs
            .retain(|log| refs.iter().any(|difference| difference.name == log.name));
    }
}

/// `Vec::extract_if`, which is newer than the oldest supported compiler.
trait Extract<T> {
    fn extract(&mut self, matches: impl Fn(&T) -> bool) -> Vec<T>;
}

impl<T> Extract<T> for Vec<T> {
    fn extract(&mut self, matches: impl Fn(&T) -> bool) -> Vec<T> {
        let (out, kept) = self.drain(..).partition(matches);
        *self = kept;
        out
    }
}

/// Moves the references of a worktree to `old`, and leaves what git has in a repository with
/// reftables.
fn remove_files(tree: &Tree, old: &Path, staging: &Staging, late: Late) -> Result<()> {
    let head = tree.dir.join("HEAD");
    remove_refs(&tree.dir.join("refs"), &old.join("refs"), &head)?;
    disk::rename_if_exists(&tree.dir.join("logs"), &old.join("logs"))?;
    if tree.name.is_none() {
        let packed = tree.dir.join("packed-refs");
        match disk::is_same_file(&packed, &staging.file("packed-refs"))? {
            // All that it has is in the stack.
            true => disk::remove(&packed)?,
            false => {
                disk::rename_if_exists(&packed, &old.join("packed-refs"))?;
            }
        }
    }
    for entry in root_refs(&tree.dir)? {
        if entry.name != b"HEAD" {
            let base = entry.path.file_name().unwrap_or_default();
            disk::rename_if_exists(&entry.path, &old.join(base))?;
        }
    }
    let is_stub = content(&head)?.as_deref() == Some(STUB_HEAD);
    if is_stub && fs::symlink_metadata(&head).is_ok_and(|meta| meta.is_file()) {
        return Ok(());
    }
    if late == Late::Unknown {
        // There must always be a file HEAD. Without links, a late change of it is not noticed.
        let _ = fs::hard_link(&head, old.join("HEAD"));
    }
    write_stub(&head, STUB_HEAD, staging)
}

/// Replaces a file by one of these contents, with its permissions.
pub fn write_stub(path: &Path, text: &[u8], staging: &Staging) -> Result<()> {
    let new = staging.file("stub");
    disk::write(&new, text)?;
    if let Ok(meta) = fs::metadata(path) {
        disk::adopt_permissions(&new, &meta, &meta)?;
    }
    disk::rename(&new, path)
}

/// Moves all that is in `refs` to `old`, and leaves the stub `heads`, a file in which old programs
/// cannot create branches. The stub gets the permissions of `head`.
fn remove_refs(refs: &Path, old: &Path, head: &Path) -> Result<()> {
    disk::create_dirs(refs)?;
    disk::create_dirs(old)?;
    let stub = refs.join("heads");
    loop {
        let failed = |e| Failure::io("read", refs, &e);
        for entry in fs::read_dir(refs).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if path == stub && path.is_file() {
                continue;
            }
            let mut target = old.join(entry.file_name());
            while fs::symlink_metadata(&target).is_ok() {
                // Created again meanwhile: git does not look for a ref there any more.
                target.as_mut_os_string().push("~");
            }
            disk::rename_if_exists(&path, &target)?;
        }
        if stub.is_file() {
            return Ok(());
        }
        // An old program may be faster and create the directory again.
        if let Ok(mut file) = fs::File::create_new(&stub) {
            use std::io::Write as _;
            let written = file.write_all(STUB_HEADS);
            written.map_err(|e| Failure::io("write", &stub, &e))?;
            if let Ok(meta) = fs::metadata(head) {
                disk::adopt_permissions(&stub, &meta, &meta)?;
            }
        }
    }
}

/// Waits for programs that were started before the switch.
pub fn wait(grace: Duration) {
    thread::sleep(grace);
}
