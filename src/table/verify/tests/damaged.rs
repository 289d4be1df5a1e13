//! One flaw at a time.
#![forbid(unsafe_code)]

mod blocks;
mod frame;
mod index;
mod objects;
mod order;
mod update_indexes;

use super::flaws;
use super::raw::{
    shared, sound, RawBlock, RawTable, Record, Value, LOGS, LOG_INDEX, MORE_LOGS, MORE_OBJECTS,
    MORE_REFS, OBJECTS, OBJECT_INDEX, REFS, REF_INDEX,
};
use crate::format::Expected;
use crate::format::FindingKind;

/// Length of the footer, and offset of the positions in it.
const FOOTER: usize = 68;
const FIELDS: usize = 24;

/// The only flaw of a table: its kind, a part of its text, and the number found.
fn one(bytes: Vec<u8>, kind: FindingKind, text: &str, found: u64) {
    let flaws = flaws(bytes);
    let shown: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    assert_eq!(flaws.len(), 1, "{shown:#?}");
    assert_eq!(flaws[0].kind, kind, "{shown:?}");
    assert!(shown[0].contains(text), "{shown:?}");
    assert_eq!(flaws[0].damage.found, found, "{shown:?}");
}

/// The same of a hand-made table in which `change` has broken something.
fn broken(change: impl FnOnce(&mut RawTable), kind: FindingKind, text: &str, found: u64) {
    let mut table = sound(0);
    change(&mut table);
    one(table.encode(), kind, text, found);
}

/// A sound table with changed bytes and a valid checksum.
fn patched(block_size: u32, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = sound(block_size).encode();
    change(&mut bytes);
    let footer = bytes.len() - FOOTER;
    bytes.copy_within(..FIELDS, footer);
    let offset = bytes.len() - 4;
    let crc = crc32fast::hash(&bytes[footer..offset]);
    bytes[offset..].copy_from_slice(&crc.to_be_bytes());
    bytes
}
