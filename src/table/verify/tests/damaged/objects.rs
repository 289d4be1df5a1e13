//! Object sections that do not match the refs.
#![forbid(unsafe_code)]

use super::*;

fn in_objects(change: impl FnOnce(&mut Vec<Record>), text: &str, found: u64) {
    broken(
        |t| change(&mut t.blocks[OBJECTS].records),
        FindingKind::Objects,
        text,
        found,
    );
}

#[test]
fn blocks_of_an_object() {
    in_objects(
        |r| r[0] = Record::object(&[1, 1], &[REFS]),
        "number of ref blocks",
        1,
    );
    in_objects(
        |r| r[1] = Record::object(&[2, 2], &[REFS, MORE_REFS]),
        "number of ref blocks",
        2,
    );
    in_objects(
        |r| {
            r[1] = Record {
                value: Value::Bytes(vec![9]),
                ..Record::object(&[2, 2], &[REFS])
            }
        },
        "position of a ref block that mentions an object",
        9,
    );
    // No position means that any ref block may contain the id.
    let mut table = sound(0);
    table.blocks[OBJECTS].records[0] = Record::new(&[1, 1], 0, b"\0");
    assert_eq!(flaws(table.encode()), []);
}

#[test]
fn missing_and_extra_objects() {
    let text = "records of an object that a ref mentions";
    in_objects(|r| drop(r.remove(0)), text, 0);
    broken(
        |t| {
            t.blocks[MORE_OBJECTS].records[0] = Record::object(&[5, 5], &[MORE_REFS]);
            t.blocks[MORE_REFS].records[1] = shared(Record::id(b"d", 5), 5);
            t.blocks[OBJECT_INDEX].records[1].suffix = vec![5, 5];
            t.blocks[MORE_REFS]
                .records
                .insert(2, shared(Record::id(b"e", 9), 5));
        },
        FindingKind::Objects,
        text,
        0,
    );
    in_objects(
        |r| r.insert(1, Record::object(&[1, 9], &[REFS])),
        "records of an object that no ref mentions",
        1,
    );
}

#[test]
fn peeled_objects_count() {
    let mut value = vec![0];
    value.extend_from_slice(&[2; 20]);
    value.extend_from_slice(&[3; 20]);
    let both = shared(Record::new(b"b", 2, &value), 5);
    broken(
        |t| t.blocks[REFS].records[1] = both.clone(),
        FindingKind::Objects,
        "(0303030303030303030303030303030303030303)",
        0,
    );
    let mut table = sound(0);
    table.blocks[REFS].records[1] = both;
    table.blocks[OBJECTS]
        .records
        .push(Record::object(&[3, 3], &[REFS]));
    table.blocks[OBJECT_INDEX].records[0].suffix = vec![3, 3];
    assert_eq!(flaws(table.encode()), []);
}

#[test]
fn abbreviations() {
    // Two ids with the same first two bytes.
    let mut value = vec![0, 1, 1];
    value.extend_from_slice(&[7; 18]);
    broken(
        |t| t.blocks[REFS].records[1] = shared(Record::new(b"b", 1, &value), 5),
        FindingKind::Objects,
        "too short to tell all apart",
        2,
    );
}

#[test]
fn objects_are_not_checked_if_refs_are_damaged() {
    broken(
        |t| t.blocks[REFS].records[1].extra = 6,
        FindingKind::Block,
        "value type of a ref",
        6,
    );
}
