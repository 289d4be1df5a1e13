//! The refs of an object, compared with a scan of all refs.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use reftable::format::{Error, HashId, IdPrefix};
use reftable::merged::{Merged, RefsOf, Tombstones};
use reftable::record::{RefRecord, RefValue};
use reftable::table::{Table, WriteOptions, Writer};

/// The value of a ref in a table; ids are numbers.
#[derive(Clone, Copy, Debug)]
enum Value {
    Deletion,
    Id(u8),
    Tag(u8, u8),
    Symref,
}

/// The refs of a table by number, and whether it has an object section.
type Content = (BTreeMap<u16, Value>, bool);

/// Ids whose abbreviations differ late, so that objects are found by all of their bytes.
fn id(number: u8) -> [u8; 20] {
    let mut id = [7; 20];
    id[number as usize % 20] = number;
    id
}

fn name(number: u16) -> String {
    format!("refs/heads/{number:04}-of-many")
}

/// Small blocks: tables of a few refs have an index, and so an object section.
fn table(index: u64, content: &Content) -> Arc<Table> {
    let bytes = bytes(index, content);
    Arc::new(Table::new(&format!("{index}.ref"), bytes.into()).unwrap())
}

fn bytes(index: u64, (refs, has_objects): &Content) -> Vec<u8> {
    let options = WriteOptions {
        block_size: 256,
        skip_index_objects: !has_objects,
        ..WriteOptions::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    writer.set_limits(index, index).unwrap();
    for (&number, &value) in refs {
        let ids = match value {
            Value::Id(one) => [id(one), [0; 20]],
            Value::Tag(one, two) => [id(one), id(two)],
            Value::Deletion | Value::Symref => [[0; 20]; 2],
        };
        let name = name(number);
        let record = RefRecord {
            name: name.as_bytes(),
            update_index: index,
            value: match value {
                Value::Deletion => RefValue::Deletion,
                Value::Id(_) => RefValue::Val1(&ids[0]),
                Value::Tag(..) => RefValue::Val2 {
                    value: &ids[0],
                    target: &ids[1],
                },
                Value::Symref => RefValue::Symref(b"refs/heads/other"),
            },
        };
        writer.add_ref(&record).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

/// Names and values, as text.
fn shown(record: &RefRecord<'_>) -> String {
    format!(
        "{} {:?}",
        String::from_utf8_lossy(record.name),
        record.value
    )
}

fn scanned(view: &Merged, is_wanted: impl Fn(&[u8]) -> bool) -> Vec<String> {
    let mut refs = view.refs(Tombstones::Hide);
    let mut found = Vec::new();
    while refs.advance().unwrap() {
        let record = refs.record();
        if [record.value.id(), record.value.peeled()]
            .into_iter()
            .flatten()
            .any(&is_wanted)
        {
            found.push(shown(&record));
        }
    }
    found
}

fn found(view: &Merged, oid: &[u8]) -> Vec<String> {
    all_of(view.refs_of(oid).unwrap())
}

fn all_of(mut refs: RefsOf) -> Vec<String> {
    let mut found = Vec::new();
    while refs.advance().unwrap() {
        found.push(shown(&refs.record()));
    }
    assert!(!refs.advance().unwrap());
    found
}

/// Tables of up to 120 refs of `names`, which point at few objects.
fn contents(names: u16) -> impl Strategy<Value = Vec<Content>> {
    let value = prop_oneof![
        1 => Just(Value::Deletion),
        1 => Just(Value::Symref),
        6 => (0..6_u8).prop_map(Value::Id),
        2 => (0..6_u8, 0..6_u8).prop_map(|(one, two)| Value::Tag(one, two)),
    ];
    let refs = prop::collection::btree_map(0..names, value, 1..120);
    prop::collection::vec((refs, any::<bool>()), 1..6)
}

fn compare(contents: &[Content]) {
    let tables = contents
        .iter()
        .zip(1..)
        .map(|(content, n)| table(n, content));
    let view = Merged::new(tables.collect(), HashId::Sha1).unwrap();
    for number in 0..7 {
        let oid = id(number);
        let expected = scanned(&view, |id| id == oid);
        assert_eq!(found(&view, &oid), expected, "{number}");
        let digits: String = oid.iter().map(|byte| format!("{byte:02x}")).collect();
        for len in [0, 3, 4, 9, 39] {
            let prefix = IdPrefix::from_hex(&digits[..len]).unwrap();
            let expected = scanned(&view, |id| prefix.matches(id));
            let found = all_of(view.refs_of_prefix(&prefix).unwrap());
            assert_eq!(found, expected, "{}", &digits[..len]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nearly all refs in several tables.
    #[test]
    fn dense_tables_hide_each_other(contents in contents(150)) {
        compare(&contents);
    }

    /// Few refs in several tables, far from each other.
    #[test]
    fn sparse_tables_are_searched(contents in contents(5000)) {
        compare(&contents);
    }
}

#[test]
fn a_view_without_tables_has_no_refs() {
    let view = Merged::new(Vec::new(), HashId::Sha1).unwrap();
    assert_eq!(found(&view, &id(1)), [""; 0]);
    let record = view.refs_of(&id(1)).unwrap();
    assert!(record.record().is_deletion());
}

#[test]
fn ids_of_another_length_are_refused() {
    let content = (BTreeMap::from([(1, Value::Id(1))]), true);
    let view = Merged::new(vec![table(1, &content)], HashId::Sha1).unwrap();
    let error = view.refs_of(&[1; 32]).unwrap_err();
    assert!(matches!(error, Error::Misuse(_)), "{error}");
}

/// All refs of a large table point at one object, and a newer table hides every third.
#[test]
fn many_matches_are_checked_in_one_walk() {
    let old = (0..3000).map(|n| (n, Value::Id(1))).collect();
    let new = (0..3000).step_by(3).map(|n| (n, Value::Id(2))).collect();
    let view = [(old, true), (new, true)];
    compare(&view);
}

/// Only the blocks that the object section names are read: another one may be damaged.
#[test]
fn the_object_section_finds_abbreviated_ids() {
    let refs = (0..200).map(|n| (n, Value::Id((n / 10) as u8)));
    let mut bytes = bytes(1, &(refs.collect(), true));
    // The second block.
    bytes[256..512].fill(0xff);
    let table = Table::new("1.ref", bytes.into()).unwrap();
    let view = Merged::new(vec![Arc::new(table)], HashId::Sha1).unwrap();
    let mut refs = view.refs(Tombstones::Hide);
    assert!((0..200).any(|_| refs.advance().is_err()));
    // The id of the refs 170 to 179.
    let digits = format!("{}11", "07".repeat(17));
    for len in [34 + 1, 34 + 2] {
        let prefix = IdPrefix::from_hex(&digits[..len]).unwrap();
        let found = all_of(view.refs_of_prefix(&prefix).unwrap());
        assert_eq!(found.len(), 10, "{found:?}");
    }
}
