//! The refs of an object, compared with a scan of all refs.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use reftable::format::{Error, HashId};
use reftable::merged::{Merged, Tombstones};
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
fn table(index: u64, (refs, has_objects): &Content) -> Arc<Table> {
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
    Arc::new(Table::new(&format!("{index}.ref"), bytes.into()).unwrap())
}

/// Names and values, as text.
fn shown(record: &RefRecord<'_>) -> String {
    format!(
        "{} {:?}",
        String::from_utf8_lossy(record.name),
        record.value
    )
}

fn scanned(view: &Merged, oid: &[u8]) -> Vec<String> {
    let mut refs = view.refs(Tombstones::Hide);
    let mut found = Vec::new();
    while refs.advance().unwrap() {
        let record = refs.record();
        if record.value.id() == Some(oid) || record.value.peeled() == Some(oid) {
            found.push(shown(&record));
        }
    }
    found
}

fn found(view: &Merged, oid: &[u8]) -> Vec<String> {
    let mut refs = view.refs_of(oid).unwrap();
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
        assert_eq!(found(&view, &oid), scanned(&view, &oid), "{number}");
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
