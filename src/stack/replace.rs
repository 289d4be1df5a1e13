//! Replacing a stack that may be damaged.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::Arc;

use super::addition::CommitOutcome;
use super::handle::Stack;
use super::list::List;
use super::options::StackOptions;
use super::publish::Replaced;
use super::shared::Shared;
use super::sink::TableSink;
use crate::format::{Error, Result};
use crate::sys::{LockFile, StdStorage};
use crate::table::{Table, WriteOptions, Writer};

/// A transaction that replaces all tables of a stack by at most one, for programs that repair
/// stacks. It reads neither the list nor any table.
///
/// Holds `tables.list.lock` until it is committed or dropped. Dropping it removes its table. The
/// files of the replaced stack stay in the directory; as the list no longer names them,
/// [`Stack::clean`] removes them.
///
/// # Examples
/// ```
/// use reftable::record::{RefRecord, RefValue};
/// use reftable::stack::{Replacement, Stack, StackOptions};
/// use reftable::table::WriteOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// std::fs::write(dir.join("tables.list"), "0x01-0x01-missing.ref\n")?;
/// assert!(Stack::open(dir, StackOptions::default()).is_err());
///
/// let mut replacement = Replacement::begin(dir, StackOptions::default())?;
/// let name = b"refs/heads/main";
/// replacement.write_table(&WriteOptions::default(), |writer| {
///     writer.set_limits(1, 1)?;
///     let value = RefValue::Val1(&[0x11; 20]);
///     writer.add_ref(&RefRecord { name, update_index: 1, value })
/// })?;
/// assert!(replacement.commit()?.published);
/// assert_eq!(Stack::open(dir, StackOptions::default())?.merged().tables().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Replacement {
    shared: Arc<Shared>,
    table: Option<Arc<Table>>,
    lock: Option<Box<dyn LockFile>>,
}

impl Replacement {
    /// Locks the list of the stack in the directory `dir`, and waits for the lock as long as the
    /// options say.
    ///
    /// # Errors
    /// [`Error::Locked`] if the lock was held for all that time; [`Error::Io`].
    pub fn begin(dir: &Path, options: StackOptions) -> Result<Self> {
        Self::of(Arc::new(Shared::new(Arc::new(StdStorage), dir, options)?))
    }

    fn of(shared: Arc<Shared>) -> Result<Self> {
        let mut lock = shared.lock_list()?;
        shared.set_mode(&mut *lock)?;
        Ok(Self {
            shared,
            table: None,
            lock: Some(lock),
        })
    }

    /// Writes the table by calling `write`, which must set the limits before it adds records. A
    /// table that was written before is removed. Returns `None` if no record was added.
    ///
    /// `options` are used instead of those of the stack, so that a table with a record that is too
    /// large for its blocks can be written again with larger ones.
    ///
    /// # Errors
    /// Those of `write`; [`Error::Misuse`] if the hash is not the stack's; [`Error::Io`].
    pub fn write_table<E: From<Error>>(
        &mut self,
        options: &WriteOptions,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<Option<&Table>, E> {
        self.remove_table();
        let shared = Arc::clone(&self.shared);
        if options.hash_id != shared.options.write.hash_id {
            return Err(Error::Misuse("a stack has one hash function").into());
        }
        let mut sink = TableSink::new(&shared, (1, 1));
        let mut writer = Writer::new(&mut sink, options)?;
        write(&mut writer)?;
        match writer.finish() {
            Err(Error::EmptyTable) => return Ok(None),
            done => done?,
        };
        let limits = writer.limits();
        drop(writer);
        let table = shared.persist_table(sink.into_file()?, limits, &self.present()?)?;
        Ok(Some(self.table.insert(table)))
    }

    /// The files in the directory, whose names a new table must not have.
    fn present(&self) -> Result<List> {
        let shared = &self.shared;
        let entries = shared
            .storage
            .list_dir(&shared.dir)
            .map_err(|e| Error::io("open directory", &shared.dir, e))?;
        Ok(List::from_names(
            entries.iter().filter_map(|name| name.to_str()),
        ))
    }

    /// Replaces the list by one that names the table, or by an empty one. The stack is not
    /// compacted.
    ///
    /// # Errors
    /// If the list could not be replaced. The stack is then unchanged.
    pub fn commit(mut self) -> Result<CommitOutcome> {
        let lock = self
            .lock
            .take()
            .ok_or(Error::Misuse("the replacement is over"))?;
        let names = || self.table.iter().map(|table| table.name());
        let list = List::from_names(names());
        match self.shared.replace_list(lock, &list, names(), false) {
            Ok(Replaced { unflushed, .. }) => {
                self.table = None;
                Ok(CommitOutcome {
                    published: true,
                    compaction: None,
                    unflushed,
                })
            }
            Err(failure) => {
                if failure.may_be_published {
                    // The list may name it: keep it from being removed.
                    self.table = None;
                }
                Err(failure.error)
            }
        }
    }

    fn remove_table(&mut self) {
        if let Some(table) = self.table.take() {
            let path = self.shared.path_of(table.name());
            drop(table);
            // On failure the table is a leftover, which `Stack::clean` removes.
            let _ = self.shared.storage.remove(&path);
        }
    }
}

impl Drop for Replacement {
    /// Removes the table before the lock.
    fn drop(&mut self) {
        self.remove_table();
    }
}

impl Stack {
    /// As [`Replacement::begin`], for the directory and with the storage of this stack.
    ///
    /// # Errors
    /// As for [`Replacement::begin`].
    #[doc(hidden)]
    pub fn begin_replacement(&self) -> Result<Replacement> {
        Replacement::of(Arc::clone(&self.shared))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::record::{RefRecord, RefValue};
    use std::fs;

    fn write(writer: &mut Writer<'_>) -> Result<()> {
        writer.set_limits(3, 7)?;
        writer.add_ref(&RefRecord {
            name: b"refs/heads/main",
            update_index: 5,
            value: RefValue::Val1(&[1; 20]),
        })
    }

    /// The content of the list, and the number of files.
    fn state(dir: &Path) -> (String, usize) {
        let list = fs::read_to_string(dir.join("tables.list")).unwrap();
        (list, fs::read_dir(dir).unwrap().count())
    }

    #[test]
    fn a_damaged_stack_is_replaced_only_by_a_commit() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        fs::write(dir.join("tables.list"), "../x\n").unwrap();
        fs::write(dir.join("foreign"), "").unwrap();
        let options = StackOptions {
            lock_timeout_ms: 0,
            ..StackOptions::default()
        };
        let table = options.write;
        let mut first = Replacement::begin(dir, options.clone()).unwrap();
        let locked = Replacement::begin(dir, options.clone()).unwrap_err();
        assert!(matches!(locked, Error::Locked { .. }), "{locked}");
        assert!(first.write_table(&table, write).unwrap().is_some());
        assert!(first
            .write_table(&table, |_| Err(Error::Misuse("no")))
            .is_err());
        assert!(first.write_table(&table, write).unwrap().is_some());
        drop(first);
        assert_eq!(state(dir), ("../x\n".into(), 2));

        let mut second = Replacement::begin(dir, options.clone()).unwrap();
        let written = second.write_table(&table, write).unwrap().unwrap();
        assert_eq!(
            (written.min_update_index(), written.max_update_index()),
            (3, 7)
        );
        let name = written.name().to_owned();
        assert!(second.commit().unwrap().published);
        assert_eq!(state(dir), (format!("{name}\n"), 3));
        let stack = Stack::open(dir, options.clone()).unwrap();
        assert_eq!(stack.next_update_index(), 8);

        let mut third = Replacement::begin(dir, options.clone()).unwrap();
        let written = third.write_table(&options.write, |writer| writer.set_limits(1, 1));
        assert!(written.unwrap().is_none());
        assert!(third.commit().unwrap().published);
        assert_eq!(state(dir), (String::new(), 3));
    }
}
