//! Tests of the merge, among others against a sorted map.
#![forbid(unsafe_code)]

use super::*;
use crate::format::{Corruption, FlawKind};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Records in memory: a key, and whether it is a tombstone. One of them may be an error.
#[derive(Clone, Debug)]
struct Fake {
    records: Vec<(Vec<u8>, bool)>,
    next: usize,
    fails_at: Option<usize>,
    error: fn() -> Error,
}

fn out_of_memory() -> Error {
    Error::OutOfMemory { size: 7 }
}

impl Fake {
    fn new(keys: &[(&str, bool)]) -> Self {
        Self {
            records: keys.iter().map(|&(k, d)| (k.into(), d)).collect(),
            next: 0,
            fails_at: None,
            error: out_of_memory,
        }
    }
}

impl SeekCursor for Fake {
    fn seek_key(&mut self, key: &[u8]) -> Result<()> {
        self.next = self.records.partition_point(|(k, _)| k.as_slice() < key);
        Ok(())
    }
}

impl Cursor for Fake {
    fn advance(&mut self) -> Result<bool> {
        if self.fails_at == Some(self.next) {
            return Err((self.error)());
        }
        self.next = (self.next + 1).min(self.records.len() + 1);
        Ok(self.next <= self.records.len())
    }

    fn key(&self) -> &[u8] {
        &self.records[self.next - 1].0
    }

    fn is_deletion(&self) -> bool {
        self.records[self.next - 1].1
    }
}

fn collect(merge: &mut Merge<Fake>) -> Vec<String> {
    let mut keys = Vec::new();
    while merge.advance().unwrap() {
        let fake = merge.current().unwrap();
        keys.push(String::from_utf8(fake.key().to_vec()).unwrap());
    }
    assert!(!merge.advance().unwrap(), "the end stays the end");
    assert!(merge.current().is_none());
    keys
}

#[test]
fn newest_wins_and_tombstones_hide() {
    let lanes = || {
        [
            Fake::new(&[("a", false), ("b", false), ("c", false)]),
            Fake::new(&[("b", true), ("d", false)]),
            Fake::new(&[("c", true), ("d", true), ("e", false)]),
            Fake::new(&[]),
            Fake::new(&[("d", false)]),
        ]
        .into_iter()
    };
    let mut hidden = Merge::new(lanes(), Tombstones::Hide);
    assert_eq!(collect(&mut hidden), ["a", "d", "e"]);
    let mut shown = Merge::new(lanes(), Tombstones::Show);
    assert_eq!(collect(&mut shown), ["a", "b", "c", "d", "e"]);
    shown.seek(b"c").unwrap();
    assert!(shown.advance().unwrap());
    assert_eq!(
        shown.current().map(|f| (f.key(), f.is_deletion())),
        Some((&b"c"[..], true))
    );
}

#[test]
fn a_merge_without_cursors_has_no_records() {
    let mut none = Merge::<Fake>::new([].into_iter(), Tombstones::Show);
    assert!(!none.advance().unwrap());
    none.seek(b"a").unwrap();
    assert!(!none.advance().unwrap());
}

#[test]
fn a_prefix_ends_the_walk_before_hidden_tombstones() {
    let old = Fake::new(&[("a/1", false), ("a/2", true), ("b", true), ("c", false)]);
    let mut merge = Merge::new([old].into_iter(), Tombstones::Hide);
    merge.seek_prefix(b"a/").unwrap();
    assert_eq!(collect(&mut merge), ["a/1"]);
    merge.seek_prefix(b"b").unwrap();
    assert_eq!(collect(&mut merge), [""; 0]);
    merge.seek(b"b").unwrap();
    assert_eq!(collect(&mut merge), ["c"]);
}

#[test]
fn skip_to_keeps_the_prefix() {
    let names = [
        ("a/1", false),
        ("a/2", false),
        ("a/3", false),
        ("a/4", true),
        ("b", true),
    ];
    let mut old = Fake::new(&names);
    // A walk past the prefix fails.
    old.fails_at = Some(names.len());
    let mut merge = Merge::new([old].into_iter(), Tombstones::Hide);
    merge.seek_prefix(b"a/").unwrap();
    assert!(merge.advance().unwrap());
    merge.skip_to(b"a/3").unwrap();
    assert_eq!(collect(&mut merge), ["a/3"]);
    merge.seek(b"a/3").unwrap();
    assert!(merge.advance().unwrap());
    assert!(merge.advance().is_err());
}

#[test]
fn the_fast_lane_is_the_only_one_left_without_a_prefix() {
    let lanes = [
        Fake::new(&[("a", false), ("c", false)]),
        Fake::new(&[("b", false), ("d", false), ("e", false)]),
    ];
    let mut merge = Merge::new(lanes.into_iter(), Tombstones::Hide);
    assert!(merge.fast_lane().is_none(), "before the first record");
    for _ in 0..3 {
        assert!(merge.advance().unwrap());
        assert!(merge.fast_lane().is_none());
    }
    assert!(merge.advance().unwrap());
    let lane = merge.fast_lane().unwrap();
    assert_eq!(lane.key(), b"d");
    assert!(lane.advance().unwrap());
    assert_eq!(merge.current().unwrap().key(), b"e");
    assert!(!merge.advance().unwrap());
    assert!(merge.fast_lane().is_none(), "after the last record");
    merge.seek_prefix(b"d").unwrap();
    assert!(merge.advance().unwrap());
    assert!(merge.fast_lane().is_none());
}

#[test]
fn errors_stay_until_the_next_seek() {
    let mut broken = Fake::new(&[("b", false), ("d", false)]);
    broken.fails_at = Some(1);
    let good = Fake::new(&[("a", false), ("c", false)]);
    let mut merge = Merge::new([good, broken].into_iter(), Tombstones::Hide);
    assert!(merge.advance().unwrap());
    assert!(merge.advance().unwrap());
    for _ in 0..3 {
        assert!(matches!(
            merge.advance(),
            Err(Error::OutOfMemory { size: 7 })
        ));
        assert!(merge.current().is_none());
    }
    merge.seek(b"d").unwrap();
    assert!(merge.advance().is_err(), "the same record fails again");
    merge.seek(b"e").unwrap();
    assert!(!merge.advance().unwrap());
}

#[test]
fn the_same_error_is_returned_again() {
    let corrupt: fn() -> Error = || Corruption::at(28, "record count", 17, 9).in_file("a");
    let compression: fn() -> Error = || {
        let mut damage = Corruption::at(28, "record count", 17, 9);
        damage.kind = FlawKind::Zlib;
        damage.in_file("a")
    };
    for error in [corrupt, compression, out_of_memory] {
        let mut broken = Fake::new(&[("a", false)]);
        broken.fails_at = Some(0);
        broken.error = error;
        let mut merge = Merge::new([broken].into_iter(), Tombstones::Hide);
        for _ in 0..3 {
            let again = merge.advance().unwrap_err();
            assert_eq!(again.to_string(), error().to_string());
        }
    }
}

/// The rest of a key after the common prefix may have less than eight bytes, or more.
fn tables() -> impl Strategy<Value = Vec<BTreeMap<String, bool>>> {
    let prefix = prop_oneof![Just(""), Just("a"), Just("ab/"), Just("refs/heads/")];
    let rest = prop_oneof!["[a-c]{1,3}", "[ab]{1,12}"];
    let table = proptest::collection::btree_map(rest, any::<bool>(), 0..12);
    (prefix, proptest::collection::vec(table, 0..24)).prop_map(|(prefix, tables)| {
        let with_prefix = |table: BTreeMap<String, bool>| {
            let records = table.into_iter();
            records.map(|(k, d)| (format!("{prefix}{k}"), d)).collect()
        };
        tables.into_iter().map(with_prefix).collect()
    })
}

proptest! {
    #[test]
    fn a_merge_equals_a_sorted_map(tables in tables(), seek in "[a-c]{0,2}", prefix in "[a-c]{0,2}") {
        let mut model = BTreeMap::new();
        for table in &tables {
            model.extend(table.clone());
        }
        let fakes = || tables.iter().map(|table| Fake {
            records: table.iter().map(|(k, &d)| (k.clone().into_bytes(), d)).collect(),
            next: 0,
            fails_at: None,
            error: out_of_memory,
        });
        let all: Vec<_> = model.keys().cloned().collect();
        let live: Vec<_> = model.iter().filter(|(_, d)| !**d).map(|(k, _)| k.clone()).collect();
        let mut shown = Merge::new(fakes(), Tombstones::Show);
        prop_assert_eq!(&collect(&mut shown), &all);
        let mut hidden = Merge::new(fakes(), Tombstones::Hide);
        hidden.seek(seek.as_bytes()).unwrap();
        let after: Vec<_> = live.iter().filter(|k| **k >= seek).cloned().collect();
        prop_assert_eq!(&collect(&mut hidden), &after);
        hidden.seek_prefix(prefix.as_bytes()).unwrap();
        let within: Vec<_> = live.iter().filter(|k| k.starts_with(&prefix)).cloned().collect();
        prop_assert_eq!(&collect(&mut hidden), &within);
    }
}
