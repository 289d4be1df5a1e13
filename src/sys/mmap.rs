//! Mapping a file into memory, read-only.
#![expect(unsafe_code, reason = "no safe call maps a file")]

use std::fs::File;
use std::io;

/// A read-only mapping of a whole file.
#[derive(Debug)]
pub(super) struct Mapping(memmap2::Mmap);

impl Mapping {
    /// Maps `len` bytes of `file` from its start; `len` is its size, not 0.
    pub(super) fn new(file: &File, len: usize) -> io::Result<Self> {
        // SAFETY: the mapped bytes must not change while they are borrowed. Tables are written
        // under a temporary name and from their rename on never again, by this crate, by git and
        // by JGit; they are replaced by new files and unlinked, which leaves a mapping as it is.
        //
        // Nothing enforces that: a user who may write the file can cut or overwrite it. A page
        // that is cut off ends the process by SIGBUS, as with git's C code. Changed bytes are
        // checked like all others, but the compiler may take two reads of one byte for the same,
        // so that nothing is promised then. That user gains nothing: who may write tables may
        // write the configuration and hooks of the repository, too, which git runs. The promise
        // is documented for users in docs/reliability.md, under "Faults".
        let map = unsafe { memmap2::MmapOptions::new().len(len).map(file) }?;
        Ok(Self(map))
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
