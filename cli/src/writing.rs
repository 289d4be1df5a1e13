//! Writing new tables and stacks.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use reftable::format::{Error, HashId};
use reftable::merged::{Merged, Tombstones};
use reftable::record::{LogRecord, RefRecord};
use reftable::stack::{check, CheckEvent, OnOutdated, Replacement, Stack, StackOptions};
use reftable::table::{Table, WriteOptions, Writer};

use crate::failure::{quoted_path, Failure, Result};
use crate::progress::STEP;

/// The largest block size of the format.
const LARGEST_BLOCK: u32 = (1 << 24) - 1;

/// What has been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub refs: u64,
    pub logs: u64,
}

/// Writes everything that `view` shows into a new stack of one table in the directory `dir`, which
/// must not exist, and checks it. The flag that `options` may have interrupts it.
pub fn write_stack(dir: &Path, view: &Merged, options: &StackOptions) -> Result<Written> {
    fs::create_dir_all(dir).map_err(|e| Failure::io("create", dir, &e))?;
    let mut write_options = WriteOptions {
        hash_id: view.hash_id(),
        exact_log_message: true,
        ..options.write
    };
    let written = with_room(&mut write_options, |write| {
        let stack = Stack::open(
            dir,
            StackOptions {
                write: *write,
                disable_auto_compact: true,
                ..options.clone()
            },
        )?;
        let mut addition = stack.begin(OnOutdated::Fail)?;
        let mut written = Written::default();
        addition.add_table(|writer| {
            written = copy_records(view, writer, stack.options())?;
            Ok::<(), Error>(())
        })?;
        let _ = stack.commit(addition)?;
        Ok(written)
    });
    let written = interrupted(written, options)?;
    let list = dir.join("tables.list");
    if !list.exists() {
        fs::write(&list, "").map_err(|e| Failure::io("write", &list, &e))?;
    }
    checked(dir, view.hash_id())?;
    Ok(written)
}

/// Writes everything that `view` shows into the table of a replacement of the stack in `dir`, and
/// checks it. The flag that `options` may have interrupts it.
pub fn write_replacement(
    dir: &Path,
    replacement: &mut Replacement,
    view: &Merged,
    options: &StackOptions,
) -> Result<Written> {
    let mut write_options = WriteOptions {
        hash_id: view.hash_id(),
        exact_log_message: true,
        ..options.write
    };
    let mut flaw = None;
    let written = with_room(&mut write_options, |write| {
        let mut written = Written::default();
        let table = replacement.write_table(write, |writer| {
            written = copy_records(view, writer, options)?;
            Ok::<(), Error>(())
        })?;
        if let Some(table) = table {
            table.verify(&mut |found| {
                flaw.get_or_insert_with(|| found.to_string());
            });
        }
        Ok(written)
    });
    let written = interrupted(written, options)?;
    match flaw {
        None => Ok(written),
        Some(text) => Err(unsound(dir, &text)),
    }
}

/// The result of writing: after a signal, a failure that says so.
fn interrupted<T>(done: Result<T, Error>, options: &StackOptions) -> Result<T> {
    match done {
        Err(_) if is_set(options.interrupt.as_deref()) => Err(Failure::Interrupted),
        done => Ok(done?),
    }
}

fn is_set(flag: Option<&AtomicBool>) -> bool {
    flag.is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// The directory of new stacks, which did not exist or was empty. Unless it is kept, what was created
/// is removed when this is dropped.
#[derive(Debug)]
pub struct NewStore {
    dir: PathBuf,
    /// The topmost of the directories above `dir`, and `dir` itself, that did not exist.
    missing: Option<PathBuf>,
    stacks: Vec<PathBuf>,
}

impl NewStore {
    pub fn new(dir: &Path) -> Result<Self> {
        match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(Failure::io("read", dir, &e)),
            Ok(true) => {}
            Ok(false) => {
                return Err(Failure::new(format!(
                    "{} is not empty; name a new directory",
                    quoted_path(dir)
                )))
            }
        }
        let is_missing =
            |dir: &&Path| !dir.as_os_str().is_empty() && fs::symlink_metadata(dir).is_err();
        Ok(Self {
            dir: dir.to_owned(),
            missing: dir
                .ancestors()
                .take_while(is_missing)
                .last()
                .map(Into::into),
            stacks: Vec::new(),
        })
    }

    /// Writes everything that `view` shows into the new stack `dir`, a directory below.
    pub fn write(&mut self, dir: &Path, view: &Merged, options: &StackOptions) -> Result<Written> {
        self.stacks.push(dir.to_owned());
        write_stack(dir, view, options)
    }

    /// Keeps what was written.
    pub fn keep(mut self) {
        self.stacks.clear();
    }

    fn has_created(&self, dir: &Path) -> bool {
        let is_inside = dir != self.dir && dir.starts_with(&self.dir);
        is_inside
            || self
                .missing
                .as_ref()
                .is_some_and(|top| dir.starts_with(top))
    }
}

impl Drop for NewStore {
    fn drop(&mut self) {
        // The error before is the one that is reported.
        for stack in &self.stacks {
            let _ = fs::remove_dir_all(stack);
            let above = stack.ancestors().skip(1);
            for dir in above.take_while(|dir| self.has_created(dir)) {
                // It may have other stacks.
                let _ = fs::remove_dir(dir);
            }
        }
    }
}

/// A table in memory that `write` fills.
pub fn table_in_memory(
    name: &str,
    hash: HashId,
    limits: (u64, u64),
    mut write: impl FnMut(&mut Writer<'_>) -> Result<(), Error>,
) -> Result<Option<Arc<Table>>, Error> {
    let mut options = WriteOptions {
        hash_id: hash,
        skip_index_objects: true,
        exact_log_message: true,
        ..WriteOptions::default()
    };
    let bytes = with_room(&mut options, |options| {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, options)?;
        writer.set_limits(limits.0, limits.1)?;
        write(&mut writer)?;
        match writer.finish() {
            Err(Error::EmptyTable) => return Ok(None),
            done => done?,
        };
        drop(writer);
        Ok(Some(bytes))
    })?;
    let table = bytes.map(|bytes| Table::new(name, bytes.into()));
    Ok(table.transpose()?.map(Arc::new))
}

/// Tries again with larger blocks if a record does not fit.
pub fn with_room<T>(
    options: &mut WriteOptions,
    mut write: impl FnMut(&WriteOptions) -> Result<T, Error>,
) -> Result<T, Error> {
    loop {
        match write(options) {
            Err(Error::EntryTooBig { .. }) if options.block_size < LARGEST_BLOCK => {
                let size = options.block_size.max(4096);
                options.block_size = size.saturating_mul(4).min(LARGEST_BLOCK);
            }
            done => return done,
        }
    }
}

/// Writes everything that `view` shows. Counts the records, and looks at the flag that interrupts,
/// as `options` say.
fn copy_records(
    view: &Merged,
    writer: &mut Writer<'_>,
    options: &StackOptions,
) -> Result<Written, Error> {
    // A stack counts from 1.
    let (min, max) = (view.min_update_index(), view.max_update_index());
    writer.set_limits(min.max(1), max.max(1))?;
    let mut position = 0;
    let mut count = |records: u64, writer: &Writer<'_>| {
        if records % STEP != 0 {
            return Ok(());
        }
        if let Some(progress) = &options.progress {
            progress.add(STEP, writer.position().saturating_sub(position));
            position = writer.position();
        }
        match is_set(options.interrupt.as_deref()) {
            true => Err(Error::Misuse("interrupted")),
            false => Ok(()),
        }
    };
    let mut written = Written::default();
    let mut refs = view.refs(Tombstones::Hide);
    while refs.advance()? {
        let record = refs.record();
        writer.add_ref(&RefRecord {
            update_index: record.update_index.max(1),
            ..record
        })?;
        written.refs += 1;
        count(written.refs, writer)?;
    }
    let mut logs = view.logs(Tombstones::Hide);
    let (mut name, mut index) = (Vec::new(), None);
    while logs.advance()? {
        let record: LogRecord<'_> = logs.record();
        // Tables of git's C code may have an entry twice.
        if index == Some(record.update_index) && name == record.name {
            continue;
        }
        if name != record.name {
            name.clear();
            name.extend_from_slice(record.name);
        }
        index = Some(record.update_index);
        writer.add_log(&record)?;
        written.logs += 1;
        count(written.logs, writer)?;
    }
    Ok(written)
}

/// Fails if the new stack has a flaw.
fn checked(dir: &Path, hash: HashId) -> Result<()> {
    let mut first = None;
    check(dir, hash, &mut |event| {
        if let CheckEvent::Finding(finding) = event {
            first.get_or_insert_with(|| format!("{}: {finding}", finding.file));
        }
    });
    match first {
        None => Ok(()),
        Some(text) => Err(unsound(dir, &text)),
    }
}

fn unsound(dir: &Path, text: &str) -> Failure {
    let dir = quoted_path(dir);
    Failure::new(format!("what was written to {dir} is not sound: {text}"))
}
