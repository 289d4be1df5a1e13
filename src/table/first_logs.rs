//! The first two logs of a table in the wrong order.
//!
//! git's writer does not compare the second log of a table with the first one. Its callers may
//! rely on that; its readers, and ours, rely on records that ascend. So the two change places.
#![forbid(unsafe_code)]

use super::{BlockType, Result, Writer};

impl Writer<'_> {
    /// From now on the second log of the table may be one that belongs before the first.
    pub fn swap_first_logs(&mut self) {
        self.swaps_first_logs = true;
    }

    /// Whether there is one log as yet, and `key` belongs before it.
    pub(super) fn goes_before_first_log(&self, key: &[u8]) -> bool {
        let is_second = self.index.len() == 0 && self.block.only_record().is_some();
        is_second && self.block.block_type() == BlockType::Log && *key < *self.last_key
    }

    /// Adds a log before the first one.
    #[cold]
    pub(super) fn add_before_first_log(
        &mut self,
        key: &[u8],
        extra: u8,
        encode: &dyn Fn(&mut Vec<u8>),
    ) -> Result<()> {
        let first_key = std::mem::take(&mut self.last_key);
        let (first_extra, first_value) = self.block.only_record().unwrap_or_default();
        let first_value = first_value.to_vec();
        self.start_block(BlockType::Log);
        let added = self.add_record(BlockType::Log, key, extra, encode);
        let first = |out: &mut Vec<u8>| out.extend_from_slice(&first_value);
        // It did fit into a block before, so it does so now.
        self.add_record(BlockType::Log, &first_key, first_extra, first)?;
        added
    }
}
