//! The destination of a table that is being written: memory, then a temporary file.
#![forbid(unsafe_code)]

use super::shared::Shared;
use crate::format::{Error, Result};
use crate::sys::TempFile;
use crate::table::Sink;

/// Tables up to this size, in bytes, are kept in memory while they are written. They need not be
/// read back, and a table that is merged with older ones at once never becomes a file.
pub(super) const KEEP: usize = 32 << 10;

/// A table's bytes: in memory up to [`KEEP`], then in a temporary file.
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

    /// The whole table; `None` if it has become too large for memory.
    pub(super) fn in_memory(&self) -> Option<&[u8]> {
        self.file.is_none().then_some(&self.memory)
    }

    /// Returns the temporary file, and creates it if there is none yet.
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

    /// Bytes in memory are flushed by [`into_file`](Self::into_file).
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::stack::options::StackOptions;
    use crate::sys::StdStorage;
    use std::sync::Arc;

    /// Writes chunks of these sizes; checks the file, and returns whether there is a copy.
    fn write_chunks(sizes: &[usize]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let options = StackOptions::default();
        let shared = Shared::new(Arc::new(StdStorage), dir.path(), options).unwrap();
        let mut sink = TableSink::new(&shared, (1, 1));
        let mut all = Vec::new();
        for (byte, &size) in (1..).zip(sizes) {
            let chunk = vec![byte; size];
            sink.write_all(&chunk).unwrap();
            sink.sync().unwrap();
            all.extend(chunk);
            assert_eq!(sink.in_memory(), (all.len() <= KEEP).then_some(&all[..]));
        }
        let written = sink.into_file().unwrap();
        assert!(std::fs::read(written.temp.path()).unwrap() == all);
        if let Some(copy) = &written.copy {
            assert!(*copy == all);
        }
        written.copy.is_some()
    }

    #[test]
    fn tables_are_kept_in_memory_up_to_the_limit() {
        assert!(write_chunks(&[]));
        assert!(write_chunks(&[1, KEEP - 1]));
        assert!(!write_chunks(&[1, KEEP]));
        assert!(!write_chunks(&[KEEP, 1, KEEP]));
        assert!(!write_chunks(&[KEEP + 1, 1]));
    }
}
