//! What cannot be moved, and what can.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use bstr::ByteSlice as _;
use reftable::merged::{Merged, Tombstones};
use reftable::record::RefValue;
use reftable::repo::{check_name, TargetRef};
use reftable::HashId;
use unicode_normalization::UnicodeNormalization as _;

use super::logs::{LogText, TableLogs};
use super::meter::line_len;
use super::site::Tree;
use crate::failure::{Failure, Result};
use crate::files::flaw::{Flaw, Kind};
use crate::files::names::{belongs_to_worktree, is_root_ref, Directories};
use crate::files::store::{root_refs, FilesStore};
use crate::files::walk::is_missing;
use crate::text::{plural, quoted};

/// The longest component of a name, to which git appends `.lock`.
const LONGEST_COMPONENT: usize = 255 - ".lock".len();

/// The longest name, below the path of a repository.
const LONGEST_NAME: usize = 3072;

/// How much is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Refs, without symbolic ones.
    pub refs: u64,
    pub symbolic_refs: u64,
    pub logs: u64,
    pub log_entries: u64,
    /// Linked worktrees.
    pub worktrees: u64,
}

/// How much is in the logs of a worktree.
#[derive(Clone, Debug, Default)]
pub struct LogCounts {
    logs: u64,
    entries: u64,
    /// Logs with lines that are left out, and how many.
    skipped: Vec<(Vec<u8>, u64)>,
}

impl LogCounts {
    pub fn add(&mut self, name: &[u8], text: &LogText) {
        self.logs += 1;
        self.entries += text.entries;
        if text.skipped > 0 {
            self.skipped.push((name.to_vec(), text.skipped));
        }
    }
}

/// What is in a store.
#[derive(Debug, Default)]
pub struct Survey {
    pub counts: Counts,
    /// What cannot be moved.
    pub flaws: Vec<Flaw>,
    /// What is left out, as git does not show it either.
    pub notes: Vec<Flaw>,
    /// About how much the store takes in files. Logs in files do not count.
    pub bytes: u64,
}

impl Survey {
    /// Adds a worktree whose references are in files, without its logs.
    pub fn add_files(&mut self, tree: &Tree, store: &FilesStore, hash: HashId) {
        self.counts.worktrees += u64::from(tree.name.is_some());
        let mut has_head = false;
        for found in store.refs() {
            self.bytes += line_len(found.name, hash);
            has_head |= found.name == b"HEAD";
            match found.target {
                TargetRef::Id(_) => self.counts.refs += 1,
                TargetRef::Symbolic(_) => self.counts.symbolic_refs += 1,
            }
        }
        let of_tree = |found: &Flaw| Flaw {
            name: full_name(tree, &found.name),
            ..found.clone()
        };
        self.flaws.extend(store.flaws.iter().map(of_tree));
        self.notes.extend(store.notes.iter().map(of_tree));
        if !has_head && !store.flaws.iter().any(|flaw| flaw.name == b"HEAD") {
            self.flaws
                .push(flaw(tree, Kind::Broken, b"HEAD", "it does not exist"));
        }
        for name in ["refs", "logs", "packed-refs"] {
            let meta = fs::symlink_metadata(tree.dir.join(name));
            if meta.is_ok_and(|meta| meta.is_symlink()) {
                let text = "it is a symbolic link, so others may use the same references";
                self.flaws
                    .push(flaw(tree, Kind::File, name.as_bytes(), text));
            }
        }
        if fs::symlink_metadata(tree.dir.join("reftable")).is_ok() {
            let text = "it exists although references are in files; remove it if it is not needed";
            self.flaws.push(flaw(tree, Kind::File, b"reftable", text));
        }
    }

    /// Adds the logs of a worktree whose references are in files.
    pub fn add_logs(&mut self, tree: &Tree, logs: LogCounts) {
        self.counts.logs += logs.logs;
        self.counts.log_entries += logs.entries;
        for (name, skipped) in logs.skipped {
            let text = format!("{} of its log", plural(skipped, "malformed line"));
            self.notes.push(flaw(tree, Kind::Log, &name, &text));
        }
    }

    /// Adds a worktree whose references are in a stack. `is_blind` says that the file system does
    /// not distinguish names that differ only in case or in the form of Unicode.
    pub fn add_stack(&mut self, tree: &Tree, view: &Merged, is_blind: bool) -> Result<()> {
        self.counts.worktrees += u64::from(tree.name.is_some());
        let mut names = Names::new(tree, is_blind);
        let mut has_head = false;
        let mut refs = view.refs(Tombstones::Hide);
        while refs.advance()? {
            let record = refs.record();
            self.bytes += line_len(record.name, view.hash_id());
            has_head |= record.name == b"HEAD";
            names.add(record.name, &mut self.flaws);
            match record.value {
                RefValue::Symref(target) => {
                    self.counts.symbolic_refs += 1;
                    let is_in_refs = target.starts_with(b"refs/");
                    if check_name(target).is_err() || record.name == b"HEAD" && !is_in_refs {
                        let text = format!("it is a symbolic ref to {}", quoted(target));
                        self.flaws
                            .push(flaw(tree, Kind::Broken, record.name, &text));
                    }
                }
                value => {
                    self.counts.refs += 1;
                    if value
                        .id()
                        .is_some_and(|id| id.iter().all(|&byte| byte == 0))
                    {
                        self.flaws.push(flaw(
                            tree,
                            Kind::Broken,
                            record.name,
                            "it has the null id",
                        ));
                    }
                }
            }
        }
        if !has_head {
            self.flaws
                .push(flaw(tree, Kind::Broken, b"HEAD", "it does not exist"));
        }
        let mut names = Names::new(tree, is_blind);
        let mut logs = TableLogs::new(view)?;
        // A name that is a ref's, too, has been reported.
        let known: HashSet<Vec<u8>> = self.flaws.iter().map(|flaw| flaw.name.clone()).collect();
        let mut of_names = Vec::new();
        while logs.advance()? {
            self.counts.logs += 1;
            self.counts.log_entries += logs.text.entries;
            self.bytes += logs.text.len();
            names.add(&logs.name, &mut of_names);
            of_names.retain(|flaw| !known.contains(&flaw.name));
            self.flaws.append(&mut of_names);
            if let Some(text) = logs.flaw {
                let text = format!("an entry of its log: {text}");
                self.flaws.push(flaw(tree, Kind::Log, &logs.name, &text));
            }
        }
        self.find_clutter(tree)
    }

    /// Files that would become references.
    fn find_clutter(&mut self, tree: &Tree) -> Result<()> {
        let text = "it exists although references are in reftables; remove it if it is not needed";
        let mut found: Vec<Vec<u8>> = Vec::new();
        for entry in root_refs(&tree.dir)? {
            if entry.name != b"HEAD" {
                found.push(entry.name);
            }
        }
        for name in ["packed-refs", "logs", "refs"] {
            let path = tree.dir.join(name);
            let is_wanted = name == "refs" && tree.name.is_none();
            match fs::symlink_metadata(&path) {
                Err(e) if is_missing(&e) && !is_wanted => {}
                Ok(meta) if meta.is_dir() && is_empty(&path, name == "refs")? => {}
                _ => found.push(name.into()),
            }
        }
        let found = found.iter();
        self.flaws
            .extend(found.map(|name| flaw(tree, Kind::File, name, text)));
        Ok(())
    }
}

/// Whether there is no file below a directory; the stub `heads` of a repository with reftables does
/// not count.
fn is_empty(dir: &Path, has_stub: bool) -> Result<bool> {
    let failed = |e| Failure::io("read", dir, &e);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_dir = entry.file_type().map_err(failed)?.is_dir();
        let is_stub = has_stub && !is_dir && entry.file_name() == "heads";
        if !is_stub && (!is_dir || !is_empty(&entry.path(), false)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn flaw(tree: &Tree, kind: Kind, name: &[u8], text: &str) -> Flaw {
    Flaw::new(kind, full_name(tree, name), text)
}

/// The name of a ref or file of a worktree, as git shows it in the main one.
pub fn full_name(tree: &Tree, name: &[u8]) -> Vec<u8> {
    match &tree.name {
        None => name.to_vec(),
        Some(worktree) => [b"worktrees/", worktree.as_encoded_bytes(), b"/", name].concat(),
    }
}

/// Whether the file system does not distinguish names that differ only in case.
pub fn is_case_blind(git_dir: &Path) -> bool {
    fs::metadata(git_dir.join("hEAD")).is_ok()
}

/// The names of refs or of logs, as files have them.
struct Names<'t> {
    tree: &'t Tree,
    directories: Directories,
    /// By a form that names which the file system does not distinguish have in common.
    folded: Option<BTreeMap<String, Vec<u8>>>,
}

impl<'t> Names<'t> {
    fn new(tree: &'t Tree, is_blind: bool) -> Self {
        Self {
            tree,
            directories: Directories::default(),
            folded: is_blind.then(BTreeMap::new),
        }
    }

    fn add(&mut self, name: &[u8], flaws: &mut Vec<Flaw>) {
        if let Some(text) = self.flaw_of(name) {
            flaws.push(flaw(self.tree, Kind::Name, name, text));
        }
        if let Some(other) = self.directories.add(name) {
            let text = format!("there is also {}", quoted(other));
            flaws.push(flaw(self.tree, Kind::Conflict, name, &text));
        }
        let Some(folded) = &mut self.folded else {
            return;
        };
        // A directory, too, can differ in case from another.
        let slashes = name.iter().enumerate().filter(|(_, &byte)| byte == b'/');
        let ends = slashes.map(|(at, _)| at).chain([name.len()]);
        for end in ends {
            let part = name.get(..end).unwrap_or_default();
            if let Some(other) = add_folded(folded, part) {
                let other = quoted(other);
                let text = format!("the file system does not distinguish it from {other}");
                flaws.push(flaw(self.tree, Kind::Alike, name, &text));
                return;
            }
        }
    }

    fn flaw_of(&self, name: &[u8]) -> Option<&'static str> {
        let is_in_refs = name.starts_with(b"refs/");
        if check_name(name).is_err() || !is_in_refs && !is_root_ref(name) {
            return Some("git does not allow this name in files, or does not list it");
        }
        if self.tree.name.is_some() && !belongs_to_worktree(name) {
            return Some("git does not look for it in a linked worktree");
        }
        let is_long = |component: &[u8]| component.len() > LONGEST_COMPONENT;
        if name.len() > LONGEST_NAME || name.split_str("/").any(is_long) {
            return Some("it is too long for a file");
        }
        None
    }
}

/// Adds a name. Returns another one that the file system does not distinguish from it.
fn add_folded(folded: &mut BTreeMap<String, Vec<u8>>, name: &[u8]) -> Option<Vec<u8>> {
    let text = name.to_str_lossy();
    let key = text.nfd().collect::<String>().to_lowercase();
    match folded.get(&key) {
        Some(known) if known == name => None,
        Some(known) => Some(known.clone()),
        None => {
            folded.insert(key, name.to_vec());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws_of(names: &[&str], is_blind: bool) -> Vec<Kind> {
        let tree = Tree {
            dir: ".".into(),
            name: None,
        };
        let mut found = Vec::new();
        let mut all = Names::new(&tree, is_blind);
        for name in names {
            all.add(name.as_bytes(), &mut found);
        }
        found.into_iter().map(|flaw| flaw.kind).collect()
    }

    #[test]
    fn names_that_a_file_system_confuses_are_reported() {
        let pairs = [
            ["refs/heads/A", "refs/heads/a"],
            ["refs/heads/e\u{301}", "refs/heads/\u{e9}"],
            ["refs/heads/A/x", "refs/heads/a"],
            ["refs/heads/\u{d6}", "refs/heads/\u{f6}"],
            ["refs/heads/A/x", "refs/heads/a/y"],
        ];
        for pair in pairs {
            assert_eq!(flaws_of(&pair, true), [Kind::Alike], "{pair:?}");
            assert_eq!(flaws_of(&pair, false), [], "{pair:?}");
        }
        assert_eq!(flaws_of(&["refs/heads/a", "refs/heads/a-b"], true), []);
    }

    #[test]
    fn names_that_files_cannot_have_are_reported() {
        let long = format!("refs/heads/{}", "x".repeat(251));
        let deep = format!("refs/{}x", "d/".repeat(2000));
        for name in ["main", "FOO", "refs/heads/a..b", &long, &deep] {
            assert_eq!(flaws_of(&[name], false), [Kind::Name], "{name}");
        }
        assert_eq!(flaws_of(&["HEAD", &long[..261]], false), []);
        assert_eq!(flaws_of(&["refs/a", "refs/a/b"], false), [Kind::Conflict]);
    }
}
