//! Files that git's writer does not make, but the format document allows.

use std::sync::Arc;

use reftable::format::HashId;
use reftable::record::{RefRecord, RefValue};
use reftable::table::{FlawClass, Table, WriteOptions, Writer};

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

/// Changes the header by `change`, and the footer with it.
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
        assert_eq!(refs.key(), format!("refs/heads/b{n:05}").as_bytes());
        assert_eq!(refs.record().value.id(), Some(&id(n, len)[..]));
    }
    assert!(!refs.advance().unwrap());
    for n in (0..count).step_by(17).chain((0..count).rev().step_by(23)) {
        let name = format!("refs/heads/b{n:05}");
        refs.seek(name.as_bytes()).unwrap();
        assert!(refs.advance().unwrap());
        assert_eq!(refs.key(), name.as_bytes());
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
    // As an index of one level is, in files of other writers.
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
    // Only the header tells, so a table of symbolic refs can change its hash.
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
    // Without ref index and without object index, but with objects.
    bytes[footer + 24..footer + 32].fill(0);
    bytes[footer + 40..footer + 48].fill(0);
    let table = check(with_header(bytes, |_| ()), 2000);
    assert_eq!(table.block_size(), 512);
}

/// git's library writes such tables when it is told to, and reads them.
#[test]
fn update_indexes_out_of_order_are_read_and_told() {
    let bytes = with_header(write(10, &options(512, false)), |header| header[8] = 1);
    let table = Table::new("variant", bytes.clone().into()).unwrap();
    assert!(table.min_update_index() > table.max_update_index());
    let flaw = Table::inspect("variant", bytes.into()).unwrap_err();
    assert_eq!(flaw.class, FlawClass::UpdateIndex);
    assert!(flaw.to_string().contains("least update index at offset 8"));
}

#[test]
fn what_the_header_must_not_say() {
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
