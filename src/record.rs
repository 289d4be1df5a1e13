//! The four kinds of records, as values and as bytes.
//!
//! Each kind knows how to write its value and how to find it again: decoding checks every length
//! once and yields positions, from which borrowed records are made on demand.
#![forbid(unsafe_code)]

mod index;
mod log;
mod obj;
mod refs;
mod zone;

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

/// What the bytes of a record mean depends on these properties of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// Bytes of an object id.
    pub hash_len: usize,
    /// Added to the update index deltas of refs.
    pub min_update_index: u64,
    /// By how much the update index of a ref may be above that.
    pub max_delta: u64,
    /// The same, if it is less than 128, as one byte can tell; otherwise 127.
    max_short_delta: u8,
}

impl Context {
    /// That of a table whose ids have `hash_len` bytes, and its refs update indexes from
    /// `min_update_index` to `max_delta` above it.
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

/// A record that was read from a [`Window`].
pub(crate) struct Usual<'a, Span> {
    /// Where its value stands in the buffer that is read.
    pub span: Span,
    /// Its object id.
    pub id: &'a [u8],
    /// Where it ends in the window.
    pub end: usize,
}

/// A kind of records: how the blocks of one section are read.
pub(crate) trait Records {
    /// The blocks that hold such records.
    const TYPE: BlockType;
    /// Whether a key may repeat the one before. The format says no; git's C writer lets the second
    /// record of a block do it, and its repositories must stay readable.
    const MAY_REPEAT: bool = false;
    /// Whether [`usual`](Self::usual) ever gives something. Keys then hold no NUL.
    const HAS_USUAL: bool = false;
    /// Where the parts of a value stand, in the buffer that is read.
    type Span: Clone + std::fmt::Debug + Default;

    /// Checks the rules for keys; `place` is a position to name.
    fn check_key(key: &[u8], place: usize) -> Result<(), Damage>;

    /// The same, for the key that follows a checked one.
    fn check_next(next: &NextKey<'_>, key: &KeyBuf, place: usize) -> Result<(), Damage>;

    /// Reads the value that follows a key with these extra bits.
    fn decode(
        extra: u8,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut Self::Span,
    ) -> Result<(), Damage>;

    /// The record whose value begins at `at` in `window`, when it is of the kind that nearly all
    /// are. The window begins at `place`; that it does not end before the record is for the
    /// caller to check.
    #[inline(always)]
    fn usual<'a>(
        extra: u8,
        window: &'a Window,
        at: usize,
        place: usize,
        context: &Context,
    ) -> Option<Usual<'a, Self::Span>> {
        let _ = (extra, window, at, place, context);
        None
    }

    /// Where the record whose value begins at `at` ends in `window`, when it is of the kind that
    /// nearly all are; that the window does not end before is for the caller to check.
    #[inline(always)]
    fn usual_end(extra: u8, window: &Window, at: usize, context: &Context) -> Option<usize> {
        let _ = (extra, window, at, context);
        None
    }

    /// Passes the value of a record whose key is not wanted.
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

/// The part of `buffer` that begins at `start`; empty when it is not there.
///
/// Spans were checked when they were decoded, so the default never shows.
#[inline]
pub(crate) fn part(buffer: &[u8], start: usize, len: usize) -> &[u8] {
    buffer
        .get(start..start.wrapping_add(len))
        .unwrap_or_default()
}

/// Appends a string with its length before it.
#[inline]
pub(crate) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    crate::format::varint::put(out, crate::format::error::wide(string.len()));
    out.extend_from_slice(string);
}
