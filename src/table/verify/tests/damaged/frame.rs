//! Header, footer, and positions of sections.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn magic_and_version() {
    let magic = u64::from(u32::from_be_bytes(*b"XEFT"));
    let bytes = patched(0, |bytes| bytes[0] = b'X');
    one(
        bytes,
        FindingKind::Header,
        "magic number at offset 0",
        magic,
    );
    let bytes = patched(0, |bytes| bytes[4] = 3);
    one(bytes, FindingKind::Header, "version at offset 4", 3);
}

#[test]
fn truncated_files() {
    one(
        Vec::new(),
        FindingKind::Header,
        "bytes of the file header",
        4,
    );
    let whole = sound(0).encode();
    one(
        whole[..20].to_vec(),
        FindingKind::Header,
        "bytes of the file header",
        8,
    );
    one(whole[..60].to_vec(), FindingKind::Footer, "file length", 60);
    let cut = whole[..whole.len() - 1].to_vec();
    assert_eq!(flaws(cut)[0].kind, FindingKind::Footer);
}

#[test]
fn unknown_hash() {
    let bytes = patched(0, |bytes| {
        bytes[4] = 2;
        bytes[24..28].copy_from_slice(b"md5!");
    });
    let id = u64::from(u32::from_be_bytes(*b"md5!"));
    one(bytes, FindingKind::Hash, "hash id", id);
}

#[test]
fn checksum_of_the_footer() {
    let mut bytes = sound(0).encode();
    let offset = bytes.len() - 4;
    bytes[offset..].copy_from_slice(&[0, 0, 0, 7]);
    one(bytes, FindingKind::Footer, "checksum of the footer", 7);
}

#[test]
fn header_and_footer_differ() {
    let mut bytes = sound(0).encode();
    bytes[7] = 9;
    let footer = bytes.len() - FOOTER;
    let text = format!("repeats the header at offset {}", footer + 7);
    one(bytes, FindingKind::Footer, &text, 0);
}

#[test]
fn positions_in_the_footer() {
    let field = |number: usize, value: u64| {
        let mut bytes = sound(0).encode();
        let footer = bytes.len() - FOOTER;
        let offset = footer + FIELDS + 8 * number;
        bytes[offset..offset + 8].copy_from_slice(&value.to_be_bytes());
        let crc = crc32fast::hash(&bytes[footer..footer + FOOTER - 4]);
        bytes[footer + FOOTER - 4..].copy_from_slice(&crc.to_be_bytes());
        bytes
    };
    one(
        field(0, 1 << 40),
        FindingKind::Footer,
        "position of the ref index",
        1 << 40,
    );
    one(
        field(1, 25 << 5),
        FindingKind::Footer,
        "position of the object section",
        25,
    );
    one(
        field(0, 0),
        FindingKind::Index,
        "position of the index in the footer",
        0,
    );
    one(
        field(2, 0),
        FindingKind::Index,
        "position of the index in the footer",
        0,
    );
    one(
        field(4, 0),
        FindingKind::Index,
        "position of the index in the footer",
        0,
    );
}

#[test]
fn a_section_that_begins_inside_a_block() {
    let mut table = sound(0);
    table.footer = [None, None, None, Some(1), None];
    table.blocks = vec![
        RawBlock::new(b'r', vec![Record::id(b"refs/a", 1)]),
        RawBlock::new(b'g', vec![Record::log(b"refs/a", 9)]),
    ];
    assert_eq!(flaws(table.encode()), []);
    let mut bytes = table.encode();
    let footer = bytes.len() - FOOTER;
    let offset = footer + FIELDS + 24 + 7;
    bytes[offset] -= 1;
    let inside = u64::from(bytes[offset]);
    let crc = crc32fast::hash(&bytes[footer..footer + FOOTER - 4]);
    bytes[footer + FOOTER - 4..].copy_from_slice(&crc.to_be_bytes());
    let flaws = flaws(bytes);
    assert_eq!(flaws[0].kind, FindingKind::Footer, "{flaws:?}");
    assert_eq!(flaws[0].damage.found, inside);
    assert_eq!(flaws[0].damage.expected, Expected::AtLeast(inside + 1));
    assert_eq!(flaws[1].kind, FindingKind::Block, "{flaws:?}");
}

#[test]
fn footers_of_absent_sections() {
    let mut table = sound(0);
    table.blocks = vec![
        RawBlock::new(b'g', vec![Record::log(b"refs/a", 9)]),
        RawBlock::new(b'g', vec![Record::log(b"refs/b", 9)]),
    ];
    table.footer = [None, None, None, None, None];
    assert_eq!(flaws(table.encode()), []);
    table.footer = [None, None, None, Some(1), None];
    let found = flaws(table.encode())[0].damage.found;
    let text = "position of logs, which begin the file";
    one(table.encode(), FindingKind::Footer, text, found);
    table.footer = [Some(1), None, None, None, None];
    let text = "position of the index of absent refs";
    one(table.encode(), FindingKind::Footer, text, found);
    table.footer = [None, None, Some(1), None, None];
    let text = "position of the index of absent objects";
    one(table.encode(), FindingKind::Footer, text, found);
}
