//! Encoding records into one block.
#![forbid(unsafe_code)]

use super::zlib::Deflater;
use crate::format::error::wide;
use crate::format::key;
use crate::format::layout::{BLOCK_HEADER_LEN, RESTART_COUNT_LEN, RESTART_LEN};
use crate::format::{BlockType, Result, MAX_BLOCK_SIZE, MAX_RESTARTS};

/// Maximum initial capacity of the buffer: block sizes go up to 16 MiB.
const FIRST_CAPACITY: usize = 64 * 1024;

/// A block under construction. One buffer serves all blocks of a table.
#[derive(Debug)]
pub(crate) struct BlockWriter {
    bytes: Vec<u8>,
    restarts: Vec<usize>,
    block_type: BlockType,
    /// Bytes reserved for the file header.
    header_len: usize,
    block_size: usize,
    restart_interval: usize,
    entries: usize,
    /// Created with the first log block: a deflate state is large, and most tables have no logs.
    deflater: Option<Deflater>,
}

/// The key of a record to be added.
pub(crate) struct RecordKey<'a> {
    pub bytes: &'a [u8],
    /// Length of the longest common prefix with the previous key.
    pub shared: usize,
    /// Extra bits of the key.
    pub extra: u8,
}

/// A finished block, as it is written to the file.
pub(crate) struct FinishedBlock<'a> {
    /// Space for the file header, if any, and the block header; the remainder too, except in log
    /// blocks.
    pub head: &'a mut [u8],
    /// The deflated part of a log block.
    pub deflated: &'a [u8],
}

impl BlockWriter {
    pub(crate) fn new(block_size: u32, restart_interval: u16) -> Self {
        let block_size = usize::try_from(block_size).unwrap_or(usize::MAX);
        Self {
            bytes: Vec::with_capacity(block_size.min(FIRST_CAPACITY)),
            restarts: Vec::new(),
            block_type: BlockType::Ref,
            header_len: 0,
            block_size,
            restart_interval: usize::from(restart_interval).max(1),
            entries: 0,
            deflater: None,
        }
    }

    /// Begins an empty block that reserves `header_len` bytes for the file header.
    pub(crate) fn start(&mut self, block_type: BlockType, header_len: usize) {
        self.bytes.clear();
        self.bytes.resize(header_len, 0);
        self.bytes.extend_from_slice(&[block_type.byte(), 0, 0, 0]);
        self.restarts.clear();
        self.block_type = block_type;
        self.header_len = header_len;
        self.entries = 0;
    }

    pub(crate) fn block_type(&self) -> BlockType {
        self.block_type
    }

    /// Number of records.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Number of restarts.
    pub(crate) fn restarts(&self) -> usize {
        self.restarts.len()
    }

    /// Maximum bytes of a record in an empty block.
    pub(crate) fn capacity(&self) -> u64 {
        let taken = self.header_len + BLOCK_HEADER_LEN + RESTART_LEN + RESTART_COUNT_LEN;
        wide(self.block_size.saturating_sub(taken))
    }

    /// Adds a record whose value `encode` appends. Returns `false`, with the block unchanged, if
    /// the block would exceed its size.
    #[inline(always)]
    pub(crate) fn add(&mut self, key: &RecordKey<'_>, encode: impl FnOnce(&mut Vec<u8>)) -> bool {
        let shared = if self.entries % self.restart_interval == 0 {
            0
        } else {
            key.shared
        };
        let start = self.bytes.len();
        key::put(&mut self.bytes, key.bytes, shared, key.extra);
        encode(&mut self.bytes);
        let restart = shared == 0 && self.restarts.len() < MAX_RESTARTS;
        let restarts = self.restarts.len() + usize::from(restart);
        let len = self.bytes.len() + RESTART_LEN * restarts + RESTART_COUNT_LEN;
        if len > self.block_size {
            self.bytes.truncate(start);
            return false;
        }
        if restart {
            self.restarts.push(start);
        }
        self.entries += 1;
        true
    }

    /// Adds a record to an empty block, ignoring the block size. Returns `false` if the record
    /// exceeds the format's maximum block size.
    #[cold]
    pub(crate) fn add_oversized(
        &mut self,
        key: &RecordKey<'_>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let largest = usize::try_from(MAX_BLOCK_SIZE).unwrap_or(usize::MAX);
        let block_size = std::mem::replace(&mut self.block_size, largest);
        let added = self.add(key, encode);
        self.block_size = block_size;
        added
    }

    /// Finishes the block: appends the restarts, stores the length, and deflates a log block.
    pub(crate) fn finish(&mut self) -> Result<FinishedBlock<'_>> {
        for &restart in &self.restarts {
            self.bytes.extend_from_slice(&be24(restart));
        }
        let [.., high, low] = wide(self.restarts.len()).to_be_bytes();
        self.bytes.extend_from_slice(&[high, low]);
        let len = be24(self.bytes.len());
        let records = self.header_len + BLOCK_HEADER_LEN;
        if let Some(target) = self.bytes.get_mut(self.header_len + 1..records) {
            target.copy_from_slice(&len);
        }
        if self.block_type != BlockType::Log {
            return Ok(FinishedBlock {
                head: &mut self.bytes,
                deflated: &[],
            });
        }
        let (head, content) = self.bytes.split_at_mut_checked(records).unwrap_or_default();
        let deflater = self.deflater.get_or_insert_with(Deflater::new);
        Ok(FinishedBlock {
            head,
            deflated: deflater.deflate(content)?,
        })
    }
}

/// The low 24 bits, big-endian. Lengths and offsets in a block are below 2^24.
fn be24(n: usize) -> [u8; 3] {
    let [.., a, b, c] = wide(n).to_be_bytes();
    [a, b, c]
}
