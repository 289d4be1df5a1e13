//! How a table is written, and what was written.
#![forbid(unsafe_code)]

use crate::format::{HashId, Result};

/// Choices of a writer, as in git's `reftable_write_options`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Bytes of a block, at most 16,777,215; 0 means 4096.
    pub block_size: u32,
    /// Records between two restarts; 0 means 16.
    pub restart_interval: u16,
    /// Hash of the object ids; decides the version of the file.
    pub hash_id: HashId,
    /// Write no object section.
    pub skip_index_objects: bool,
    /// Do not pad blocks to the block size.
    pub unpadded: bool,
    /// Take log messages as they are. Otherwise they must be one line, and end in one LF.
    pub exact_log_message: bool,
    /// Write the same bytes as git's C writer where the format's document asks for others:
    /// the topmost level of an index may have several blocks, and the first block of a table
    /// without refs includes the file header. JGit misses records in such tables.
    pub git_layout: bool,
}

/// Where a writer puts its bytes.
pub trait Sink {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being written.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being durable.
    fn sync(&mut self) -> Result<()>;

    /// Whether few large writes are better than one for each block, and one for the padding
    /// before it.
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

/// Numbers about the blocks of one type, as in git's `reftable_block_stats`.
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
    /// Position of the first block; 0 when there is none, or when it is the first of the file.
    pub offset: u64,
    /// Position of the index's root; 0 when there is no index.
    pub index_offset: u64,
}

/// Numbers about a table, as in git's `reftable_stats`.
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
    /// Bytes of the abbreviated object ids; 0 when there was no reason to write them.
    pub object_id_len: u8,
}
