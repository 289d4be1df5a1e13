//! What the bytes of a table mean.
#![forbid(unsafe_code)]

use std::fmt::Write as _;

use bstr::ByteSlice as _;
use reftable::format::BlockType;
use reftable::record::{LogValue, RefValue};
use reftable::table::{Positions, RawBlock, RawRecord, RawTable, RawValue};

use super::key_text;
use crate::failure::Result;
use crate::output::{Output, Paint};
use crate::text::{hex as hex_digits, plural, shown};

/// Bytes that are shown in one line.
const SHOWN: usize = 12;

/// Writes lines for parts that follow one another.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Position in `bytes`.
    at: usize,
    /// What is added to it.
    base: u64,
    sign: &'static str,
    output: &'a mut Output,
}

impl<'a> Lines<'a> {
    /// Lines for bytes of a block, from `at` on.
    fn in_block(block: &'a RawBlock<'_>, at: usize, output: &'a mut Output) -> Self {
        let (base, sign) = match block.block_type() {
            BlockType::Log => (0, "+"),
            _ => (block.offset(), ""),
        };
        Self {
            bytes: block.bytes(),
            at,
            base,
            sign,
            output,
        }
    }

    /// Lines for bytes of the file.
    fn in_file(bytes: &'a [u8], at: u64, output: &'a mut Output) -> Self {
        Self {
            bytes,
            at: usize::try_from(at).unwrap_or(usize::MAX),
            base: 0,
            sign: "",
            output,
        }
    }

    /// The next `len` bytes and their meaning.
    fn part(&mut self, len: usize, text: impl AsRef<str>) -> Result<()> {
        let end = self.at.saturating_add(len);
        let bytes = self.bytes.get(self.at..end).unwrap_or_default();
        let position = self.base + u64::try_from(self.at).unwrap_or(u64::MAX);
        let place = format!("{}{position}", self.sign);
        self.output
            .paint(Paint::Faint, format!("{place:>9}  ").as_bytes());
        let mut hex = String::new();
        for byte in bytes.iter().take(SHOWN) {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        if bytes.len() > SHOWN {
            hex += "..";
        }
        self.output.put(format!("{hex:<26}  ").as_bytes());
        self.at = end;
        self.output.line(text.as_ref())
    }

    /// The bytes up to `end`.
    fn up_to(&mut self, end: usize, text: impl AsRef<str>) -> Result<()> {
        self.part(end.saturating_sub(self.at), text)
    }

    /// A number of variable length.
    fn varint(&mut self, number: u64, text: impl AsRef<str>) -> Result<()> {
        self.part(varint_len(number), text)
    }
}

/// Bytes of a number in the variable-length encoding.
fn varint_len(mut number: u64) -> usize {
    let mut len = 1;
    while number >= 0x80 {
        number = (number >> 7) - 1;
        len += 1;
    }
    len
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The header at the start of the file.
pub fn header(table: &RawTable, output: &mut Output) -> Result<()> {
    fields(table, &mut Lines::in_file(table.bytes(), 0, output))
}

fn fields(table: &RawTable, lines: &mut Lines<'_>) -> Result<()> {
    let (min, max) = table.update_indexes();
    lines.part(4, "magic number REFT")?;
    lines.part(1, format!("version {}", table.version()))?;
    lines.part(
        3,
        match table.block_size() {
            0 => "blocks are not aligned".to_owned(),
            size => format!("block size {size}"),
        },
    )?;
    lines.part(8, format!("least update index {min}"))?;
    lines.part(8, format!("greatest update index {max}"))?;
    match table.version() {
        1 => Ok(()),
        _ => lines.part(
            4,
            format!("hash function: ids of {} bytes", table.hash_id().len()),
        ),
    }
}

/// The type and the length of a block, and before the first one the header of the file.
pub fn block_header(table: &RawTable, block: &RawBlock<'_>, output: &mut Output) -> Result<()> {
    let start = block.records_start().saturating_sub(4);
    let mut lines = Lines::in_block(block, 0, output);
    // These bytes are as they are in the file.
    lines.sign = "";
    lines.base = block.offset();
    if start > 0 {
        fields(table, &mut lines)?;
    }
    lines.part(
        1,
        format!(
            "type '{}': {} block",
            char::from(block.block_type().byte()),
            super::kind(block)
        ),
    )?;
    lines.part(
        3,
        match block.block_type() {
            BlockType::Log => format!("length {}, after inflating", block.bytes().len()),
            _ => format!("length {}", block.bytes().len()),
        },
    )
}

/// One record.
pub fn record(
    table: &RawTable,
    block: &RawBlock<'_>,
    record: &RawRecord<'_>,
    output: &mut Output,
) -> Result<()> {
    let mut lines = Lines::in_block(block, record.start, output);
    let shared = match record.shared {
        0 => "shares nothing with the key before".to_owned(),
        count => format!("shares {} with the key before", plural(count, "byte")),
    };
    lines.varint(wide(record.shared), shared)?;
    let suffix = record.value_start - record.suffix_start;
    lines.up_to(
        record.suffix_start,
        format!("{}; {}", plural(suffix, "more byte"), extra_text(record)),
    )?;
    lines.up_to(record.value_start, format!("key {}", key_text(record)))?;
    match &record.value {
        RawValue::Ref(found) => {
            let delta = found.update_index.saturating_sub(table.update_indexes().0);
            lines.varint(delta, format!("update index {}", found.update_index))?;
            value(&found.value, &mut lines)?;
        }
        RawValue::Log(log) => log_value(&log.value, &mut lines)?,
        RawValue::Object(blocks) => {
            lines.up_to(record.end, format!("in {}", blocks_text(blocks)))?
        }
        RawValue::Index(position) => lines.up_to(record.end, format!("block at {position}"))?,
        _ => {}
    }
    if lines.at < record.end {
        lines.up_to(record.end, "not explained")?;
    }
    Ok(())
}

fn extra_text(record: &RawRecord<'_>) -> String {
    let text = match (&record.value, record.extra) {
        (RawValue::Ref(_), 0) => "a deletion",
        (RawValue::Ref(_), 1) => "one object id",
        (RawValue::Ref(_), 2) => "an annotated tag and what it peels to",
        (RawValue::Ref(_), 3) => "a symbolic ref",
        (RawValue::Log(_), 0) => "a deletion",
        (RawValue::Log(_), _) => "a change",
        (RawValue::Object(_), 0) => "the number of blocks follows",
        (RawValue::Object(_), _) => return plural(record.extra, "block"),
        _ => "an index record",
    };
    format!("type {}: {text}", record.extra)
}

fn value(value: &RefValue<'_>, lines: &mut Lines<'_>) -> Result<()> {
    match value {
        RefValue::Deletion => Ok(()),
        RefValue::Val1(id) => lines.part(id.len(), format!("object {}", hex_digits(id))),
        RefValue::Val2 { value, target } => {
            lines.part(value.len(), format!("tag {}", hex_digits(value)))?;
            lines.part(target.len(), format!("peels to {}", hex_digits(target)))
        }
        RefValue::Symref(target) => {
            lines.varint(wide(target.len()), plural(target.len(), "byte"))?;
            lines.part(target.len(), format!("target {}", shown(target)))
        }
    }
}

fn log_value(value: &LogValue<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let LogValue::Update(update) = value else {
        return Ok(());
    };
    lines.part(
        update.old_hash.len(),
        format!("from {}", hex_digits(update.old_hash)),
    )?;
    lines.part(
        update.new_hash.len(),
        format!("to {}", hex_digits(update.new_hash)),
    )?;
    let mut string = |what: &str, text: &[u8]| {
        lines.varint(wide(text.len()), plural(text.len(), "byte"))?;
        lines.part(text.len(), format!("{what} {}", shown(text)))
    };
    string("name", update.name)?;
    string("email", update.email)?;
    lines.varint(update.time, format!("time {}", update.time))?;
    lines.part(2, format!("time zone {}", update.tz_offset))?;
    lines.varint(
        wide(update.message.len()),
        plural(update.message.len(), "byte"),
    )?;
    lines.part(
        update.message.len(),
        format!("message {}", shown(update.message)),
    )
}

/// The value of a reflog entry in one line.
pub fn log_text(value: &LogValue<'_>) -> String {
    match value {
        LogValue::Deletion => "deleted".to_owned(),
        LogValue::Update(update) => format!(
            "{} {} {} <{}> {} {}: {}",
            hex_digits(update.old_hash),
            hex_digits(update.new_hash),
            shown(update.name),
            shown(update.email),
            update.time,
            update.tz_offset,
            shown(update.message.trim_end())
        ),
    }
}

/// A list of blocks.
pub fn blocks_text(blocks: &[u64]) -> String {
    match blocks {
        [] => "any ref block".to_owned(),
        _ => {
            let blocks: Vec<String> = blocks.iter().map(u64::to_string).collect();
            format!("the blocks at {}", blocks.join(", "))
        }
    }
}

/// The restarts and the padding at the end of a block.
pub fn trailer(table: &RawTable, block: &RawBlock<'_>, output: &mut Output) -> Result<()> {
    let mut lines = Lines::in_block(block, block.records_end(), output);
    for restart in block.restarts() {
        lines.part(3, format!("restart at {restart}"))?;
    }
    lines.part(2, format!("number of restarts {}", block.restart_count()))?;
    if block.block_type() == BlockType::Log {
        return Ok(());
    }
    let end = block.offset() + wide(block.bytes().len());
    let padding = block.next_offset().saturating_sub(end);
    let mut lines = Lines::in_file(table.bytes(), end, output);
    match usize::try_from(padding) {
        Ok(len @ 1..) => lines.part(len, format!("padding, {len} bytes")),
        _ => Ok(()),
    }
}

/// The names and the values of the positions in a footer.
pub fn position_names(positions: &Positions) -> [(&'static str, u64); 6] {
    [
        ("ref_index", positions.ref_index),
        ("objects", positions.objects),
        ("object_id_length", wide(positions.object_id_len)),
        ("object_index", positions.object_index),
        ("logs", positions.logs),
        ("log_index", positions.log_index),
    ]
}

/// The footer.
pub fn footer(table: &RawTable, output: &mut Output) -> Result<()> {
    let Some(positions) = table.positions() else {
        output.paint(Paint::Bad, b"damaged");
        return output.line(": the footer cannot be read");
    };
    output.paint(Paint::Id, b"footer");
    output.line(format!(" at {}", table.end()))?;
    let mut lines = Lines::in_file(table.bytes(), table.end(), output);
    fields(table, &mut lines)?;
    let place = |what: &str, position| match position {
        0 => format!("no {what}"),
        _ => format!("{what} at {position}"),
    };
    lines.part(8, place("ref index", positions.ref_index))?;
    lines.part(
        8,
        match positions.objects {
            0 => "no objects".to_owned(),
            at => format!("objects at {at}, ids of {} bytes", positions.object_id_len),
        },
    )?;
    lines.part(8, place("object index", positions.object_index))?;
    lines.part(8, place("logs", positions.logs))?;
    lines.part(8, place("log index", positions.log_index))?;
    lines.part(4, "checksum")
}

/// A hex dump.
pub fn hex(bytes: &[u8], start: usize, sign: &str, output: &mut Output) -> Result<()> {
    for (row, chunk) in bytes.chunks(16).enumerate() {
        let place = format!("{sign}{}", start + 16 * row);
        let pairs: Vec<String> = chunk.chunks(2).map(hex_digits).collect();
        let printable = |&byte: &u8| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '.',
        };
        let text: String = chunk.iter().map(printable).collect();
        output.line(format!("{place:>9}  {:<39}  {text}", pairs.join(" ")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_lengths_of_the_format() {
        for (number, len) in [
            (0, 1),
            (127, 1),
            (128, 2),
            (16_511, 2),
            (16_512, 3),
            (u64::MAX, 10),
        ] {
            assert_eq!(varint_len(number), len, "{number}");
        }
    }
}
