//! Options for each change, and stacks that show deletions.

use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::ptr;

use super::*;
use crate::capi::iterator::{
    reftable_iterator, reftable_iterator_destroy, reftable_iterator_next_log,
    reftable_iterator_next_ref, reftable_iterator_seek_log, reftable_iterator_seek_ref,
};
use crate::capi::record::{
    reftable_log_record, reftable_log_record_is_deletion, reftable_log_record_release,
    reftable_ref_record, reftable_ref_record_is_deletion, reftable_ref_record_release, LOG_UPDATE,
    REF_DELETION, REF_VAL1,
};
use crate::capi::stack::{
    reftable_addition_add, reftable_addition_commit, reftable_addition_destroy,
    reftable_stack_clean, reftable_stack_destroy, reftable_stack_init_log_iterator,
    reftable_stack_init_ref_iterator, reftable_stack_next_update_index, reftable_stack_read_log,
    reftable_stack_read_ref,
};
use crate::capi::testing::{c_string, text, NO_ITERATOR};
use crate::capi::writer::{
    reftable_writer_add_log, reftable_writer_add_ref, reftable_writer_free,
    reftable_writer_set_limits,
};

/// The second bit-field of its byte.
const DISABLED: bit_field = if cfg!(target_endian = "big") { 0x40 } else { 2 };

/// A ref and a log entry at one update index.
struct Change {
    name: &'static CStr,
    update_index: u64,
    is_deletion: bool,
}

unsafe extern "C" fn write(w: *mut reftable_writer, arg: *mut c_void) -> c_int {
    // SAFETY: the tests pass a change.
    unsafe {
        let change = &*arg.cast::<Change>();
        let mut record = reftable_ref_record::EMPTY;
        record.refname = change.name.as_ptr().cast_mut();
        record.update_index = change.update_index;
        record.value_type = if change.is_deletion {
            REF_DELETION
        } else {
            REF_VAL1
        };
        // A deletion of a log entry has the update index of that entry.
        let mut log = reftable_log_record::EMPTY;
        log.refname = record.refname;
        log.update_index = change.update_index;
        log.value_type = if change.is_deletion { 0 } else { LOG_UPDATE };
        let limits = reftable_writer_set_limits(w, change.update_index, change.update_index);
        limits | reftable_writer_add_ref(w, &mut record) | reftable_writer_add_log(w, &mut log)
    }
}

/// Adds or deletes a ref with these options.
fn add(
    stack: *mut reftable_stack,
    name: &'static CStr,
    is_deletion: bool,
    options: *const reftable_write_options,
) -> c_int {
    // SAFETY: the tests pass a stack.
    unsafe {
        let mut change = Change {
            name,
            update_index: reftable_stack_next_update_index(stack),
            is_deletion,
        };
        let arg = ptr::from_mut(&mut change).cast();
        reftable_stack_add(stack, Some(write), arg, options, 0)
    }
}

fn open(dir: &tempfile::TempDir, options: *const reftable_stack_options) -> *mut reftable_stack {
    let name = c_string(dir.path().to_str().unwrap());
    let mut stack = ptr::null_mut();
    // SAFETY: the pointers are good.
    let code = unsafe { reftable_new_stack(&mut stack, name.as_ptr(), options) };
    assert_eq!(code, 0);
    stack
}

fn list(dir: &tempfile::TempDir) -> Vec<String> {
    let list = fs::read_to_string(dir.path().join("tables.list")).unwrap();
    list.lines().map(str::to_owned).collect()
}

fn hiding() -> reftable_stack_options {
    reftable_stack_options {
        suppress_deletions: 1,
        ..reftable_stack_options::EMPTY
    }
}

/// The refs and logs that iterators return, each followed by `-` for a deletion or `+`.
fn shown(stack: *mut reftable_stack) -> (Vec<String>, Vec<String>) {
    let sign = |deletion| if deletion == 0 { '+' } else { '-' };
    let (mut refs, mut logs) = (Vec::new(), Vec::new());
    let mut it: reftable_iterator = NO_ITERATOR;
    let (mut record, mut log) = (reftable_ref_record::EMPTY, reftable_log_record::EMPTY);
    // SAFETY: the tests pass a stack, and the rest is only used here.
    unsafe {
        assert_eq!(reftable_stack_init_ref_iterator(stack, &mut it), 0);
        assert_eq!(reftable_iterator_seek_ref(&mut it, c"".as_ptr()), 0);
        while reftable_iterator_next_ref(&mut it, &mut record) == 0 {
            let sign = sign(reftable_ref_record_is_deletion(&record));
            refs.push(format!("{}{sign}", text(record.refname)));
        }
        reftable_iterator_destroy(&mut it);
        assert_eq!(reftable_stack_init_log_iterator(stack, &mut it), 0);
        assert_eq!(reftable_iterator_seek_log(&mut it, c"".as_ptr()), 0);
        while reftable_iterator_next_log(&mut it, &mut log) == 0 {
            let sign = sign(reftable_log_record_is_deletion(&log));
            logs.push(format!("{}{}{sign}", text(log.refname), log.update_index));
        }
        reftable_iterator_destroy(&mut it);
        reftable_ref_record_release(&mut record);
        reftable_log_record_release(&mut log);
    }
    (refs, logs)
}

#[test]
fn a_stack_shows_deletions_unless_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut keep = reftable_write_options::EMPTY;
    keep.exact_log_message = DISABLED;
    let (showing, hiding) = (open(&dir, ptr::null()), open(&dir, &hiding()));
    for (name, is_deletion) in [(c"a", false), (c"b", false), (c"a", true)] {
        assert_eq!(add(showing, name, is_deletion, &keep), 0);
    }
    let mut record = reftable_ref_record::EMPTY;
    let mut log = reftable_log_record::EMPTY;
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    // SAFETY: the pointers are good.
    unsafe {
        let code = crate::capi::stack::reftable_stack_reload(hiding);
        assert_eq!(code, 0);
        assert_eq!(
            shown(showing),
            (texts(&["a-", "b+"]), texts(&["a3-", "a1+", "b2+"]))
        );
        assert_eq!(shown(hiding), (texts(&["b+"]), texts(&["a1+", "b2+"])));
        // A deleted ref is not found either way. Of logs, the newest record decides.
        for stack in [showing, hiding] {
            assert_eq!(
                reftable_stack_read_ref(stack, c"a".as_ptr(), &mut record),
                1
            );
        }
        assert_eq!(reftable_stack_read_log(showing, c"a".as_ptr(), &mut log), 1);
        assert_eq!(reftable_stack_read_log(hiding, c"a".as_ptr(), &mut log), 0);
        assert_eq!(log.update_index, 1);
        reftable_log_record_release(&mut log);
        reftable_stack_destroy(showing);
        reftable_stack_destroy(hiding);
    }
}

#[test]
fn each_change_has_its_own_options() {
    let dir = tempfile::tempdir().unwrap();
    let stack = open(&dir, ptr::null());
    let mut keep = reftable_write_options::EMPTY;
    keep.exact_log_message = DISABLED;
    let mut required = false;
    // SAFETY: the pointers are good.
    unsafe {
        assert_eq!(add(stack, c"a", false, &keep), 0);
        assert_eq!(add(stack, c"b", false, &keep), 0);
        assert_eq!(list(&dir).len(), 2, "not compacted");
        let lenient = reftable_write_options {
            auto_compaction_factor: 1,
            ..reftable_write_options::EMPTY
        };
        for (options, expected) in [(ptr::null(), true), (ptr::from_ref(&lenient), false)] {
            let code = reftable_stack_compaction_required(stack, options, true, &mut required);
            assert_eq!((code, required), (0, expected));
        }
        assert_eq!(reftable_stack_auto_compact(stack, &lenient), 0);
        assert_eq!(list(&dir).len(), 2, "balanced by that factor");
        assert_eq!(add(stack, c"c", false, ptr::null()), 0);
        assert_eq!(list(&dir).len(), 1, "NULL means the defaults");
        let private = reftable_write_options {
            default_permissions: 0o600,
            ..keep
        };
        let mut addition = ptr::null_mut();
        let code = reftable_stack_new_addition(&mut addition, stack, &private, 0);
        assert_eq!(code, 0);
        let mut change = Change {
            name: c"d",
            update_index: reftable_stack_next_update_index(stack),
            is_deletion: false,
        };
        let arg = ptr::from_mut(&mut change).cast();
        assert_eq!(reftable_addition_add(addition, Some(write), arg), 0);
        assert_eq!(reftable_addition_commit(addition), 0);
        reftable_addition_destroy(addition);
        let tables = list(&dir);
        assert_eq!(tables.len(), 2, "the addition keeps its options");
        let mode = |name: &str| {
            let metadata = fs::metadata(dir.path().join(name)).unwrap();
            metadata.permissions().mode() & 0o777
        };
        assert_eq!((mode(&tables[1]), mode("tables.list")), (0o600, 0o600));
        let shared = reftable_write_options {
            default_permissions: 0o664,
            ..reftable_write_options::EMPTY
        };
        assert_eq!(
            reftable_stack_compact_all(stack, &shared, ptr::null_mut()),
            0
        );
        let tables = list(&dir);
        assert_eq!((tables.len(), mode(&tables[0])), (1, 0o664));
        reftable_stack_destroy(stack);
    }
}

#[test]
fn a_lock_is_awaited_as_the_change_says() {
    let dir = tempfile::tempdir().unwrap();
    let stack = open(&dir, ptr::null());
    assert_eq!(add(stack, c"a", false, ptr::null()), 0);
    let lock = dir.path().join("tables.list.lock");
    fs::write(&lock, "").unwrap();
    let patient = reftable_write_options {
        lock_timeout_ms: -1,
        ..reftable_write_options::EMPTY
    };
    // SAFETY: the stack is good.
    unsafe {
        assert_eq!(add(stack, c"b", false, ptr::null()), -5);
        // It has no options, and never waits.
        assert_eq!(reftable_stack_clean(stack), -5);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(20));
                fs::remove_file(&lock).unwrap();
            });
            assert_eq!(add(stack, c"b", false, &patient), 0);
        });
        assert_eq!(reftable_stack_clean(stack), 0);
        reftable_stack_destroy(stack);
    }
}

unsafe extern "C" fn write_bytes(_: *mut c_void, _: *const c_void, len: usize) -> ssize_t {
    ssize_t::try_from(len).unwrap()
}

unsafe extern "C" fn flush(_: *mut c_void) -> c_int {
    0
}

#[test]
fn a_writer_takes_a_hash_function_and_null_options() {
    let mut w = ptr::null_mut();
    let (write, none) = (Some(write_bytes as _), ptr::null_mut());
    for (hash, code) in [(0, 0), (89, 0), (247, 0), (5, -6)] {
        // SAFETY: the pointers are good or NULL.
        unsafe {
            let made = reftable_writer_new(&mut w, write, Some(flush), none, hash, ptr::null());
            assert_eq!(made, code);
            if code == 0 {
                reftable_writer_free(w);
            }
        }
    }
}
