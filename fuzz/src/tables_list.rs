//! Arbitrary bytes as `tables.list`: it is refused, or each line is a file name in the directory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use reftable::stack::{Stack, StackOptions};

use super::hostile::raw::Raw;
use super::memory::Memory;

pub fn run(bytes: &[u8]) {
    let dir = Path::new("/stack");
    // The list exists, and would be opened as a table.
    let names_itself = |line: &[u8]| line == b"tables.list";
    if bytes.split(|&byte| byte == b'\n').any(names_itself) {
        return;
    }
    let storage = Memory::default();
    storage.write(&dir.join("tables.list"), bytes.to_vec());
    storage.answer_all(empty_table());
    let storage = Arc::new(storage);
    let options = StackOptions::default();
    match (Stack::open_in(storage.clone(), dir, options), names(bytes)) {
        (Ok(stack), Some(names)) => {
            let merged = stack.merged();
            let read: Vec<&str> = merged.tables().iter().map(|t| t.name()).collect();
            assert_eq!(read, names);
        }
        (Err(error), None) => assert_eq!(error.code(), -3, "{error}"),
        (opened, names) => panic!("{opened:?}, expected {names:?}"),
    }
    for path in storage.opened() {
        assert_eq!(path.parent(), Some(dir), "{path:?}");
        assert!(path.file_name().is_some(), "{path:?}");
    }
}

/// The names in the list, if it is valid.
fn names(bytes: &[u8]) -> Option<Vec<&str>> {
    if bytes.len() > 4 << 20 {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if !text.is_empty() && !text.ends_with('\n') {
        return None;
    }
    let names: Vec<&str> = text.split('\n').filter(|name| !name.is_empty()).collect();
    let good = |name: &&str| {
        name.len() <= 255 && !name.contains(['/', '\0']) && *name != "." && *name != ".."
    };
    let different: BTreeSet<&str> = names.iter().copied().collect();
    (names.iter().all(good) && different.len() == names.len()).then_some(names)
}

fn empty_table() -> Vec<u8> {
    let raw = Raw {
        version: 1,
        ..Raw::default()
    };
    raw.encode()
}
