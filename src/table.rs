//! One table file: its layout, reading through cursors, and writing.
//!
//! ```text
//! offset                     content
//!      0                     header, 24 or 28 bytes; included in the first block
//!      0                     ref blocks
//!      footer.ref_index      ref index blocks, lowest level first; the position is the root's
//!      footer.objects        object blocks
//!      footer.object_index   object index blocks
//!      footer.logs           log blocks
//!      footer.log_index      log index blocks
//!   size - 68 or 72          footer (header.rs)
//! ```
//!
//! Every section and every index is optional. Without refs, logs begin after the header, or at 0
//! in files of git's C writer.
#![forbid(unsafe_code)]

mod blocks;
mod cursor;
mod cursors;
mod header;
mod objects;
mod older;
mod options;
mod output;
mod raw;
mod refs_for;
mod sections;
mod verify;
mod writer;

#[doc(hidden)]
pub use blocks::{BlockInfo, Blocks};
pub(crate) use cursors::{Cursor, SeekCursor};
pub use cursors::{LogCursor, RefCursor};
pub(crate) use older::Older;
pub use options::{BlockStats, Sink, Stats, WriteOptions};
pub use raw::{Positions, RawBlock, RawRecord, RawRecords, RawTable, RawValue};
pub use refs_for::RefsFor;
pub(crate) use refs_for::Wanted;
pub use verify::Flaw;
pub use writer::Writer;

pub use crate::sys::TableData;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::block::{Block, Frame, Inflater};
use crate::format::error::wide;
use crate::format::layout::BLOCK_HEADER_LEN;
use crate::format::{BlockType, Corruption, Damage, Error, Expected, HashId, IdPrefix, Result};
use crate::record::Context;
use header::{Footer, Header};

/// The positions of a section in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Section {
    /// Position of the first block.
    start: usize,
    /// Position of the index's root block.
    index: Option<usize>,
    /// Position of the next section, or of the footer. The index is before it.
    end: usize,
}

/// An open table. It is in an [`Arc`] because cursors share it.
///
/// Opening checks header and footer. Blocks are checked when a cursor enters them.
#[derive(Debug)]
pub struct Table {
    name: String,
    data: TableData,
    /// Position of the footer.
    end: usize,
    header: Header,
    context: Context,
    refs: Option<Section>,
    objects: Option<Section>,
    logs: Option<Section>,
    object_id_len: usize,
    /// Whether the first block is a log block.
    logs_first: bool,
}

impl Table {
    /// Opens the table in `data`; `name` is used in messages and by the stack.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if header or footer break the format.
    pub fn new(name: &str, data: TableData) -> Result<Self> {
        Self::parse(name, data).map_err(|damage| damage.in_file(name))
    }

    /// Opens the table in the file `path`. Its name is that of the file.
    ///
    /// # Errors
    /// [`Error::NotExist`] if there is no such file; [`Error::Io`] if it cannot be read or is not a
    /// regular file; [`Error::Corrupt`] if header or footer break the format.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let data = TableData::open(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::NotExist { path: path.into() },
            _ => Error::io("open", path, e),
        })?;
        Self::new(&name.to_string_lossy(), data)
    }

    fn parse(name: &str, data: TableData) -> Result<Self, Damage> {
        let header = Header::parse(&data)?;
        let footer = Footer::parse(&data, &header)?;
        let mut table = Self {
            name: name.to_owned(),
            end: data.len() - header.footer_len(),
            data,
            header,
            context: Context::new(
                header.hash_id.len(),
                header.min_update_index,
                // Negative only in tables that the header's check reports.
                header
                    .max_update_index
                    .saturating_sub(header.min_update_index),
            ),
            refs: None,
            objects: None,
            logs: None,
            object_id_len: footer.object_id_len,
            logs_first: false,
        };
        table.find_sections(&footer);
        Ok(table)
    }

    /// Determines the sections from the footer and the type of the first block: the footer does not
    /// say whether there are refs.
    fn find_sections(&mut self, footer: &Footer) {
        // Positions beyond the address space are beyond the file too.
        let offset = |position: u64| match position {
            0 => None,
            _ => Some(usize::try_from(position).unwrap_or(usize::MAX)),
        };
        let (objects, mut logs) = (offset(footer.objects), offset(footer.logs));
        let section = |start, index, end: Option<usize>| Section {
            start,
            index: offset(index),
            end: end.unwrap_or(self.end),
        };
        self.logs_first = self.begins_with_logs();
        if self.logs_first {
            logs = logs.or(Some(0));
        }
        let others = [footer.ref_index, footer.objects, footer.object_index];
        let only_logs = self.logs_first && others == [0; 3];
        let empty = self.end <= self.header.len() && others == [0; 3] && logs.is_none();
        // If the first block is damaged, refs cannot be read, but the other sections can.
        let refs = !(only_logs || empty);
        let refs = refs.then(|| section(0, footer.ref_index, objects.or(logs)));
        let objects = objects.map(|start| section(start, footer.object_index, logs));
        let logs = logs.map(|start| section(start, footer.log_index, None));
        (self.refs, self.objects, self.logs) = (refs, objects, logs);
    }

    /// Whether the first block is a log block: it has that type, and a zlib header follows. In a
    /// ref block whose type is damaged, the first record follows instead; its first byte is 0, as
    /// it shares no bytes.
    fn begins_with_logs(&self) -> bool {
        let block = self.data().get(self.header.len()..).unwrap_or_default();
        block.first() == Some(&BlockType::Log.byte())
            && block.get(BLOCK_HEADER_LEN).is_some_and(|&byte| byte != 0)
    }

    /// Position of the first block. A ref block includes the file header. A log block begins after
    /// the header according to the format's document and in files of JGit; their footer has its
    /// position. In files of git's C writer it includes the header, and the footer has 0.
    pub(crate) fn first_block(&self) -> usize {
        match self.logs {
            Some(logs) if self.logs_first && logs.start == self.header.len() => logs.start,
            _ => 0,
        }
    }

    /// Checks that logs at the beginning of the file have the right position in the footer.
    fn check_start(&self, section: Section) -> Result<()> {
        let (start, first) = (section.start, self.first_block());
        if !self.logs_first || start == first {
            return Ok(());
        }
        let what = "position of logs, which begin the file";
        let expected = Expected::Exactly(wide(first));
        Err(self.damaged(Corruption::new(
            self.footer_field(24),
            what,
            wide(start),
            expected,
        )))
    }

    /// The name that was passed to [`new`](Self::new).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        wide(self.data.len())
    }

    /// Size of the file without the footer, in bytes; git calls this the table's size.
    #[must_use]
    pub fn size_without_footer(&self) -> u64 {
        wide(self.end)
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

    /// Least update index of the table.
    #[must_use]
    pub fn min_update_index(&self) -> u64 {
        self.header.min_update_index
    }

    /// Greatest update index of the table.
    #[must_use]
    pub fn max_update_index(&self) -> u64 {
        self.header.max_update_index
    }

    /// Whether the table has a ref section.
    #[must_use]
    pub fn has_refs(&self) -> bool {
        self.refs.is_some()
    }

    /// Whether the table has a log section.
    #[must_use]
    pub fn has_logs(&self) -> bool {
        self.logs.is_some()
    }

    /// A cursor before the first ref.
    #[must_use]
    pub fn refs(self: &Arc<Self>) -> RefCursor {
        RefCursor::new(self)
    }

    /// A cursor before the first reflog entry.
    #[must_use]
    pub fn logs(self: &Arc<Self>) -> LogCursor {
        LogCursor::new(self)
    }

    /// Whether [`refs_for`](Self::refs_for) reads few blocks: there is an object section, or the
    /// refs are few.
    pub(crate) fn finds_objects_fast(&self) -> bool {
        const FEW_BYTES: usize = 64 * 1024;
        self.objects.is_some()
            || self
                .refs
                .is_none_or(|refs| refs.end.saturating_sub(refs.start) <= FEW_BYTES)
    }

    /// The refs that point at `oid`, directly or peeled, by name.
    ///
    /// Uses the object section if there is one, and reads every ref otherwise.
    ///
    /// # Errors
    /// [`Error::Misuse`] if `oid` does not have the length of the table's hash; [`Error::Corrupt`].
    pub fn refs_for(self: &Arc<Self>, oid: &[u8]) -> Result<RefsFor> {
        if oid.len() != self.context.hash_len {
            return Err(Error::Misuse("object id of the wrong length"));
        }
        RefsFor::new(self, Wanted::Id(oid.to_vec()))
    }

    /// The refs that point at an object whose id begins with `prefix`, as [`refs_for`](Self::refs_for).
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn refs_for_prefix(self: &Arc<Self>, prefix: &IdPrefix) -> Result<RefsFor> {
        RefsFor::new(self, Wanted::Prefix(prefix.clone()))
    }

    /// All blocks, in the order of the file.
    #[doc(hidden)]
    #[must_use]
    pub fn blocks(&self) -> Blocks<'_> {
        Blocks::new(self)
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// Positions of a section's first block and of its index; 0 without index.
    pub(crate) fn section(&self, block_type: BlockType) -> Option<(u64, u64)> {
        let section = match block_type {
            BlockType::Ref => self.refs,
            BlockType::Obj => self.objects,
            BlockType::Log => self.logs,
            BlockType::Index => None,
        }?;
        Some((wide(section.start), section.index.map_or(0, wide)))
    }

    /// Bytes of the abbreviated object ids.
    pub(crate) fn object_id_len(&self) -> usize {
        self.object_id_len
    }

    /// Everything before the footer.
    #[inline]
    fn data(&self) -> &[u8] {
        self.data.get(..self.end).unwrap_or_default()
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            data: self.data(),
            header_len: self.header.len(),
            block_size: usize::try_from(self.header.block_size).unwrap_or(0),
        }
    }

    /// Opens the block at `offset`, which must be of this type.
    fn open_block(
        &self,
        offset: usize,
        block_type: BlockType,
        inflater: &mut Inflater,
    ) -> Result<Block> {
        Block::open(&self.frame(), offset, Some(block_type), inflater)
            .map_err(|damage| self.damaged(damage))
    }

    fn type_at(&self, offset: usize) -> Result<BlockType> {
        Block::type_at(&self.frame(), offset).map_err(|damage| self.damaged(damage))
    }

    #[cold]
    fn damaged(&self, damage: Damage) -> Error {
        damage.in_file(self.name())
    }
}
