//! What a disk may contain after a power failure.
//!
//! A file system writes names and contents to disk whenever it likes, unless it is reported to or
//! promises an order. Contents that are not written yet are missing at the end, zero, or cut off;
//! journaling file systems show nothing else.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::trace::{Event, FileNumber, Files, Trace};

/// The order that a file system keeps.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem {
    pub name: &'static str,
    /// Changes of names reach the disk in their order. Otherwise each of them may be there or not,
    /// independently of earlier ones.
    pub ordered_names: bool,
    /// A rename that replaces a file reaches the disk only after the contents of the new file.
    pub replacing_waits: bool,
    /// Any later change of a name reaches the disk only after the contents whose writing had begun.
    pub begun_first: bool,
}

/// ext4 with its defaults (`data=ordered`, `auto_da_alloc`), and btrfs.
pub const ORDERED: FileSystem = FileSystem {
    name: "ext4, btrfs",
    ordered_names: true,
    replacing_waits: true,
    begun_first: true,
};

/// XFS: journals names, and promises nothing about contents.
pub const NAMES_ONLY: FileSystem = FileSystem {
    name: "XFS",
    ordered_names: true,
    replacing_waits: false,
    begun_first: false,
};

/// What POSIX promises: flushed data, and nothing else.
pub const POSIX: FileSystem = FileSystem {
    name: "POSIX",
    ordered_names: false,
    replacing_waits: false,
    begun_first: false,
};

/// A directory after a power failure.
pub struct Crash {
    pub files: Files,
    /// How many changes had been acknowledged.
    pub acknowledged: usize,
}

/// What contents that are not on disk look like.
#[derive(Clone, Copy)]
enum Loss {
    Missing,
    Zeros,
    Half,
}

/// The directories that a power failure at any point of `trace` may leave, each once per number of
/// acknowledged changes.
pub fn crashes(trace: &Trace, system: FileSystem, found: &mut dyn FnMut(Crash)) {
    let mut seen = HashSet::new();
    for cut in 0..=trace.events.len() {
        let acknowledged = trace.acknowledged(cut);
        for names in names_after(trace, system, cut) {
            let disk = Disk::new(trace, system, cut, names);
            disk.variants(&mut |files| {
                let mut hasher = DefaultHasher::new();
                (acknowledged, &files).hash(&mut hasher);
                if seen.insert(hasher.finish()) {
                    found(Crash {
                        files,
                        acknowledged,
                    });
                }
            });
        }
    }
}

/// The sets of name changes, as numbers of events, that may be on disk.
fn names_after(trace: &Trace, system: FileSystem, cut: usize) -> Vec<BTreeSet<usize>> {
    let happened = &trace.events[..cut];
    let is_sync = |event: &Event| matches!(event, Event::SyncDir);
    let synced = happened.iter().rposition(is_sync).unwrap_or(0);
    let naming = (0..cut).filter(|&at| happened[at].is_naming());
    let (fixed, open): (Vec<_>, Vec<_>) = naming.partition(|&at| at < synced);
    let with = |more: &[usize]| fixed.iter().chain(more).copied().collect();
    if system.ordered_names {
        return (0..=open.len()).map(|n| with(&open[..n])).collect();
    }
    // Readers ignore table locks.
    let (locks, open): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|&at| concerns_table_lock(&happened[at]));
    assert!(open.len() < 16, "too many names that were not flushed");
    let subsets = (0..1_u32 << open.len()).map(|bits| {
        let kept = open.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
        let more: Vec<usize> = kept.map(|(_, &at)| at).chain(locks.clone()).collect();
        with(&more)
    });
    subsets.collect()
}

fn concerns_table_lock(event: &Event) -> bool {
    match event {
        Event::Create { name, .. } | Event::Remove { name } => name.ends_with(".ref.lock"),
        _ => false,
    }
}

/// What is known about the disk: names, and how much of each content is certainly there.
struct Disk {
    names: BTreeMap<String, Content>,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    /// This number of bytes is on disk.
    safe: usize,
}

impl Disk {
    fn new(trace: &Trace, system: FileSystem, cut: usize, naming: BTreeSet<usize>) -> Self {
        let mut contents: BTreeMap<FileNumber, Content> = BTreeMap::new();
        let mut named: BTreeMap<&str, FileNumber> = BTreeMap::new();
        // Files that existed before are numbered from the top.
        for (i, (name, bytes)) in trace.before.iter().enumerate() {
            let number = FileNumber::MAX - i;
            named.insert(name, number);
            let content = Content {
                bytes: bytes.clone(),
                safe: bytes.len(),
            };
            contents.insert(number, content);
        }
        let last_naming = naming.last().copied();
        // All names of every file: a rename gives a file its new name even if the old one never
        // reached the disk.
        let mut live = named.clone();
        for (at, event) in trace.events[..cut].iter().enumerate() {
            let on_disk = naming.contains(&at);
            match event {
                Event::Create { name, file } => {
                    contents.insert(*file, Content::default());
                    live.insert(name, *file);
                    if on_disk {
                        named.insert(name, *file);
                    }
                }
                Event::Write { file, bytes } => {
                    contents.entry(*file).or_default().bytes.extend(bytes);
                }
                Event::Sync { file } => contents.entry(*file).or_default().make_safe(),
                Event::Begin { file } => {
                    if system.begun_first && last_naming.is_some_and(|last| last > at) {
                        contents.entry(*file).or_default().make_safe();
                    }
                }
                Event::Rename { from, to } => {
                    let file = live.remove(from.as_str()).unwrap();
                    let replaces = live.insert(to, file).is_some();
                    if on_disk {
                        named.retain(|_, named| *named != file);
                        named.insert(to, file);
                        if replaces && system.replacing_waits {
                            contents.entry(file).or_default().make_safe();
                        }
                    }
                }
                Event::Remove { name } => {
                    live.remove(name.as_str());
                    if on_disk {
                        named.remove(name.as_str());
                    }
                }
                Event::SyncDir | Event::Acknowledge => {}
            }
        }
        let names = named.into_iter().map(|(name, number)| {
            let content = contents.get(&number).cloned().unwrap_or_default();
            (name.to_owned(), content)
        });
        Self {
            names: names.collect(),
        }
    }

    /// All directories that differ in which unsafe contents are lost, and how.
    fn variants(&self, found: &mut dyn FnMut(Files)) {
        let complete: Files = self
            .names
            .iter()
            .map(|(name, content)| (name.clone(), content.bytes.clone()))
            .collect();
        let list = self.names.get("tables.list");
        let text = String::from_utf8_lossy(list.map_or(&[], |list| &list.bytes));
        let listed: HashSet<&str> = text.lines().collect();
        let unsafe_names = |is_read: bool| {
            let named = self
                .names
                .iter()
                .filter(move |(_, content)| content.is_unsafe());
            let named = named.map(|(name, _)| name);
            let reads = |name: &str| name == "tables.list" || listed.contains(name);
            let named = named.filter(|name| reads(name) == is_read);
            named.collect::<Vec<&String>>()
        };
        let (read, other) = (unsafe_names(true), unsafe_names(false));
        assert!(read.len() < 12, "too many contents that were not flushed");
        for loss in [Loss::Missing, Loss::Zeros, Loss::Half] {
            for bits in 0..1_u32 << read.len() {
                let lost = read.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
                let lost = lost.map(|(_, name)| *name);
                // Files that are never read are treated alike.
                let lost: Vec<&String> = match bits % 2 {
                    0 => lost.chain(other.clone()).collect(),
                    _ => lost.collect(),
                };
                let mut files = complete.clone();
                for name in lost {
                    files.insert(name.clone(), self.names[name].after(loss));
                }
                found(files);
            }
        }
        found(complete);
    }
}

impl Content {
    fn make_safe(&mut self) {
        self.safe = self.bytes.len();
    }

    fn is_unsafe(&self) -> bool {
        self.safe < self.bytes.len()
    }

    fn after(&self, loss: Loss) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        match loss {
            Loss::Missing => bytes.truncate(self.safe),
            Loss::Zeros => bytes[self.safe..].fill(0),
            Loss::Half => bytes.truncate(self.safe + (self.bytes.len() - self.safe) / 2),
        }
        bytes
    }
}
