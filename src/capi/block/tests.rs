use super::*;
use crate::capi::blocksource::reftable_block_source_vtable;
use crate::capi::iterator::{
    reftable_iterator_destroy, reftable_iterator_next_ref, reftable_iterator_seek_log,
    reftable_iterator_seek_ref,
};
use crate::capi::record::reftable_ref_record;
use crate::capi::table::{
    reftable_table_decref, reftable_table_iterator, reftable_table_iterator_init,
    reftable_table_iterator_next, reftable_table_iterator_release,
};
use crate::capi::testing::*;
use crate::ffi::alloc::testing::{counted, failing_after};
use crate::ffi::string;
use crate::table::WriteOptions;

const NO_BUFFER: reftable_buf = reftable_buf {
    alloc: 0,
    len: 0,
    buf: ptr::null_mut(),
};

fn options(block_size: u32, unpadded: bool) -> WriteOptions {
    WriteOptions {
        block_size,
        unpadded,
        ..WriteOptions::default()
    }
}

/// Reads all blocks; returns their types, the refs and the logs.
fn walk(source: &CountedSource) -> (String, Vec<String>, Vec<String>) {
    let (mut types, mut refs, mut logs) = (String::new(), Vec::new(), Vec::new());
    let t = source.open();
    let mut blocks = reftable_table_iterator {
        iter_arg: ptr::null_mut(),
    };
    let mut block = ptr::null();
    let mut key = NO_BUFFER;
    // SAFETY: the pointers are good; everything is released at the end.
    unsafe {
        assert_eq!(reftable_table_iterator_init(&mut blocks, t), 0);
        reftable_table_decref(t);
        while reftable_table_iterator_next(&mut blocks, &mut block) == 0 {
            let kind = reftable_block_type(block);
            assert_eq!(kind, (*block).block_type);
            types.push(char::from(kind));
            assert_eq!(reftable_block_first_key(block, &mut key), 0);
            let mut it = NO_ITERATOR;
            assert_eq!(reftable_block_init_iterator(block, &mut it), 0);
            match kind {
                b'r' => {
                    let all = all_refs(&mut it).unwrap();
                    assert_eq!(all[0].1, 7 - LIMITS.0);
                    assert_eq!(key.len, all[0].0.len());
                    refs.extend(all.into_iter().map(|record| record.0));
                }
                b'g' => {
                    assert!(!(*block).uncompressed_data.is_null());
                    let all = all_logs(&mut it).unwrap();
                    assert_eq!(key.len, all[0].0.len() + 9);
                    logs.extend(all.into_iter().map(|record| record.0));
                }
                _ => assert_eq!(all_refs(&mut it), Err(-6)),
            }
            reftable_iterator_destroy(&mut it);
        }
        assert_eq!(reftable_table_iterator_next(&mut blocks, &mut block), 1);
        reftable_table_iterator_release(&mut blocks);
        assert!(blocks.iter_arg.is_null());
        string::free(&mut key.buf);
    }
    source.assert_closed();
    (types, refs, logs)
}

#[test]
fn blocks_in_order_hold_all_records() {
    for unpadded in [false, true] {
        let all = names(200);
        let expected: Vec<_> = all.iter().map(|(name, _)| name.clone()).collect();
        let source = CountedSource::new(table_of(&all, &options(512, unpadded)));
        let ((types, refs, logs), left) = counted(|| walk(&source));
        assert_eq!(left, 0);
        assert_eq!((refs, logs), (expected.clone(), expected));
        let mut kinds: Vec<_> = types.chars().collect();
        kinds.dedup();
        assert_eq!(kinds.iter().collect::<String>(), "rioigi", "{types}");
    }
}

/// Blocks of logs that cannot be compressed are longer in the file than what they hold.
#[test]
fn log_blocks_that_deflate_enlarged_are_read() {
    let mut state: u32 = 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24).to_le_bytes()[0]
    })
    .filter(|byte| !b"\0\n".contains(byte))
    .take(4096)
    .collect();
    let mut bytes = Vec::new();
    let mut writer = crate::table::Writer::new(&mut bytes, &options(4096, false)).unwrap();
    let mut add = |len| {
        writer.add_log(&crate::record::LogRecord {
            name: b"HEAD",
            update_index: 0,
            value: crate::record::LogValue::Update(crate::record::LogUpdate {
                old_hash: &noise[..20],
                new_hash: &noise[20..40],
                name: b"",
                email: b"",
                time: 0,
                tz_offset: crate::record::Zone::from_stored(0),
                message: &noise[..len],
            }),
        })
    };
    let most = (0..4096).rev().find(|&len| add(len).is_ok());
    assert!(most > Some(3900));
    writer.finish().unwrap();
    assert!(bytes.len() > 4096 + 68, "the block is longer than a block");
    assert_eq!(walk(&CountedSource::new(bytes)).2, ["HEAD"]);
}

/// Reads the first block of a source.
fn init(source: &mut reftable_block_source, b: &mut reftable_block, want: u8) -> c_int {
    // SAFETY: the pointers are good.
    unsafe { reftable_block_init(b, source, 0, 24, 512, 20, want) }
}

#[test]
fn a_single_block_can_be_read_and_searched() {
    let counts = CountedSource::new(table_of(&names(200), &options(512, false)));
    let mut source = counts.source();
    let ((), left) = counted(|| {
        let mut b = reftable_block::EMPTY;
        let mut it = NO_ITERATOR;
        let mut record = reftable_ref_record::EMPTY;
        assert_eq!(init(&mut source, &mut b, 0), 0);
        assert_eq!(init(&mut source, &mut b, b'r'), 0);
        assert_eq!(counts.lent.get(), 1);
        assert_eq!(
            (b.header_off, b.hash_size, b.full_block_size),
            (24, 20, 512)
        );
        // SAFETY: the pointers are good; everything is released at the end.
        unsafe {
            assert_eq!(reftable_block_init_iterator(&b, &mut it), 0);
            assert_eq!(reftable_block_init_iterator(&b, &mut it), -6);
            for (name, left) in [
                (c"", 18),
                (c"refs/heads/0003", 15),
                (c"refs/heads/0003x", 14),
            ] {
                assert_eq!(reftable_iterator_seek_ref(&mut it, name.as_ptr()), 0);
                assert_eq!(all_refs(&mut it).unwrap().len(), left);
            }
            assert_eq!(reftable_iterator_seek_ref(&mut it, c"s".as_ptr()), 0);
            assert_eq!(reftable_iterator_next_ref(&mut it, &mut record), 1);
            assert_eq!(reftable_iterator_seek_log(&mut it, c"".as_ptr()), -6);
            reftable_iterator_destroy(&mut it);

            assert_eq!(init(&mut source, &mut b, b'g'), 1);
            assert_eq!(reftable_block_type(&b), b'r');
            assert_eq!(counts.lent.get(), 1);
            reftable_block_release(&mut b);
            reftable_block_release(&mut b);
        }
    });
    assert_eq!((left, counts.lent.get()), (0, 0));
}

#[test]
fn damaged_blocks_and_misuse_are_refused() {
    let bytes = table_of(&names(200), &options(512, false));
    let check = |damage: &dyn Fn(&mut Vec<u8>), code| {
        let mut damaged = bytes.clone();
        damage(&mut damaged);
        let counts = CountedSource::new(damaged);
        let mut b = reftable_block::EMPTY;
        assert_eq!(init(&mut counts.source(), &mut b, 0), code);
        assert_eq!(counts.lent.get(), 0);
        assert!(b.block_data.data.is_null());
    };
    check(&|bytes| bytes[24] = b'x', -3);
    check(&|bytes| bytes[25..28].fill(0xff), -3);
    check(&|bytes| bytes[25..28].fill(0), -3);
    check(&|bytes| bytes.truncate(26), -3);
    check(&|bytes| bytes.clear(), -3);
    check(&|bytes| bytes[24] = b'g', -7);

    let mut counts = CountedSource::new(bytes);
    counts.failure = Some((0, -77));
    let (mut b, mut source) = (reftable_block::EMPTY, counts.source());
    assert_eq!(init(&mut source, &mut b, 0), -77);
    let mut none = reftable_block_source::NONE;
    assert_eq!(init(&mut none, &mut b, 0), -6);
    let mut nothing = reftable_block_source_vtable {
        size: None,
        read_data: None,
        release_data: None,
        close: None,
    };
    none.ops = &mut nothing;
    assert_eq!(init(&mut none, &mut b, 0), -6);
    // SAFETY: NULL is allowed everywhere.
    unsafe {
        let p = ptr::null_mut();
        assert_eq!(reftable_block_init(p, &mut source, 0, 24, 512, 20, 0), -6);
        assert_eq!(
            reftable_block_init(&mut b, ptr::null_mut(), 0, 24, 512, 20, 0),
            -6
        );
        let (mut it, mut key) = (NO_ITERATOR, NO_BUFFER);
        assert_eq!(reftable_block_init_iterator(p, &mut it), -6);
        assert_eq!(reftable_block_init_iterator(&b, &mut it), -6);
        assert_eq!((reftable_block_type(p), reftable_block_type(&b)), (0, 0));
        assert_eq!(reftable_block_first_key(p, &mut key), -6);
        assert_eq!(reftable_block_first_key(&b, ptr::null_mut()), -6);
        reftable_block_release(p);
        reftable_block_release(&mut b);
    }
}

#[test]
fn inflating_reports_a_failed_allocation() {
    let counts = CountedSource::new(table_of(&names(3), &WriteOptions::default()));
    let t = counts.open();
    let mut source = counts.source();
    let mut b = reftable_block::EMPTY;
    // SAFETY: the pointers are good; everything is released at the end.
    unsafe {
        let offset = u32::try_from((*t).log_offsets.offset).unwrap();
        let mut init = || reftable_block_init(&mut b, &mut source, offset, 0, 4096, 20, b'g');
        assert_eq!(failing_after(0, &mut init), (-13, 0));
        assert_eq!(init(), 0);
        let mut key = NO_BUFFER;
        let (code, left) = failing_after(0, || reftable_block_first_key(&b, &mut key));
        assert_eq!((code, left, key.len), (-13, 0, 0));
        reftable_block_release(&mut b);
        reftable_table_decref(t);
    }
    counts.assert_closed();
}
