//! The four types of records, as values and as bytes.
//!
//! A record is a key (`format::key`) followed by a value:
//!
//! ```text
//! type   key                                        value
//! ref    ref name                                   refs.rs
//! log    ref name, NUL, inverted update index       log.rs
//! obj    abbreviated object id                      obj.rs
//! index  last key of a block                        index.rs
//! ```
//!
//! Decoding checks every length once and stores positions (a span), from which borrowed records
//! are made on demand.
#![forbid(unsafe_code)]

pub(crate) mod fast;
mod index;
mod log;
mod obj;
mod refs;
mod zone;

pub(crate) use fast::{FastRecord, FastValue};
pub(crate) use index::IndexRecords;
pub(crate) use log::{
    encode as encode_log, is_log_key, log_key, record as log_record, LogRecords, LogSpan,
};
pub use log::{LogRecord, LogUpdate, LogValue};
pub(crate) use obj::{encode as encode_obj, value_type as obj_value_type, ObjRecords, ObjSpan};
pub(crate) use refs::{encode as encode_ref, RefRecords, RefSpan};
pub use refs::{RefRecord, RefValue};
pub use zone::{Zone, ZoneForm};

use crate::format::key::{KeyBuf, NextKey, Window};
use crate::format::{BlockType, Damage, Input};

/// The properties of a table that are needed to decode its records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// Bytes of an object id.
    pub hash_len: usize,
    /// The table's least update index; refs store the difference from it.
    pub min_update_index: u64,
    /// Maximum difference: that of the table's greatest update index.
    pub max_delta: u64,
    /// Maximum difference that a varint of one byte can express and that is within the table.
    max_short_delta: u8,
}

impl Context {
    /// The context of a table whose ids have `hash_len` bytes, and whose update indexes range from
    /// `min_update_index` to `min_update_index + max_delta`.
    pub(crate) const fn new(hash_len: usize, min_update_index: u64, max_delta: u64) -> Self {
        Self {
            hash_len,
            min_update_index,
            max_delta,
            max_short_delta: match max_delta.to_le_bytes() {
                [short, 0, 0, 0, 0, 0, 0, 0] if short < 0x80 => short,
                _ => 0x7f,
            },
        }
    }
}

/// A type of records: how the blocks of one section are read.
pub(crate) trait Records {
    /// The type of their blocks.
    const TYPE: BlockType;
    /// Whether a key may equal the previous one. The format forbids it, but git's C writer accepts
    /// it for the second record of a block, and its repositories must stay readable.
    const MAY_REPEAT: bool = false;
    /// Whether [`decode_fast`](Self::decode_fast) exists. Keys of such records contain no NUL.
    const HAS_FAST: bool = false;
    /// Positions of the parts of a value, in the buffer that is read.
    type Span: Clone + std::fmt::Debug + Default;

    /// Checks a key; an error names `position`.
    fn check_key(key: &[u8], position: usize) -> Result<(), Damage>;

    /// Checks a key that follows a checked one.
    fn check_next(next: &NextKey<'_>, key: &KeyBuf, position: usize) -> Result<(), Damage>;

    /// Reads the value after a key with these extra bits.
    fn decode(
        extra: u8,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut Self::Span,
    ) -> Result<(), Damage>;

    /// Reads the value at offset `at` of a window that begins at `position`, if it has the form of
    /// the [fast path](fast). The caller checks that the record ends within its block.
    #[inline(always)]
    fn decode_fast<'a>(
        extra: u8,
        window: &'a Window,
        at: usize,
        position: usize,
        context: &Context,
    ) -> Option<FastValue<'a, Self::Span>> {
        let _ = (extra, window, at, position, context);
        None
    }

    /// Finds the end of the value at offset `at` of the window, if it has the form of the
    /// [fast path](fast). The caller checks that the record ends within its block.
    #[inline(always)]
    fn skip_fast(extra: u8, window: &Window, at: usize, context: &Context) -> Option<usize> {
        let _ = (extra, window, at, context);
        None
    }

    /// Skips the value of a record whose key is not wanted.
    #[inline(always)]
    fn skip(
        extra: u8,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut Self::Span,
    ) -> Result<(), Damage> {
        Self::decode(extra, input, context, span)
    }
}

/// The `len` bytes of `buffer` from `start` on; empty if they do not exist, which decoding has
/// ruled out for spans.
#[inline]
pub(crate) fn part(buffer: &[u8], start: usize, len: usize) -> &[u8] {
    buffer
        .get(start..start.wrapping_add(len))
        .unwrap_or_default()
}

/// Appends a string after its length.
#[inline]
pub(crate) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    crate::format::varint::put(out, crate::format::error::wide(string.len()));
    out.extend_from_slice(string);
}
