//! Reflog records.
//!
//! ```text
//! key     ref name, NUL, 2^64 - 1 - update_index: 8 bytes, big-endian, so that newer entries of a
//!         ref come first; the extra bits are the type: 0 deletion (tombstone), 1 update
//! value   nothing for a deletion; of an update
//! offset  size
//!      0  h        old object id           h = 20 or 32
//!      h  h        new object id
//!     2h  varint+  committer name          varint( len ), bytes
//!      .  varint+  committer email         varint( len ), bytes
//!      .  varint   time                    seconds since 1970
//!      .  2        time zone               signed, big-endian; see zone.rs
//!      .  varint+  message                 varint( len ), bytes
//! ```
#![forbid(unsafe_code)]

use super::{part, put_string, refs::nul_in_name, Context, Records, Zone};
use crate::format::key::{KeyBuf, NextKey};
use crate::format::words::has_byte;
use crate::format::{error::wide, varint, BlockType, Corruption, Damage, Expected, Input};

/// One entry of a reflog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Full name of the ref, without NUL bytes.
    pub name: &'a [u8],
    /// Update index of the transaction; unique for a name.
    pub update_index: u64,
    /// What happened.
    pub value: LogValue<'a>,
}

impl LogRecord<'_> {
    /// Whether the record is a tombstone, which hides the entry with the same name and update
    /// index in older tables.
    #[must_use]
    pub const fn is_deletion(&self) -> bool {
        matches!(self.value, LogValue::Deletion)
    }
}

/// Value of a reflog entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogValue<'a> {
    /// A tombstone.
    Deletion,
    /// A change of the ref.
    Update(LogUpdate<'a>),
}

/// A change of a ref; ids have the length of the table's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogUpdate<'a> {
    /// Value before; all zeros for a creation.
    pub old_hash: &'a [u8],
    /// Value after; all zeros for a deletion.
    pub new_hash: &'a [u8],
    /// Committer's name.
    pub name: &'a [u8],
    /// Committer's email, without the angle brackets.
    pub email: &'a [u8],
    /// Seconds since 1970.
    pub time: u64,
    /// Time zone of that moment.
    pub tz_offset: Zone,
    /// The message; one line that ends in LF unless it was written verbatim.
    pub message: &'a [u8],
}

const DELETION: u8 = 0;
const UPDATE: u8 = 1;
/// Bytes after the name in a key: NUL and update index.
const KEY_TAIL: usize = 9;

impl LogValue<'_> {
    /// The extra bits of the record's key.
    pub(crate) const fn value_type(&self) -> u8 {
        match self {
            Self::Deletion => DELETION,
            Self::Update(_) => UPDATE,
        }
    }
}

/// Replaces `key` by the key of an entry. Newer entries of a name have lesser keys.
pub(crate) fn log_key(key: &mut Vec<u8>, name: &[u8], update_index: u64) {
    key.clear();
    key.extend_from_slice(name);
    key.push(0);
    key.extend_from_slice(&(u64::MAX - update_index).to_be_bytes());
}

/// Whether `key` is the result of [`log_key`] for this name and update index.
pub(crate) fn is_log_key(key: &[u8], name: &[u8], update_index: u64) -> bool {
    split_key(key) == Some((name, update_index))
}

/// Appends the value, with `message` instead of the record's own message.
pub(crate) fn encode(out: &mut Vec<u8>, value: &LogValue<'_>, message: &[u8]) {
    if let LogValue::Update(update) = value {
        out.extend_from_slice(update.old_hash);
        out.extend_from_slice(update.new_hash);
        put_string(out, update.name);
        put_string(out, update.email);
        varint::put(out, update.time);
        out.extend_from_slice(&update.tz_offset.stored().to_be_bytes());
        put_string(out, message);
    }
}

/// Positions of the parts of a reflog entry's value in the inflated block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogSpan {
    is_update: bool,
    hash_len: usize,
    hashes: usize,
    name: (usize, usize),
    email: (usize, usize),
    time: u64,
    tz_offset: Zone,
    message: (usize, usize),
}

impl LogSpan {
    #[inline]
    pub(crate) fn is_deletion(&self) -> bool {
        !self.is_update
    }

    /// The value, borrowed from the block's bytes.
    #[inline(always)]
    pub(crate) fn value<'a>(&self, block: &'a [u8]) -> LogValue<'a> {
        if !self.is_update {
            return LogValue::Deletion;
        }
        let string = |(start, len)| part(block, start, len);
        LogValue::Update(LogUpdate {
            old_hash: part(block, self.hashes, self.hash_len),
            new_hash: part(
                block,
                self.hashes.saturating_add(self.hash_len),
                self.hash_len,
            ),
            name: string(self.name),
            email: string(self.email),
            time: self.time,
            tz_offset: self.tz_offset,
            message: string(self.message),
        })
    }
}

/// The record with a checked key and this value.
#[inline(always)]
pub(crate) fn record<'a>(key: &'a [u8], span: &LogSpan, block: &'a [u8]) -> LogRecord<'a> {
    let (name, update_index) = split_key(key).unwrap_or_default();
    LogRecord {
        name,
        update_index,
        value: span.value(block),
    }
}

/// Name and update index of a key; `None` unless it ends with NUL and 8 bytes.
#[inline]
fn split_key(key: &[u8]) -> Option<(&[u8], u64)> {
    let (head, reversed) = key.split_last_chunk::<8>()?;
    let (nul, name) = head.split_last()?;
    (*nul == 0).then(|| (name, u64::MAX - u64::from_be_bytes(*reversed)))
}

/// The records of log blocks.
#[derive(Debug)]
pub(crate) enum LogRecords {}

impl Records for LogRecords {
    const TYPE: BlockType = BlockType::Log;
    const MAY_REPEAT: bool = true;
    type Span = LogSpan;

    fn check_key(key: &[u8], position: usize) -> Result<(), Damage> {
        check_name(key, 0, position)
    }

    #[inline]
    fn check_next(next: &NextKey<'_>, key: &KeyBuf, position: usize) -> Result<(), Damage> {
        // Same name, NUL included, at the same offset in the key: already checked. Without a
        // previous key nothing has been checked.
        let same_len = next.last_len > 0 && key.len() == next.last_len;
        if same_len && next.shared.saturating_add(KEY_TAIL) > next.last_len {
            return Ok(());
        }
        // Only the name in the previous key is known to contain no NUL, not its update index.
        let known = next.shared.min(next.last_len.saturating_sub(KEY_TAIL));
        check_name(key.bytes(), known, position)
    }

    #[inline(always)]
    fn decode(
        extra: u8,
        input: &mut Input<'_>,
        context: &Context,
        span: &mut LogSpan,
    ) -> Result<(), Damage> {
        span.is_update = extra == UPDATE;
        if extra != UPDATE {
            return match extra {
                DELETION => Ok(()),
                _ => Err(unknown_type(input.position(), extra)),
            };
        }
        span.hash_len = context.hash_len;
        span.hashes = input.position();
        input.bytes(2 * context.hash_len, "object ids of a reflog entry")?;
        span.name = string(input, "committer name of a reflog entry")?;
        span.email = string(input, "committer email of a reflog entry")?;
        span.time = input.varint("time of a reflog entry")?;
        let zone = input.array("time zone of a reflog entry")?;
        span.tz_offset = Zone::from_stored(i16::from_be_bytes(zone));
        span.message = string(input, "message of a reflog entry")?;
        Ok(())
    }
}

/// Checks that `key` is a name without NUL, a NUL and 8 bytes. The first `known` bytes are known
/// to contain no NUL, so that the cost is that of the bytes that differ from the previous key.
fn check_name(key: &[u8], known: usize, position: usize) -> Result<(), Damage> {
    match split_key(key) {
        Some((name, _)) if !name.is_empty() => {
            if has_byte(name.get(known..).unwrap_or_default(), 0) {
                return Err(nul_in_name(name, position));
            }
            Ok(())
        }
        _ => Err(bad_key(key, position)),
    }
}

#[cold]
fn unknown_type(position: usize, extra: u8) -> Damage {
    let (found, most) = (usize::from(extra), usize::from(UPDATE));
    Corruption::at(position, "value type of a reflog entry", found, most)
}

#[inline(always)]
fn string(input: &mut Input<'_>, what: &'static str) -> Result<(usize, usize), Damage> {
    let len = input.string(what)?.len();
    Ok((input.position().saturating_sub(len), len))
}

#[cold]
fn bad_key(key: &[u8], position: usize) -> Damage {
    match key.len().checked_sub(KEY_TAIL) {
        None | Some(0) => Corruption::new(
            wide(position),
            "length of a reflog entry's key",
            wide(key.len()),
            Expected::AtLeast(wide(KEY_TAIL + 1)),
        ),
        Some(nul) => Corruption::new(
            wide(position),
            "byte between ref name and update index of a reflog entry's key",
            key.get(nul).copied().map_or(0, u64::from),
            Expected::Exactly(0),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::key;
    use crate::format::words::common_prefix;

    const CONTEXT: Context = Context::new(20, 5, 0);

    #[test]
    fn values_round_trip() {
        let update = LogUpdate {
            old_hash: &[1; 20],
            new_hash: &[2; 20],
            name: b"A U Thor",
            email: b"a@example.com",
            time: 1_700_000_000,
            tz_offset: Zone::from_stored(-130),
            message: b"commit: x\n",
        };
        for value in [LogValue::Deletion, LogValue::Update(update)] {
            let mut bytes = Vec::new();
            encode(&mut bytes, &value, update.message);
            let decode = |bytes: &[u8]| {
                let mut input = Input::new(bytes, bytes.len());
                let mut span = LogSpan::default();
                LogRecords::decode(value.value_type(), &mut input, &CONTEXT, &mut span)?;
                Ok::<_, Damage>(span)
            };
            let span = decode(&bytes).unwrap();
            let mut key = Vec::new();
            log_key(&mut key, b"HEAD", 77);
            let record = record(&key, &span, &bytes);
            assert_eq!(record.value, value);
            let is_deletion = matches!(value, LogValue::Deletion);
            assert_eq!(record.is_deletion(), is_deletion);
            assert_eq!(span.is_deletion(), is_deletion);
            assert_eq!((record.name, record.update_index), (&b"HEAD"[..], 77));
            assert!(is_log_key(&key, b"HEAD", 77));
            assert!(!is_log_key(&key, b"HEAD", 78));
            for len in 0..bytes.len() {
                assert!(decode(&bytes[..len]).is_err());
            }
        }
    }

    #[test]
    fn newer_entries_come_first() {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        log_key(&mut new, b"HEAD", 2);
        log_key(&mut old, b"HEAD", 1);
        assert!(new < old);
    }

    #[test]
    fn malformed_keys_are_damage() {
        let check = |key: &[u8]| LogRecords::check_key(key, 0).is_ok();
        assert!(check(b"a\0abcdefgh"));
        assert!(check(b"a\0\0\0\0\0\0\0\0\0"));
        assert!(!check(b"\0abcdefgh"));
        assert!(!check(b"ab"));
        assert!(!check(b"aaabcdefgh"));
        assert!(!check(b"a\0a\0abcdefgh"));
        let expected = |key| LogRecords::check_key(key, 0).unwrap_err().expected;
        assert_eq!(expected(b"\0abcdefgh"), Expected::AtLeast(10));
        assert_eq!(expected(b"aaabcdefgh"), Expected::Exactly(0));
    }

    /// What is known of the previous key does not hold for the bytes that differ.
    #[test]
    fn malformed_keys_after_sound_ones_are_damage() {
        for (last, next, is_sound) in [
            (&b"a\0abcdefgh"[..], &b"a\0bbcdefgh"[..], true),
            (b"a\0abcdefgh", b"b\0abcdefgh", true),
            (b"a\0abcdefgh", b"abcd\0abcdefgh", true),
            // The byte after the name.
            (b"a\0abcdefgh", b"aaabcdefgh", false),
            // NUL in the name, in the update index of the previous key, and before it.
            (b"a\0abcdefgh", b"a\0b\0abcdefgh", false),
            (b"abc\0abcdefgh", b"abd\0e\0abcdefgh", false),
            (b"abc\0abcdefgh", b"b\0c\0abcdefgh", false),
            (b"abc\0abcdefgh", b"b\0\0\0abcdefgh", false),
        ] {
            let shared = common_prefix(last, next);
            let mut bytes = Vec::new();
            key::put(&mut bytes, last, 0, 0);
            key::put(&mut bytes, next, shared, 0);
            let mut input = Input::new(&bytes, bytes.len());
            let mut key = KeyBuf::default();
            for expected in [true, is_sound] {
                let read = key.read(&mut input, LogRecords::MAY_REPEAT).unwrap();
                let checked = LogRecords::check_next(&read, &key, 0);
                assert_eq!(checked.is_ok(), expected, "{last:?} {next:?}");
            }
        }
    }

    #[test]
    fn an_empty_first_key_is_damage() {
        let mut input = Input::new(&[0, 0], 2);
        let mut key = KeyBuf::default();
        let next = key.read(&mut input, LogRecords::MAY_REPEAT).unwrap();
        assert!(LogRecords::check_next(&next, &key, 0).is_err());
    }

    #[test]
    fn unknown_types_are_damage() {
        let bytes = [0; 100];
        for extra in 2..8 {
            let mut input = Input::new(&bytes, bytes.len());
            let mut span = LogSpan::default();
            assert!(LogRecords::decode(extra, &mut input, &CONTEXT, &mut span).is_err());
        }
    }
}
