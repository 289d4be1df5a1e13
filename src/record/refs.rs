//! Ref records.
//!
//! ```text
//! key     ref name; the extra bits are the value type
//! value
//! offset  size
//!      0  a   varint( update_index - min_update_index )
//!      a      by value type
//!               0  nothing: a deletion (tombstone)
//!               1  object id
//!               2  object id of an annotated tag, object id that it peels to
//!               3  varint( target_len ), target: a symbolic ref
//! ```
#![forbid(unsafe_code)]

use super::{part, put_string, Context, FastValue, Records};
use crate::format::key::{KeyBuf, NextKey, Window};
use crate::format::words::has_byte;
use crate::format::{error::wide, varint, BlockType, Corruption, Damage, Expected, Input};

/// One ref: its name, its value, and the transaction that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefRecord<'a> {
    /// Full name, without NUL bytes.
    pub name: &'a [u8],
    /// Update index of the transaction that wrote the value.
    pub update_index: u64,
    /// What the ref points at.
    pub value: RefValue<'a>,
}

impl<'a> RefRecord<'a> {
    /// Whether the record is a tombstone, which hides values of the name in older tables.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        matches!(self.value, RefValue::Deletion)
    }

    /// The object id that the ref points at directly.
    #[must_use]
    pub const fn id(&self) -> Option<&'a [u8]> {
        self.value.id()
    }
}

/// Value of a ref; ids have the length of the table's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefValue<'a> {
    /// A tombstone.
    Deletion,
    /// An object id.
    Val1(&'a [u8]),
    /// The id of an annotated tag, and the id of the object it peels to.
    Val2 {
        /// The tag.
        value: &'a [u8],
        /// The object that the tag peels to.
        target: &'a [u8],
    },
    /// The name of another ref.
    Symref(&'a [u8]),
}

impl<'a> RefValue<'a> {
    /// The direct object id of `Val1` and `Val2`.
    #[must_use]
    pub const fn id(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Val1(id) | Self::Val2 { value: id, .. } => Some(id),
            Self::Deletion | Self::Symref(_) => None,
        }
    }

    /// The peeled object id of `Val2`.
    #[must_use]
    pub const fn peeled(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Val2 { target, .. } => Some(target),
            _ => None,
        }
    }

    /// The extra bits of the record's key.
    pub(crate) const fn value_type(&self) -> u8 {
        match self {
            Self::Deletion => DELETION,
            Self::Val1(_) => VAL1,
            Self::Val2 { .. } => VAL2,
            Self::Symref(_) => SYMREF,
        }
    }
}

const DELETION: u8 = 0;
const VAL1: u8 = 1;
const VAL2: u8 = 2;
const SYMREF: u8 = 3;

/// Appends the value.
#[inline]
pub(crate) fn encode(out: &mut Vec<u8>, update_index_delta: u64, value: &RefValue<'_>) {
    varint::put(out, update_index_delta);
    match value {
        RefValue::Deletion => {}
        RefValue::Val1(id) => out.extend_from_slice(id),
        RefValue::Val2 { value, target } => {
            out.extend_from_slice(value);
            out.extend_from_slice(target);
        }
        RefValue::Symref(target) => put_string(out, target),
    }
}

/// Position and type of a ref's value in the buffer that is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RefSpan {
    value_type: u8,
    pub(crate) update_index: u64,
    start: usize,
    /// Bytes of one id, or of the symref's target.
    len: usize,
}

impl RefSpan {
    #[inline]
    pub(crate) fn is_deletion(&self) -> bool {
        self.value_type == DELETION
    }

    /// The id, if the value is one object id.
    #[inline(always)]
    pub(crate) fn fast_id<'a>(&self, buffer: &'a [u8]) -> Option<&'a [u8]> {
        match self.value_type {
            VAL1 => buffer.get(self.start..self.start.wrapping_add(self.len)),
            _ => None,
        }
    }

    /// The value, borrowed from the buffer. Inlines the case of one object id, which nearly all
    /// refs have.
    #[inline(always)]
    pub(crate) fn value<'a>(&self, buffer: &'a [u8]) -> RefValue<'a> {
        if self.value_type == VAL1 {
            return RefValue::Val1(part(buffer, self.start, self.len));
        }
        self.other_value(buffer)
    }

    /// A value that is not one object id.
    #[inline(never)]
    fn other_value<'a>(&self, buffer: &'a [u8]) -> RefValue<'a> {
        let first = part(buffer, self.start, self.len);
        match self.value_type {
            VAL2 => RefValue::Val2 {
                value: first,
                target: part(buffer, self.start.saturating_add(self.len), self.len),
            },
            SYMREF => RefValue::Symref(first),
            _ => RefValue::Deletion,
        }
    }
}

/// The records of ref blocks.
#[derive(Debug)]
pub(crate) enum RefRecords {}

impl Records for RefRecords {
    const TYPE: BlockType = BlockType::Ref;
    const HAS_FAST: bool = true;
    type Span = RefSpan;

    /// Names contain no NUL.
    #[inline]
    fn check_key(key: &[u8], position: usize) -> Result<(), Damage> {
        if has_byte(key, 0) {
            return Err(nul_in_name(key, position));
        }
        Ok(())
    }

    #[inline(always)]
    fn check_next(next: &NextKey<'_>, key: &KeyBuf, position: usize) -> Result<(), Damage> {
        if next.has_nul() {
            return Err(nul_in_name(key.bytes(), position));
        }
        Ok(())
    }

    #[inline(always)]
    fn decode(
        extra: u8,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut RefSpan,
    ) -> Result<(), Damage> {
        let delta = input.varint("update index of a ref")?;
        if delta > context.max_delta {
            return Err(late(input.position(), delta, context));
        }
        span.value_type = extra;
        // Cannot overflow: the sum is at most the table's greatest update index.
        span.update_index = context.min_update_index.wrapping_add(delta);
        span.start = input.position();
        span.len = context.hash_len;
        if extra == VAL1 {
            input.bytes(context.hash_len, "object id of a ref")?;
            return Ok(());
        }
        match extra {
            VAL2 => {
                input.bytes(2 * context.hash_len, "object ids of a ref")?;
            }
            DELETION => span.len = 0,
            SYMREF => {
                span.len = input.string("target of a symbolic ref")?.len();
                span.start = input.position().saturating_sub(span.len);
            }
            _ => return Err(unknown_type(input.position(), extra)),
        }
        Ok(())
    }

    #[inline(always)]
    fn decode_fast<'a>(
        extra: u8,
        window: &'a Window,
        at: usize,
        position: usize,
        context: &Context,
    ) -> Option<FastValue<'a, RefSpan>> {
        let (&delta, rest) = window.get(at..)?.split_first()?;
        if extra != VAL1 || delta > context.max_short_delta {
            return None;
        }
        // As arrays, so that the compiler knows their lengths.
        let id = match context.hash_len {
            20 => rest.first_chunk::<20>()?.as_slice(),
            32 => rest.first_chunk::<32>()?.as_slice(),
            _ => return None,
        };
        let at = at + 1;
        let span = RefSpan {
            value_type: VAL1,
            update_index: context.min_update_index.wrapping_add(u64::from(delta)),
            start: position + at,
            len: id.len(),
        };
        Some(FastValue {
            span,
            id,
            end: at + id.len(),
        })
    }

    #[inline(always)]
    fn skip_fast(extra: u8, window: &Window, at: usize, context: &Context) -> Option<usize> {
        let &delta = window.get(at)?;
        let is_fast = extra == VAL1 && delta <= context.max_short_delta;
        is_fast.then_some(at + 1 + context.hash_len)
    }
}

#[cold]
fn late(position: usize, delta: u64, context: &Context) -> Damage {
    let (found, most) = (
        context.min_update_index.saturating_add(delta),
        context.min_update_index.saturating_add(context.max_delta),
    );
    let what = "update index of a ref";
    Corruption::new(wide(position), what, found, Expected::AtMost(most))
}

#[cold]
fn unknown_type(position: usize, extra: u8) -> Damage {
    let (found, most) = (usize::from(extra), usize::from(SYMREF));
    Corruption::at(position, "value type of a ref", found, most)
}

#[cold]
pub(super) fn nul_in_name(name: &[u8], position: usize) -> Damage {
    let nul = name.iter().position(|&b| b == 0).unwrap_or(0);
    Corruption::new(
        wide(position),
        "NUL inside a ref name, its position",
        wide(nul),
        Expected::AtLeast(wide(name.len())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context = Context::new(20, 5, u64::MAX - 5);

    fn decode(extra: u8, bytes: &[u8]) -> Result<RefSpan, Damage> {
        let mut span = RefSpan::default();
        RefRecords::decode(
            extra,
            &mut Input::new(bytes, bytes.len()),
            &CONTEXT,
            &mut span,
        )?;
        Ok(span)
    }

    #[test]
    fn values_round_trip() {
        for value in [
            RefValue::Deletion,
            RefValue::Val1(&[1; 20]),
            RefValue::Val2 {
                value: &[2; 20],
                target: &[3; 20],
            },
            RefValue::Symref(b"refs/heads/main"),
            RefValue::Symref(b""),
        ] {
            let mut bytes = Vec::new();
            encode(&mut bytes, 300, &value);
            let span = decode(value.value_type(), &bytes).unwrap();
            assert_eq!(span.update_index, 305);
            assert_eq!(span.value(&bytes), value);
            assert_eq!(span.is_deletion(), value == RefValue::Deletion);
            for len in 0..bytes.len() {
                assert!(decode(value.value_type(), &bytes[..len]).is_err());
            }
        }
    }

    #[test]
    fn unknown_types_and_overflows_are_damage() {
        for extra in 4..8 {
            assert!(decode(extra, &[0; 100]).is_err());
        }
        let mut bytes = Vec::new();
        encode(&mut bytes, u64::MAX - 4, &RefValue::Deletion);
        assert!(decode(DELETION, &bytes).is_err());
    }

    #[test]
    fn update_indexes_outside_the_table_are_damage() {
        let context = Context::new(20, 5, 4);
        for delta in [0, 4, 5, u64::MAX] {
            let mut bytes = Vec::new();
            encode(&mut bytes, delta, &RefValue::Deletion);
            let mut input = Input::new(&bytes, bytes.len());
            let read = RefRecords::decode(DELETION, &mut input, &context, &mut RefSpan::default());
            assert_eq!(read.is_ok(), delta <= 4, "{delta}");
        }
    }

    #[test]
    fn nul_in_a_name_is_damage() {
        assert!(RefRecords::check_key(b"refs/a", 0).is_ok());
        let damage = RefRecords::check_key(b"refs/\0", 0).unwrap_err();
        assert_eq!((damage.found, damage.expected), (5, Expected::AtLeast(6)));
    }
}
