//! Header, footer, update indexes, and files that are cut short.

use super::super::raw::{repair, Place};
use super::super::sound::{SHA1, SHA256};
use super::super::Makes::{Damaged, Other, Sound};
use super::super::{Makes, Mutations};

pub fn add(mutations: &mut Mutations) {
    header(mutations);
    update_indexes(mutations);
    positions(mutations);
    object_fields(mutations);
    footer(mutations);
    lengths(mutations);
}

fn header(mutations: &mut Mutations) {
    const GROUP: &str = "header";
    for magic in [*b"REFt", *b"\0\0\0\0", *b"REFU"] {
        let name = format!("magic number {}", magic.escape_ascii());
        mutations.raw(GROUP, Damaged, name, move |raw, _| {
            raw.magic = [Some(magic); 2];
        });
    }
    for version in [0, 3, 9, 0xff] {
        mutations.raw(
            GROUP,
            Damaged,
            format!("version {version}"),
            move |raw, _| {
                raw.version = version;
            },
        );
    }
    // SHA-1 is allowed in files of both versions, SHA-256 is not.
    mutations.raw(GROUP, Other, "the other version", |raw, _| {
        raw.version = 3 - raw.version;
    });
    // Not padded although the header says so, or padded to another size.
    for size in [1, 27, 28, 29, 100, 513, 4096, 65_535, (1 << 24) - 1] {
        let name = format!("block size {size}, blocks as before");
        mutations.raw(GROUP, Other, name, move |raw, _| {
            raw.align = Some(raw.block_size);
            raw.block_size = size;
        });
    }
    mutations.raw(GROUP, Other, "block size 0, blocks as before", |raw, _| {
        raw.align = Some(raw.block_size);
        raw.block_size = 0;
    });
    for id in [0, 1, u32::MAX, u32::from_be_bytes(*b"SHA1")] {
        mutations.raw(
            "hash id",
            Makes::Damaged,
            format!("hash id {id:#x}"),
            move |raw, _| {
                raw.version = 2;
                raw.hash_id = id;
            },
        );
    }
    mutations.raw("hash id", Damaged, "the other hash", |raw, _| {
        raw.version = 2;
        raw.hash_id = if raw.hash_id == SHA1 { SHA256 } else { SHA1 };
    });
    mutations.raw("hash id", Sound, "version 2 with each hash", |raw, _| {
        raw.version = 2;
    });
}

fn update_indexes(mutations: &mut Mutations) {
    const GROUP: &str = "update indexes";
    const MOST: u64 = u64::MAX;
    for (min, max, makes) in [
        (9, 8, Damaged),
        (MOST, 0, Damaged),
        (1, 1, Damaged),
        (0, 0, Damaged),
        // All records are above the range, which leaves no update index for the next table.
        (MOST - 9, MOST, Damaged),
        (MOST, MOST, Damaged),
        (1, MOST, Damaged),
        (1, MOST - 1, Damaged),
        (1, 1 << 32, Damaged),
        (1, i64::MAX as u64, Damaged),
        (1, 1 << 63, Damaged),
    ] {
        // A large range overlaps that of the next table, if there is one, and the update indexes of
        // refs are relative to its start.
        let makes = if max > 9 && min < max { Other } else { makes };
        mutations.raw(
            GROUP,
            makes,
            format!("from {min} to {max}"),
            move |raw, _| {
                raw.min = min;
                raw.max = max;
            },
        );
    }
}

fn positions(mutations: &mut Mutations) {
    const GROUP: &str = "footer positions";
    const FIELDS: [&str; 5] = ["ref index", "objects", "object index", "logs", "log index"];
    for (field, what) in FIELDS.into_iter().enumerate() {
        // Files without object blocks or object index are valid, and so are files in which only the
        // index of another section is missing, if nothing else was removed: but here the blocks of
        // the index remain.
        for (text, place) in [
            ("0", Place::NONE),
            ("1", Place::Number(1)),
            ("after the header", Place::Number(28)),
            ("the end", Place::End(0)),
            ("before the end", Place::End(-1)),
            ("after the end", Place::End(1)),
            ("the last byte", Place::End(67)),
            ("2^32", Place::Number(1 << 32)),
            ("2^58", Place::Number(1 << 58)),
            ("2^63", Place::Number(1 << 63)),
            ("2^64-1", Place::Number(u64::MAX)),
        ] {
            mutations.raw(
                GROUP,
                Damaged,
                format!("{what} at {text}"),
                move |raw, _| {
                    raw.footer[field] = place;
                },
            );
        }
        for plus in [-1, 1] {
            let name = format!("{what} {plus:+} byte");
            mutations.raw(GROUP, Damaged, name, move |raw, _| {
                if let Place::Block(n, _) = raw.footer[field] {
                    raw.footer[field] = Place::Block(n, plus);
                }
            });
        }
        for plus in [-2_isize, -1, 1, 2] {
            let name = format!("{what} {plus:+} block");
            mutations.raw(GROUP, Damaged, name, move |raw, _| {
                if let Place::Block(n, _) = raw.footer[field] {
                    raw.footer[field] = Place::block(n.wrapping_add_signed(plus));
                }
            });
        }
        for (other, another) in FIELDS.into_iter().enumerate() {
            if other == field {
                continue;
            }
            let name = format!("{what} where the {another} is");
            mutations.raw(GROUP, Damaged, name, move |raw, _| {
                raw.footer[field] = raw.footer[other];
            });
        }
    }
}

fn object_fields(mutations: &mut Mutations) {
    for len in [0, 1, 3, 19, 20, 21, 31] {
        let name = format!("object ids of {len} bytes");
        mutations.raw("objects", Damaged, name, move |raw, _| {
            raw.object_id_len = len
        });
    }
    mutations.raw("objects", Sound, "no objects", |raw, layout| {
        let objects = [layout.objects.clone(), layout.object_index.concat()].concat();
        let (Some(&first), len) = (objects.first(), objects.len()) else {
            return;
        };
        raw.blocks.drain(first..first + len);
        raw.footer[1] = Place::NONE;
        raw.footer[2] = Place::NONE;
        raw.object_id_len = 0;
        move_places(raw, first, len);
    });
}

/// Positions of the blocks after the removed ones.
fn move_places(raw: &mut super::Raw, first: usize, len: usize) {
    use super::super::raw::Part;
    let moved = |place: &mut Place| {
        if let Place::Block(n, _) = place {
            if *n >= first + len {
                *n -= len;
            }
        }
    };
    raw.footer.iter_mut().for_each(moved);
    let records = raw.blocks.iter_mut().flat_map(|block| &mut block.records);
    for part in records.flat_map(|record| &mut record.value) {
        if let Part::Place(place) = part {
            moved(place);
        }
    }
}

fn footer(mutations: &mut Mutations) {
    const GROUP: &str = "footer";
    for bit in [0, 7, 31] {
        mutations.raw(
            GROUP,
            Damaged,
            format!("bit {bit} of the checksum"),
            move |raw, _| {
                raw.crc_flip = 1 << bit;
            },
        );
    }
    mutations.raw(GROUP, Damaged, "magic number of the footer", |raw, _| {
        raw.magic[1] = Some(*b"TFER");
    });
    for at in [4, 5, 7, 8, 15, 16, 23] {
        mutations.bytes(
            GROUP,
            Damaged,
            format!("byte {at} of the header again"),
            move |bytes, offsets| {
                let footer = offsets[offsets.len() - 1] as usize;
                bytes[footer + at] ^= 0x40;
                let len = bytes.len();
                let crc = crc32fast::hash(&bytes[footer..len - 4]);
                bytes[len - 4..].copy_from_slice(&crc.to_be_bytes());
            },
        );
    }
}

fn lengths(mutations: &mut Mutations) {
    const GROUP: &str = "truncation";
    for len in [
        0, 1, 3, 4, 23, 24, 27, 28, 29, 67, 68, 71, 72, 91, 92, 95, 96, 99, 100,
    ] {
        mutations.bytes(
            GROUP,
            Damaged,
            format!("to {len} bytes"),
            move |bytes, _| bytes.truncate(len),
        );
        mutations.bytes(
            GROUP,
            Damaged,
            format!("to {len} bytes, with a footer"),
            move |bytes, offsets| {
                let footer = bytes[offsets[offsets.len() - 1] as usize..].to_vec();
                bytes.truncate(len);
                bytes.extend_from_slice(&footer);
                repair(bytes);
            },
        );
    }
    for less in [1, 4, 5, 44, 68, 72] {
        mutations.bytes(
            GROUP,
            Damaged,
            format!("by {less} bytes"),
            move |bytes, _| {
                bytes.truncate(bytes.len() - less);
            },
        );
    }
    between_blocks(mutations);
    mutations.bytes(GROUP, Damaged, "a byte too many", |bytes, _| bytes.push(0));
    mutations.bytes(GROUP, Damaged, "the file twice", |bytes, _| {
        bytes.extend_from_within(..)
    });
    mutations.bytes(
        GROUP,
        Damaged,
        "1 MiB of NUL after the footer",
        |bytes, _| {
            bytes.resize(bytes.len() + (1 << 20), 0);
        },
    );
}

/// Truncates at the start of a block, or near it, and before the footer.
fn between_blocks(mutations: &mut Mutations) {
    const GROUP: &str = "truncation";
    // A table has no more blocks than these.
    for block in 0..24 {
        for plus in [-1, 0, 1, 5] {
            let name = format!("at block {block} {plus:+} bytes, with a footer");
            mutations.bytes(GROUP, Damaged, name, move |bytes, offsets| {
                let last = offsets.len() - 1;
                let footer = bytes[offsets[last] as usize..].to_vec();
                let at = offsets[block.min(last)].saturating_add_signed(plus);
                bytes.truncate(at as usize);
                bytes.extend_from_slice(&footer);
                repair(bytes);
            });
        }
    }
    // The last block may have no padding.
    mutations.bytes(
        GROUP,
        Other,
        "a byte too few before the footer",
        |bytes, offsets| {
            bytes.remove(offsets[offsets.len() - 1] as usize - 1);
            repair(bytes);
        },
    );
}
