use super::*;
use crate::capi::blocksource::reftable_block_source_from_file;
use crate::capi::iterator::{
    reftable_iterator_destroy, reftable_iterator_next_log, reftable_iterator_next_ref,
    reftable_iterator_seek_log, reftable_iterator_seek_log_at, reftable_iterator_seek_ref,
};
use crate::capi::record::{reftable_log_record, reftable_log_record_release, reftable_ref_record};
use crate::capi::testing::*;
use crate::ffi::alloc::testing::{counted, failing_after};
use crate::format::HashId;
use crate::table::WriteOptions;

fn small_blocks() -> WriteOptions {
    WriteOptions {
        block_size: 256,
        ..WriteOptions::default()
    }
}

fn expected(count: usize) -> Vec<(String, u64, u8)> {
    let all = names(count).into_iter();
    all.map(|(name, id)| (name, 7, id.unwrap())).collect()
}

#[test]
fn the_members_of_a_table_describe_it() {
    for hash_id in [HashId::Sha1, HashId::Sha256] {
        let options = WriteOptions {
            hash_id,
            ..small_blocks()
        };
        let bytes = table_of(&names(60), &options);
        let (len, footer) = (
            bytes.len() as u64,
            68 + 4 * u64::from(hash_id == HashId::Sha256),
        );
        let source = CountedSource::new(bytes);
        let ((), left) = counted(|| {
            let t = source.open();
            // SAFETY: the table is open until it is released.
            unsafe {
                let shown = &*t;
                assert_eq!(text(shown.name), "name");
                assert_eq!((shown.size, shown.block_size), (len - footer, 256));
                assert_eq!((shown.min_update_index, shown.max_update_index), LIMITS);
                assert_eq!((shown.object_id_len, shown.refcount), (2, 1));
                assert_eq!(shown.version, i32::from(hash_id.version()));
                assert_eq!(shown.hash_id, number_of(hash_id));
                let [refs, objects, logs] =
                    [shown.ref_offsets, shown.obj_offsets, shown.log_offsets];
                assert_eq!((refs.is_present, refs.offset), (1, 0));
                assert!(refs.index_offset > 0 && objects.offset > refs.index_offset);
                assert!(logs.offset > objects.offset && logs.index_offset > logs.offset);
                assert_eq!(reftable_table_hash_id(t), number_of(hash_id));
                assert_eq!(reftable_table_min_update_index(t), LIMITS.0);
                assert_eq!(reftable_table_max_update_index(t), LIMITS.1);
                reftable_table_incref(t);
                reftable_table_decref(t);
                assert_eq!(source.closed.get(), 0);
                reftable_table_decref(t);
            }
        });
        assert_eq!((left, source.reads.get()), (0, 1));
        source.assert_closed();
    }
}

#[test]
fn an_iterator_holds_its_table_open() {
    let source = CountedSource::new(table_of(&names(60), &small_blocks()));
    let t = source.open();
    assert_eq!((source.reads.get(), source.lent.get()), (1, 1));
    let mut it = NO_ITERATOR;
    // SAFETY: the table is open; at the end the iterator holds it.
    unsafe {
        assert_eq!(reftable_table_init_ref_iterator(t, &mut it), 0);
        reftable_table_decref(t);
        assert_eq!(source.closed.get(), 0);
        assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
        assert_eq!(all_refs(&mut it), Ok(expected(60)));
        reftable_iterator_destroy(&mut it);
    }
    source.assert_closed();
}

#[test]
fn a_table_that_cannot_be_opened_closes_its_source() {
    let bytes = table_of(&names(3), &WriteOptions::default());
    let open = |source: &CountedSource| {
        let (mut of, mut t) = (source.source(), ptr::null_mut());
        // SAFETY: the pointers are good, and the source outlives the call.
        let code = unsafe { reftable_table_new(&mut t, &mut of, c"name".as_ptr()) };
        assert!(t.is_null() && of.ops.is_null());
        source.assert_closed();
        code
    };
    for (damaged, code) in [(vec![], -3), (vec![0; 1024], -3), (bytes[1..].to_vec(), -3)] {
        assert_eq!(open(&CountedSource::new(damaged)), code);
    }
    let mut failing = CountedSource::new(bytes.clone());
    failing.failure = Some((0, -99));
    assert_eq!(open(&failing), -2);
    for most in [0, 40, bytes.len() - 1] {
        failing = CountedSource::new(bytes.clone());
        failing.most = Some(most);
        assert_eq!(open(&failing), -2);
    }
    for allocations in 0..2 {
        let source = CountedSource::new(bytes.clone());
        let (code, left) = failing_after(allocations, || open(&source));
        assert_eq!((code, left), (-13, 0));
    }
    // SAFETY: the pointers are good or NULL.
    unsafe {
        let (source, mut t) = (CountedSource::new(bytes.clone()), ptr::null_mut());
        let mut of = source.source();
        assert_eq!(reftable_table_new(&mut t, &mut of, ptr::null()), -6);
        source.assert_closed();
        assert_eq!(
            reftable_table_new(&mut t, &mut of, c"".as_ptr()),
            -6,
            "no source"
        );
        assert_eq!(
            reftable_table_new(&mut t, ptr::null_mut(), c"".as_ptr()),
            -6
        );
        let source = CountedSource::new(bytes);
        of = source.source();
        assert_eq!(
            reftable_table_new(ptr::null_mut(), &mut of, c"".as_ptr()),
            -6
        );
        source.assert_closed();
    }
}

#[test]
fn a_table_can_be_read_from_a_file() {
    for count in [1, 3000] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), table_of(&names(count), &small_blocks())).unwrap();
        let name = c_string(file.path().to_str().unwrap());
        let ((), left) = counted(|| {
            let (mut source, mut t) = (reftable_block_source::NONE, ptr::null_mut());
            let (mut it, mut blocks) = (
                NO_ITERATOR,
                reftable_table_iterator {
                    iter_arg: ptr::null_mut(),
                },
            );
            let mut block = ptr::null();
            // SAFETY: the pointers are good; everything is released at the end.
            unsafe {
                assert_eq!(
                    reftable_block_source_from_file(&mut source, name.as_ptr()),
                    0
                );
                assert_eq!(reftable_table_new(&mut t, &mut source, name.as_ptr()), 0);
                assert_eq!(reftable_table_init_ref_iterator(t, &mut it), 0);
                assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
                assert_eq!(all_refs(&mut it), Ok(expected(count)));
                assert_eq!(reftable_table_iterator_init(&mut blocks, t), 0);
                assert_eq!(reftable_table_iterator_next(&mut blocks, &mut block), 0);
                assert_eq!((*block).block_type, b'r');
                reftable_table_decref(t);
                reftable_table_iterator_release(&mut blocks);
                reftable_iterator_destroy(&mut it);
            }
        });
        assert_eq!(left, 0);
    }
}

#[test]
fn iterators_seek() {
    let source = CountedSource::new(table_of(&names(60), &small_blocks()));
    let ((), left) = counted(|| {
        let t = source.open();
        let (mut refs, mut logs) = (NO_ITERATOR, NO_ITERATOR);
        let (mut record, mut log) = (reftable_ref_record::EMPTY, reftable_log_record::EMPTY);
        // SAFETY: the pointers are good; everything is released at the end.
        unsafe {
            assert_eq!(reftable_table_init_ref_iterator(t, &mut refs), 0);
            assert_eq!(reftable_table_init_ref_iterator(t, &mut refs), -6, "in use");
            assert_eq!(reftable_table_init_log_iterator(t, &mut logs), 0);
            assert_eq!((*t).refcount, 3);
            assert_eq!(reftable_iterator_next_ref(&mut refs, &mut record), -6);
            for _ in 0..2 {
                let place = &raw mut refs;
                let seek = |name: &std::ffi::CStr| reftable_iterator_seek_ref(place, name.as_ptr());
                assert_eq!(seek(c"refs/heads/0030"), 0);
                let rest = all_refs(place).unwrap();
                assert_eq!(rest, expected(60)[30..]);
                assert_eq!(seek(c"refs/heads/0059/x"), 1, "the index has no such key");
                assert_eq!(all_refs(place), Ok(vec![]));
            }
            assert_eq!(
                reftable_iterator_seek_log(&mut logs, c"refs/heads/0058".as_ptr()),
                0
            );
            assert_eq!(all_logs(&mut logs).unwrap().len(), 2);
            let late = c"refs/heads/0058".as_ptr();
            assert_eq!(reftable_iterator_seek_log_at(&mut logs, late, 6), 0);
            let all = all_logs(&mut logs).unwrap();
            assert_eq!(
                all,
                [("refs/heads/0059".into(), 7, "refs/heads/0059\n".into())]
            );

            assert_eq!(reftable_iterator_next_log(&mut refs, &mut log), -6);
            assert_eq!(reftable_iterator_next_ref(&mut logs, &mut record), -6);
            assert_eq!(reftable_iterator_seek_log(&mut refs, late), -6);
            assert_eq!(reftable_iterator_seek_ref(&mut logs, late), -6);
            assert_eq!(reftable_iterator_seek_ref(&mut refs, ptr::null()), -6);
            assert_eq!(reftable_iterator_next_ref(&mut refs, ptr::null_mut()), -6);
            assert_eq!(reftable_iterator_next_ref(ptr::null_mut(), &mut record), -6);
            let mut none = NO_ITERATOR;
            assert_eq!(reftable_iterator_next_ref(&mut none, &mut record), -6);
            reftable_iterator_destroy(&mut none);
            reftable_iterator_destroy(ptr::null_mut());
            reftable_iterator_destroy(&mut refs);
            assert!(refs.ops.is_null() && refs.iter_arg.is_null());
            reftable_iterator_destroy(&mut refs);
            reftable_iterator_destroy(&mut logs);
            reftable_log_record_release(&mut log);
            assert_eq!((*t).refcount, 1);
            reftable_table_decref(t);
        }
    });
    assert_eq!(left, 0);
    source.assert_closed();
}

#[test]
fn a_missing_section_is_empty() {
    let mut bytes = Vec::new();
    let options = WriteOptions::default();
    let mut writer = crate::table::Writer::new(&mut bytes, &options).unwrap();
    let record = crate::record::RefRecord {
        name: b"HEAD",
        update_index: 0,
        value: crate::record::RefValue::Deletion,
    };
    writer.add_ref(&record).unwrap();
    writer.finish().unwrap();
    let source = CountedSource::new(bytes);
    let t = source.open();
    let mut it = NO_ITERATOR;
    // SAFETY: the pointers are good; everything is released at the end.
    unsafe {
        assert_eq!((*t).log_offsets.is_present, 0);
        assert_eq!(reftable_table_init_log_iterator(t, &mut it), 0);
        assert_eq!(all_logs(&mut it), Ok(vec![]));
        assert_eq!(reftable_iterator_seek_log(&mut it, c"x".as_ptr()), 0);
        reftable_iterator_destroy(&mut it);
        reftable_table_decref(t);
    }
    source.assert_closed();
}

#[test]
fn refs_of_an_object_are_found_with_and_without_object_section() {
    let source = CountedSource::new(table_of(&names(300), &small_blocks()));
    let t = source.open();
    let mut it = NO_ITERATOR;
    let mut oid = [20; 20];
    let found = |update_index| {
        vec![
            (String::from("refs/heads/0020"), update_index, 20),
            (String::from("refs/heads/0276"), update_index, 20),
        ]
    };
    // SAFETY: the pointers are good; everything is released at the end.
    unsafe {
        assert_eq!(reftable_table_refs_for(t, &mut it, oid.as_mut_ptr()), 0);
        assert_eq!(all_refs(&mut it), Ok(found(7 - LIMITS.0)));
        assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), -6);
        reftable_iterator_destroy(&mut it);

        oid[19] = 21;
        assert_eq!(reftable_table_refs_for(t, &mut it, oid.as_mut_ptr()), 0);
        assert_eq!(all_refs(&mut it), Ok(vec![]));
        reftable_iterator_destroy(&mut it);

        (*t).obj_offsets.is_present = 0;
        oid[19] = 20;
        assert_eq!(reftable_table_refs_for(t, &mut it, oid.as_mut_ptr()), 0);
        assert_eq!(all_refs(&mut it), Ok(found(7)));
        assert_eq!(
            reftable_iterator_seek_ref(&mut it, c"refs/heads/0021".as_ptr()),
            0
        );
        assert_eq!(all_refs(&mut it), Ok(found(7)[1..].to_vec()));
        reftable_iterator_destroy(&mut it);

        assert_eq!(reftable_table_refs_for(t, &mut it, ptr::null_mut()), -6);
        assert_eq!(
            reftable_table_refs_for(ptr::null_mut(), &mut it, oid.as_mut_ptr()),
            -6
        );
        assert_eq!(
            reftable_table_refs_for(t, ptr::null_mut(), oid.as_mut_ptr()),
            -6
        );
        assert_eq!((*t).refcount, 1);
        reftable_table_decref(t);
    }
    source.assert_closed();
}

#[test]
fn an_object_past_the_last_one_is_reported() {
    let mut few = names(100);
    few.retain(|(_, id)| id.is_some_and(|id| id < 50));
    let source = CountedSource::new(table_of(
        &few,
        &WriteOptions {
            block_size: 128,
            ..WriteOptions::default()
        },
    ));
    let t = source.open();
    let mut it = NO_ITERATOR;
    let mut oid = [0xee; 20];
    // SAFETY: the pointers are good; everything is released at the end.
    unsafe {
        assert!((*t).obj_offsets.index_offset > 0);
        assert_eq!(reftable_table_refs_for(t, &mut it, oid.as_mut_ptr()), 1);
        assert_eq!(all_refs(&mut it), Ok(vec![]));
        reftable_iterator_destroy(&mut it);
        reftable_table_decref(t);
    }
    source.assert_closed();
}

#[test]
fn every_allocation_of_an_iterator_may_fail() {
    let source = CountedSource::new(table_of(&names(60), &small_blocks()));
    let t = source.open();
    // SAFETY: the pointers are good; everything is released at the end.
    unsafe {
        let (code, left) = failing_after(0, || {
            let mut it = NO_ITERATOR;
            let mut oid = [20; 20];
            let mut blocks = reftable_table_iterator {
                iter_arg: ptr::null_mut(),
            };
            assert_eq!(reftable_table_init_log_iterator(t, &mut it), -13);
            assert_eq!(reftable_table_refs_for(t, &mut it, oid.as_mut_ptr()), -13);
            assert_eq!(reftable_table_iterator_init(&mut blocks, t), -13);
            assert!(it.ops.is_null() && blocks.iter_arg.is_null());
            reftable_table_init_ref_iterator(t, &mut it)
        });
        assert_eq!((code, left), (-13, 0));
        assert_eq!((*t).refcount, 1);
        reftable_table_decref(t);
    }
    source.assert_closed();
}

#[test]
fn null_is_refused_or_ignored() {
    let mut it = NO_ITERATOR;
    let mut blocks = reftable_table_iterator {
        iter_arg: ptr::null_mut(),
    };
    let mut block = ptr::null();
    let none = ptr::null_mut();
    // SAFETY: NULL is allowed everywhere.
    unsafe {
        reftable_table_incref(none);
        reftable_table_decref(none);
        assert_eq!(reftable_table_hash_id(none), 0);
        assert_eq!(reftable_table_min_update_index(none), 0);
        assert_eq!(reftable_table_max_update_index(none), 0);
        assert_eq!(reftable_table_init_ref_iterator(none, &mut it), -6);
        assert_eq!(reftable_table_init_log_iterator(none, &mut it), -6);
        assert_eq!(reftable_table_iterator_init(&mut blocks, none), -6);
        assert_eq!(reftable_table_iterator_next(&mut blocks, &mut block), -6);
        assert_eq!(
            reftable_table_iterator_next(ptr::null_mut(), &mut block),
            -6
        );
        reftable_table_iterator_release(&mut blocks);
        reftable_table_iterator_release(ptr::null_mut());
    }
}
