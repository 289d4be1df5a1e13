use super::*;
use crate::record::{LogRecord, LogUpdate, LogValue, RefRecord, RefValue, Zone};
use crate::table::{WriteOptions, Writer};

/// A table with `count` refs, each with a reflog entry, in blocks of 256 bytes.
fn table_of(count: usize, unpadded: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = WriteOptions {
        block_size: 256,
        unpadded,
        restart_interval: 4,
        ..WriteOptions::default()
    };
    let mut writer = Writer::new(&mut bytes, &options).unwrap();
    writer.set_limits(3, 9).unwrap();
    let names: Vec<String> = (0..count).map(|n| format!("refs/heads/{n:04}")).collect();
    for name in &names {
        let value = RefValue::Val1(&[7; 20]);
        let name = name.as_bytes();
        let (update_index, value) = (5, value);
        writer
            .add_ref(&RefRecord {
                name,
                update_index,
                value,
            })
            .unwrap();
    }
    for name in &names {
        let update = LogUpdate {
            old_hash: &[0; 20],
            new_hash: &[7; 20],
            name: b"A",
            email: b"a@b",
            time: 1,
            tz_offset: Zone::default(),
            message: b"m\n",
        };
        writer
            .add_log(&LogRecord {
                name: name.as_bytes(),
                update_index: 5,
                value: LogValue::Update(update),
            })
            .unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

/// The numbers of refs, reflog entries and blocks that can be read, with damage skipped.
fn count(bytes: Vec<u8>) -> [usize; 3] {
    let table = RawTable::new("x", bytes.into()).unwrap();
    let (mut counts, mut at) = ([0; 3], table.first_block());
    while at < table.end() {
        let Ok(block) = table.block(at) else {
            match table.find_block(at + 1) {
                Some(next) => at = next,
                None => break,
            }
            continue;
        };
        counts[2] += 1;
        let mut records = block.records();
        let mut failed = false;
        loop {
            match records.next() {
                Ok(Some(record)) => match record.value {
                    RawValue::Ref(_) => counts[0] += 1,
                    RawValue::Log(_) => counts[1] += 1,
                    _ => {}
                },
                Ok(None) => break,
                Err(_) => {
                    failed = true;
                    break;
                }
            }
        }
        let position = records.position_in_file();
        at = match failed {
            false => block.next_offset(),
            true => table.find_block(position.max(at + 1)).unwrap_or(u64::MAX),
        };
    }
    counts
}

#[test]
fn all_bytes_of_a_block_have_a_place() {
    let bytes = table_of(100, false);
    let table = RawTable::new("x", bytes.clone().into()).unwrap();
    assert!(!table.header_is_damaged());
    assert_eq!(table.update_indexes(), (3, 9));
    let mut at = table.first_block();
    while at < table.end() {
        let block = table.block(at).unwrap();
        let mut expected = block.records_start();
        let mut records = block.records();
        let mut restarts = Vec::new();
        while let Some(record) = records.next().unwrap() {
            assert_eq!(record.start, expected);
            assert!(record.start + 2 <= record.suffix_start);
            let suffix = &block.bytes()[record.suffix_start..record.value_start];
            assert!(record.key.ends_with(suffix));
            assert_eq!(record.key.len(), record.shared + suffix.len());
            if record.shared == 0 && block.restarts().any(|at| at as usize == record.start) {
                restarts.push(record.start);
            }
            expected = record.end;
        }
        assert_eq!(expected, block.records_end());
        assert_eq!(restarts.len(), block.restart_count());
        assert_eq!(
            block.bytes().len(),
            expected + 3 * block.restart_count() + 2
        );
        at = block.next_offset();
    }
    assert_eq!(at, table.end());
    let positions = table.positions().unwrap();
    assert!(positions.ref_index > 0 && positions.logs > positions.objects);
}

#[test]
fn blocks_after_a_damaged_one_are_found() {
    for unpadded in [false, true] {
        let bytes = table_of(40, unpadded);
        let [refs, logs, blocks] = count(bytes.clone());
        assert_eq!((refs, logs), (40, 40));
        for at in (24..bytes.len() - 68).step_by(3) {
            for change in [0xff, 0x01] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                let [refs, logs, left] = count(bytes);
                // A ref block of 256 bytes has at most ten refs, a log block ten entries.
                assert!((30..50).contains(&refs), "{at}: {refs}");
                assert!((25..50).contains(&logs), "{at}: {logs}");
                assert!(left + 1 >= blocks, "{at}: {left} of {blocks}");
            }
        }
    }
}

#[test]
fn a_damaged_header_is_read_from_the_footer() {
    let bytes = table_of(20, false);
    for at in 0..24 {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let table = RawTable::new("x", bytes.clone().into()).unwrap();
        assert!(table.header_is_damaged(), "{at}");
        assert_eq!(table.update_indexes(), (3, 9));
        assert_eq!(count(bytes)[..2], [20, 20]);
    }
}

#[test]
fn a_file_without_its_end_is_read_up_to_there() {
    let bytes = table_of(100, false);
    for len in [1, 68, 69, 300, 1000].map(|cut| bytes.len() - cut) {
        let table = RawTable::new("x", bytes[..len].to_vec().into()).unwrap();
        assert_eq!(table.positions(), None);
        assert_eq!(table.end(), wide(len));
        assert_eq!(count(bytes[..len].to_vec())[0], 100);
    }
    assert!(RawTable::new("x", bytes[..20].to_vec().into()).is_err());
}

#[test]
fn records_after_a_damaged_one_are_read_from_the_next_restart() {
    let bytes = table_of(40, false);
    let names = |bytes: Vec<u8>| {
        let table = RawTable::new("x", bytes.into()).unwrap();
        let block = table.block(0).unwrap();
        let restarts: Vec<u32> = block.restarts().collect();
        let mut records = block.records();
        let mut names = Vec::new();
        loop {
            let read = match records.next() {
                Ok(Some(record)) => Some((record.start, record.key.to_vec())),
                Ok(None) => break,
                Err(_) => None,
            };
            if read.is_none() && !records.resume() {
                break;
            }
            names.extend(read);
        }
        (restarts, names)
    };
    let (restarts, all) = names(bytes.clone());
    assert!(restarts.len() > 1);
    // The second record: its prefix is longer than the name before it.
    let mut damaged = bytes;
    damaged[all[1].0] = 0x7f;
    let restart = usize::try_from(restarts[1]).unwrap();
    let expected: Vec<_> = all
        .iter()
        .filter(|(at, _)| *at < all[1].0 || *at >= restart)
        .cloned()
        .collect();
    assert_eq!(names(damaged).1, expected);
}
