//! Ending sections: writing their indexes, and the object section.
#![forbid(unsafe_code)]

use super::{ObjectIndex, Writer};
use crate::block::{BlockWriter, RecordKey};
use crate::format::error::wide;
use crate::format::layout::{MAX_OBJECT_ID_LEN, MIN_OBJECT_ID_LEN};
use crate::format::words::common_prefix;
use crate::format::{varint, BlockType, Error, Result};
use crate::record::{encode_obj, obj_value_type};

/// Last keys and positions of the blocks of one level, which become the records of the next level.
#[derive(Debug, Default)]
pub(super) struct IndexEntries {
    keys: Vec<u8>,
    /// For each block, the end of its key in `keys`, and its position.
    blocks: Vec<(usize, u64)>,
}

impl IndexEntries {
    pub(super) fn push(&mut self, key: &[u8], offset: u64) {
        self.keys.extend_from_slice(key);
        self.blocks.push((self.keys.len(), offset));
    }

    fn len(&self) -> usize {
        self.blocks.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let mut start = 0;
        self.blocks.iter().map(move |&(end, offset)| {
            let key = self.keys.get(start..end).unwrap_or_default();
            start = end;
            (key, offset)
        })
    }
}

/// The last keys of the index blocks that would hold these keys with positions up to `offset`.
fn last_keys<'k>(block: &mut BlockWriter, keys: &[&'k [u8]], offset: u64) -> Vec<&'k [u8]> {
    let mut lasts = Vec::new();
    let mut last: &[u8] = &[];
    block.start(BlockType::Index, 0);
    for &key in keys {
        let shared = common_prefix(last, key);
        let record_key = RecordKey {
            bytes: key,
            shared,
            extra: 0,
        };
        if !block.add(&record_key, |out| varint::put(out, offset)) {
            lasts.push(last);
            block.start(BlockType::Index, 0);
            block.add(&record_key, |out| varint::put(out, offset));
        }
        last = key;
    }
    lasts.push(last);
    lasts
}

impl Writer<'_> {
    /// Ends the current section and writes its index.
    ///
    /// A section of more blocks than the threshold gets an index. Each level of several blocks gets
    /// another level above it, because the footer has the position of a single block, the root.
    /// git's C writer stops as soon as a level has no more blocks than the threshold; its own
    /// reader searches these one after another, but JGit reads only the first.
    fn finish_section(&mut self) -> Result<()> {
        let section = self.block.block_type();
        self.flush_block()?;
        let threshold = if self.options.unpadded { 1 } else { 3 };
        let blocks_before = self.stats.idx_stats.blocks;
        let mut index_offset = 0;
        let mut levels = 0;
        while self.index.len() > threshold || (levels > 0 && self.needs_root()) {
            levels += 1;
            index_offset = self.next;
            let level = std::mem::take(&mut self.index);
            self.start_block(BlockType::Index);
            self.last_key.clear();
            for (key, offset) in level.iter() {
                self.add_record(BlockType::Index, key, 0, |out| varint::put(out, offset))?;
            }
            self.flush_block()?;
            if self.index.len() >= level.len() {
                // One record per block: no further level would have fewer blocks.
                return Err(Error::EntryTooBig {
                    size: wide(self.last_key.len()),
                    limit: self.block.capacity() / 2,
                });
            }
        }
        self.index = IndexEntries::default();
        self.last_key.clear();
        let index_blocks = self.stats.idx_stats.blocks - blocks_before;
        let stats = self.section_stats(section);
        stats.index_blocks = index_blocks;
        stats.index_offset = index_offset;
        stats.max_index_level = levels;
        Ok(())
    }

    /// Whether the level just written has several blocks and further levels would end with a single
    /// one. They would not if keys are so long that a block holds only one.
    fn needs_root(&self) -> bool {
        if self.options.git_layout || self.index.len() < 2 {
            return false;
        }
        // An upper bound for the positions in the further levels, which are not yet known.
        let blocks = wide(self.index.len()) + 1;
        let offset = self.next + u64::from(self.options.block_size) * blocks;
        let mut block = BlockWriter::new(self.options.block_size, self.options.restart_interval);
        let mut keys: Vec<&[u8]> = self.index.iter().map(|(key, _)| key).collect();
        while keys.len() > 1 {
            let above = last_keys(&mut block, &keys, offset);
            if above.len() >= keys.len() {
                return false;
            }
            keys = above;
        }
        true
    }

    /// Ends the refs, and writes the objects they contain; or ends the logs.
    pub(super) fn finish_public_section(&mut self) -> Result<()> {
        let section = self.block.block_type();
        self.finish_section()?;
        let objects = std::mem::replace(&mut self.objects, ObjectIndex::new(self.options.hash_id));
        // Without an index the refs fill few blocks, and searching all of them is cheap.
        if section == BlockType::Ref
            && !self.options.skip_index_objects
            && self.stats.ref_stats.index_blocks > 0
        {
            self.write_objects(objects)?;
        }
        Ok(())
    }

    fn write_objects(&mut self, mut objects: ObjectIndex) -> Result<()> {
        let id_len = objects.sort().max(MIN_OBJECT_ID_LEN);
        if id_len > MAX_OBJECT_ID_LEN {
            // The length does not fit into the footer. The section is optional, so omit it.
            return Ok(());
        }
        self.stats.object_id_len = u8::try_from(id_len).unwrap_or(0);
        self.start_block(BlockType::Obj);
        objects.for_each(|id, blocks| self.add_object(id.get(..id_len).unwrap_or(id), blocks))?;
        self.finish_section()
    }

    /// Adds an object. If the positions of its ref blocks do not fit into a block, they are omitted.
    fn add_object(&mut self, id: &[u8], blocks: &[u64]) -> Result<()> {
        let encode = |out: &mut Vec<u8>| encode_obj(out, blocks.len(), blocks.iter().copied());
        match self.add_record(BlockType::Obj, id, obj_value_type(blocks.len()), encode) {
            Err(Error::EntryTooBig { .. }) => {
                let encode = |out: &mut Vec<u8>| encode_obj(out, 0, std::iter::empty());
                self.add_record(BlockType::Obj, id, obj_value_type(0), encode)
            }
            other => other,
        }
    }
}
