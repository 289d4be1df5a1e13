//! Merging records of older tables into a table while it is written.
#![forbid(unsafe_code)]

use super::Writer;
use crate::format::Result;
use crate::record::{LogRecord, RefRecord};
use std::cmp::{Ordering, Reverse};
use std::fmt;

/// Refs and reflog entries of older tables, each in ascending order of keys.
pub(crate) trait Older {
    /// The least update index of these tables.
    fn min_update_index(&self) -> u64;

    /// Whether the new table will be the oldest one. Its tombstones then have nothing to hide and
    /// are dropped; there are none among these records either.
    fn drops_tombstones(&self) -> bool;

    /// The next ref.
    fn current_ref(&self) -> Option<RefRecord<'_>>;

    /// Moves past [`current_ref`](Self::current_ref).
    ///
    /// # Errors
    /// Those of reading a table.
    fn next_ref(&mut self) -> Result<()>;

    /// The next reflog entry.
    fn current_log(&self) -> Option<LogRecord<'_>>;

    /// Moves past [`current_log`](Self::current_log).
    ///
    /// # Errors
    /// Those of reading a table.
    fn next_log(&mut self) -> Result<()>;
}

// As for the traits of `sys::storage`.
impl fmt::Debug for dyn Older {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Older").finish_non_exhaustive()
    }
}

impl Writer<'_> {
    /// Writes the older refs whose names are less than `name`, or all if it is `None`, and drops an
    /// older ref of the same name.
    pub(super) fn add_older_refs(
        &mut self,
        older: &mut dyn Older,
        name: Option<&[u8]>,
    ) -> Result<()> {
        while let Some(record) = older.current_ref() {
            match name.map_or(Ordering::Less, |name| record.name.cmp(name)) {
                Ordering::Less => self.put_ref(&record)?,
                Ordering::Equal => {}
                Ordering::Greater => break,
            }
            older.next_ref()?;
        }
        Ok(())
    }

    /// Writes the older reflog entries that precede `own`, or all if it is `None`, and drops an
    /// older entry with the same key.
    pub(super) fn add_older_logs(
        &mut self,
        older: &mut dyn Older,
        own: Option<&LogRecord<'_>>,
    ) -> Result<()> {
        while let Some(record) = older.current_log() {
            let order = own.map_or(Ordering::Less, |own| {
                let (name, index) = (own.name, Reverse(own.update_index));
                record
                    .name
                    .cmp(name)
                    .then(Reverse(record.update_index).cmp(&index))
            });
            match order {
                // Tables of git's C writer may contain a key twice.
                Ordering::Less if self.repeats_last_log(record.name, record.update_index) => {}
                Ordering::Less => self.put_log(&record)?,
                Ordering::Equal => {}
                Ordering::Greater => break,
            }
            older.next_log()?;
        }
        Ok(())
    }
}
