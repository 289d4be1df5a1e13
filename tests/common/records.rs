//! Stacks as text: every record with its update index, decoded by the crate.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use reftable::format::HashId;
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogValue, RefValue};
use reftable::stack::{self, CheckEvent, Stack, StackOptions};
use reftable::table::WriteOptions;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Opens a stack of a git repository with the crate, whoever wrote it. It must have no flaws.
pub fn open(dir: &Path, write: WriteOptions) -> Stack {
    let options = StackOptions {
        write,
        lock_timeout_ms: 20_000,
        ..StackOptions::default()
    };
    let stack = Stack::open(dir, options).unwrap();
    stack.check(&mut |event| {
        if let CheckEvent::Finding(finding) = event {
            panic!("{dir:?}: {}: {finding}", finding.file);
        }
    });
    stack
}

/// The directories of a repository's linked worktrees.
fn worktrees(git_dir: &Path) -> Vec<PathBuf> {
    let mut worktrees: Vec<_> = fs::read_dir(git_dir.join("worktrees"))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    worktrees.sort();
    worktrees
}

/// The directories of all stacks of a repository: first that of the main worktree.
pub fn stacks(git_dir: &Path) -> Vec<PathBuf> {
    let mut dirs = vec![git_dir.to_owned()];
    dirs.extend(worktrees(git_dir));
    dirs.into_iter().map(|dir| dir.join("reftable")).collect()
}

/// All stacks of a repository: first that of the main worktree.
pub fn of_repository(git_dir: &Path, hash_id: HashId) -> String {
    let mut all = of_stack(&git_dir.join("reftable"), hash_id);
    for worktree in worktrees(git_dir) {
        let name = worktree.file_name().unwrap().to_string_lossy();
        writeln!(all, "worktree {name}").unwrap();
        all += &of_stack(&worktree.join("reftable"), hash_id);
    }
    all
}

/// Whether a table of the repository contains a key twice, as git's C writer may write it.
pub fn repeat_a_key(git_dir: &Path, hash_id: HashId) -> bool {
    let mut repeats = false;
    for dir in stacks(git_dir) {
        stack::check(&dir, hash_id, &mut |event| {
            if let CheckEvent::Finding(finding) = event {
                let text = finding.to_string();
                repeats |= text.starts_with("key equal to the previous");
            }
        });
    }
    repeats
}

/// The records of all stacks without their update indexes, and each of them once. Both depend on the
/// number of transactions: git's C code marks an emptied log again whenever it expires.
pub fn without_indexes(git_dir: &Path, hash_id: HashId) -> String {
    let mut lines = Vec::new();
    for dir in stacks(git_dir) {
        let write = WriteOptions {
            hash_id,
            ..WriteOptions::default()
        };
        let merged = open(&dir, write).merged();
        let records = refs(&merged, false) + &logs(&merged, false);
        lines.push(format!(
            "stack {}",
            dir.strip_prefix(git_dir).unwrap().display()
        ));
        lines.extend(records.lines().map(ToOwned::to_owned));
    }
    lines.dedup();
    lines.join("\n")
}

/// The update indexes of the tables, then the records of the merged view.
pub fn of_stack(dir: &Path, hash_id: HashId) -> String {
    let write = WriteOptions {
        hash_id,
        ..WriteOptions::default()
    };
    let merged = open(dir, write).merged();
    let mut all = String::new();
    for table in merged.tables() {
        let (min, max) = (table.min_update_index(), table.max_update_index());
        writeln!(all, "table {min} to {max}").unwrap();
    }
    all + &refs(&merged, true) + &logs(&merged, true)
}

/// One line per ref: name, value, peeled value or symbolic target.
pub fn refs(merged: &Merged, with_index: bool) -> String {
    let mut all = String::new();
    let mut cursor = merged.refs(Tombstones::Hide);
    while cursor.advance().unwrap() {
        let record = cursor.record();
        let value = match record.value {
            RefValue::Deletion => panic!("a tombstone: {record:?}"),
            RefValue::Val1(id) => hex(id),
            RefValue::Val2 { value, target } => format!("{} peeled {}", hex(value), hex(target)),
            RefValue::Symref(target) => format!("-> {}", text(target)),
        };
        let index = if with_index {
            format!(" ({})", record.update_index)
        } else {
            String::new()
        };
        writeln!(all, "{}{index} {value}", text(record.name)).unwrap();
    }
    all
}

/// One line per log entry, newest first for each name.
pub fn logs(merged: &Merged, with_index: bool) -> String {
    let mut all = String::new();
    let mut cursor = merged.logs(Tombstones::Hide);
    while cursor.advance().unwrap() {
        let record = cursor.record();
        let LogValue::Update(update) = record.value else {
            panic!("a tombstone: {record:?}");
        };
        let index = if with_index {
            format!(" ({})", record.update_index)
        } else {
            String::new()
        };
        let message = text(update.message);
        let message = match message.trim_end_matches('\n') {
            "" => String::new(),
            message => format!("\t{message}"),
        };
        let entry = format!(
            "{} {} {} <{}> {} {:+05}{message}",
            hex(update.old_hash),
            hex(update.new_hash),
            text(update.name),
            text(update.email),
            update.time,
            update.tz_offset.stored(),
        );
        writeln!(all, "{}{index} {entry}", text(record.name)).unwrap();
    }
    all
}
