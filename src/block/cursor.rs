//! Reading the records of one block in order, from its start or from a key.
#![forbid(unsafe_code)]

use super::search::{Restart, Scan};
use super::{prefetch, Block, BlockRecords};
use crate::format::key::{KeyBuf, Window};
use crate::format::{BlockType, Damage, Input};
use crate::record::{Context, FastRecord, Records};

/// A position in a block, and the key of the record before it.
///
/// Borrows nothing: the owner of the file passes [`BlockRecords`] to each call.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockCursor {
    /// Position of the next record.
    next: usize,
    /// Whether the last search found the first record of its block.
    at_first: bool,
    pub(crate) key: KeyBuf,
}

impl BlockCursor {
    /// Moves before the first record, whose key must be greater than the current one.
    #[inline]
    pub(crate) fn start(&mut self, block: &Block) {
        self.next = block.first;
        self.key.start_block();
    }

    /// Reads the next record by the [fast path](crate::record::fast). If it returns `None`,
    /// nothing has changed, and [`step`](Self::step) reads the record.
    #[inline(always)]
    pub(crate) fn step_fast<'a, R: Records>(
        &'a mut self,
        records: &BlockRecords<'a>,
    ) -> Option<FastRecord<'a, R::Span>> {
        if !R::HAS_FAST {
            return None;
        }
        let window: &Window = records.buffer.get(self.next..)?.first_chunk()?;
        let key = self.key.read_fast(window)?;
        if key.has_nul() {
            return None;
        }
        let at = key.value_at();
        let value = R::decode_fast(key.extra, window, at, self.next, records.context)?;
        let end = self.next + value.end;
        if end > records.block.records_end {
            return None;
        }
        self.next = end;
        Some(FastRecord {
            key: key.store(),
            span: value.span,
            id: value.id,
        })
    }

    /// Reads the next record into `span`; returns `false` at the end of the block.
    #[inline(always)]
    pub(crate) fn step<R: Records>(
        &mut self,
        records: &BlockRecords<'_>,
        span: &mut R::Span,
    ) -> Result<bool, Damage> {
        let Some(mut input) = records.input_at(self.next) else {
            return Ok(false);
        };
        match self.read::<R>(&mut input, records.context, span) {
            Ok(()) => {
                self.next = input.position();
                Ok(true)
            }
            Err(damage) => Err(records.block.locate(damage)),
        }
    }

    #[inline(always)]
    fn read<R: Records>(
        &mut self,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut R::Span,
    ) -> Result<(), Damage> {
        let next = self.key.read(input, R::MAY_REPEAT)?;
        R::check_next(&next, &self.key, self.next)?;
        R::decode(next.extra, input, context, span)
    }

    /// Reads the first record whose key is not less than `want`; returns `false` if the block has
    /// no such record.
    ///
    /// With `ahead`, the current key is in this block and known to be less than `want`.
    pub(crate) fn seek<R: Records>(
        &mut self,
        records: &BlockRecords<'_>,
        want: &[u8],
        ahead: bool,
        span: &mut R::Span,
    ) -> Result<bool, Damage> {
        let &BlockRecords { block, buffer, .. } = records;
        // A ref block just entered is probably in no cache. Index blocks and inflated ones are.
        let cold = R::TYPE == BlockType::Ref && !ahead;
        if cold {
            prefetch::restarts_like(block, buffer, block.base);
        }
        let found = Restart::before(records, want).and_then(|restart| {
            if cold {
                prefetch::records(buffer, restart.position);
            }
            let scan = if ahead && restart.position < self.next {
                Scan::after(self.next, self.key.bytes(), want)
            } else {
                restart.scan::<R>(records, span)?
            };
            self.key.forget();
            self.scan::<R>(records, want, scan, span)
        });
        found.map_err(|damage| block.locate(damage))
    }

    /// Whether the search that read the current record found it to be the first of its block.
    pub(crate) fn is_at_first(&self) -> bool {
        self.at_first
    }

    /// Whether the current record is the last of its block.
    pub(crate) fn is_at_end(&self, block: &Block) -> bool {
        self.next == block.records_end
    }

    /// Reads the record that `scan` finds.
    #[inline(always)]
    fn scan<R: Records>(
        &mut self,
        records: &BlockRecords<'_>,
        want: &[u8],
        mut scan: Scan,
        span: &mut R::Span,
    ) -> Result<bool, Damage> {
        let Some(hit) = scan.run::<R>(records, want, span)? else {
            self.next = records.block.records_end;
            return Ok(false);
        };
        let mut input = hit.value;
        let start = want.get(..hit.shared).unwrap_or(want);
        self.key.set(start, hit.suffix);
        R::check_key(self.key.bytes(), hit.position)?;
        R::decode(hit.extra, &mut input, records.context, span)?;
        self.next = input.position();
        self.at_first = hit.position == records.block.first;
        Ok(true)
    }
}
