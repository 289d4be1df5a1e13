//! Counting what is in a table.
#![forbid(unsafe_code)]

use reftable::format::BlockType;
use reftable::record::{LogValue, RefValue};
use reftable::table::{RawBlock, RawTable, RawValue};

use crate::failure::Result;
use crate::json::Object;

/// The names of the sections, in the order of [`TableCounts::sections`].
pub const SECTIONS: [&str; 3] = ["refs", "objects", "logs"];

/// Figures about one table.
pub struct TableCounts {
    pub name: String,
    pub size: u64,
    pub version: u8,
    pub block_size: u32,
    pub update_indexes: (u64, u64),
    pub sections: [Section; 3],
}

/// Figures about one section.
#[derive(Clone, Copy, Debug, Default)]
pub struct Section {
    pub records: u64,
    pub deletions: u64,
    pub blocks: u64,
    pub restarts: u64,
    /// Bytes of the blocks in the file, deflated and with padding.
    pub bytes: u64,
    /// Bytes of the blocks without padding.
    pub used: u64,
    /// The most that the blocks could hold.
    pub room: u64,
    pub index_blocks: u64,
    pub index_bytes: u64,
    /// Levels of the index.
    pub levels: u32,
}

impl Section {
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.deletions += other.deletions;
        self.blocks += other.blocks;
        self.restarts += other.restarts;
        self.bytes += other.bytes;
        self.index_blocks += other.index_blocks;
        self.index_bytes += other.index_bytes;
    }
}

impl TableCounts {
    /// Reads the whole table.
    pub fn new(table: &RawTable) -> Result<Self> {
        let mut counts = Self {
            name: table.name().to_owned(),
            size: u64::try_from(table.bytes().len()).unwrap_or(u64::MAX),
            version: table.version(),
            block_size: table.block_size(),
            update_indexes: table.update_indexes(),
            sections: [Section::default(); 3],
        };
        let mut at = table.first_block();
        let mut current = 0;
        while at < table.end() {
            let block = table.block(at)?;
            match block.block_type() {
                BlockType::Ref => current = 0,
                BlockType::Obj => current = 1,
                BlockType::Log => current = 2,
                BlockType::Index => {}
            }
            if let Some(section) = counts.sections.get_mut(current) {
                section.count(&block, table.block_size())?;
            }
            at = block.next_offset();
        }
        if let Some(positions) = table.positions() {
            let roots = [
                positions.ref_index,
                positions.object_index,
                positions.log_index,
            ];
            for (section, root) in counts.sections.iter_mut().zip(roots) {
                section.levels = levels(table, root)?;
            }
        }
        Ok(counts)
    }

    pub fn put_json(&self, item: &mut Object<'_>) {
        item.text("name", &self.name).value("size", self.size);
        item.value("version", self.version);
        item.value("block_size", self.block_size);
        item.value("min_update_index", self.update_indexes.0);
        item.value("max_update_index", self.update_indexes.1);
        for (name, section) in SECTIONS.iter().zip(&self.sections) {
            if section.blocks == 0 {
                continue;
            }
            item.object(name, |object| {
                for (key, value) in [
                    ("records", section.records),
                    ("deletions", section.deletions),
                    ("blocks", section.blocks),
                    ("restarts", section.restarts),
                    ("bytes", section.bytes),
                    ("used", section.used),
                    ("room", section.room),
                    ("index_blocks", section.index_blocks),
                    ("index_bytes", section.index_bytes),
                    ("index_levels", section.levels.into()),
                ] {
                    object.value(key, value);
                }
            });
        }
    }
}

impl Section {
    fn count(&mut self, block: &RawBlock<'_>, block_size: u32) -> Result<()> {
        if block.block_type() == BlockType::Index {
            self.index_blocks += 1;
            self.index_bytes += block.size_in_file();
            return Ok(());
        }
        self.blocks += 1;
        self.bytes += block.size_in_file();
        let used = u64::try_from(block.bytes().len()).unwrap_or(u64::MAX);
        self.used += used;
        self.room += used.max(block_size.into());
        self.restarts += u64::try_from(block.restart_count()).unwrap_or(u64::MAX);
        let mut records = block.records();
        while let Some(record) = records.next()? {
            self.records += 1;
            let is_deletion = match record.value {
                RawValue::Ref(record) => record.value == RefValue::Deletion,
                RawValue::Log(record) => record.value == LogValue::Deletion,
                _ => false,
            };
            self.deletions += u64::from(is_deletion);
        }
        Ok(())
    }
}

/// The levels of the index with this root: as many as index blocks lead to the first other one.
fn levels(table: &RawTable, root: u64) -> Result<u32> {
    const MOST: u32 = 64;
    let (mut at, mut levels) = (root, 0);
    while at != 0 && levels < MOST {
        let block = table.block(at)?;
        if block.block_type() != BlockType::Index {
            break;
        }
        levels += 1;
        let mut records = block.records();
        at = match records.next()?.map(|record| record.value) {
            Some(RawValue::Index(position)) => position,
            _ => 0,
        };
    }
    Ok(levels)
}
