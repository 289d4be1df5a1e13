//! Additions and compactions, also beside other processes.

use super::*;

#[test]
fn an_addition_is_visible_once_committed() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let stack = directory.open(&options());
        let mut addition = ptr::null_mut();
        // SAFETY: the pointers are good; the addition is destroyed before the stack.
        unsafe {
            let new = |place: *mut _| new_addition(place, stack, 0);
            assert_eq!(new(&raw mut addition), 0);
            let mut second = ptr::null_mut();
            assert_eq!(new(&raw mut second), -5, "locked");
            assert!(second.is_null());
            let add =
                |change: &mut Change| reftable_addition_add(addition, Some(write), change.arg());
            assert_eq!(add(&mut change(c"a", 1, 1)), 0);
            assert_eq!(
                add(&mut change(c"a", 2, 1)),
                0,
                "the same update index again"
            );
            assert_eq!(add(&mut change(c"a", 3, 0)), -6, "too early");
            let mut failing = change(c"a", 4, 1);
            failing.result = -77;
            assert_eq!(add(&mut failing), -77);
            assert_eq!(
                reftable_addition_add(addition, Some(write_nothing), ptr::null_mut()),
                0
            );
            assert_eq!(reftable_addition_add(addition, None, ptr::null_mut()), -6);
            assert_eq!(read(stack, c"a"), None);
            assert_eq!(reftable_addition_commit(addition), 0);
            assert_eq!(read(stack, c"a"), Some(2));
            assert_eq!(add(&mut change(c"b", 1, 2)), -6, "it is over");
            assert_eq!(reftable_addition_commit(addition), 0);
            reftable_addition_destroy(addition);

            assert_eq!(new(&raw mut addition), 0);
            assert_eq!(add_to(addition, &mut change(c"b", 1, 2)), 0);
            reftable_addition_destroy(addition);
            assert_eq!(read(stack, c"b"), None);
            assert_eq!(new(&raw mut addition), 0);
            assert_eq!(reftable_addition_commit(addition), 0, "nothing to publish");
            assert_eq!(new(&raw mut second), 0, "unlocked");
            reftable_addition_destroy(second);
            reftable_addition_destroy(addition);
            reftable_stack_destroy(stack);
        }
    });
    assert_eq!(left, 0);
    assert_eq!(directory.files().len(), 2, "{:?}", directory.files());
}

#[test]
fn an_outdated_stack_is_reported() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let (ours, theirs) = (directory.open(&options()), directory.open(&options()));
        let mut addition = ptr::null_mut();
        // SAFETY: the pointers are good.
        unsafe {
            assert_eq!(add(ours, c"a", Some(1)), 0);
            assert_eq!(reftable_stack_clean(theirs), -12);
            assert_eq!(new_addition(&mut addition, theirs, 0), -12);
            assert_eq!(read(theirs, c"a"), None);
            assert_eq!(add(theirs, c"b", Some(2)), -12);
            assert_eq!(read(theirs, c"a"), Some(1), "it was reloaded");
            assert_eq!(add(theirs, c"b", Some(2)), 0);
            assert_eq!(new_addition(&mut addition, ours, RELOAD), 0);
            assert_eq!(read(ours, c"b"), Some(2));
            assert_eq!(add_to(addition, &mut change(c"c", 3, 3)), 0);
            assert_eq!(reftable_addition_commit(addition), 0);
            reftable_addition_destroy(addition);
            assert_eq!(reftable_stack_reload(theirs), 0);
            assert_eq!(read(theirs, c"c"), Some(3));
            assert_eq!(reftable_stack_clean(theirs), 0);
            reftable_stack_destroy(ours);
            reftable_stack_destroy(theirs);
        }
    });
    assert_eq!(left, 0);
}

#[test]
fn compactions_are_counted_and_can_be_disabled() {
    let directory = Directory::new();
    let stack = directory.open(&uncompacted());
    let mut required = false;
    // SAFETY: the pointers are good.
    unsafe {
        let stats = reftable_stack_compaction_stats(stack);
        for id in 0..5 {
            assert_eq!(add(stack, c"a", Some(id)), 0);
        }
        assert_eq!(tables(stack), 5);
        for heuristics in [false, true] {
            let code = compaction_required(stack, heuristics, &mut required);
            assert_eq!((code, required), (0, true));
        }
        assert_eq!(compaction_required(stack, true, ptr::null_mut()), -6);
        let locked = tables_of(&*stack).tables()[4].name().to_owned() + ".lock";
        fs::write(directory.path().join(&locked), "").unwrap();
        assert_eq!(compact_all(stack, ptr::null_mut()), -5);
        assert_eq!(((*stats).attempts, (*stats).failures), (1, 1));
        fs::remove_file(directory.path().join(&locked)).unwrap();
        assert_eq!(auto_compact(stack), 0);
        assert_eq!(((*stats).attempts, (*stats).failures), (2, 1));
        assert_eq!((*stats).entries_written, 1 + 5);
        assert!((*stats).bytes > 0);
        assert_eq!((tables(stack), read(stack, c"a")), (1, Some(4)));
        let mut expiry = reftable_log_expiry_config {
            time: 4,
            min_update_index: 0,
        };
        assert_eq!(compact_all(stack, &mut expiry), 0);
        let mut it = NO_ITERATOR;
        assert_eq!(reftable_stack_init_log_iterator(stack, &mut it), 0);
        assert_eq!(reftable_iterator_seek_log(&mut it, c"".as_ptr()), 0);
        assert_eq!(all_logs(&mut it).unwrap().len(), 2);
        reftable_iterator_destroy(&mut it);
        reftable_stack_destroy(stack);
    }
}

/// A transaction is committed although the compaction after it failed: that is an error of
/// git's library, too.
#[test]
fn an_error_of_the_compaction_is_returned() {
    let directory = Directory::new();
    let stack = directory.open(&uncompacted());
    assert_eq!(add(stack, c"a", Some(1)), 0);
    // SAFETY: the pointers are good.
    unsafe {
        reftable_stack_destroy(stack);
        let table = directory.files().remove(0);
        let mut bytes = fs::read(directory.path().join(&table)).unwrap();
        bytes[29] ^= 0xff;
        fs::write(directory.path().join(&table), bytes).unwrap();
        let stack = directory.open(&options());
        assert_eq!(add(stack, c"b", Some(2)), -3);
        assert_eq!(read(stack, c"b"), Some(2));
        reftable_stack_destroy(stack);
    }
}

#[test]
fn a_replaced_table_that_was_left_is_removed() {
    let directory = Directory::new();
    let (ours, theirs) = (
        directory.open(&uncompacted()),
        directory.open(&uncompacted()),
    );
    assert_eq!(add(ours, c"a", Some(1)), 0);
    assert_eq!(add(ours, c"b", Some(2)), 0);
    // SAFETY: the pointers are good.
    unsafe {
        assert_eq!(reftable_stack_reload(theirs), 0);
        let old = tables_of(&*ours).tables()[0].name().to_owned();
        let bytes = fs::read(directory.path().join(&old)).unwrap();
        for by_reload in [true, false] {
            assert_eq!(compact_all(ours, ptr::null_mut()), 0);
            // As if the process had died before removing it.
            fs::write(directory.path().join(&old), &bytes).unwrap();
            if by_reload {
                assert_eq!(reftable_stack_reload(theirs), 0);
                assert!(!directory.path().join(&old).exists());
                fs::write(directory.path().join(&old), &bytes).unwrap();
            }
        }
        reftable_stack_destroy(theirs);
        assert!(
            directory.path().join(&old).exists(),
            "it was not one of theirs any more"
        );
        assert_eq!(reftable_stack_clean(ours), 0);
        assert!(!directory.path().join(&old).exists());
        reftable_stack_destroy(ours);
    }
}
