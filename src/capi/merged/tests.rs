use std::ptr;

use super::*;
use crate::capi::iterator::{
    reftable_iterator_destroy, reftable_iterator_seek_log, reftable_iterator_seek_log_at,
    reftable_iterator_seek_ref,
};
use crate::capi::table::reftable_table_decref;
use crate::capi::testing::*;
use crate::ffi::alloc::testing::{counted, failing_after};
use crate::table::WriteOptions;

fn table(of: &[(&str, Option<u8>)]) -> CountedSource {
    let names: Vec<_> = of.iter().map(|&(name, id)| (name.to_owned(), id)).collect();
    CountedSource::new(table_of(&names, &WriteOptions::default()))
}

#[test]
fn the_newest_record_of_a_name_is_shown() {
    let old = table(&[("a", Some(1)), ("b", Some(2)), ("c", Some(3))]);
    let new = table(&[("b", None), ("d", Some(4))]);
    let ((), left) = counted(|| {
        let mut tables = [old.open(), new.open()];
        let (mut mt, mut it) = (ptr::null_mut(), NO_ITERATOR);
        // SAFETY: the pointers are good; everything is released at the end.
        unsafe {
            let hash = (*tables[0]).hash_id;
            assert_eq!(
                reftable_merged_table_new(&mut mt, tables.as_mut_ptr(), 2, hash),
                0
            );
            assert_eq!(reftable_merged_table_hash_id(mt), hash);
            assert_eq!(reftable_merged_table_min_update_index(mt), LIMITS.0);
            assert_eq!(reftable_merged_table_max_update_index(mt), LIMITS.1);
            assert_eq!(reftable_merged_table_init_ref_iterator(mt, &mut it), 0);
            assert_eq!((*tables[0]).refcount, 2);
            assert_eq!(all_refs(&mut it), Ok(vec![]), "not positioned");
            for _ in 0..2 {
                assert_eq!(reftable_iterator_seek_ref(&mut it, c"b".as_ptr()), 0);
                let ids: Vec<_> = all_refs(&mut it).unwrap();
                let ids: Vec<_> = ids.iter().map(|r| (r.0.as_str(), r.1, r.2)).collect();
                assert_eq!(ids, [("b", 7, 0), ("c", 7, 3), ("d", 7, 4)]);
                assert_eq!(reftable_iterator_seek_ref(&mut it, c"x".as_ptr()), 0);
                assert_eq!(all_refs(&mut it), Ok(vec![]));
            }
            assert_eq!(all_logs(&mut it), Err(-6));
            reftable_iterator_destroy(&mut it);

            assert_eq!(reftable_merged_table_init_log_iterator(mt, &mut it), 0);
            assert_eq!(all_logs(&mut it), Ok(vec![]), "not positioned");
            assert_eq!(reftable_iterator_seek_log(&mut it, c"".as_ptr()), 0);
            assert_eq!(all_logs(&mut it).unwrap().len(), 4);
            assert_eq!(reftable_iterator_seek_log_at(&mut it, c"c".as_ptr(), 6), 0);
            assert_eq!(all_logs(&mut it).unwrap().len(), 1);
            assert_eq!(all_refs(&mut it), Err(-6));
            reftable_merged_table_free(mt);
            for table in tables {
                reftable_table_decref(table);
            }
            assert_eq!(old.closed.get(), 0);
            reftable_iterator_destroy(&mut it);
        }
    });
    assert_eq!(left, 0);
    old.assert_closed();
    new.assert_closed();
}

#[test]
fn a_view_without_tables_is_empty() {
    let (mut mt, mut it) = (ptr::null_mut(), NO_ITERATOR);
    // SAFETY: the pointers are good or NULL.
    unsafe {
        assert_eq!(
            reftable_merged_table_new(&mut mt, ptr::null_mut(), 0, 89),
            0
        );
        assert_eq!(reftable_merged_table_min_update_index(mt), 0);
        assert_eq!(reftable_merged_table_max_update_index(mt), 0);
        assert_eq!(reftable_merged_table_init_ref_iterator(mt, &mut it), 0);
        assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
        assert_eq!(all_refs(&mut it), Ok(vec![]));
        reftable_iterator_destroy(&mut it);
        reftable_merged_table_free(mt);
    }
}

#[test]
fn tables_of_different_hashes_and_null_are_refused() {
    let source = table(&[("a", Some(1))]);
    let mut tables = [source.open(), ptr::null_mut()];
    let (mut mt, mut it) = (ptr::null_mut(), NO_ITERATOR);
    // SAFETY: the pointers are good or NULL.
    unsafe {
        let all = tables.as_mut_ptr();
        assert_eq!(reftable_merged_table_new(&mut mt, all, 1, 247), -3);
        assert_eq!(reftable_merged_table_new(&mut mt, all, 1, 0), -3);
        assert_eq!(reftable_merged_table_new(&mut mt, all, 2, 89), -6);
        assert_eq!(
            reftable_merged_table_new(&mut mt, ptr::null_mut(), 1, 89),
            -6
        );
        let (code, left) = counted(|| reftable_merged_table_new(ptr::null_mut(), all, 1, 89));
        assert_eq!((code, left), (-6, 0));
        let place = &raw mut mt;
        let new = || reftable_merged_table_new(place, all, 1, 89);
        assert_eq!(failing_after(0, new), (-13, 0));
        assert!((*place).is_null());
        assert_eq!(new(), 0);
        let place = &raw mut it;
        let init = || reftable_merged_table_init_ref_iterator(mt, place);
        assert_eq!(failing_after(0, init), (-13, 0));
        assert_eq!((*tables[0]).refcount, 1);
        assert_eq!(init(), 0);
        assert_eq!(init(), -6);
        reftable_iterator_destroy(&mut it);
        reftable_merged_table_free(mt);
        reftable_table_decref(tables[0]);

        let none = ptr::null_mut();
        assert_eq!(reftable_merged_table_init_ref_iterator(none, &mut it), -6);
        assert_eq!(reftable_merged_table_init_log_iterator(none, &mut it), -6);
        assert_eq!(reftable_merged_table_hash_id(none), 0);
        assert_eq!(reftable_merged_table_min_update_index(none), 0);
        assert_eq!(reftable_merged_table_max_update_index(none), 0);
        reftable_merged_table_free(none);
    }
    source.assert_closed();
}
