//! Refs found by the object that they point at.
//!
//! Most cases are those of git's unit tests; `docs/git-suite.md` names the pairs.

use reftable::record::{RefRecord, RefValue};
use reftable::table::WriteOptions;

use crate::support::{options, val, write};

#[test]
fn ids_in_the_object_section_are_as_short_as_possible() {
    for (vary, len) in [(false, 2), (true, 16)] {
        let (stats, table) = write(&options(75), |writer| {
            writer.set_limits(1, 1).unwrap();
            for i in 0..=255_u8 {
                let name = format!("ref{i:05}");
                let mut id = [0; 20];
                id[0] = 42;
                if vary {
                    id[15] = i;
                }
                writer.add_ref(&val(name.as_bytes(), &id)).unwrap();
            }
        });
        assert_eq!(stats.object_id_len, len);
        let mut id = [0; 20];
        id[0] = 42;
        let mut found = table.refs_for(&id).unwrap();
        let mut count = 0;
        while found.advance().unwrap() {
            count += 1;
        }
        assert_eq!(count, if vary { 1 } else { 256 });
    }
}

/// In a block of many refs nearly all take the fast path of walks; their ids have a common prefix.
#[test]
fn refs_of_one_block_are_distinguished_by_their_ids() {
    let id = |n: u8| {
        let mut id = [7; 20];
        id[19] = n;
        id
    };
    let names: Vec<_> = (0..60).map(|n| format!("refs/heads/{n:02}")).collect();
    let (_, table) = write(&options(4096), |writer| {
        writer.set_limits(1, 1).unwrap();
        for (name, n) in names.iter().zip(0..) {
            writer.add_ref(&val(name.as_bytes(), &id(n % 20))).unwrap();
        }
    });
    for n in 0..20 {
        let mut found = table.refs_for(&id(n)).unwrap();
        for name in names.iter().skip(n.into()).step_by(20) {
            assert!(found.advance().unwrap());
            assert_eq!(found.record(), val(name.as_bytes(), &id(n)));
        }
        assert!(!found.advance().unwrap());
    }
}

/// Fifty annotated tags, four per value; one object is both a value and a target.
#[test]
fn refs_are_found_by_value_and_target() {
    for skip_index_objects in [false, true] {
        let options = WriteOptions {
            skip_index_objects,
            ..options(256)
        };
        let names: Vec<_> = (0..50)
            .map(|i| format!("br{i:02}{}", "x".repeat(36)))
            .collect();
        let (stats, table) = write(&options, |writer| {
            for (name, i) in names.iter().zip(0_u8..) {
                let record = RefRecord {
                    name: name.as_bytes(),
                    update_index: 0,
                    value: RefValue::Val2 {
                        value: &[i / 4; 20],
                        target: &[3 + i / 4; 20],
                    },
                };
                writer.add_ref(&record).unwrap();
            }
        });
        assert_eq!(stats.obj_stats.blocks == 0, skip_index_objects);
        let mut refs = table.refs_for(&[4; 20]).unwrap();
        for name in names[4..8].iter().chain(&names[16..20]) {
            assert!(refs.advance().unwrap());
            assert_eq!(refs.record().name, name.as_bytes());
        }
        assert!(!refs.advance().unwrap());
    }
}
