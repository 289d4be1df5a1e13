//! Renaming and copying a ref with its log: the records that are written.
#![forbid(unsafe_code)]

use super::log_records::add_tombstones;
use crate::format::Error;
use crate::merged::{Merged, Tombstones};
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue};
use crate::table::Writer;

/// A ref to rename or to copy within a stack.
pub(crate) struct Moving<'a> {
    pub old: &'a [u8],
    pub new: &'a [u8],
    /// Whether it is renamed, and not copied.
    pub deletes_old: bool,
    /// Its value: one or two ids.
    pub value: RefValue<'a>,
    /// The view of the locked stack.
    pub view: &'a Merged,
    /// Whether the log of `HEAD`, which points at the old ref, gets an entry for its deletion.
    pub logs_head: bool,
    /// The log entry, whose ids do not matter.
    pub entry: LogUpdate<'a>,
    /// The id for no object.
    pub null: &'a [u8],
}

/// What is written to one log.
#[derive(Clone, Copy)]
enum Log {
    /// The entries of the old name, after those of this operation.
    Copied,
    /// Tombstones of all entries.
    Removed,
    /// For the log of `HEAD`: the deletion of the branch that it names.
    Head,
}

impl Moving<'_> {
    /// Writes the refs and the logs. `first` is the next update index.
    pub(crate) fn write(&self, writer: &mut Writer<'_>, first: u64) -> Result<(), Error> {
        // A rename takes two update indexes: one log entry for the deletion of the old name, one
        // for the creation of the new name.
        let creation = first.saturating_add(u64::from(self.deletes_old));
        writer.set_limits(first, creation)?;
        self.write_refs(writer, first, creation)?;
        self.write_logs(writer, first, creation)
    }

    fn write_refs(
        &self,
        writer: &mut Writer<'_>,
        deletion: u64,
        creation: u64,
    ) -> Result<(), Error> {
        let created = RefRecord {
            name: self.new,
            update_index: creation,
            value: self.value,
        };
        let deleted = RefRecord {
            name: self.old,
            update_index: deletion,
            value: RefValue::Deletion,
        };
        let mut refs = [created, deleted];
        let count = 1 + usize::from(self.deletes_old);
        let refs = refs.get_mut(..count).unwrap_or_default();
        refs.sort_unstable_by_key(|record| record.name);
        refs.iter().try_for_each(|record| writer.add_ref(record))
    }

    fn write_logs(
        &self,
        writer: &mut Writer<'_>,
        deletion: u64,
        creation: u64,
    ) -> Result<(), Error> {
        let id = self.value.id().unwrap_or(self.null);
        let created = LogUpdate {
            old_hash: self.null,
            new_hash: id,
            ..self.entry
        };
        let deleted = LogUpdate {
            old_hash: id,
            new_hash: self.null,
            ..self.entry
        };
        let mut logs = vec![(self.new, Log::Copied)];
        if self.deletes_old {
            logs.push((self.old, Log::Removed));
            if self.logs_head {
                logs.push((b"HEAD", Log::Head));
            }
        }
        logs.sort_unstable_by_key(|(name, _)| *name);
        for (name, log) in logs {
            match log {
                Log::Copied => {
                    let created = new_log(name, creation, created);
                    let deleted = new_log(name, deletion, deleted);
                    let count = 1 + usize::from(self.deletes_old);
                    self.copy_log(writer, [created, deleted].into_iter().take(count))?;
                }
                Log::Removed => self.remove_log(writer, name)?,
                Log::Head => writer.add_log(&new_log(name, deletion, deleted))?,
            }
        }
        Ok(())
    }

    /// Writes the log of the new name: `new` entries, newest first, merged with those of the old
    /// name, which are written as they are read: a log may be larger than memory.
    fn copy_log<'a>(
        &self,
        writer: &mut Writer<'_>,
        new: impl Iterator<Item = LogRecord<'a>>,
    ) -> Result<(), Error> {
        let mut new = new.peekable();
        let mut last = None;
        let mut old = self.view.logs(Tombstones::Hide);
        old.seek_only(self.old)?;
        while old.advance()? {
            let record = old.record();
            while let Some(new) = new.next_if(|new| new.update_index >= record.update_index) {
                writer.add_log(&new)?;
                last = Some(new.update_index);
            }
            // Tables of git's C writer may contain a key twice.
            if last.replace(record.update_index) != Some(record.update_index) {
                let name = self.new;
                writer.copy_log(&LogRecord { name, ..record })?;
            }
        }
        new.try_for_each(|new| writer.add_log(&new))
    }

    fn remove_log(&self, writer: &mut Writer<'_>, name: &[u8]) -> Result<(), Error> {
        add_tombstones(writer, &mut self.view.logs(Tombstones::Hide), name)
    }
}

fn new_log<'a>(name: &'a [u8], update_index: u64, update: LogUpdate<'a>) -> LogRecord<'a> {
    LogRecord {
        name,
        update_index,
        value: LogValue::Update(update),
    }
}
