//! Update indexes outside their range.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn of_the_header() {
    let bytes = patched(0, |bytes| bytes[15] = 10);
    one(bytes, FindingKind::UpdateIndex, "least update index", 10);
}

#[test]
fn of_refs() {
    let late = Record::new(b"refs/symbolic", 3, b"\x05\x06refs/c");
    broken(
        |t| t.blocks[MORE_REFS].records[2] = late,
        FindingKind::UpdateIndex,
        "update index of a ref",
        10,
    );
}

#[test]
fn of_logs() {
    broken(
        |t| {
            t.blocks[MORE_LOGS].records[0] = Record::log(b"refs/b", 10);
            t.blocks[LOG_INDEX].records[1].suffix = Record::log(b"refs/b", 10).suffix;
        },
        FindingKind::UpdateIndex,
        "update index of a reflog entry",
        10,
    );
}
