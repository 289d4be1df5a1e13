//! From a table's writer to a temporary file, by way of memory for small tables.
#![forbid(unsafe_code)]

use super::Shared;
use crate::format::{Error, Result};
use crate::sys::TempFile;
use crate::table::Sink;

/// Tables up to this size are kept in memory while they are written: nobody needs to open
/// and read them again, and one that is merged with its elders at once never becomes a file.
pub(super) const KEEP: usize = 32 << 10;

/// Takes a table's bytes: the first ones into memory, and all of them into a temporary
/// file once they are many.
pub(super) struct TableSink<'s> {
    shared: &'s Shared,
    /// Update indexes for the temporary file's name.
    range: (u64, u64),
    memory: Vec<u8>,
    file: Option<Box<dyn TempFile>>,
}

/// A table in a temporary file.
pub(super) struct Written {
    pub(super) temp: Box<dyn TempFile>,
    /// Its content, if it is small.
    pub(super) copy: Option<Vec<u8>>,
}

impl<'s> TableSink<'s> {
    pub(super) fn new(shared: &'s Shared, range: (u64, u64)) -> Self {
        Self {
            shared,
            range,
            memory: Vec::new(),
            file: None,
        }
    }

    /// The whole table, unless it is too large to be kept.
    pub(super) fn in_memory(&self) -> Option<&[u8]> {
        self.file.is_none().then_some(&self.memory)
    }

    /// The temporary file, which is made now if there is none yet.
    pub(super) fn into_file(self) -> Result<Written> {
        if let Some(temp) = self.file {
            return Ok(Written { temp, copy: None });
        }
        let mut temp = self.shared.temp_table(self.range)?;
        write(&mut *temp, &self.memory)?;
        sync(&mut *temp)?;
        Ok(Written {
            temp,
            copy: Some(self.memory),
        })
    }
}

impl Sink for TableSink<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(file) = &mut self.file {
            return write(&mut **file, bytes);
        }
        if self.memory.len() + bytes.len() <= KEEP {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let mut temp = self.shared.temp_table(self.range)?;
        if !self.memory.is_empty() {
            write(&mut *temp, &self.memory)?;
            self.memory = Vec::new();
        }
        write(&mut **self.file.insert(temp), bytes)
    }

    /// What is still in memory is synced when it becomes a file.
    fn sync(&mut self) -> Result<()> {
        match &mut self.file {
            Some(file) => sync(&mut **file),
            None => Ok(()),
        }
    }
}

fn write(file: &mut dyn TempFile, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes)
        .map_err(|e| Error::io("write", file.path(), e))
}

fn sync(file: &mut dyn TempFile) -> Result<()> {
    file.sync().map_err(|e| Error::io("sync", file.path(), e))
}
