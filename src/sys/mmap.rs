//! Mapping a file into memory, read-only.
#![expect(unsafe_code, reason = "there is no safe way to map a file")]

use std::fs::File;
use std::io;

/// A read-only mapping of a whole file.
#[derive(Debug)]
pub(super) struct Mapping(memmap2::Mmap);

impl Mapping {
    /// Maps `len` bytes of `file` from its start; `len` is the size of the file and not 0.
    pub(super) fn new(file: &File, len: usize) -> io::Result<Self> {
        // SAFETY: the mapped bytes must not change while they are borrowed. This crate, git and
        // JGit write a table under a temporary name and never after its rename. They replace it
        // by a new file and unlink it, which does not change a mapping.
        //
        // This is not enforced: a user with write permission can truncate or overwrite the file.
        // Reading a page that was cut off ends the process by SIGBUS, as with git's C code. Changed
        // bytes are checked like all others, but the compiler may assume that two reads of a byte
        // are equal, so behaviour is then undefined. That user gains nothing: whoever can write
        // tables can also write the repository's configuration and hooks, which git runs.
        // docs/reliability.md documents this for users, under "Faults".
        let map = unsafe { memmap2::MmapOptions::new().len(len).map(file) }?;
        Ok(Self(map))
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
