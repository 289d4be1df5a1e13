//! The records of one block as they are stored.
#![forbid(unsafe_code)]

use super::{error_in, RawBlock};
use crate::format::error::wide;
use crate::format::key::KeyHeader;
use crate::format::{BlockType, Corruption, Damage, Expected, Input, Result};
use crate::record::{
    log_record, IndexRecords, LogRecord, LogRecords, LogSpan, ObjRecords, ObjSpan, Records,
    RefRecord, RefRecords, RefSpan,
};

/// The records of a block, one after another.
#[derive(Debug)]
pub struct RawRecords<'b> {
    block: &'b RawBlock<'b>,
    /// Position of the next record in the buffer.
    next: usize,
    key: Vec<u8>,
    /// The buffer for the next key.
    spare: Vec<u8>,
    parts: Parts,
    span: Span,
}

/// The positions of a record's parts in the buffer.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    start: usize,
    shared: usize,
    extra: u8,
    suffix_start: usize,
    value_start: usize,
}

/// The value of the current record.
#[derive(Debug)]
enum Span {
    Ref(RefSpan),
    Log(LogSpan),
    Object(ObjSpan),
    Index(u64),
}

/// A record and the positions of its parts, which count from the first byte of
/// [`RawBlock::bytes`]. Two numbers, the suffix of the key and the value follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawRecord<'r> {
    /// Position of the record.
    pub start: usize,
    /// Position of the key's suffix.
    pub suffix_start: usize,
    /// Position of the value.
    pub value_start: usize,
    /// Position after the record.
    pub end: usize,
    /// Bytes of the key that it shares with the previous one.
    pub shared: usize,
    /// The low bits of the second number: the type of the value.
    pub extra: u8,
    /// The whole key: see [`record`](crate::record).
    pub key: &'r [u8],
    /// The value.
    pub value: RawValue<'r>,
}

/// The value of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RawValue<'r> {
    /// That of a ref.
    Ref(RefRecord<'r>),
    /// That of a reflog entry.
    Log(LogRecord<'r>),
    /// The ref blocks that contain an object id. None stands for any.
    Object(Vec<u64>),
    /// The position of the block whose last key this is.
    Index(u64),
}

impl<'b> RawRecords<'b> {
    pub(super) fn new(block: &'b RawBlock<'b>) -> Self {
        Self {
            block,
            next: block.block.first,
            key: Vec::new(),
            spare: Vec::new(),
            parts: Parts::default(),
            span: Span::Index(0),
        }
    }

    /// The next record, valid until the next call; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::format::Error::Corrupt) if it cannot be read, which makes those
    /// after it unreadable, too, up to the next [restart](Self::resume). Further calls return the
    /// same error.
    #[expect(
        clippy::should_implement_trait,
        reason = "the result borrows from self"
    )]
    pub fn next(&mut self) -> Result<Option<RawRecord<'_>>> {
        let block = self.block;
        match self.read() {
            Ok(true) => Ok(Some(self.record())),
            Ok(false) => Ok(None),
            Err(damage) => Err(error_in(block, damage)),
        }
    }

    fn read(&mut self) -> Result<bool, Damage> {
        let block = self.block;
        let end = block.block.records_end;
        let rest = block.buffer().get(self.next..end).unwrap_or_default();
        if rest.is_empty() {
            return Ok(false);
        }
        let mut input = Input::new(rest, end);
        let start = input.position();
        let header = KeyHeader::read(&mut input)?;
        let suffix_start = input.position();
        // The first key of a block shares nothing.
        let suffix = header.suffix(&mut input, self.key.len())?;
        let value_start = input.position();
        let key = &mut self.spare;
        key.clear();
        key.extend_from_slice(self.key.get(..header.shared).unwrap_or_default());
        key.extend_from_slice(suffix);
        if key.is_empty() {
            // NUL bytes, such as padding, would be records without a name.
            let least = Expected::AtLeast(1);
            return Err(Corruption::new(wide(start), "length of a key", 0, least));
        }
        let (extra, context) = (header.extra, &block.table.context);
        self.span = match block.block_type {
            BlockType::Ref => {
                RefRecords::check_key(key, start)?;
                let mut span = RefSpan::default();
                RefRecords::decode(extra, &mut input, context, &mut span)?;
                Span::Ref(span)
            }
            BlockType::Log => {
                LogRecords::check_key(key, start)?;
                let mut span = LogSpan::default();
                LogRecords::decode(extra, &mut input, context, &mut span)?;
                Span::Log(span)
            }
            BlockType::Obj => {
                let mut span = ObjSpan::default();
                ObjRecords::decode(extra, &mut input, context, &mut span)?;
                Span::Object(span)
            }
            BlockType::Index => {
                let mut position = 0;
                IndexRecords::decode(extra, &mut input, context, &mut position)?;
                Span::Index(position)
            }
        };
        std::mem::swap(&mut self.key, &mut self.spare);
        self.parts = Parts {
            start,
            shared: header.shared,
            extra,
            suffix_start,
            value_start,
        };
        self.next = input.position();
        Ok(true)
    }

    /// The record that was read.
    fn record(&self) -> RawRecord<'_> {
        let (base, buffer) = (self.block.block.base, self.block.buffer());
        let Parts {
            start,
            shared,
            extra,
            suffix_start,
            value_start,
        } = self.parts;
        RawRecord {
            start: start - base,
            suffix_start: suffix_start - base,
            value_start: value_start - base,
            end: self.next - base,
            shared,
            extra,
            key: &self.key,
            value: match &self.span {
                Span::Ref(span) => RawValue::Ref(RefRecord {
                    name: &self.key,
                    update_index: span.update_index,
                    value: span.value(buffer),
                }),
                Span::Log(span) => RawValue::Log(log_record(&self.key, span, buffer)),
                Span::Object(span) => RawValue::Object(span.offsets(buffer).collect()),
                Span::Index(position) => RawValue::Index(*position),
            },
        }
    }

    /// Moves to the next restart, whose key is whole, to continue after a record that cannot be read.
    /// Returns `false` if there is none. Restarts of a damaged block may be anywhere: what is read
    /// there need not be a record.
    pub fn resume(&mut self) -> bool {
        let (base, end) = (self.block.block.base, self.block.block.records_end);
        let positions = self
            .block
            .restarts()
            .filter_map(|at| usize::try_from(at).ok());
        let next = positions.map(|at| base.saturating_add(at));
        let next = next.filter(|&at| at > self.next && at < end).min();
        self.key.clear();
        self.next = next.unwrap_or(self.next);
        next.is_some()
    }

    /// Position in the file up to which the block has been read; in a log block, that of the block.
    #[must_use]
    pub fn position_in_file(&self) -> u64 {
        match self.block.block_type {
            BlockType::Log => self.block.offset(),
            _ => wide(self.next),
        }
    }
}
