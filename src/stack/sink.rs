//! From a table's writer to a temporary file.
#![forbid(unsafe_code)]

use crate::format::{Error, Result};
use crate::sys::TempFile;
use crate::table::Sink;

/// Tables up to this size are kept in memory while they are written, so that nobody
/// needs to open and read them again.
const KEEP: usize = 32 << 10;

/// Writes to a temporary file and keeps a copy of what is small.
pub(super) struct FileSink<'f> {
    file: &'f mut dyn TempFile,
    copy: Option<Vec<u8>>,
}

impl<'f> FileSink<'f> {
    pub(super) fn new(file: &'f mut dyn TempFile) -> Self {
        Self {
            file,
            copy: Some(Vec::new()),
        }
    }

    /// All that was written, unless it was too much.
    pub(super) fn into_copy(self) -> Option<Vec<u8>> {
        self.copy
    }
}

impl Sink for FileSink<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|e| Error::io("write", self.file.path(), e))?;
        match &mut self.copy {
            Some(copy) if copy.len() + bytes.len() <= KEEP => copy.extend_from_slice(bytes),
            copy => *copy = None,
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        self.file
            .sync()
            .map_err(|e| Error::io("sync", self.file.path(), e))
    }
}
