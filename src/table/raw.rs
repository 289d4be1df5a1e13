//! A table as it is stored: its blocks and records with their positions. For programs that show a
//! table to people, and for those that read what a damaged one still has.
#![forbid(unsafe_code)]

mod record;

pub use record::{RawRecord, RawRecords, RawValue};

use std::fmt;

use super::header::{Footer, Header};
use super::TableData;
use crate::block::{Block, Frame, Inflater};
use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::layout::{footer_len, header_len, BLOCK_HEADER_LEN, RESTART_LEN};
use crate::format::{BlockType, Corruption, Damage, HashId, Result};
use crate::record::Context;

/// A table of which only the header, or its copy in the footer, must be readable.
///
/// A [`Table`](super::Table) reads sections; this reads single blocks. It checks only what is
/// necessary to read a block: keys may be in any order.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use reftable::record::{RefRecord, RefValue};
/// # use reftable::table::{WriteOptions, Writer};
/// # let mut bytes = Vec::new();
/// # let mut writer = Writer::new(&mut bytes, &WriteOptions::default())?;
/// # writer.set_limits(1, 1)?;
/// # let (name, value) = (b"refs/heads/main", RefValue::Val1(&[0x11; 20]));
/// # writer.add_ref(&RefRecord { name, update_index: 1, value })?;
/// # writer.finish()?;
/// # drop(writer);
/// use reftable::table::RawTable;
///
/// let table = RawTable::new("example", bytes.into())?;
/// let block = table.block(0)?;
/// let mut records = block.records();
/// while let Some(record) = records.next()? {
///     println!("{}: {:?} {:?}", record.start, record.key, record.value);
/// }
/// # Ok(())
/// # }
/// ```
pub struct RawTable {
    name: String,
    data: TableData,
    header: Header,
    header_is_damaged: bool,
    footer: Option<Footer>,
    context: Context,
    /// Position of the footer; the length of the file without one.
    end: usize,
}

/// The positions in a footer; 0 stands for a section or an index that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Positions {
    /// The root block of the ref index.
    pub ref_index: u64,
    /// The first object block.
    pub objects: u64,
    /// Bytes of the abbreviated object ids.
    pub object_id_len: usize,
    /// The root block of the object index.
    pub object_index: u64,
    /// The first log block. 0 also if it begins the file.
    pub logs: u64,
    /// The root block of the log index.
    pub log_index: u64,
}

/// A block as it is stored.
pub struct RawBlock<'t> {
    table: &'t RawTable,
    block: Block,
    block_type: BlockType,
    /// The inflated bytes of a log block.
    inflater: Inflater,
}

impl fmt::Debug for RawTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawTable")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RawBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawBlock")
            .field("offset", &self.block.offset)
            .field("block_type", &self.block_type)
            .finish_non_exhaustive()
    }
}

impl RawTable {
    /// Opens the table in `data`; `name` is used in messages.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt) if neither the header nor its copy in a
    /// sound footer can be read.
    pub fn new(name: &str, data: TableData) -> Result<Self> {
        let parsed = Header::parse(&data);
        let (header, header_is_damaged, footer) = match parsed {
            Ok(header) if starts_as_stored(&data, &header) => {
                let footer = Footer::parse(&data, &header).ok();
                (header, false, footer)
            }
            parsed => match copy_in_footer(&data) {
                Some((header, footer)) => (header, true, Some(footer)),
                None => (parsed.map_err(|damage| damage.in_file(name))?, false, None),
            },
        };
        let end = match footer {
            Some(_) => data.len().saturating_sub(header.footer_len()),
            None => data.len(),
        };
        let least = header.min_update_index;
        Ok(Self {
            name: name.to_owned(),
            context: Context::new(header.hash_id.len(), least, u64::MAX - least),
            data,
            header,
            header_is_damaged,
            footer,
            end,
        })
    }

    /// Opens the table in `data` as if its header were this one, for tables whose header and footer
    /// are both wrong. `update_indexes` are the least and the greatest.
    #[must_use]
    pub fn with_header(
        name: &str,
        data: TableData,
        hash_id: HashId,
        block_size: u32,
        update_indexes: (u64, u64),
    ) -> Self {
        let (min_update_index, max_update_index) = update_indexes;
        let header = Header {
            min_update_index,
            max_update_index,
            ..Header::new(hash_id, block_size)
        };
        let copy = copy_in_footer(&data);
        let footer = copy.filter(|(found, _)| found.len() == header.len());
        let len = data.len();
        Self {
            name: name.to_owned(),
            context: Context::new(hash_id.len(), min_update_index, u64::MAX - min_update_index),
            data,
            header,
            header_is_damaged: true,
            footer: footer.map(|(_, footer)| footer),
            end: match footer {
                Some(_) => len.saturating_sub(header.footer_len()),
                None => len,
            },
        }
    }

    /// The name that was passed to [`new`](Self::new).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// Version of the format, 1 or 2.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.header.version
    }

    /// Block size in the header, in bytes; 0 if blocks are not aligned.
    #[must_use]
    pub fn block_size(&self) -> u32 {
        self.header.block_size
    }

    /// Hash function of the object ids.
    #[must_use]
    pub fn hash_id(&self) -> HashId {
        self.header.hash_id
    }

    /// Least and greatest update index.
    #[must_use]
    pub fn update_indexes(&self) -> (u64, u64) {
        (self.header.min_update_index, self.header.max_update_index)
    }

    /// Bytes of the header, which the first block includes.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header.len()
    }

    /// Whether the header is that of the footer, as the one at the start of the file is damaged.
    #[must_use]
    pub fn header_is_damaged(&self) -> bool {
        self.header_is_damaged
    }

    /// The positions in the footer; `None` if its checksum is wrong.
    #[must_use]
    pub fn positions(&self) -> Option<Positions> {
        self.footer.map(|footer| Positions {
            ref_index: footer.ref_index,
            objects: footer.objects,
            object_id_len: footer.object_id_len,
            object_index: footer.object_index,
            logs: footer.logs,
            log_index: footer.log_index,
        })
    }

    /// Position of the footer, or the length of the file if the footer is damaged.
    #[must_use]
    pub fn end(&self) -> u64 {
        wide(self.end)
    }

    /// Position of the first block: 0, where the block includes the header, or after the header, as
    /// log blocks begin in files of JGit. [`end`](Self::end) if there is no block.
    #[must_use]
    pub fn first_block(&self) -> u64 {
        if self.end <= self.header.len() {
            return self.end();
        }
        let begins_after = self
            .footer
            .is_some_and(|footer| footer.logs == wide(self.header.len()));
        if begins_after {
            wide(self.header.len())
        } else {
            0
        }
    }

    /// The block at `offset`.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt) or
    /// [`Error::Compression`](crate::format::Error::Compression) if there is no readable block.
    pub fn block(&self, offset: u64) -> Result<RawBlock<'_>> {
        self.open(offset)
            .map_err(|damage| damage.in_file(&self.name))
    }

    fn open(&self, offset: u64) -> Result<RawBlock<'_>, Damage> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let frame = self.frame();
        let mut inflater = Inflater::default();
        let block_type = Block::type_at(&frame, offset)?;
        let block = Block::open(&frame, offset, Some(block_type), &mut inflater)?;
        Ok(RawBlock {
            table: self,
            block,
            block_type,
            inflater,
        })
    }

    /// The position of the first block at or after `from` whose records are all readable, to
    /// continue after a damaged block. `None` if there is no such block.
    ///
    /// Bytes of a damaged block that look like a block are not told from one.
    #[must_use]
    pub fn find_block(&self, from: u64) -> Option<u64> {
        let from = usize::try_from(from).ok()?;
        let bytes = self.data.get(..self.end)?;
        let rest = bytes.get(from..)?;
        let candidates = rest.iter().enumerate().filter_map(|(at, &byte)| {
            let position = from + at;
            BlockType::try_from(byte).ok().map(|_| position)
        });
        let mut candidates = candidates.filter(|&position| self.may_begin_at(position));
        candidates.find_map(|position| {
            let block = self.open(wide(position)).ok()?;
            let mut records = block.records();
            let mut count = 0_u64;
            while records.next().ok()?.is_some() {
                count += 1;
            }
            (count > 0).then_some(wide(position))
        })
    }

    /// Whether a block may begin at `position`, which is cheap to say: its length is within the
    /// file, or it is deflated.
    fn may_begin_at(&self, position: usize) -> bool {
        let bytes = self.data.get(position..self.end).unwrap_or_default();
        let Some(&[byte, a, b, c]) = bytes.first_chunk::<BLOCK_HEADER_LEN>() else {
            return false;
        };
        let len = usize::try_from(be24([a, b, c])).unwrap_or(usize::MAX);
        match byte == BlockType::Log.byte() {
            true => bytes
                .get(BLOCK_HEADER_LEN)
                .is_some_and(|&byte| byte & 15 == 8),
            // Not only the block must be in the file, but its first record shares nothing.
            false => len <= bytes.len() && bytes.get(BLOCK_HEADER_LEN) == Some(&0),
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            data: self.data.get(..self.end).unwrap_or_default(),
            header_len: self.header.len(),
            block_size: usize::try_from(self.header.block_size).unwrap_or(0),
        }
    }
}

impl RawBlock<'_> {
    /// Position in the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        wide(self.block.offset)
    }

    /// Type of the records.
    #[must_use]
    pub fn block_type(&self) -> BlockType {
        self.block_type
    }

    /// The bytes of the block without its padding: in a log block, those after inflating. The
    /// positions of records and restarts count from the first of them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let trailer = RESTART_LEN * usize::from(self.block.restart_count) + 2;
        let end = self.block.records_end.saturating_add(trailer);
        self.buffer().get(self.block.base..end).unwrap_or_default()
    }

    /// Bytes in the file, deflated and with padding.
    #[must_use]
    pub fn size_in_file(&self) -> u64 {
        let end = self.block.offset.saturating_add(self.block.full_size);
        // The padding of the last block is not written.
        wide(end.min(self.table.end) - self.block.offset)
    }

    /// Position in the file of the next block, or of the footer.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.offset() + self.size_in_file()
    }

    /// Position of the first record: the length of the block's header, and in the first block also
    /// of the file's.
    #[must_use]
    pub fn records_start(&self) -> usize {
        self.block.first - self.block.base
    }

    /// Position after the last record, where the restarts begin.
    #[must_use]
    pub fn records_end(&self) -> usize {
        self.block.records_end - self.block.base
    }

    /// The positions of the records that share no bytes with the one before. In a damaged block
    /// they may be any numbers.
    pub fn restarts(&self) -> impl Iterator<Item = u32> + '_ {
        let offsets = self.bytes().get(self.records_end()..).unwrap_or_default();
        let offsets = offsets
            .chunks_exact(RESTART_LEN)
            .filter_map(|chunk| chunk.try_into().ok());
        offsets.take(self.restart_count()).map(be24)
    }

    /// The number of restarts.
    #[must_use]
    pub fn restart_count(&self) -> usize {
        usize::from(self.block.restart_count)
    }

    /// The records, from the first on.
    #[must_use]
    pub fn records(&self) -> RawRecords<'_> {
        RawRecords::new(self)
    }

    fn buffer(&self) -> &[u8] {
        match self.block_type {
            BlockType::Log => self.inflater.block(),
            _ => &self.table.data,
        }
    }
}

/// Whether the header is not contradicted by a sound footer: a header with flipped bits can still
/// be read.
fn starts_as_stored(data: &[u8], header: &Header) -> bool {
    Footer::parse(data, header).is_ok() || copy_in_footer(data).is_none()
}

/// The header in a sound footer at the end of a file.
fn copy_in_footer(data: &[u8]) -> Option<(Header, Footer)> {
    [1, 2].into_iter().find_map(|version| {
        let len = header_len(version)?;
        let footer = data.get(data.len().checked_sub(footer_len(len))?..)?;
        let header = Header::parse(footer)
            .ok()
            .filter(|header| header.version == version)?;
        // As if the file began with the copy.
        let whole = [footer.get(..len)?, footer].concat();
        Some((header, Footer::parse(&whole, &header).ok()?))
    })
}

/// Damage at a position in a block, as an error that names the file.
fn error_in(block: &RawBlock<'_>, damage: Box<Corruption>) -> crate::format::Error {
    block.block.locate(damage).in_file(&block.table.name)
}

#[cfg(test)]
mod tests;
