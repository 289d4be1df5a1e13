//! Iterating over the records of one block.

use std::ffi::c_int;

use super::view::BlockView;
use super::{reftable_block, Code};
use crate::block::BlockCursor;
use crate::capi::iterator::Reader;
use crate::capi::record::{reftable_log_record, reftable_ref_record, RecordOut};
use crate::ffi::code::{answer, CResult};
use crate::format::Damage;
use crate::record::{
    log_key, log_record, LogRecords, LogSpan, Records, RefRecord, RefRecords, RefSpan,
};

/// A reader of the caller's block, which must not change. If it does, the reader returns wrong
/// records, but never accesses memory outside the block.
#[derive(Debug)]
pub(super) struct BlockReader {
    block: *const reftable_block,
    cursor: BlockCursor,
    /// Whether a seek has already read the next record.
    found: bool,
    key: Vec<u8>,
    of_ref: RefSpan,
    of_log: LogSpan,
}

impl BlockReader {
    /// A reader before the first record.
    ///
    /// # Errors
    /// Those of [`BlockView::new`].
    ///
    /// # Safety
    /// `block` is NULL, or a block that outlives the reader.
    pub(super) unsafe fn new(block: *const reftable_block) -> CResult<Self> {
        // SAFETY: the caller's promise.
        let view = unsafe { BlockView::new(block) }?;
        let mut cursor = BlockCursor::default();
        cursor.start(&view.block);
        Ok(Self {
            block,
            cursor,
            found: false,
            key: Vec::new(),
            of_ref: RefSpan::default(),
            of_log: LogSpan::default(),
        })
    }

    /// The block, if it holds records of this kind.
    fn view<R: Records>(&self) -> CResult<BlockView<'static>> {
        // SAFETY: the block outlives the reader, as promised to `new`, and the view is never
        // returned beyond a borrow of the reader.
        let view = unsafe { BlockView::new(self.block) }?;
        match view.block_type == R::TYPE.byte() {
            true => Ok(view),
            false => Err(Code::MISUSE),
        }
    }
}

fn code(damage: Damage) -> Code {
    damage.in_file("").into()
}

/// Moves to the next record. Returns false at the end.
fn advance<R: Records>(
    view: &BlockView<'_>,
    cursor: &mut BlockCursor,
    found: &mut bool,
    span: &mut R::Span,
) -> CResult<bool> {
    if std::mem::take(found) {
        return Ok(true);
    }
    cursor.step::<R>(&view.records(), span).map_err(code)
}

/// Moves to before the first record whose key is not less than `want`.
fn seek<R: Records>(
    view: &BlockView<'_>,
    cursor: &mut BlockCursor,
    found: &mut bool,
    want: &[u8],
    span: &mut R::Span,
) -> CResult<bool> {
    *found = false;
    *found = cursor
        .seek::<R>(&view.records(), want, false, span)
        .map_err(code)?;
    Ok(true)
}

impl Reader for BlockReader {
    fn seek_ref(&mut self, name: &[u8]) -> CResult<bool> {
        let view = self.view::<RefRecords>()?;
        let (cursor, found) = (&mut self.cursor, &mut self.found);
        seek::<RefRecords>(&view, cursor, found, name, &mut self.of_ref)
    }

    fn next_ref(&mut self, to: RecordOut<reftable_ref_record>) -> c_int {
        answer(|| {
            let view = self.view::<RefRecords>()?;
            let (cursor, found) = (&mut self.cursor, &mut self.found);
            if !advance::<RefRecords>(&view, cursor, found, &mut self.of_ref)? {
                return Ok(false);
            }
            to.fill(&RefRecord {
                name: self.cursor.key.bytes(),
                update_index: self.of_ref.update_index,
                value: self.of_ref.value(view.bytes),
            })
        })
    }

    fn seek_log(&mut self, name: &[u8], update_index: u64) -> CResult<bool> {
        let view = self.view::<LogRecords>()?;
        log_key(&mut self.key, name, update_index);
        let (cursor, found) = (&mut self.cursor, &mut self.found);
        seek::<LogRecords>(&view, cursor, found, &self.key, &mut self.of_log)
    }

    fn next_log(&mut self, to: RecordOut<reftable_log_record>) -> c_int {
        answer(|| {
            let view = self.view::<LogRecords>()?;
            let (cursor, found) = (&mut self.cursor, &mut self.found);
            if !advance::<LogRecords>(&view, cursor, found, &mut self.of_log)? {
                return Ok(false);
            }
            to.fill(&log_record(
                self.cursor.key.bytes(),
                &self.of_log,
                view.bytes,
            ))
        })
    }

    #[cfg(feature = "capi-internals")]
    fn next_index(&mut self) -> CResult<Option<(&[u8], u64)>> {
        use crate::record::IndexRecords;

        let view = self.view::<IndexRecords>()?;
        let mut position = 0;
        let cursor = &mut self.cursor;
        let more = advance::<IndexRecords>(&view, cursor, &mut false, &mut position)?;
        Ok(more.then(|| (self.cursor.key.bytes(), position)))
    }

    #[cfg(feature = "capi-internals")]
    fn next_object(&mut self) -> CResult<Option<(&[u8], Vec<u64>)>> {
        use crate::record::{ObjRecords, ObjSpan};

        let view = self.view::<ObjRecords>()?;
        let mut span = ObjSpan::default();
        let more = advance::<ObjRecords>(&view, &mut self.cursor, &mut false, &mut span)?;
        let positions = || span.offsets(view.bytes).collect();
        Ok(more.then(|| (self.cursor.key.bytes(), positions())))
    }
}
