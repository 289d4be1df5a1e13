//! Checks of a stack after a power failure.

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use reftable::format::{Error, FindingKind, Result};
use reftable::merged::Tombstones;
use reftable::record::{RefRecord, RefValue};
use reftable::stack::{CheckEvent, OnOutdated, Stack, StackOptions};

use super::disk::{crashes, FileSystem};
use super::recorder::{Flush, Recorder};
use super::trace::{put_files, Files, Trace};

/// All records of a stack, one per line. A stack with a flaw is an error.
pub fn state_of(dir: &Path) -> Result<String> {
    let stack = open(dir)?;
    let merged = stack.merged();
    let mut text = String::new();
    let mut refs = merged.refs(Tombstones::Hide);
    while refs.advance()? {
        let record = refs.record();
        writeln!(
            text,
            "{} {:?}",
            String::from_utf8_lossy(record.name),
            record
        )
        .unwrap();
    }
    let mut logs = merged.logs(Tombstones::Hide);
    while logs.advance()? {
        let record = logs.record();
        writeln!(
            text,
            "{} {:?}",
            String::from_utf8_lossy(record.name),
            record
        )
        .unwrap();
    }
    let mut flaw = None;
    stack.check(&mut |event| match event {
        CheckEvent::Finding(finding) if finding.kind != FindingKind::UnlistedFile => {
            flaw = Some(format!("{}: {finding}", finding.file));
        }
        _ => {}
    });
    match flaw {
        Some(flaw) => panic!("readers see no trouble, but there is a flaw: {flaw}"),
        None => Ok(text),
    }
}

/// Opens the stack in `dir`. The recorder is used only as a storage that neither flushes nor
/// sleeps.
fn open(dir: &Path) -> Result<Stack> {
    Stack::open_in(Arc::new(Recorder::new(Flush::Nothing)), dir, quiet())
}

fn quiet() -> StackOptions {
    StackOptions {
        disable_auto_compact: true,
        lock_timeout_ms: 0,
        ..StackOptions::default()
    }
}

/// A ref with a unique name.
const AFTER: &str = "refs/heads/after-the-power-failure";

/// The stack accepts another change and a compaction, and keeps its records.
fn assert_usable(dir: &Path, state: &str) {
    let lock = dir.join("tables.list.lock");
    if lock.exists() {
        std::fs::remove_file(lock).unwrap();
    }
    let stack = open(dir).unwrap();
    let outcome = stack.add::<Error>(OnOutdated::Fail, |writer| {
        let update_index = stack.next_update_index();
        writer.set_limits(update_index, update_index)?;
        writer.add_ref(&RefRecord {
            name: AFTER.as_bytes(),
            update_index,
            value: RefValue::Val1(&[1; 20]),
        })
    });
    assert!(outcome.unwrap().published);
    match stack.compact_all(None) {
        Ok(()) => {}
        // Left by a compaction that never ended; cleaned up a day later.
        Err(Error::Locked { path }) => assert!(path.to_string_lossy().ends_with(".ref.lock")),
        Err(error) => panic!("{error}"),
    }
    stack.clean().unwrap();
    let after = state_of(dir).unwrap();
    let kept = after.lines().filter(|line| !line.starts_with(AFTER));
    assert!(kept.eq(state.lines()), "{after} does not hold {state}");
}

/// How many directories were found after power failures, with the verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub directories: u64,
    /// Directories that cannot be read.
    pub unreadable: u64,
    /// Directories that show a state that never existed.
    pub never: u64,
    /// Directories that show a state older than the acknowledged one.
    pub outdated: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} directories: {} unreadable, {} in no state that ever was, {} without an \
             acknowledged update",
            self.directories, self.unreadable, self.never, self.outdated
        )
    }
}

/// Checks all directories that power failures may leave of `trace`. `states` are the states before
/// the first change and after each change.
pub fn judge(trace: &Trace, states: &[String], system: FileSystem, scratch: &Path) -> Tally {
    let mut tally = Tally::default();
    // Many cuts leave the same directory.
    let mut known: HashMap<Files, Option<usize>> = HashMap::new();
    let dir = scratch.join("crashed");
    crashes(trace, system, &mut |crash| {
        tally.directories += 1;
        let number = known.entry(crash.files).or_insert_with_key(|files| {
            put_files(&dir, files);
            let Ok(state) = state_of(&dir) else {
                return None;
            };
            // A state may occur twice: the last one counts.
            let number = states.iter().rposition(|known| *known == state);
            if number.is_some() {
                assert_usable(&dir, &state);
            }
            Some(number.unwrap_or(usize::MAX))
        });
        match *number {
            None => tally.unreadable += 1,
            Some(usize::MAX) => tally.never += 1,
            Some(number) if number < crash.acknowledged => tally.outdated += 1,
            Some(_) => {}
        }
    });
    tally
}
