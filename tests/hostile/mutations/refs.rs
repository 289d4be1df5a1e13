//! Names and values of refs.

use super::super::raw::{Part, Place, Raw, Record};
use super::super::sound::Layout;
use super::super::Makes::{self, Damaged, Other};
use super::super::Mutations;
use super::Section;

/// The record of a ref, named without `refs/heads/`.
fn record<'r>(raw: &'r mut Raw, layout: &Layout, name: &[u8]) -> &'r mut Record {
    let blocks = Section::Refs.blocks(layout);
    let is_it = |r: &Record| r.key == name || r.key.ends_with(&[b"/", name].concat());
    let at = |n: &usize| raw.blocks[*n].records.iter().any(is_it);
    let n = blocks.iter().copied().find(at).unwrap_or(blocks[0]);
    let records = &mut raw.blocks[n].records;
    let at = records.iter().position(is_it).unwrap_or(0);
    &mut records[at]
}

pub fn add(mutations: &mut Mutations) {
    names(mutations);
    types(mutations);
    values(mutations);
    targets(mutations);
}

fn names(mutations: &mut Mutations) {
    const GROUP: &str = "ref names";
    // Each takes the place of b05; it is greater than b04 and less than b06.
    for (name, makes) in [
        (&b"b05\0x"[..], Damaged),
        (b"b05.lock", Other),
        (b"b05..x", Other),
        (b"b05/../../../../config", Other),
        (b"b05/.", Other),
        (b"b05//x", Other),
        (b"b05\n", Other),
        (b"b05\x1b[2J", Other),
        (b"b05\x7f~^:?*[", Other),
        (b"b05\xff\xfe", Other),
        (b"b05@{1}", Other),
        (b"b05 ", Other),
    ] {
        mutations.raw(
            GROUP,
            makes,
            name.escape_ascii().to_string(),
            move |raw, layout| {
                let record = record(raw, layout, b"b05");
                if record.key == b"b05" {
                    record.key = name.to_vec();
                }
            },
        );
    }
    // The first record of all, so any name less than HEAD fits.
    for (name, makes) in [
        (&b""[..], Damaged),
        (b"\0", Damaged),
        (b"../../../HEAD", Other),
        (b"../x", Other),
        (b"/etc/passwd", Other),
        (b".", Other),
        (b"-x", Other),
        (b"@", Other),
        (b"AUTO_MERGE", Other),
    ] {
        let text = format!("first ref is {}", name.escape_ascii());
        mutations.raw(GROUP, makes, text, move |raw, _| {
            let records = &mut raw.blocks[0].records;
            let mut first = records[1].clone();
            first.key = name.to_vec();
            records.insert(0, first);
        });
    }
    for len in [300, 5000, 70_000] {
        // Only the block size limits it, if there is one.
        mutations.raw(
            GROUP,
            Other,
            format!("a name of {len} bytes"),
            move |raw, layout| {
                let record = record(raw, layout, b"b05");
                record.key.extend(std::iter::repeat_n(b'x', len));
            },
        );
    }
}

fn types(mutations: &mut Mutations) {
    for name in ["HEAD", "b05", "b13", "t1"] {
        for extra in 0..8 {
            let text = format!("{name} of type {extra}");
            mutations.raw("value types", Damaged, text, move |raw, layout| {
                record(raw, layout, name.as_bytes()).extra = extra;
            });
        }
    }
}

fn values(mutations: &mut Mutations) {
    const GROUP: &str = "update indexes";
    for delta in [9, 100, 1 << 32, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
        let text = format!("ref {delta} above the least");
        mutations.raw(GROUP, Damaged, text, move |raw, layout| {
            record(raw, layout, b"b05").value[0] = Part::Varint(delta);
        });
    }
    const VALUES: &str = "ref values";
    for byte in [0_u8, 0xff] {
        let text = format!("an id of bytes {byte}");
        // The object section refers to blocks by their positions, so it is wrong as well.
        mutations.raw(VALUES, Damaged, text, move |raw, layout| {
            if let Part::Bytes(id) = &mut record(raw, layout, b"b05").value[1] {
                id.fill(byte);
            }
        });
    }
    for (text, len) in [("short", 3), ("empty", 0), ("of 31 bytes", 31)] {
        mutations.raw(
            VALUES,
            Damaged,
            format!("an id that is {text}"),
            move |raw, layout| {
                record(raw, layout, b"b05").value[1] = Part::Bytes(vec![7; len]);
            },
        );
    }
    mutations.raw(
        VALUES,
        Damaged,
        "the last ref without its value",
        |raw, layout| {
            let last = layout.refs[layout.refs.len() - 1];
            if let Some(record) = raw.blocks[last].records.last_mut() {
                record.value.clear();
            }
        },
    );
    mutations.raw(VALUES, Other, "a tag peeled to itself", |raw, layout| {
        let value = &mut record(raw, layout, b"t1").value;
        value[2] = value[1].clone();
    });
}

fn targets(mutations: &mut Mutations) {
    const GROUP: &str = "symbolic refs";
    let mut with_target = |makes: Makes, text: String, target: Vec<u8>| {
        for name in ["HEAD", "sym"] {
            let target = target.clone();
            mutations.raw(
                GROUP,
                makes,
                format!("{name} to {text}"),
                move |raw, layout| {
                    let len = Part::Varint(target.len() as u64);
                    let value = &mut record(raw, layout, name.as_bytes()).value;
                    value.truncate(1);
                    value.extend([len, Part::Bytes(target.clone())]);
                },
            );
        }
    };
    for (target, makes) in [
        (&b""[..], Other),
        (b"HEAD", Other),
        (b"refs/heads/sym", Other),
        (b"refs/heads/none", Other),
        (b"../../../../etc/passwd", Other),
        (b"refs/../../config", Other),
        (b"/etc/passwd", Other),
        (b"refs/heads/main\0x", Damaged),
        (b"\0", Damaged),
        (b"refs/heads/a..b", Other),
        (b"refs/heads/\n", Other),
        (b"\xff\xff", Other),
        (b"worktrees/none/HEAD", Other),
        (b"main-worktree/HEAD", Other),
    ] {
        with_target(makes, target.escape_ascii().to_string(), target.to_vec());
    }
    for len in [200, 4096] {
        with_target(Other, format!("a name of {len} bytes"), vec![b'x'; len]);
    }
    for len in [0, 14, 16, 127, 128, 1 << 32, u64::MAX] {
        mutations.raw(
            GROUP,
            Damaged,
            format!("a target of {len} bytes"),
            move |raw, layout| {
                record(raw, layout, b"sym").value[1] = Part::Varint(len);
            },
        );
    }
    mutations.raw(
        GROUP,
        Damaged,
        "a position in a target's place",
        |raw, layout| {
            record(raw, layout, b"sym").value[1] = Part::Place(Place::End(0));
        },
    );
}
