//! Keys that do not ascend.
#![forbid(unsafe_code)]

use super::*;

fn only_refs(first: Vec<Record>, second: Vec<Record>) -> Vec<u8> {
    let mut table = sound(0);
    table.blocks = vec![RawBlock::new(b'r', first), RawBlock::new(b'r', second)];
    table.footer = [None; 5];
    table.encode()
}

#[test]
fn within_a_block() {
    let refs = |second| {
        only_refs(
            vec![Record::id(b"refs/b", 1), second],
            vec![Record::id(b"x", 1)],
        )
    };
    assert_eq!(flaws(refs(Record::id(b"refs/c", 1))), []);
    let less = refs(Record::id(b"refs/a", 1));
    one(
        less,
        FindingKind::Order,
        "less than the previous one",
        u64::from(b'a'),
    );
    let less = refs(shared(Record::id(b"a", 1), 5));
    one(
        less,
        FindingKind::Order,
        "less than the previous one",
        u64::from(b'a'),
    );
    let same = refs(Record::id(b"refs/b", 1));
    one(same, FindingKind::Order, "equal to the previous one", 6);
    let same = refs(shared(Record::id(b"", 1), 6));
    one(same, FindingKind::Order, "equal to the previous one", 6);
    let start = refs(Record::id(b"refs/", 1));
    one(start, FindingKind::Order, "prefix of the previous one", 5);
}

#[test]
fn across_blocks() {
    let refs = |name| only_refs(vec![Record::id(b"refs/b", 1)], vec![Record::id(name, 1)]);
    assert_eq!(flaws(refs(b"refs/c")), []);
    one(refs(b"refs/b"), FindingKind::Order, "equal to", 6);
    one(refs(b"refs/a"), FindingKind::Order, "less", u64::from(b'a'));
}

#[test]
fn empty_names() {
    let refs = only_refs(vec![Record::id(b"", 1)], vec![Record::id(b"x", 1)]);
    one(refs, FindingKind::Order, "empty key or prefix", 0);
}

#[test]
fn of_logs_and_objects() {
    broken(
        |t| t.blocks[LOGS].records = vec![Record::log(b"refs/a", 3), Record::log(b"refs/a", 3)],
        FindingKind::Order,
        "equal to",
        15,
    );
    broken(
        |t| {
            t.blocks[LOGS].records = vec![Record::log(b"refs/a", 2), Record::log(b"refs/a", 3)];
        },
        FindingKind::Order,
        "less",
        0xfc,
    );
    let mut table = sound(0);
    table.blocks[OBJECTS].records.swap(0, 1);
    let kinds: Vec<_> = flaws(table.encode()).iter().map(|f| f.kind).collect();
    assert!(kinds.contains(&FindingKind::Order), "{kinds:?}");
}

#[test]
fn many_are_counted() {
    let record = Record::id(b"refs/b", 1);
    let flaws = flaws(only_refs(vec![record; 100], vec![Record::id(b"x", 1)]));
    assert_eq!(flaws.len(), 21);
    assert_eq!(flaws[20].damage.found, 79);
    assert_eq!(flaws[20].kind, FindingKind::Order);
}
