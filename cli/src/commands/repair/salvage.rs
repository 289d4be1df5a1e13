//! What can be read of one table.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::sync::Arc;

use reftable::format::{BlockType, FindingKind};
use reftable::table::{Flaw, RawBlock, RawTable, Table, TableData};
use reftable::HashId;

use super::records::{is_name, Named, Records};
use crate::failure::{text_of, Failure, Result};
use crate::place::{is_unreadable, read_file};
use crate::text::plural;

/// A part of a table that cannot be read.
#[derive(Debug)]
pub struct Lost {
    /// Positions in the file.
    pub start: u64,
    pub end: u64,
    /// Why.
    pub text: String,
    pub kind: Kind,
    /// The ref of the last record before it.
    pub after: Option<Vec<u8>>,
    /// The ref of the first record after it.
    pub before: Option<Vec<u8>>,
}

/// What a lost part held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Refs,
    Logs,
    /// Only indexes, which are written again.
    Index,
    Unknown,
}

impl Kind {
    pub fn text(self) -> &'static str {
        match self {
            Self::Refs => "refs",
            Self::Logs => "reflog entries",
            Self::Index => "nothing but an index",
            Self::Unknown => "records of any kind",
        }
    }
}

impl Lost {
    /// Whether the ref `name` may have been in it.
    pub fn may_have_ref(&self, name: &[u8]) -> bool {
        matches!(self.kind, Kind::Refs | Kind::Unknown) && self.is_around(name)
    }

    /// Whether a record that an index names was in it.
    fn may_have(&self, named: &Named) -> bool {
        match named.log {
            None => self.kind == Kind::Refs && self.is_around(&named.name),
            // The entries of one ref may be in several blocks.
            Some(_) => self.kind == Kind::Logs,
        }
    }

    /// Whether `name` is between the names before and after it.
    fn is_around(&self, name: &[u8]) -> bool {
        let is_after = self
            .after
            .as_ref()
            .is_none_or(|after| name > after.as_slice());
        let is_before = self
            .before
            .as_ref()
            .is_none_or(|before| name < before.as_slice());
        is_after && is_before
    }
}

/// What could be read of a table, and what could not.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// The table itself if it is sound, otherwise one with the records that could be read.
    pub table: Option<Arc<Table>>,
    pub lost: Vec<Lost>,
    /// Records in the lost parts whose names are known.
    pub named: Vec<Named>,
}

impl Salvaged {
    /// Nothing could be read, for one reason.
    fn nothing(len: u64, text: String) -> Self {
        Self {
            lost: vec![whole(len, text)],
            ..Self::default()
        }
    }
}

/// Reads what can be read of the table in a file.
///
/// # Errors
/// If the file may be sound, but cannot be read, as for lack of permission.
pub fn table(path: &Path, name: &str, hash: HashId) -> Result<Salvaged> {
    Ok(match read_file(path) {
        Ok(bytes) => of_bytes(bytes, name, hash),
        // A missing table has been reported.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Salvaged::default(),
        Err(error) if is_unreadable(&error) => Salvaged::nothing(0, text_of(&error)),
        Err(error) => return Err(Failure::io("read", path, &error)),
    })
}

fn of_bytes(bytes: Vec<u8>, name: &str, hash: HashId) -> Salvaged {
    let len = wide(bytes.len());
    let mut flaw: Option<Flaw> = None;
    match Table::inspect(name, TableData::from(bytes.clone())) {
        Ok(table) => {
            table.verify(&mut |found| {
                flaw.get_or_insert(found);
            });
            if flaw.is_none() && table.hash_id() == hash {
                return Salvaged {
                    table: Some(Arc::new(table)),
                    ..Salvaged::default()
                };
            }
        }
        Err(found) => flaw = Some(found),
    }
    let mut error = None;
    let mut best: Option<(RawTable, Records, Vec<Lost>)> = None;
    for raw in candidates(name, &bytes, hash, &mut error) {
        let mut records = Records::default();
        let mut lost = read(&raw, &mut records);
        if records.wrong > 0 {
            let text = format!("{} that cannot be right", plural(records.wrong, "record"));
            lost.push(whole_at(0, len, &text, Kind::Unknown));
        }
        // Of two headers that differ, the one in the footer may be the wrong one.
        let is_whole = lost.is_empty() && !raw.header_is_damaged();
        if best
            .as_ref()
            .is_none_or(|(_, best, _)| best.count() < records.count())
        {
            best = Some((raw, records, lost));
        }
        if is_whole {
            break;
        }
    }
    let found = best.filter(|(_, records, _)| records.count() > 0);
    let Some((raw, records, mut lost)) = found else {
        let text = error.or(flaw.map(|flaw| flaw.to_string()));
        let text = text.unwrap_or_else(|| "it has another hash function".to_owned());
        return Salvaged::nothing(len, text);
    };
    if raw.positions().is_none() {
        lost.push(whole_at(
            raw.end().min(len),
            len,
            "the footer is damaged or missing",
            Kind::Index,
        ));
    }
    if raw.header_is_damaged() {
        lost.push(whole_at(
            0,
            wide(raw.header_len()),
            "the header is damaged",
            Kind::Index,
        ));
    }
    // All records can be read, but contradict one another, or an index.
    if let Some(flaw) = flaw.filter(|_| lost.is_empty()) {
        let kind = match flaw.kind {
            FindingKind::Index | FindingKind::Objects | FindingKind::Footer => Kind::Index,
            _ => Kind::Unknown,
        };
        lost.push(whole_at(flaw.damage.offset, len, &flaw.to_string(), kind));
    }
    let is_lost = |named: &Named| lost.iter().any(|lost| lost.may_have(named));
    let named = records.missing().filter(is_lost).collect();
    let table = records.write(&raw).unwrap_or_else(|error| {
        lost.push(whole(len, error.to_string()));
        None
    });
    Salvaged { table, lost, named }
}

/// The table as its header or footer say, and as the name of its file and the stack's hash say.
fn candidates<'c>(
    name: &'c str,
    bytes: &'c [u8],
    hash: HashId,
    error: &'c mut Option<String>,
) -> impl Iterator<Item = RawTable> + 'c {
    let data = || TableData::from(bytes.to_vec());
    let by_header = match RawTable::new(name, data()) {
        Ok(raw) => Some(raw).filter(|raw| raw.hash_id() == hash),
        Err(failed) => {
            *error = Some(reason(&failed));
            None
        }
    };
    // The header may be right, and the footer that contradicts it wrong.
    let sizes = [bytes.get(5..8), Some(&[0, 16, 0]), Some(&[0, 0, 0])];
    let size = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |size, &byte| size << 8 | u32::from(byte))
    };
    let by_name = range_of(name).into_iter().flat_map(move |range| {
        let sizes = sizes.into_iter().flatten().map(size);
        sizes.map(move |size| RawTable::with_header(name, data(), hash, size, range))
    });
    by_header.into_iter().chain(by_name)
}

/// The update indexes in the name of a table.
pub fn range_of(name: &str) -> Option<(u64, u64)> {
    let mut numbers = name.split('-').map(|part| {
        let digits = part.strip_prefix("0x").unwrap_or(part);
        u64::from_str_radix(digits, 16).ok()
    });
    Some((numbers.next()??, numbers.next()??))
}

fn whole(len: u64, text: String) -> Lost {
    whole_at(0, len, &text, Kind::Unknown)
}

fn whole_at(start: u64, end: u64, text: &str, kind: Kind) -> Lost {
    Lost {
        start,
        end,
        text: text.to_owned(),
        kind,
        after: None,
        before: None,
    }
}

/// Reads all blocks that can be found.
fn read(raw: &RawTable, records: &mut Records) -> Vec<Lost> {
    let mut lost: Vec<Lost> = Vec::new();
    // The last key of each kind of block.
    let mut last: (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
    let mut at = raw.first_block();
    let mut kind = Kind::Unknown;
    while at < raw.end() {
        let failed = match raw.block(at) {
            Ok(block) => {
                kind = kind_of(&block);
                let read = read_block(&block, raw, records, &mut last, &mut lost);
                match read {
                    Ok(()) => {
                        at = block.next_offset();
                        continue;
                    }
                    Err((position, error)) => (position.max(at), error),
                }
            }
            Err(error) => (at, error),
        };
        let (start, error) = failed;
        let next = raw.find_block(start.max(at + 1)).unwrap_or(raw.end());
        let after = match kind {
            Kind::Logs => last.1.clone(),
            _ => last.0.clone(),
        };
        let skipped = usize::try_from(start).ok().zip(usize::try_from(next).ok());
        let skipped = skipped.and_then(|(start, next)| raw.bytes().get(start..next));
        let is_padding = skipped.is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0));
        if is_padding {
            at = next;
            continue;
        }
        let held = match raw.bytes().get(usize::try_from(at).unwrap_or(usize::MAX)) {
            Some(b'i' | b'o') => Kind::Index,
            Some(b'g') => Kind::Logs,
            Some(b'r') => Kind::Refs,
            _ if at == 0 => Kind::Refs,
            _ => Kind::Unknown,
        };
        lost.push(Lost {
            after: after.filter(|_| held != Kind::Index),
            ..whole_at(start, next, &reason(&error), held)
        });
        at = next;
    }
    lost
}

/// The text of damage, without the name of the file.
fn reason(error: &reftable::format::Error) -> String {
    let text = error.to_string();
    match text.splitn(3, ": ").nth(2) {
        Some(reason) => reason.to_owned(),
        None => text,
    }
}

fn kind_of(block: &RawBlock<'_>) -> Kind {
    match block.block_type() {
        BlockType::Ref => Kind::Refs,
        BlockType::Log => Kind::Logs,
        BlockType::Obj | BlockType::Index => Kind::Index,
    }
}

/// Reads the records of a block. The error has the position in the file up to which that was
/// possible.
fn read_block(
    block: &RawBlock<'_>,
    raw: &RawTable,
    records: &mut Records,
    last: &mut (Option<Vec<u8>>, Option<Vec<u8>>),
    lost: &mut Vec<Lost>,
) -> Result<(), (u64, reftable::format::Error)> {
    let mut all = block.records();
    // Damage that was skipped, until a record is found after it.
    let mut skipped: Option<(u64, reftable::format::Error)> = None;
    loop {
        let is_wrong = match all.next() {
            Ok(None) => return skipped.map_or(Ok(()), Err),
            Ok(Some(record)) => {
                // Bytes after a damaged record may look like one.
                let after = last
                    .0
                    .as_ref()
                    .is_none_or(|last| record.key > last.as_slice());
                let is_wrong = skipped.is_some() && !(after && is_name(record.key));
                if !is_wrong {
                    if let Some((start, error)) = skipped.take() {
                        let end = block.offset() + wide(record.start);
                        lost.push(Lost {
                            after: last.0.clone(),
                            ..whole_at(start, end, &reason(&error), kind_of(block))
                        });
                    }
                    // Where an index is taken for refs, its keys are those of refs before it.
                    let is_behind = last.0.as_deref() > Some(record.key);
                    if let Some((name, is_log)) = records.add(&record, raw, is_behind) {
                        close(lost, &name, is_log);
                        match is_log {
                            true => last.1 = Some(name),
                            false => last.0 = Some(name),
                        }
                    }
                }
                is_wrong
            }
            Err(error) => {
                skipped.get_or_insert((all.position_in_file(), error));
                true
            }
        };
        // The inflated bytes of logs have a checksum: if they are wrong, nothing is right.
        if is_wrong && !(block.block_type() == BlockType::Ref && all.resume()) {
            return skipped.map_or(Ok(()), Err);
        }
    }
}

/// The first record after what was lost is that of the ref `name`.
fn close(lost: &mut [Lost], name: &[u8], is_log: bool) {
    for open in lost
        .iter_mut()
        .rev()
        .take_while(|lost| lost.before.is_none())
    {
        if matches!(
            (open.kind, is_log),
            (Kind::Refs, false) | (Kind::Logs, true)
        ) {
            open.before = Some(name.to_vec());
        }
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
