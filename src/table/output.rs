//! Buffered output of a writer: combines blocks into large writes to the sink.
#![forbid(unsafe_code)]

use super::options::Sink;
use crate::format::{Error, Result};

/// Bytes buffered before the sink is called.
const CHUNK: usize = 128 * 1024;

/// Buffers bytes for a sink.
pub(super) struct Output<'s> {
    sink: &'s mut dyn Sink,
    chunk: Vec<u8>,
    /// Maximum bytes in `chunk`; longer writes are passed to the sink directly.
    chunk_len: usize,
    /// Whether a write has failed, so that bytes are missing in the file.
    broken: bool,
}

impl std::fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("pending", &self.chunk.len())
            .finish_non_exhaustive()
    }
}

impl<'s> Output<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink) -> Self {
        let chunk_len = if sink.wants_large_writes() { CHUNK } else { 0 };
        Self {
            sink,
            chunk: Vec::new(),
            chunk_len,
            broken: false,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.make_room(bytes.len())?;
        if bytes.len() >= self.chunk_len {
            self.check()?;
            let written = self.sink.write_all(bytes);
            self.broken = written.is_err();
            return written;
        }
        self.chunk.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes a block, which may be in two parts.
    pub(super) fn write_block(&mut self, head: &[u8], end: &[u8]) -> Result<()> {
        if end.is_empty() {
            return self.write(head);
        }
        if self.chunk_len > 0 {
            self.write(head)?;
            return self.write(end);
        }
        self.flush()?;
        self.chunk.extend_from_slice(head);
        self.chunk.extend_from_slice(end);
        self.flush()
    }

    /// Writes `len` NUL bytes.
    pub(super) fn pad(&mut self, mut len: usize) -> Result<()> {
        while len > 0 {
            let part = len.min(CHUNK);
            self.make_room(part)?;
            self.chunk.resize(self.chunk.len() + part, 0);
            len -= part;
        }
        Ok(())
    }

    fn make_room(&mut self, len: usize) -> Result<()> {
        if self.chunk.len() + len > self.chunk_len {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.check()?;
        if !self.chunk.is_empty() {
            let written = self.sink.write_all(&self.chunk);
            self.broken = written.is_err();
            self.chunk.clear();
            return written;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        if self.broken {
            return Err(Error::Misuse("write to a table after a failed write"));
        }
        Ok(())
    }

    /// Passes all buffered bytes to the sink.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.flush()
    }

    /// Makes all bytes passed to the sink durable.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.sink.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Calls(Vec<usize>, Vec<u8>, bool);

    impl Sink for Calls {
        fn wants_large_writes(&self) -> bool {
            self.2
        }

        fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.push(bytes.len());
            self.1.extend_from_slice(bytes);
            Ok(())
        }

        fn sync(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn small_writes_are_combined_in_order() {
        let mut calls = Calls(Vec::new(), Vec::new(), true);
        let mut expected = Vec::new();
        let mut output = Output::new(&mut calls);
        for n in 0..100_u8 {
            let piece = vec![n; 100 + 40 * usize::from(n)];
            output.write(&piece).unwrap();
            output.pad(usize::from(n)).unwrap();
            expected.extend_from_slice(&piece);
            expected.resize(expected.len() + usize::from(n), 0);
        }
        let big = vec![7; 3 * CHUNK];
        output.write(&big).unwrap();
        output.pad(2 * CHUNK + 5).unwrap();
        expected.extend_from_slice(&big);
        expected.resize(expected.len() + 2 * CHUNK + 5, 0);
        output.finish().unwrap();
        assert_eq!(calls.1, expected);
        assert!(calls.0.len() < 10, "{:?}", calls.0);
    }

    #[test]
    fn blocks_and_padding_are_single_writes_if_the_sink_wants_it() {
        let mut calls = Calls(Vec::new(), Vec::new(), false);
        let mut output = Output::new(&mut calls);
        output.write_block(&[1; 10], &[]).unwrap();
        output.pad(6).unwrap();
        output.write_block(&[2; 3], &[3; 4]).unwrap();
        output.pad(0).unwrap();
        output.write(&[4; 2]).unwrap();
        output.finish().unwrap();
        assert_eq!(calls.0, [10, 6, 7, 2]);
        let expected = [&[1; 10][..], &[0; 6], &[2; 3], &[3; 4], &[4; 2]].concat();
        assert_eq!(calls.1, expected);
    }
}
