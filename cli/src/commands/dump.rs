//! `reftable dump`: a table as it is stored.
#![forbid(unsafe_code)]

mod explain;

use std::path::PathBuf;

use bstr::ByteSlice as _;
use reftable::format::BlockType;
use reftable::table::{RawBlock, RawRecord, RawTable, RawValue};
use reftable::HashId;

use super::show::value_bytes;
use super::stat::read;
use crate::failure::Result;
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::text::{hex, plural, shown};
use crate::Outcome;

/// Show a table as it is stored: each byte, and what it means.
///
/// Each line has the position in the file, the bytes and their meaning. Log blocks are deflated:
/// their positions, after a +, count from the start of the block after inflating. In a damaged
/// table, what cannot be read is reported and skipped; then the exit status is 1.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The table, a file.
    #[arg(value_name = "TABLE")]
    pub table: PathBuf,

    /// Only list the blocks.
    #[arg(long)]
    blocks: bool,

    /// Only list the records of each block.
    #[arg(long, conflicts_with = "blocks")]
    records: bool,

    /// Only show bytes, as a hex dump; those of log blocks are inflated.
    #[arg(long, conflicts_with_all = ["blocks", "records"])]
    raw: bool,

    /// Write JSON: an object for the table, each block, and each record.
    #[arg(long, conflicts_with = "raw")]
    json: bool,
}

/// What is written.
struct Dump<'o> {
    options: &'o Options,
    output: &'o mut Output,
    outcome: Outcome,
}

pub fn run(options: &Options, output: &mut Output) -> Result<Outcome> {
    let table = read(&options.table)?;
    let mut dump = Dump {
        options,
        output,
        outcome: Outcome::Ok,
    };
    dump.head(&table)?;
    let mut at = table.first_block();
    let bytes = table.bytes();
    if at > 0 && dump.is_full() {
        explain::header(&table, dump.output)?;
    }
    while at < table.end() {
        let (end, error) = match table.block(at) {
            Ok(block) => match dump.block(&table, &block)? {
                Ok(()) => (block.next_offset(), None),
                Err((position, error)) => (position.max(at + 1), Some(error)),
            },
            Err(error) => (at + 1, Some(error)),
        };
        at = match error {
            None => end,
            Some(error) => {
                let next = table.find_block(end).unwrap_or(table.end());
                dump.damage(&error, end, next)?;
                next
            }
        };
    }
    if dump.is_full() {
        explain::footer(&table, dump.output)?;
    } else if dump.options.raw {
        let end = usize::try_from(table.end()).unwrap_or(usize::MAX);
        explain::hex(bytes.get(end..).unwrap_or_default(), end, "", dump.output)?;
    }
    if table.positions().is_none() || table.header_is_damaged() {
        dump.outcome = Outcome::Findings;
    }
    Ok(dump.outcome)
}

/// The result of showing a block: if it is damaged, the position in the file up to which it could be
/// read, and the error.
type Shown = std::result::Result<(), (u64, reftable::format::Error)>;

impl Dump<'_> {
    /// Whether each byte is explained.
    fn is_full(&self) -> bool {
        let options = self.options;
        !(options.blocks || options.records || options.raw || options.json)
    }

    fn head(&mut self, table: &RawTable) -> Result<()> {
        let (min, max) = table.update_indexes();
        let hash = match table.hash_id() {
            HashId::Sha1 => "sha1",
            HashId::Sha256 => "sha256",
        };
        if self.options.json {
            let mut object = Object::new(self.output.buffer());
            object.text("type", "table").text("name", table.name());
            object.value("size", table.bytes().len());
            object.value("version", table.version()).text("hash", hash);
            object.value("block_size", table.block_size());
            object
                .value("min_update_index", min)
                .value("max_update_index", max);
            object.value("header_is_damaged", table.header_is_damaged());
            if let Some(positions) = table.positions() {
                for (key, value) in explain::position_names(&positions) {
                    object.value(key, value);
                }
            }
            object.end();
            return self.output.end_line();
        }
        if self.options.raw {
            return Ok(());
        }
        self.output.paint(Paint::Name, table.name().as_bytes());
        let len = table.bytes().len();
        self.output.line(format!(
            ": {len} bytes, version {}, {hash}",
            table.version()
        ))?;
        if table.header_is_damaged() {
            self.output
                .line("damaged: the header, which is read from the footer")?;
        }
        Ok(())
    }

    fn damage(&mut self, error: &reftable::format::Error, from: u64, to: u64) -> Result<()> {
        self.outcome = Outcome::Findings;
        if self.options.json {
            let mut object = Object::new(self.output.buffer());
            object.text("type", "damage").value("offset", from);
            object.value("end", to).text("text", error);
            object.end();
            return self.output.end_line();
        }
        self.output.paint(Paint::Bad, b"damaged");
        self.output.line(format!(": {error}; continues at {to}"))
    }

    fn block(&mut self, table: &RawTable, block: &RawBlock<'_>) -> Result<Shown> {
        let options = self.options;
        if options.raw {
            let offset = usize::try_from(block.offset()).unwrap_or(usize::MAX);
            let (start, sign) = match block.block_type() {
                BlockType::Log => (0, "+"),
                _ => (offset, ""),
            };
            self.output
                .line(format!("{} block at {offset}", kind(block)))?;
            explain::hex(block.bytes(), start, sign, self.output)?;
            return Ok(Ok(()));
        }
        self.block_head(block)?;
        if self.is_full() {
            explain::block_header(table, block, self.output)?;
        }
        let mut records = block.records();
        loop {
            let record = match records.next() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) => return Ok(Err((records.position_in_file(), error))),
            };
            if options.json && !options.blocks {
                put_record(&record, self.output);
                self.output.end_line()?;
            } else if options.records {
                self.output.put(format!("{:>6} ", record.start).as_bytes());
                self.output.line(line_of(&record))?;
            } else if self.is_full() {
                explain::record(table, block, &record, self.output)?;
            }
        }
        if self.is_full() {
            explain::trailer(table, block, self.output)?;
        }
        Ok(Ok(()))
    }

    fn block_head(&mut self, block: &RawBlock<'_>) -> Result<()> {
        let len = block.bytes().len();
        if self.options.json {
            let mut object = Object::new(self.output.buffer());
            object.text("type", "block").text("kind", kind(block));
            object.value("offset", block.offset()).value("length", len);
            object.value("size_in_file", block.size_in_file());
            object.value("restarts", block.restart_count());
            object.end();
            return self.output.end_line();
        }
        self.output
            .paint(Paint::Id, format!("{} block", kind(block)).as_bytes());
        self.output.line(format!(
            " at {}: {len} bytes, {} in the file, {}",
            block.offset(),
            block.size_in_file(),
            plural(block.restart_count(), "restart")
        ))
    }
}

fn kind(block: &RawBlock<'_>) -> &'static str {
    match block.block_type() {
        BlockType::Ref => "ref",
        BlockType::Log => "log",
        BlockType::Obj => "object",
        BlockType::Index => "index",
    }
}

/// The key of a record for people.
fn key_text(record: &RawRecord<'_>) -> String {
    match &record.value {
        RawValue::Log(log) => format!("{} @ {}", shown(log.name), log.update_index),
        RawValue::Object(_) => hex(record.key),
        // The key of a log entry, or an abbreviated id.
        RawValue::Index(_) if record.key.contains(&0) || !record.key.is_utf8() => {
            let name = record.key.split(|&byte| byte == 0).next();
            let name = name.filter(|name| !name.is_empty() && name.is_utf8());
            match (name, record.key.find_byte(0)) {
                (Some(name), Some(_)) => format!("{} @ ...", shown(name)),
                _ => hex(record.key),
            }
        }
        _ => shown(record.key),
    }
}

/// A record in one line.
fn line_of(record: &RawRecord<'_>) -> String {
    let key = key_text(record);
    match &record.value {
        RawValue::Ref(found) => {
            format!(
                "{key} @ {} {}",
                found.update_index,
                shown(&value_bytes(found.value))
            )
        }
        RawValue::Log(log) => format!("{key} {}", explain::log_text(&log.value)),
        RawValue::Object(blocks) => format!("{key} in {}", explain::blocks_text(blocks)),
        RawValue::Index(position) => format!("{key} -> {position}"),
        _ => key,
    }
}

fn put_record(record: &RawRecord<'_>, output: &mut Output) {
    let mut object = Object::new(output.buffer());
    object
        .text("type", "record")
        .value("position", record.start);
    object.value("length", record.end - record.start);
    object.value("shared", record.shared);
    match &record.value {
        RawValue::Ref(found) => {
            object.bytes("name", found.name);
            object.value("update_index", found.update_index);
            object.bytes("value", &value_bytes(found.value));
        }
        RawValue::Log(log) => {
            object.bytes("name", log.name);
            object.value("update_index", log.update_index);
            object.text("value", explain::log_text(&log.value));
        }
        RawValue::Object(blocks) => {
            object.text("id", key_text(record));
            object.value("blocks", blocks.clone());
        }
        RawValue::Index(position) => {
            object.bytes("last_key", record.key);
            object.value("block", *position);
        }
        _ => {}
    }
    object.end();
}
