use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

use super::*;
use crate::capi::iterator::{
    reftable_iterator_destroy, reftable_iterator_seek_log, reftable_iterator_seek_ref,
};
use crate::capi::merged::{reftable_merged_table_free, reftable_merged_table_max_update_index};
use crate::capi::record::{
    reftable_log_record_release, reftable_ref_record_release, REF_DELETION, REF_VAL1,
};
use crate::capi::shape::testing::*;
use crate::capi::testing::*;
use crate::capi::writer::{
    reftable_writer_add_log, reftable_writer_add_ref, reftable_writer_set_limits,
};
use crate::ffi::alloc::testing::{counted, failing_after};

mod changes;
mod reentrance;

const RELOAD: c_uint =
    reftable_stack_new_addition_flags::REFTABLE_STACK_NEW_ADDITION_RELOAD as c_uint;

/// A directory, and its name for C.
struct Directory {
    dir: tempfile::TempDir,
    name: CString,
}

impl Directory {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let name = c_string(dir.path().to_str().unwrap());
        Self { dir, name }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self, options: &Options) -> *mut reftable_stack {
        let mut stack = ptr::null_mut();
        // SAFETY: the pointers are good.
        let code = unsafe { new_stack(&mut stack, self.name.as_ptr(), options) };
        assert_eq!(code, 0);
        stack
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn options() -> Options {
    Options::EMPTY
}

/// Without compaction after additions.
fn uncompacted() -> Options {
    let mut options = options();
    options.write.exact_log_message = if cfg!(target_endian = "big") { 0x40 } else { 2 };
    options
}

/// What `write` below writes.
struct Change {
    name: &'static CStr,
    id: Option<u8>,
    update_index: u64,
    result: c_int,
}

impl Change {
    fn arg(&mut self) -> *mut c_void {
        ptr::from_mut(self).cast()
    }
}

fn change(name: &'static CStr, id: u8, update_index: u64) -> Change {
    Change {
        name,
        id: Some(id),
        update_index,
        result: 0,
    }
}

unsafe extern "C" fn write(writer: *mut reftable_writer, arg: *mut c_void) -> c_int {
    // SAFETY: the tests pass a `Change`; the writer is the library's.
    unsafe {
        let change = &*arg.cast::<Change>();
        let index = change.update_index;
        assert_eq!(reftable_writer_set_limits(writer, index, index), 0);
        let mut record = reftable_ref_record::EMPTY;
        record.refname = change.name.as_ptr().cast_mut();
        record.update_index = index;
        if let Some(id) = change.id {
            record.value_type = REF_VAL1;
            record.value.val1 = [id; 32];
        }
        assert_eq!(reftable_writer_add_ref(writer, &mut record), 0);
        let mut log = reftable_log_record::EMPTY;
        log.refname = record.refname;
        log.update_index = index;
        log.value_type = 1;
        log.value.update.time = index;
        log.value.update.message = c"said".as_ptr().cast_mut();
        assert_eq!(reftable_writer_add_log(writer, &mut log), 0);
        change.result
    }
}

unsafe extern "C" fn write_nothing(_: *mut reftable_writer, _: *mut c_void) -> c_int {
    0
}

/// Adds `refname` with this id at the next update index.
fn add(stack: *mut reftable_stack, name: &'static CStr, id: Option<u8>) -> c_int {
    // SAFETY: the tests pass a stack.
    unsafe {
        let mut change = Change {
            id,
            ..change(name, 0, reftable_stack_next_update_index(stack))
        };
        stack_add(stack, Some(write), change.arg(), 0)
    }
}

/// First byte of the id of a ref; nothing when there is no such ref.
fn read(stack: *mut reftable_stack, name: &CStr) -> Option<u8> {
    let mut record = reftable_ref_record::EMPTY;
    // SAFETY: the tests pass a stack, and the record is only used here.
    unsafe {
        let code = reftable_stack_read_ref(stack, name.as_ptr(), &mut record);
        assert!(code == 0 || code == 1, "{code}");
        let found = (code == 0).then(|| record.value.val1[0]);
        reftable_ref_record_release(&mut record);
        found
    }
}

fn tables(stack: *mut reftable_stack) -> usize {
    // SAFETY: the tests pass a stack.
    tables_of(unsafe { &*stack }).tables().len()
}

#[test]
fn additions_are_read_by_every_function() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let stack = directory.open(&options());
        let mut it = NO_ITERATOR;
        let mut log = reftable_log_record::EMPTY;
        // SAFETY: the stack is open until it is destroyed.
        unsafe {
            assert_eq!(reftable_stack_hash_id(stack), 89);
            assert_eq!(reftable_stack_next_update_index(stack), 1);
            assert_eq!(add(stack, c"refs/a", Some(1)), 0);
            assert_eq!(add(stack, c"refs/b", Some(2)), 0);
            assert_eq!(add(stack, c"refs/a", None), 0);
            assert_eq!(reftable_stack_next_update_index(stack), 4);
            assert_eq!(read(stack, c"refs/a"), None);
            assert_eq!(read(stack, c"refs/b"), Some(2));
            assert_eq!(read(stack, c""), None);

            assert_eq!(reftable_stack_init_ref_iterator(stack, &mut it), 0);
            assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
            assert_eq!(all_refs(&mut it), Ok(vec![("refs/b".into(), 2, 2)]));
            reftable_iterator_destroy(&mut it);
            assert_eq!(reftable_stack_init_log_iterator(stack, &mut it), 0);
            assert_eq!(reftable_iterator_seek_log(&mut it, c"refs/a".as_ptr()), 0);
            let logs: Vec<_> = all_logs(&mut it).unwrap();
            let logs: Vec<_> = logs
                .iter()
                .map(|l| (l.0.as_str(), l.1, l.2.as_str()))
                .collect();
            let expected = [("refs/a", 3, "said\n"), ("refs/a", 1, "said\n")];
            assert_eq!(logs[..2], expected);
            reftable_iterator_destroy(&mut it);

            let name = c"refs/a".as_ptr();
            assert_eq!(reftable_stack_read_log(stack, name, &mut log), 0);
            assert_eq!(log.update_index, 3);
            assert_eq!(
                reftable_stack_read_log(stack, c"refs/".as_ptr(), &mut log),
                1
            );
            assert!(log.refname.is_null());
            reftable_log_record_release(&mut log);
            let merged = reftable_stack_merged_table(stack);
            assert_eq!(reftable_merged_table_max_update_index(merged), 3);
            reftable_merged_table_free(merged);
            assert_eq!(reftable_merged_table_max_update_index(merged), 3);
            reftable_stack_destroy(stack);
        }
    });
    assert_eq!(left, 0);
}

#[test]
fn the_name_to_look_up_may_belong_to_the_record() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let stack = directory.open(&options());
        assert_eq!(add(stack, c"refs/a", Some(1)), 0);
        let mut record = reftable_ref_record::EMPTY;
        // SAFETY: the pointers are good.
        unsafe {
            assert_eq!(
                reftable_stack_read_ref(stack, c"refs/a".as_ptr(), &mut record),
                0
            );
            let name = record.refname;
            assert_eq!(
                reftable_stack_read_ref(stack, record.refname, &mut record),
                0
            );
            assert_eq!(
                (text(record.refname), record.refname),
                ("refs/a".into(), name)
            );
            *record.refname = c"x".as_ptr().read();
            assert_eq!(
                reftable_stack_read_ref(stack, record.refname, &mut record),
                1
            );
            assert!(record.refname.is_null() && record.value_type == REF_DELETION);
            reftable_stack_destroy(stack);
        }
    });
    assert_eq!(left, 0);
}

/// # Safety
/// `addition` is one.
unsafe fn add_to(addition: *mut reftable_addition, change: &mut Change) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { reftable_addition_add(addition, Some(write), change.arg()) }
}

#[test]
fn iterators_outlive_reloads_and_the_stack() {
    let directory = Directory::new();
    let ((), left) = counted(|| {
        let (ours, theirs) = (
            directory.open(&uncompacted()),
            directory.open(&uncompacted()),
        );
        assert_eq!(add(ours, c"a", Some(1)), 0);
        assert_eq!(add(ours, c"b", Some(2)), 0);
        let mut it = NO_ITERATOR;
        // SAFETY: the pointers are good.
        unsafe {
            assert_eq!(reftable_stack_init_ref_iterator(ours, &mut it), 0);
            assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
            assert_eq!(reftable_stack_reload(theirs), 0);
            assert_eq!(compact_all(theirs, ptr::null_mut()), 0);
            assert_eq!(reftable_stack_reload(ours), 0);
            assert_eq!(tables(ours), 1);
            reftable_stack_destroy(ours);
            reftable_stack_destroy(theirs);
            assert_eq!(all_refs(&mut it).unwrap().len(), 2);
            reftable_iterator_destroy(&mut it);
        }
    });
    assert_eq!(left, 0);
    assert_eq!(directory.files().len(), 2);
}

#[test]
fn a_stack_of_another_hash_or_without_a_table_is_refused() {
    let directory = Directory::new();
    let ours = directory.open(&options());
    assert_eq!(add(ours, c"a", Some(1)), 0);
    let mut stack = ptr::null_mut();
    let mut sha256 = options();
    sha256.hash_id = 247;
    // SAFETY: the pointers are good or NULL.
    unsafe {
        let new = |place, options: &Options| new_stack(place, directory.name.as_ptr(), options);
        let place = &raw mut stack;
        assert_eq!(new(place, &sha256), -3);
        sha256.hash_id = 1;
        assert_eq!(new(place, &sha256), -6);
        assert_eq!(new_stack(place, ptr::null(), &options()), -6);
        assert_eq!(new(ptr::null_mut(), &options()), -6);
        fs::write(directory.path().join("tables.list"), "missing.ref\n").unwrap();
        assert_eq!(new(place, &options()), -4);
        fs::write(directory.path().join("tables.list"), "no newline").unwrap();
        assert_eq!(new(place, &options()), -3);
        assert!((*place).is_null());
        let nowhere = directory.path().join("nowhere");
        let nowhere = c_string(nowhere.to_str().unwrap());
        assert_eq!(new_stack(place, nowhere.as_ptr(), &options()), 0);
        assert_eq!(add(*place, c"a", Some(1)), -2);
        reftable_stack_destroy(*place);
        reftable_stack_destroy(ours);
    }
}

#[test]
fn every_allocation_may_fail() {
    let directory = Directory::new();
    let mut stack = ptr::null_mut();
    // SAFETY: the pointers are good.
    unsafe {
        let place = &raw mut stack;
        let new = || new_stack(place, directory.name.as_ptr(), &options());
        assert_eq!(failing_after(0, new), (-13, 0));
        assert_eq!(new(), 0);
        let mut addition = ptr::null_mut();
        let place = &raw mut addition;
        let new = || new_addition(place, stack, 0);
        assert_eq!(failing_after(0, new), (-13, 0));
        assert_eq!(new(), 0, "nothing is locked");
        let mut change = change(c"a", 1, 1);
        let arg = change.arg();
        let add = || reftable_addition_add(addition, Some(write), arg);
        assert_eq!(failing_after(0, add), (-13, 0));
        assert_eq!(add(), 0);
        reftable_addition_destroy(addition);
        assert_eq!(super::tests::add(stack, c"a", Some(1)), 0);
        for allocations in 0..1 {
            let (code, left) = failing_after(allocations, || {
                let mut record = reftable_ref_record::EMPTY;
                let code = reftable_stack_read_ref(stack, c"a".as_ptr(), &mut record);
                reftable_ref_record_release(&mut record);
                code
            });
            assert_eq!((code, left), (-13, 0));
            let (code, left) = failing_after(allocations, || {
                let mut record = reftable_log_record::EMPTY;
                reftable_stack_read_log(stack, c"a".as_ptr(), &mut record)
            });
            assert_eq!((code, left), (-13, 0));
        }
        reftable_stack_destroy(stack);
    }
}

#[test]
fn null_is_refused_or_ignored() {
    let directory = Directory::new();
    let stack = directory.open(&options());
    let none = ptr::null_mut();
    let (mut it, mut addition) = (NO_ITERATOR, ptr::null_mut());
    let (mut record, mut log) = (reftable_ref_record::EMPTY, reftable_log_record::EMPTY);
    let mut required = false;
    // SAFETY: NULL is allowed everywhere.
    unsafe {
        assert_eq!(reftable_stack_next_update_index(none), 0);
        assert_eq!(reftable_stack_hash_id(none), 0);
        assert!(reftable_stack_merged_table(none).is_null());
        assert!(reftable_stack_compaction_stats(none).is_null());
        assert_eq!(new_addition(&mut addition, none, 0), -6);
        assert_eq!(new_addition(ptr::null_mut(), stack, 0), -6);
        assert_eq!(
            reftable_addition_add(addition, Some(write), ptr::null_mut()),
            -6
        );
        assert_eq!(reftable_addition_commit(addition), -6);
        reftable_addition_destroy(addition);
        assert_eq!(stack_add(none, Some(write), ptr::null_mut(), 0), -6);
        assert_eq!(stack_add(stack, None, ptr::null_mut(), 0), -6);
        assert_eq!(reftable_stack_init_ref_iterator(none, &mut it), -6);
        assert_eq!(reftable_stack_init_log_iterator(none, &mut it), -6);
        assert_eq!(reftable_stack_init_log_iterator(stack, ptr::null_mut()), -6);
        assert_eq!(reftable_stack_reload(none), -6);
        assert_eq!(compact_all(none, ptr::null_mut()), -6);
        assert_eq!(compaction_required(none, true, &mut required), -6);
        assert_eq!(auto_compact(none), -6);
        assert_eq!(reftable_stack_clean(none), -6);
        let name = c"a".as_ptr();
        assert_eq!(reftable_stack_read_ref(none, name, &mut record), -6);
        assert_eq!(reftable_stack_read_ref(stack, ptr::null(), &mut record), -6);
        assert_eq!(reftable_stack_read_ref(stack, name, ptr::null_mut()), -6);
        assert_eq!(reftable_stack_read_log(none, name, &mut log), -6);
        assert_eq!(reftable_stack_read_log(stack, ptr::null(), &mut log), -6);
        assert_eq!(reftable_stack_read_log(stack, name, ptr::null_mut()), -6);
        reftable_stack_destroy(none);
        reftable_stack_destroy(stack);
    }
}
