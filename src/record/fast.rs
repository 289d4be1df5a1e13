//! The fast path: reading the one form that nearly all records have.
//!
//! In most tables nearly every record is a ref with one object id, whose name differs from the
//! previous name in a few bytes. Walks and searches try this form first, in every layer, and
//! leave all other records to the careful path, which is the general code.
//!
//! # What the fast path reads
//!
//! ```text
//! |<------------------- window: 64 bytes from the start of the record ------------------->|
//! +------------+-----------------+-----------+---------+------------------+-- - - --------+
//! | prefix_len | n << 3, type 1  | suffix    | delta   | object id        | next records  |
//! +------------+-----------------+-----------+---------+------------------+-- - - --------+
//! 0            1                 2           2 + n     3 + n              23 + n or 35 + n
//!
//! 0d           09                '2'         00        9f 3c ...
//! "refs/heads/002" after "refs/heads/001": 13 bytes shared, 1 new byte, type 1
//!
//! offset   size      content               condition
//!      0   1         prefix_len            < 0x80; at most the length of the previous key
//!      1   1         suffix_len << 3 | 1   < 0x80; n = suffix_len is 1 to 15; the low bits are
//!                                          the type: a ref with one object id
//!      2   n         suffix                its first byte is greater than the byte of the
//!                                          previous key that it replaces; no NUL
//!  2 + n   1         delta                 < 0x80; the update index as the difference from the
//!                                          table's least one, not above the table's greatest one
//!  3 + n   20 or 32  object id
//! ```
//!
//! A record is fast if
//!
//! - the buffer has 64 bytes from the start of the record on, the [`Window`],
//! - the record meets the conditions in the list, and
//! - it ends within the records of its block.
//!
//! One comparison and a few additions then replace the loops and checks of the general code. The
//! record at a restart is hardly ever fast: its suffix is the whole name, which is longer or
//! begins with the same byte as the previous one.
//!
//! A search passes records without building their keys: it compares prefix length and first byte
//! with the wanted key. (Neither path checks the order of passed records, or looks for NULs in
//! them.) It also passes index records, if their value, a varint, has at most four bytes.
//!
//! # What the careful path does
//!
//! It reads lengths of any size, compares suffixes to the end, decodes all types of records, moves
//! to the next block, and reports damage. The fast path reports nothing: when a condition does not
//! hold, it returns `None` and has changed nothing, and the careful path reads the same record.
//! Therefore both paths must accept the same bytes and read the same from them; the tests of
//! `block` compare them on damaged blocks.
//!
//! # Where it is entered
//!
//! | Layer | Fast | Careful |
//! | --- | --- | --- |
//! | `format::key` | `KeyBuf::read_fast`; `FastHeader::read` in searches | `KeyBuf::read`, `KeyHeader::read` |
//! | `record` | [`Records::decode_fast`], [`Records::skip_fast`] | [`Records::decode`], [`Records::skip`] |
//! | `block` | `BlockCursor::step_fast`; `Scan::pass_fast` in searches | `BlockCursor::step`, `Scan::run` |
//! | `table` | `SectionCursor::advance_fast` | `SectionCursor::advance_careful` |
//! | `merged` | `MergedRefs::advance_fast`, if only one table has refs left | `MergedRefs::advance` |
//!
//! `advance` of the upper layers tries the fast path itself. Callers that copy each ref elsewhere,
//! as the C library does, use `advance_fast` directly, which passes them the ref while its parts
//! are still in registers.
#![forbid(unsafe_code)]

#[cfg(doc)]
use super::Records;
#[cfg(doc)]
use crate::format::key::Window;

/// The value of a record on the fast path.
pub(crate) struct FastValue<'a, Span> {
    /// Positions of its parts.
    pub span: Span,
    /// The object id.
    pub id: &'a [u8],
    /// End of the record, as an offset in the window.
    pub end: usize,
}

/// A record read by the fast path.
pub(crate) struct FastRecord<'a, Span> {
    pub key: &'a [u8],
    /// Positions of the parts of the value.
    pub span: Span,
    /// The object id.
    pub id: &'a [u8],
}
