//! Damaged tables: reading ends in records or in an error, never in a panic.

use std::sync::Arc;

use proptest::prelude::*;
use reftable::format::{Error, HashId};
use reftable::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use reftable::table::{LogCursor, RefCursor, Table, WriteOptions, Writer};

/// A table with all kinds of sections, and with indexes of two levels when blocks are small.
fn table(refs: u32, logs: u32, options: &WriteOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, options).unwrap();
    writer.set_limits(5, 1000).unwrap();
    let len = options.hash_id.len();
    for n in 0..refs {
        let low = n.to_le_bytes()[0];
        let (id, peeled) = (vec![low % 5; len], vec![low; len]);
        let value = match n % 7 {
            0 => RefValue::Deletion,
            1 => RefValue::Symref(b"refs/heads/main"),
            2 => RefValue::Val2 {
                value: &id,
                target: &peeled,
            },
            _ => RefValue::Val1(&id),
        };
        let name = format!("refs/heads/b{n:04}");
        writer
            .add_ref(&RefRecord {
                name: name.as_bytes(),
                update_index: 5 + u64::from(n % 300),
                value,
            })
            .unwrap();
    }
    for n in 0..logs {
        let id = vec![n.to_le_bytes()[0]; len];
        let name = format!("refs/heads/b{:04}", n / 3);
        let update = LogUpdate {
            old_hash: &id,
            new_hash: &id,
            name: b"A U Thor",
            email: b"a@example.com",
            time: 1_700_000_000,
            tz_offset: Zone::from_stored(-60),
            message: name.as_bytes(),
        };
        let value = if n % 5 == 0 {
            LogValue::Deletion
        } else {
            LogValue::Update(update)
        };
        writer
            .add_log(&LogRecord {
                name: name.as_bytes(),
                update_index: u64::from(900 - n % 3),
                value,
            })
            .unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// Corrects the checksum of the footer and its copy of the header, so that the code after these
/// checks meets the damage.
fn repair(bytes: &mut [u8]) {
    let header = if bytes[4] == 2 { 28 } else { 24 };
    let len = bytes.len();
    let footer = len - header - 44;
    let (front, back) = bytes.split_at_mut(footer);
    back[..header].copy_from_slice(&front[..header]);
    let crc = crc32fast::hash(&back[..header + 40]);
    back[header + 40..].copy_from_slice(&crc.to_be_bytes());
}

/// Reads the table in all ways, and returns the number of records.
fn read_all(bytes: Vec<u8>) -> Result<usize, Error> {
    let size = bytes.len();
    let table = Arc::new(Table::new("damaged", bytes.into())?);
    let len = table.hash_id().len();
    let mut seen = Seen {
        records: 0,
        // Every record takes at least three bytes, and a byte inflates to 1032 at most.
        limit: 1032 * size,
    };
    let (mut refs, mut logs) = (table.refs(), table.logs());
    let mut results = vec![
        walk_refs(&mut refs, len, &mut seen),
        walk_logs(&mut logs, &mut seen),
    ];
    for want in [
        &b""[..],
        b"refs/heads/b0002",
        b"refs/heads/b0050x",
        b"refs/heads/b9",
        b"z",
    ] {
        results.push(seek_ref(&mut refs, want));
        results.push(seek_log(&mut logs, want));
    }
    for id in [0, 3, 77] {
        results.push(read_refs_for(&table, &vec![id; len]));
    }
    let mut blocks = 0;
    for block in table.blocks() {
        results.push(block.map(|_| ()));
        blocks += 1;
        assert!(blocks <= size);
    }
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(seen.records)
}

/// A count of records, which cannot exceed `limit`.
struct Seen {
    records: usize,
    limit: usize,
}

impl Seen {
    fn add_one(&mut self) {
        self.records += 1;
        assert!(self.records <= self.limit);
    }
}

fn walk_refs(refs: &mut RefCursor, id_len: usize, seen: &mut Seen) -> Result<(), Error> {
    let mut last = Vec::new();
    while refs.advance()? {
        let record = refs.record();
        assert!(record.name > &last[..] && !record.name.contains(&0));
        last = record.name.to_vec();
        if let Some(id) = record.value.id() {
            assert_eq!(id.len(), id_len);
        }
        seen.add_one();
    }
    Ok(())
}

fn walk_logs(logs: &mut LogCursor, seen: &mut Seen) -> Result<(), Error> {
    let mut last = Vec::new();
    while logs.advance()? {
        assert!(logs.key() > &last[..]);
        last = logs.key().to_vec();
        let record = logs.record();
        assert!(!record.name.is_empty() && !record.name.contains(&0));
        seen.add_one();
    }
    Ok(())
}

fn seek_ref(refs: &mut RefCursor, want: &[u8]) -> Result<(), Error> {
    refs.seek(want)?;
    for _ in 0..3 {
        if !refs.advance()? {
            break;
        }
        assert!(refs.key() >= want);
    }
    Ok(())
}

fn seek_log(logs: &mut LogCursor, want: &[u8]) -> Result<(), Error> {
    logs.seek(want)?;
    if logs.advance()? {
        let _ = logs.record();
    }
    Ok(())
}

fn read_refs_for(table: &Arc<Table>, id: &[u8]) -> Result<(), Error> {
    let mut found = table.refs_for(id)?;
    while found.advance()? {
        let value = found.record().value;
        assert!(value.id() == Some(id) || value.peeled() == Some(id));
    }
    Ok(())
}

fn small_tables() -> Vec<Vec<u8>> {
    let small = WriteOptions {
        block_size: 256,
        ..WriteOptions::default()
    };
    let long = WriteOptions {
        hash_id: HashId::Sha256,
        unpadded: true,
        restart_interval: 3,
        ..small
    };
    vec![
        table(60, 12, &small),
        table(50, 9, &long),
        table(0, 20, &small),
        table(3, 0, &WriteOptions::default()),
    ]
}

#[test]
fn sound_tables_are_read_completely() {
    let counts: Vec<usize> = small_tables()
        .into_iter()
        .map(|bytes| read_all(bytes).unwrap())
        .collect();
    assert_eq!(counts, [72, 59, 20, 3]);
}

#[test]
fn every_single_byte_may_be_wrong() {
    for bytes in small_tables() {
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bad = bytes.clone();
                bad[at] ^= change;
                let result = read_all(bad.clone());
                if at >= bytes.len() - 68 {
                    assert!(result.is_err(), "footer byte {at}");
                }
                repair(&mut bad);
                let _ = read_all(bad);
            }
        }
    }
}

#[test]
fn a_table_cut_short_is_an_error() {
    for bytes in small_tables() {
        for len in 0..bytes.len() {
            assert!(read_all(bytes[..len].to_vec()).is_err(), "{len}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_bytes_may_be_wrong(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = small_tables().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        repair(&mut bytes);
        let _ = read_all(bytes);
    }

    #[test]
    fn anything_between_header_and_footer_ends(
        body in prop::collection::vec(any::<u8>(), 0..300),
        positions in prop::collection::vec(any::<prop::sample::Index>(), 5),
        kind in prop::sample::select(&b"rgoi"[..]),
    ) {
        let mut bytes = b"REFT\x01\0\x01\0".to_vec();
        bytes.extend_from_slice(&[0; 15]);
        bytes.push(9);
        bytes.push(kind);
        bytes.extend_from_slice(&body);
        let end = bytes.len();
        let header = bytes[..24].to_vec();
        bytes.extend_from_slice(&header);
        for (n, position) in positions.iter().enumerate() {
            let shift = if n == 1 { 5 } else { 0 };
            let position = (position.index(end) << shift) | (shift / 2);
            bytes.extend_from_slice(&u64::try_from(position).unwrap().to_be_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        repair(&mut bytes);
        let _ = read_all(bytes);
    }
}

#[test]
fn errors_name_the_file_and_both_numbers() {
    let mut bytes = table(3, 0, &WriteOptions::default());
    // The block length.
    bytes[26] = 0xff;
    let error = read_all(bytes).unwrap_err();
    assert_eq!(error.code(), -3);
    let text = error.to_string();
    assert!(
        text.contains("damaged: block length at offset 0: found 65"),
        "{text}"
    );
    assert!(text.contains("expected at most 1"), "{text}");
}

#[test]
fn an_index_that_points_at_itself_is_an_error() {
    let options = WriteOptions {
        block_size: 256,
        ..WriteOptions::default()
    };
    let bytes = table(200, 0, &options);
    let footer = bytes.len() - 68;
    let root = u64::from_be_bytes(bytes[footer + 24..footer + 32].try_into().unwrap());
    let start = usize::try_from(root).unwrap();
    assert_eq!(bytes[start], b'i');
    // The root's first record: a length of one byte and one of two, the key, two bytes of position.
    let key_len = (usize::from(bytes[start + 5] & 0x7f) + 1) << 7 | usize::from(bytes[start + 6]);
    let place = start + 7 + (key_len >> 3);
    let spell = |position: u64| {
        assert!((128..16_512).contains(&position));
        let [.., high, low] = (((position - 128) << 1) | 0x8000).to_be_bytes();
        [high, low >> 1]
    };
    for position in [root, root + 1] {
        let mut bad = bytes.clone();
        bad[place..place + 2].copy_from_slice(&spell(position));
        let table = Arc::new(Table::new("loop", bad.into()).unwrap());
        let error = table
            .refs()
            .seek(b"refs/heads/b0000")
            .unwrap_err()
            .to_string();
        let most = root - 1;
        let expected = format!("found {position}, expected at most {most}");
        assert!(error.contains(&expected), "{error}");
    }
    let table = Arc::new(Table::new("sound", bytes.into()).unwrap());
    let mut refs = table.refs();
    refs.seek(b"refs/heads/b0000").unwrap();
    assert!(refs.advance().unwrap());
}
