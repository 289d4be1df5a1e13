//! Reflog entries and the deflated blocks that contain them.

use super::super::raw::{Deflate, Part, Raw, Record};
use super::super::sound::{log_key, Layout};
use super::super::Makes::{Damaged, Other, Sound};
use super::super::Mutations;
use super::{block, Section, Which};

pub fn add(mutations: &mut Mutations) {
    streams(mutations);
    inflated_lengths(mutations);
    keys(mutations);
    values(mutations);
    types(mutations);
}

fn streams(mutations: &mut Mutations) {
    const GROUP: &str = "deflated blocks";
    for which in Which::ALL {
        let mut with = |makes, text: String, deflate: Deflate| {
            let name = format!("{which:?} block {text}");
            mutations.raw(GROUP, makes, name, move |raw, layout| {
                block(raw, layout, Section::Logs, which).deflate = deflate.clone();
            });
        };
        with(Sound, "stored, not compressed".into(), Deflate::Stored);
        with(Damaged, "not deflated".into(), Deflate::Plain);
        for less in [1, 2, 4, 5, 20, 10_000] {
            with(Damaged, format!("less {less} bytes"), Deflate::Cut(less));
        }
        for at in [0, 1, 2, 3, 10, 30, -30, -5, -4, -1] {
            for bits in [0x01, 0x80, 0xff] {
                let text = format!("with byte {at} turned by {bits:#x}");
                // The last bits of the stream, before the checksum, may be unused.
                let makes = if at == -5 { Other } else { Damaged };
                with(makes, text, Deflate::Flip(at, bits));
            }
        }
        for more in [
            1,
            2,
            65_536,
            (1 << 24) - 1000,
            1 << 24,
            (1 << 24) + (1 << 20),
        ] {
            let text = format!("with {more} bytes more than declared");
            with(Damaged, text, Deflate::More(more));
        }
        for bytes in [
            &b""[..],
            b"\0",
            b"\x78\x9c",
            b"\x78\xbb\x01\x02\x03\x04",
            b"\x78\x9c\x03\0\0\0\0\x01",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
            &[0xff; 64],
        ] {
            let text = format!("of bytes {}", bytes.escape_ascii());
            with(Damaged, text, Deflate::Raw(bytes.to_vec()));
        }
    }
}

fn inflated_lengths(mutations: &mut Mutations) {
    const GROUP: &str = "deflated blocks";
    for which in Which::ALL {
        for len in [4, 5, 29, 1000, 65_536, 4 << 20, (1 << 24) - 1] {
            let name = format!("{which:?} block said to inflate to {len}");
            mutations.raw(GROUP, Damaged, name, move |raw, layout| {
                block(raw, layout, Section::Logs, which).len = Some(len);
            });
        }
        // As large as it claims: 16 MiB of zeros in a few kilobytes.
        let name = format!("{which:?} block really inflates to 16 MiB");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let block = block(raw, layout, Section::Logs, which);
            block.deflate = Deflate::More((1 << 24) - 4096);
            block.longer = (1 << 24) - 4096;
        });
    }
    mutations.raw(
        GROUP,
        Damaged,
        "every block said to inflate to 16 MiB",
        |raw, layout| {
            for &n in &layout.logs {
                raw.blocks[n].len = Some((1 << 24) - 1);
            }
        },
    );
}

/// The key of another entry than the given one: of main's log, or of a name that extends it.
fn key_at(key: &[u8], suffix: &str, update_index: u64) -> Vec<u8> {
    let name = [&key[..key.len() - 9], suffix.as_bytes()].concat();
    log_key(&name, update_index)
}

/// The first entry of main's log, in the middle of the section.
fn record<'r>(raw: &'r mut Raw, layout: &Layout) -> &'r mut Record {
    let end = log_key(b"/main", 9);
    let of_main = |n: &usize| raw.blocks[*n].records.iter().any(|r| r.key.ends_with(&end));
    let n = layout.logs.iter().copied().find(of_main);
    let records = &mut raw.blocks[n.unwrap_or(layout.logs[0])].records;
    let at = records
        .iter()
        .position(|r| r.key.ends_with(&end))
        .unwrap_or(0);
    &mut records[at]
}

fn keys(mutations: &mut Mutations) {
    const GROUP: &str = "reflog keys";
    for (text, key) in [
        ("empty", &b""[..]),
        ("of a name alone", b"refs/heads/main"),
        ("of 9 bytes", b"\0\0\0\0\0\0\0\0\0"),
        (
            "with 7 bytes after the NUL",
            b"refs/heads/main\0\xff\xff\xff\xff\xff\xff\xf0",
        ),
        (
            "without NUL",
            b"refs/heads/main.\xff\xff\xff\xff\xff\xff\xff\xf0",
        ),
        (
            "with NUL in the name",
            b"refs/heads/m\0in\0\xff\xff\xff\xff\xff\xff\xff\xf0",
        ),
    ] {
        mutations.raw(
            GROUP,
            Damaged,
            format!("a key {text}"),
            move |raw, layout| {
                record(raw, layout).key = key.to_vec();
            },
        );
    }
    const INDEXES: &str = "update indexes";
    for index in [
        10,
        1 << 31,
        (1 << 31) + 9,
        1 << 32,
        i64::MAX as u64,
        u64::MAX,
    ] {
        let name = format!("reflog entry at {index}");
        mutations.raw(INDEXES, Damaged, name, move |raw, layout| {
            let record = record(raw, layout);
            record.key = key_at(&record.key, "", index);
        });
        // The same in a table whose range allows it: valid, and the order must be right.
        let name = format!("reflog entries from 1 to {index}, all of them in range");
        mutations.raw(INDEXES, Other, name, move |raw, layout| {
            let record = record(raw, layout);
            record.key = key_at(&record.key, "", index);
            raw.max = index;
        });
    }
    for suffix in ["\n", "/../../x", ".lock"] {
        let name = format!("an entry of main{suffix:?}");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let record = record(raw, layout);
            record.key = key_at(&record.key, suffix, 9);
        });
    }
}

/// Parts of an update: two ids, name, email, time, time zone, message.
const STRINGS: [(&str, usize); 3] = [("name", 2), ("email", 4), ("message", 8)];
const TIME: usize = 6;
const ZONE: usize = 7;

fn values(mutations: &mut Mutations) {
    const GROUP: &str = "reflog values";
    for (what, at) in STRINGS {
        for len in [0, 1, 127, 128, 1 << 24, 1 << 32, u64::MAX] {
            let name = format!("{what} said to have {len} bytes");
            // The start of the next string is not marked.
            let makes = if len < 128 { Other } else { Damaged };
            mutations.raw(GROUP, makes, name, move |raw, layout| {
                record(raw, layout).value[at] = Part::Varint(len);
            });
        }
        for text in [
            &b""[..],
            b"\0",
            b"a\nb",
            b"<>\t\x7f",
            b"\xff\xfe",
            b"\n\n\n",
            b"%s%n",
        ] {
            let name = format!("{what} is {}", text.escape_ascii());
            mutations.raw(GROUP, Other, name, move |raw, layout| {
                let value = &mut record(raw, layout).value;
                value[at] = Part::Varint(text.len() as u64);
                value[at + 1] = Part::Bytes(text.to_vec());
            });
        }
        let name = format!("{what} of 1 MiB");
        mutations.raw(GROUP, Other, name, move |raw, layout| {
            let value = &mut record(raw, layout).value;
            value[at] = Part::Varint(1 << 20);
            value[at + 1] = Part::Bytes(vec![b'x'; 1 << 20]);
        });
    }
    for time in [0, 1 << 31, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX] {
        mutations.raw(GROUP, Other, format!("time {time}"), move |raw, layout| {
            record(raw, layout).value[TIME] = Part::Varint(time);
        });
    }
    for zone in [i16::MIN, -1, 9999, i16::MAX] {
        mutations.raw(
            GROUP,
            Other,
            format!("time zone {zone}"),
            move |raw, layout| {
                record(raw, layout).value[ZONE] = Part::Bytes(zone.to_be_bytes().to_vec());
            },
        );
    }
    for parts in 0..10 {
        let name = format!("an entry that ends after {parts} parts");
        mutations.raw(GROUP, Damaged, name, move |raw, layout| {
            let last = layout.logs[layout.logs.len() - 1];
            if let Some(record) = raw.blocks[last].records.last_mut() {
                record.value.truncate(parts);
            }
        });
    }
}

fn types(mutations: &mut Mutations) {
    for extra in 0..8 {
        mutations.raw(
            "value types",
            Damaged,
            format!("reflog entry of type {extra}"),
            move |raw, layout| {
                record(raw, layout).extra = extra;
            },
        );
    }
    mutations.raw(
        "value types",
        Other,
        "reflog entry is a tombstone",
        |raw, layout| {
            let record = record(raw, layout);
            record.extra = 0;
            record.value.clear();
        },
    );
}
