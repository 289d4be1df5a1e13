//! Where index and object records point.

use super::super::raw::{Part, Place, Record};
use super::super::sound::Layout;
use super::super::Makes::{Damaged, Sound};
use super::super::Mutations;
use super::{block, number, Section, Which};

pub fn add(mutations: &mut Mutations) {
    for section in [Section::RefIndex, Section::ObjectIndex, Section::LogIndex] {
        for which in Which::ALL {
            for record in Which::ALL {
                children(mutations, section, which, record);
            }
        }
        keys(mutations, section);
        shapes(mutations, section);
    }
    object_positions(mutations);
    object_keys(mutations);
}

type Target = fn(&Layout, usize, Section) -> Place;

/// Targets of an index record of block `n`.
const TARGETS: [(&str, Target); 17] = [
    ("its own block", |_, n, _| Place::block(n)),
    ("its own block's second byte", |_, n, _| Place::Block(n, 1)),
    ("the next block", |_, n, _| Place::block(n + 1)),
    ("the block before it", |_, n, _| Place::block(n - 1)),
    ("the level above", |layout, _, section| {
        let levels = levels(layout, section);
        Place::block(levels[levels.len() - 1][0])
    }),
    ("the lowest level", |layout, _, section| {
        Place::block(levels(layout, section)[0][0])
    }),
    ("the first block of all", |_, _, _| Place::block(0)),
    ("a ref block", |layout, _, _| Place::block(layout.refs[1])),
    ("an object block", |layout, _, _| {
        Place::block(layout.objects[0])
    }),
    ("a log block", |layout, _, _| Place::block(layout.logs[0])),
    ("another index", |layout, _, section| {
        let other = match section {
            Section::LogIndex => &layout.ref_index,
            _ => &layout.log_index,
        };
        Place::block(other[0][0])
    }),
    ("the header", |_, _, _| Place::Number(28)),
    ("the footer", |_, _, _| Place::End(0)),
    ("after the file", |_, _, _| Place::End(4096)),
    ("2^31", |_, _, _| Place::Number(1 << 31)),
    ("2^63", |_, _, _| Place::Number(1 << 63)),
    ("2^64-1", |_, _, _| Place::Number(u64::MAX)),
];

fn levels(layout: &Layout, section: Section) -> &[Vec<usize>] {
    match section {
        Section::RefIndex => &layout.ref_index,
        Section::ObjectIndex => &layout.object_index,
        _ => &layout.log_index,
    }
}

fn children(mutations: &mut Mutations, section: Section, which: Which, at: Which) {
    for (text, target) in TARGETS {
        let name = format!("{which:?} block of {section:?}, {at:?} record to {text}");
        mutations.raw("index positions", Damaged, name, move |raw, layout| {
            let n = number(layout, section, which);
            let place = target(layout, n, section);
            let records = &mut raw.blocks[n].records;
            let at = at.of(records.len());
            records[at].value = vec![Part::Place(place)];
        });
    }
    for plus in [-1, 1, 4] {
        let name = format!("{which:?} block of {section:?}, {at:?} record {plus:+} bytes");
        mutations.raw("index positions", Damaged, name, move |raw, layout| {
            let n = number(layout, section, which);
            let records = &mut raw.blocks[n].records;
            let at = at.of(records.len());
            if let [Part::Place(Place::Block(child, _))] = records[at].value[..] {
                records[at].value = vec![Part::Place(Place::Block(child, plus))];
            }
        });
    }
}

fn keys(mutations: &mut Mutations, section: Section) {
    const GROUP: &str = "index keys";
    for which in Which::ALL {
        let name = format!("{which:?} block of {section:?}, a greater key");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let records = &mut block(raw, layout, section, which).records;
            let last = records.len() - 1;
            records[last].key.push(b'x');
        });
        let name = format!("{which:?} block of {section:?}, a lesser key");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let key = &mut block(raw, layout, section, which).records[0].key;
            key.pop();
        });
        for extra in 1..8 {
            let name = format!("{which:?} block of {section:?}, type {extra}");
            mutations.raw("value types", Damaged, name, move |raw, layout| {
                block(raw, layout, section, which).records[0].extra = extra;
            });
        }
    }
}

fn shapes(mutations: &mut Mutations, section: Section) {
    const GROUP: &str = "index shape";
    for which in Which::ALL {
        let name = format!("{section:?} without its {which:?} child");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let records = &mut block(raw, layout, section, Which::First).records;
            let at = which.of(records.len());
            records.remove(at);
        });
        let name = format!("{section:?} with its {which:?} child twice");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let records = &mut block(raw, layout, section, Which::First).records;
            let at = which.of(records.len());
            let mut again = records[at].clone();
            again.key.push(b'x');
            records.insert(at + 1, again);
        });
    }
    let name = format!("{section:?} with children exchanged");
    mutations.raw(GROUP, Damaged, name, move |raw, layout| {
        let records = &mut block(raw, layout, section, Which::First).records;
        let value = records[0].value.clone();
        records[0].value = std::mem::replace(&mut records[1].value, value);
    });
    let name = format!("{section:?}, a ring of two index blocks");
    mutations.raw(GROUP, Damaged, name, move |raw, layout| {
        let blocks = section.blocks(layout);
        let (first, last) = (blocks[0], blocks[blocks.len() - 1]);
        let to = |key: &Record, place| Record::index(&key.key, Place::block(place));
        raw.blocks[first].records[0] = to(&raw.blocks[first].records[0].clone(), last);
        raw.blocks[last].records[0] = to(&raw.blocks[last].records[0].clone(), first);
    });
}

fn object_positions(mutations: &mut Mutations) {
    const GROUP: &str = "objects";
    let places: [(&str, Target); 8] = [
        ("an object block", |layout, _, _| {
            Place::block(layout.objects[0])
        }),
        ("an index block", |layout, _, _| {
            Place::block(layout.ref_index[0][0])
        }),
        ("a log block", |layout, _, _| Place::block(layout.logs[0])),
        ("inside of a block", |layout, _, _| {
            Place::Block(layout.refs[1], 3)
        }),
        ("the footer", |_, _, _| Place::End(0)),
        ("after the file", |_, _, _| Place::End(1 << 20)),
        ("2^63", |_, _, _| Place::Number(1 << 63)),
        ("2^64-1", |_, _, _| Place::Number(u64::MAX)),
    ];
    for which in Which::ALL {
        for (text, target) in places {
            let name = format!("{which:?} block, an object in {text}");
            mutations.raw(GROUP, Damaged, name, move |raw, layout| {
                let place = target(layout, 0, Section::Objects);
                let record = &mut block(raw, layout, Section::Objects, which).records[0];
                record.extra = 1;
                record.value = vec![Part::Place(place)];
            });
        }
        for count in [1_u64, 8, 100, 1 << 32, u64::MAX] {
            let name = format!("{which:?} block, an object with {count} positions in few bytes");
            mutations.raw(GROUP, Damaged, name, move |raw, layout| {
                let record = &mut block(raw, layout, Section::Objects, which).records[0];
                record.extra = 0;
                record.value = vec![Part::Varint(count)];
            });
        }
        let name = format!("{which:?} block, an object without positions");
        mutations.raw(GROUP, Sound, name, move |raw, layout| {
            let record = &mut block(raw, layout, Section::Objects, which).records[0];
            record.extra = 0;
            record.value = vec![Part::Varint(0)];
        });
        for extra in 0..8 {
            let name = format!("{which:?} block, an object said to have {extra} positions");
            mutations.raw(GROUP, Damaged, name, move |raw, layout| {
                block(raw, layout, Section::Objects, which).records[0].extra = extra;
            });
        }
        let name = format!("{which:?} block, repeated positions");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let record = &mut block(raw, layout, Section::Objects, which).records[0];
            record.extra = 3;
            record.value = vec![Part::Varint(0), Part::Varint(0), Part::Varint(0)];
        });
        let name = format!("{which:?} block, positions beyond 64 bits");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let record = &mut block(raw, layout, Section::Objects, which).records[0];
            record.extra = 2;
            record.value = vec![Part::Varint(u64::MAX), Part::Varint(u64::MAX)];
        });
    }
}

fn object_keys(mutations: &mut Mutations) {
    const GROUP: &str = "objects";
    for which in Which::ALL {
        for (text, key) in [("short", vec![1]), ("long", vec![1; 40]), ("empty", vec![])] {
            let name = format!("{which:?} block, an abbreviation that is {text}");
            mutations.raw(GROUP, Damaged, name, move |raw, layout| {
                block(raw, layout, Section::Objects, which).records[0].key = key.clone();
            });
        }
        let name = format!("{which:?} block, an object left out");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            block(raw, layout, Section::Objects, which)
                .records
                .remove(0);
        });
    }
}
