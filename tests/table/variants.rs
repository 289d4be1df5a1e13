//! Files that git's writer does not produce, but the format allows.

use std::sync::Arc;

use reftable::format::{FindingKind, HashId};
use reftable::record::{LogRecord, LogValue, RefRecord, RefValue};
use reftable::table::{Table, WriteOptions, Writer};

fn id(n: u32, len: usize) -> Vec<u8> {
    let mut id = n.wrapping_mul(0x9e37_79b9).to_be_bytes().to_vec();
    id.resize(len, 0x5a);
    id
}

fn write(count: u32, options: &WriteOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, options).unwrap();
    for n in 0..count {
        let name = format!("refs/heads/b{n:05}");
        let id = id(n, options.hash_id.len());
        let record = RefRecord {
            name: name.as_bytes(),
            update_index: 0,
            value: RefValue::Val1(&id),
        };
        writer.add_ref(&record).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// Changes the header with `change`, and the copy in the footer.
fn with_header(mut bytes: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let header = if bytes[4] == 2 { 28 } else { 24 };
    let footer = bytes.len() - header - 44;
    let (front, back) = bytes.split_at_mut(footer);
    change(&mut front[..header]);
    back[..header].copy_from_slice(&front[..header]);
    let crc = crc32fast::hash(&back[..header + 40]);
    back[header + 40..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn check(bytes: Vec<u8>, count: u32) -> Arc<Table> {
    let table = Arc::new(Table::new("variant", bytes.into()).unwrap());
    let len = table.hash_id().len();
    let mut refs = table.refs();
    for n in 0..count {
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record().name, format!("refs/heads/b{n:05}").as_bytes());
        assert_eq!(refs.record().value.id(), Some(&id(n, len)[..]));
    }
    assert!(!refs.advance().unwrap());
    for n in (0..count).step_by(17).chain((0..count).rev().step_by(23)) {
        let name = format!("refs/heads/b{n:05}");
        refs.seek(name.as_bytes()).unwrap();
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record().name, name.as_bytes());
        let mut found = table.refs_for(&id(n, len)).unwrap();
        assert!(found.advance().unwrap());
        assert_eq!(found.record().name, name.as_bytes());
        assert!(!found.advance().unwrap());
    }
    table
}

fn options(block_size: u32, unpadded: bool) -> WriteOptions {
    WriteOptions {
        block_size,
        unpadded,
        ..WriteOptions::default()
    }
}

#[test]
fn unaligned_files_have_no_block_size() {
    for count in [1, 50, 2000] {
        let bytes = write(count, &options(512, true));
        let table = check(with_header(bytes, |header| header[5..8].fill(0)), count);
        assert_eq!(table.block_size(), 0);
        let mut next = 0;
        for block in table.blocks() {
            let block = block.unwrap();
            assert_eq!(block.offset, next);
            next += u64::from(block.full_size);
        }
        assert_eq!(next, table.size() - 68);
    }
}

#[test]
fn blocks_may_be_longer_than_the_block_size() {
    // Like an index of one level in files of other writers.
    let bytes = write(2000, &options(4096, true));
    check(
        with_header(bytes, |header| header[5..8].copy_from_slice(&[0, 1, 0])),
        2000,
    );
}

#[test]
fn version_2_may_hold_sha1() {
    let options = WriteOptions {
        hash_id: HashId::Sha256,
        ..WriteOptions::default()
    };
    // Only the header contains the hash, so a table of symbolic refs can change it.
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    let record = RefRecord {
        name: b"HEAD",
        update_index: 0,
        value: RefValue::Symref(b"refs/heads/main"),
    };
    writer.add_ref(&record).unwrap();
    writer.finish().unwrap();
    let bytes = with_header(bytes, |header| header[24..].copy_from_slice(b"sha1"));
    let table = Arc::new(Table::new("variant", bytes.into()).unwrap());
    assert_eq!((table.version(), table.hash_id()), (2, HashId::Sha1));
    let mut refs = table.refs();
    assert!(refs.advance().unwrap());
    assert_eq!(refs.record(), record);
}

#[test]
fn files_without_the_index_they_should_have_are_read() {
    let bytes = write(2000, &options(512, false));
    let footer = bytes.len() - 68;
    let mut bytes = bytes;
    // Without ref index and object index, but with objects.
    bytes[footer + 24..footer + 32].fill(0);
    bytes[footer + 40..footer + 48].fill(0);
    let table = check(with_header(bytes, |_| ()), 2000);
    assert_eq!(table.block_size(), 512);
}

/// git's library writes such tables on request, and reads them.
#[test]
fn update_indexes_out_of_order_are_read_and_reported() {
    let bytes = with_header(write(10, &options(512, false)), |header| header[8] = 1);
    let table = Table::new("variant", bytes.clone().into()).unwrap();
    assert!(table.min_update_index() > table.max_update_index());
    let flaw = Table::inspect("variant", bytes.into()).unwrap_err();
    assert_eq!(flaw.kind, FindingKind::UpdateIndex);
    assert!(flaw.to_string().contains("least update index at offset 8"));
}

#[test]
fn invalid_headers_are_refused() {
    let bytes = write(10, &options(512, false));
    let open = |bytes: Vec<u8>| Table::new("variant", bytes.into()).map(|_| ());
    assert!(open(with_header(bytes.clone(), |_| ())).is_ok());
    for (at, byte, what) in [
        (0, b'r', "magic number at offset 0"),
        (4, 3, "version at offset 4: found 3, expected at most 2"),
        (4, 0, "version at offset 4: found 0"),
    ] {
        let mut bad = bytes.clone();
        bad[at] = byte;
        let error = open(bad).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let mut bad = bytes.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let error = open(bad).unwrap_err().to_string();
    assert!(error.contains("checksum of the footer"), "{error}");
    let mut bad = bytes;
    bad[6] ^= 1;
    let error = open(bad).unwrap_err().to_string();
    assert!(error.contains("repeats the header"), "{error}");
}

/// What remains of a stack after JGit has deleted all refs and compacted it.
///
/// Made by JGit 6.7.0 with t/t0665/Refs.java: `init`, `update refs/heads/x ID`,
/// `delete refs/heads/x`, `compact`.
#[test]
fn tables_of_logs_alone_by_jgit_are_read() {
    let bytes = include_bytes!("../fixtures/jgit-only-logs.ref");
    let table = Arc::new(Table::inspect("jgit", bytes.to_vec().into()).unwrap());
    let mut flaws = Vec::new();
    table.verify(&mut |flaw| flaws.push(flaw));
    assert_eq!(flaws, []);
    assert!(!table.has_refs() && !table.refs().advance().unwrap());
    let offsets: Vec<u64> = table.blocks().map(|block| block.unwrap().offset).collect();
    assert_eq!(offsets, [24]);

    let mut copy = Vec::new();
    let mut writer = Writer::new(&mut copy, &WriteOptions::default()).unwrap();
    writer.set_limits(1, 3).unwrap();
    let mut logs = table.logs();
    let mut indexes = Vec::new();
    while logs.advance().unwrap() {
        let record = logs.record();
        assert_eq!(record.name, b"refs/heads/x");
        indexes.push(record.update_index);
        writer.add_log_verbatim(&record).unwrap();
    }
    assert_eq!(indexes, [3, 2]);
    logs.seek(b"refs/heads/x").unwrap();
    assert!(logs.advance().unwrap());
    assert_eq!(logs.record().update_index, 3);
    writer.finish().unwrap();
    // This writer stores the position as well, and the block does not include the header.
    let footer = copy.len() - 68;
    assert_eq!(copy[footer + 48..footer + 56], [0, 0, 0, 0, 0, 0, 0, 24]);
    assert_eq!(copy[24..28], bytes[24..28]);
}

/// The footer of git's C writer has 0 here, and its first block includes the header.
#[test]
fn tables_of_logs_alone_may_begin_with_the_header() {
    for hash_id in [HashId::Sha1, HashId::Sha256] {
        for git_layout in [true, false] {
            let options = WriteOptions {
                block_size: 256,
                hash_id,
                git_layout,
                ..WriteOptions::default()
            };
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes, &options).unwrap();
            let names: Vec<String> = (0..200).map(|n| format!("refs/heads/b{n:05}")).collect();
            for name in &names {
                let name = name.as_bytes();
                let value = LogValue::Deletion;
                let record = LogRecord {
                    name,
                    update_index: 0,
                    value,
                };
                writer.add_log(&record).unwrap();
            }
            let stats = writer.finish().unwrap();
            let header = if hash_id == HashId::Sha1 { 24 } else { 28 };
            let start = if git_layout { 0 } else { header };
            assert_eq!(stats.log_stats.offset, start);
            let table = Arc::new(Table::inspect("logs", bytes.into()).unwrap());
            table.verify(&mut |flaw| panic!("{flaw}"));
            assert_eq!(table.blocks().next().unwrap().unwrap().offset, start);
            let (mut logs, mut found) = (table.logs(), table.logs());
            for name in &names {
                assert!(logs.advance().unwrap());
                assert_eq!(logs.record().name, name.as_bytes());
                found.seek(name.as_bytes()).unwrap();
                assert!(found.advance().unwrap());
                assert_eq!(found.record(), logs.record());
            }
            assert!(!logs.advance().unwrap());
        }
    }
}

/// google/reftable's writer abbreviates ids to one byte if that is unambiguous.
#[test]
fn object_ids_of_one_byte_are_read_and_reported() {
    let options = WriteOptions {
        block_size: 256,
        ..WriteOptions::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    let ids: Vec<[u8; 20]> = (0..4).map(|n| [n; 20]).collect();
    for n in 0..100 {
        let name = format!("refs/heads/b{n:05}");
        let record = RefRecord {
            name: name.as_bytes(),
            update_index: 0,
            value: RefValue::Val1(&ids[n / 25]),
        };
        writer.add_ref(&record).unwrap();
    }
    writer.finish().unwrap();
    let footer = bytes.len() - 68;
    let field = footer + 32..footer + 40;
    let objects = u64::from_be_bytes(bytes[field.clone()].try_into().unwrap());
    assert_eq!(objects & 31, 2);
    // The only block of objects: each record is two lengths, two bytes of an id, positions.
    let start = (objects >> 5) as usize;
    let short = with_shorter_ids(&bytes[start..footer]);
    bytes[start..footer].copy_from_slice(&short);
    bytes[field].copy_from_slice(&(objects - 1).to_be_bytes());
    let bytes = with_header(bytes, |_| ());

    let table = Arc::new(Table::new("google", bytes.clone().into()).unwrap());
    for (n, id) in ids.iter().enumerate() {
        let mut found = table.refs_for(id).unwrap();
        for at in 25 * n..25 * (n + 1) {
            assert!(found.advance().unwrap());
            assert_eq!(
                found.record().name,
                format!("refs/heads/b{at:05}").as_bytes()
            );
        }
        assert!(!found.advance().unwrap());
    }
    for absent in [[9; 20], [0xff; 20]] {
        assert!(!table.refs_for(&absent).unwrap().advance().unwrap());
    }
    let mut flaws = Vec::new();
    let table = Table::inspect("google", bytes.into()).unwrap();
    table.verify(&mut |flaw| flaws.push(flaw));
    let [flaw] = &flaws[..] else {
        panic!("{flaws:?}");
    };
    assert_eq!(flaw.kind, FindingKind::Objects);
    assert!(
        flaw.to_string().contains("found 1, expected at least 2"),
        "{flaw}"
    );
}

/// An object block whose ids have one byte instead of two.
fn with_shorter_ids(block: &[u8]) -> Vec<u8> {
    assert_eq!(block[0], b'o');
    let len = usize::from(block[2]) << 8 | usize::from(block[3]);
    let restarts = usize::from(block[len - 1]);
    let end = len - 2 - 3 * restarts;
    let mut short = block[..4].to_vec();
    let mut at = 4;
    while at < end {
        // No id has the first byte of the previous one, and each has one to seven positions.
        let (shared, number) = (block[at], block[at + 1]);
        let count = usize::from(number & 7);
        assert_eq!((shared, number >> 3), (0, 2));
        assert_ne!(count, 0);
        let mut last_bytes = (at + 4..end).filter(|&place| block[place] < 0x80);
        let next = last_bytes.nth(count - 1).unwrap() + 1;
        short.extend_from_slice(&[0, 1 << 3 | number & 7, block[at + 2]]);
        short.extend_from_slice(&block[at + 4..next]);
        at = next;
    }
    short.extend_from_slice(&[0, 0, 4, 0, 1]);
    short[3] = u8::try_from(short.len()).unwrap();
    short[2] = 0;
    short.resize(block.len(), 0);
    short
}
