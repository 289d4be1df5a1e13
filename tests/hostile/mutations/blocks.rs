//! Changes that apply to blocks of all kinds: type, length, restarts, padding, order.

use super::super::Makes::{Damaged, Other, Sound};
use super::super::Mutations;
use super::{block, number, Section, Which};

pub fn add(mutations: &mut Mutations) {
    for section in Section::ALL {
        for which in Which::ALL {
            types(mutations, section, which);
            lengths(mutations, section, which);
            restarts(mutations, section, which);
            keys(mutations, section, which);
        }
        order(mutations, section);
    }
}

fn types(mutations: &mut Mutations, section: Section, which: Which) {
    for kind in [b'r', b'o', b'g', b'i', 0, b'R', 0xff] {
        let name = format!(
            "{which:?} block of {section:?}, type {}",
            kind.escape_ascii()
        );
        mutations.raw("block type", Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).kind = kind;
        });
    }
    let name = format!("{which:?} block of {section:?}, padding of ones");
    mutations.raw("padding", Damaged, name, move |raw, layout| {
        block(raw, layout, section, which).fill = 1;
    });
    for bytes in [&b"\0"[..], b"x", b"r\0\0\x05", b"\0\0\0\0\0\0\0\0"] {
        let name = format!(
            "{which:?} block of {section:?}, {} after it",
            bytes.escape_ascii()
        );
        mutations.raw("padding", Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).trailing = bytes.to_vec();
        });
    }
}

fn lengths(mutations: &mut Mutations, section: Section, which: Which) {
    for len in [
        0,
        1,
        4,
        5,
        11,
        12,
        28,
        33,
        40,
        512,
        513,
        65_535,
        (1 << 24) - 1,
    ] {
        let name = format!("{which:?} block of {section:?}, length {len}");
        mutations.raw("block length", Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).len = Some(len);
        });
    }
    for longer in [-200, -24, -5, -3, -2, -1, 1, 2, 3, 24, 512] {
        let name = format!("{which:?} block of {section:?}, {longer:+} bytes long");
        mutations.raw("block length", Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).longer = longer;
        });
    }
}

fn restarts(mutations: &mut Mutations, section: Section, which: Which) {
    const GROUP: &str = "restarts";
    for count in [0, 1, 3, 100, 0xffff] {
        let name = format!("{which:?} block of {section:?}, declared to have {count}");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).restart_count = Some(count);
        });
    }
    for offsets in [
        &[0_u32][..],
        &[1],
        &[3],
        &[4],
        &[5],
        &[27],
        &[29],
        &[0xff_ffff],
        &[28, 28],
        &[4, 4, 4],
        &[28, 4],
        &[4, 28, 27],
        &[4, 0xff_ffff],
        &[28, 10_000],
    ] {
        let name = format!("{which:?} block of {section:?}, at {offsets:?}");
        // The position of the first record is enough.
        let makes = if offsets == [4] { Other } else { Damaged };
        mutations.raw(GROUP, makes, name, move |raw, layout| {
            block(raw, layout, section, which).restarts = Some(offsets.to_vec());
        });
    }
    for interval in [1, 2, 1000] {
        let name = format!("{which:?} block of {section:?}, every {interval} records");
        mutations.raw(GROUP, Sound, name, move |raw, layout| {
            block(raw, layout, section, which).interval = interval;
        });
    }
}

fn keys(mutations: &mut Mutations, section: Section, which: Which) {
    const GROUP: &str = "key lengths";
    const LENGTHS: [u64; 9] = [
        1,
        7,
        127,
        128,
        16_512,
        1 << 31,
        1 << 32,
        (1 << 61) - 1,
        u64::MAX,
    ];
    for record in [Which::First, Which::Middle] {
        for len in LENGTHS {
            let name = format!("{which:?} block of {section:?}, {record:?} prefix of {len}");
            // A slightly shorter length results in another key.
            let makes = if len < 100 { Other } else { Damaged };
            mutations.raw(GROUP, makes, name, move |raw, layout| {
                let records = &mut block(raw, layout, section, which).records;
                let at = record.of(records.len());
                records[at].prefix = Some(len);
            });
            let name = format!("{which:?} block of {section:?}, {record:?} suffix of {len}");
            mutations.raw(GROUP, Damaged, name, move |raw, layout| {
                let records = &mut block(raw, layout, section, which).records;
                let at = record.of(records.len());
                records[at].suffix = Some(len);
            });
        }
        for head in [&[0xff; 11][..], &[0x80; 40], &[0, 0x80], &[0, 0], &[]] {
            let name = format!("{which:?} block of {section:?}, {record:?} begins {head:x?}");
            mutations.raw("varints", Damaged, name, move |raw, layout| {
                let records = &mut block(raw, layout, section, which).records;
                let at = record.of(records.len());
                records[at].head = Some(head.to_vec());
            });
        }
    }
    let name = format!("{which:?} block of {section:?}, unfinished number at its end");
    mutations.raw("varints", Damaged, name, move |raw, layout| {
        let records = &mut block(raw, layout, section, which).records;
        let last = records.len() - 1;
        records[last].head = Some(vec![0x80; 3]);
        records[last].value.clear();
    });
}

fn order(mutations: &mut Mutations, section: Section) {
    const GROUP: &str = "order";
    for which in Which::ALL {
        let name = format!("{which:?} block of {section:?} the other way round");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).records.reverse();
        });
        let name = format!("{which:?} block of {section:?} with a record twice");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let records = &mut block(raw, layout, section, which).records;
            let again = records[records.len() / 2].clone();
            records.insert(records.len() / 2, again);
        });
        let name = format!("{which:?} block of {section:?} without records");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            block(raw, layout, section, which).records.clear();
        });
    }
    let name = format!("first two blocks of {section:?} exchanged");
    mutations.raw(GROUP, Damaged, name, move |raw, layout| {
        let blocks = section.blocks(layout);
        if let [first, second, ..] = blocks[..] {
            let (one, two) = (raw.blocks[first].records.clone(), &mut raw.blocks[second]);
            let two = std::mem::replace(&mut two.records, one);
            raw.blocks[first].records = two;
        }
    });
    let name = format!("second block of {section:?} like the first");
    mutations.raw(GROUP, Damaged, name, move |raw, layout| {
        let first = number(layout, section, Which::First);
        let records = raw.blocks[first].records.clone();
        if let [_, second, ..] = section.blocks(layout)[..] {
            raw.blocks[second].records = records;
        } else {
            let again = records[0].clone();
            raw.blocks[first].records.push(again);
        }
    });
}
