//! Options and statistics of a writer, and the destination of its bytes.
#![forbid(unsafe_code)]

use crate::format::{HashId, Result};

/// Options of a writer, as in git's `reftable_write_options`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Block size in bytes, at most 16,777,215; 0 means 4096.
    pub block_size: u32,
    /// Records between two restarts; 0 means 16.
    pub restart_interval: u16,
    /// Hash function of the object ids. It determines the version of the file.
    pub hash_id: HashId,
    /// Omit the object section.
    pub skip_index_objects: bool,
    /// Do not pad blocks to the block size.
    pub unpadded: bool,
    /// Write log messages unchanged. Otherwise a message must be one line, and is written with one
    /// LF at its end.
    pub exact_log_message: bool,
    /// Write the same bytes as git's C writer where it deviates from the format's document: the
    /// topmost level of an index may have several blocks, and the first block of a table without
    /// refs includes the file header. JGit misses records in such tables.
    pub git_layout: bool,
}

/// The destination of a writer's bytes.
pub trait Sink {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// Any error that prevents the bytes from being written.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes all written bytes durable.
    ///
    /// # Errors
    /// Any error that prevents the bytes from being made durable.
    fn sync(&mut self) -> Result<()>;

    /// Whether to combine writes. Otherwise each block is one write, and so is the padding before
    /// it.
    fn wants_large_writes(&self) -> bool {
        true
    }
}

impl Sink for Vec<u8> {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Statistics of the blocks of one type, as in git's `reftable_block_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockStats {
    /// Records.
    pub entries: u64,
    /// Restarts.
    pub restarts: u64,
    /// Blocks.
    pub blocks: u64,
    /// Blocks of the section's index.
    pub index_blocks: u64,
    /// Levels of the section's index.
    pub max_index_level: u32,
    /// Position of the first block; 0 if there is none, or if it is the first block of the file.
    pub offset: u64,
    /// Position of the index's root block; 0 without index.
    pub index_offset: u64,
}

/// Statistics of a table, as in git's `reftable_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks of all types.
    pub blocks: u64,
    /// The ref section.
    pub ref_stats: BlockStats,
    /// The object section.
    pub obj_stats: BlockStats,
    /// All index blocks.
    pub idx_stats: BlockStats,
    /// The log section.
    pub log_stats: BlockStats,
    /// Bytes of the abbreviated object ids; 0 without object section.
    pub object_id_len: u8,
}
