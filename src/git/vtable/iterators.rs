//! The C objects of iterators.

use super::arguments::{store, text};
use crate::git::abi::{
    self, calls, ffi, ObjectId, RefIterator, RefIteratorVtable, RefStore, ShownRef, ITER_DONE,
    ITER_ERROR, ITER_OK,
};
use crate::git::backend::Backend;
use crate::git::exclude::Excludes;
use crate::git::failure::{complain, Outcome};
use crate::git::iterator::RefIter;
use crate::git::reflog::ReflogIter;
use crate::git::store::Store;
use std::ffi::{c_char, c_int, c_uint, CStr};
use std::mem::size_of;
use std::ops::Deref;
use std::ptr;

/// An iterator over refs. Git frees it after `release`, which frees `inner`.
#[repr(C)]
struct RefIterObject {
    base: RefIterator,
    inner: *mut RefIter,
}

/// An iterator over the names that have logs.
#[repr(C)]
struct ReflogIterObject {
    base: RefIterator,
    /// The store, and what the current name resolves to in it, for releases that want to know.
    store: *mut RefStore,
    oid: ObjectId,
    inner: *mut ReflogIter,
}

/// An iterator over refs, for a caller that will use it through `table`.
///
/// # Safety
///
/// As at the head of `vtable`; `excludes` is NULL or an array that ends with NULL.
pub unsafe fn begin_refs(
    raw: *mut RefStore,
    prefix: *const c_char,
    excludes: *mut *const c_char,
    flags: c_uint,
    table: &'static RefIteratorVtable,
) -> *mut RefIterator {
    let mut required = abi::REF_STORE_READ;
    if flags & abi::REFS_FOR_EACH_INCLUDE_BROKEN == 0 {
        required |= abi::REF_STORE_ODB;
    }
    // SAFETY: see the head of `vtable`; the patterns end with NULL.
    unsafe {
        let store = store(raw, required, c"ref_iterator_begin");
        let begin = |backend: Outcome<&Backend>| {
            let excludes = Excludes::new(patterns(excludes.cast_const()).map(CStr::to_bytes));
            let prefix = text(prefix).to_bytes();
            new_ref_iterator(
                RefIter::begin(store, backend, prefix, excludes, flags),
                table,
            )
        };
        both_stacks(store, &begin)
    }
}

/// An iterator over the refs with the value or the peeled value `oid`, as far as the object sections
/// show them, or NULL if looking there would take long or fails.
///
/// # Safety
///
/// As at the head of `vtable`.
#[allow(dead_code, reason = "some releases have no such entry point")]
pub unsafe fn begin_refs_of(
    raw: *mut RefStore,
    oid: *const ObjectId,
    flags: c_uint,
    table: &'static RefIteratorVtable,
) -> *mut RefIterator {
    // SAFETY: see the head of `vtable`.
    let (store, oid) = unsafe {
        (
            store(raw, abi::REF_STORE_READ, c"oid_iterator_begin"),
            &*oid,
        )
    };
    let begin = |backend: Outcome<&Backend>| {
        let mut refs = RefIter::begin(store, backend, b"", Excludes::default(), flags);
        matches!(refs.find(oid), Ok(true)).then_some(refs)
    };
    let Some(main) = begin(store.main().map(Deref::deref)) else {
        return ptr::null_mut();
    };
    let Some(worktree) = store.worktree() else {
        return new_ref_iterator(main, table);
    };
    let Some(worktree) = begin(Ok(worktree)) else {
        return ptr::null_mut();
    };
    let worktree = new_ref_iterator(worktree, table);
    // SAFETY: the merging iterator takes both over.
    unsafe { calls::merge_iterators(worktree, new_ref_iterator(main, table)) }
}

/// An iterator over the names that have reflogs, for a caller that will use it through `table`.
///
/// # Safety
///
/// As at the head of `vtable`.
pub unsafe fn begin_reflogs(
    raw: *mut RefStore,
    table: &'static RefIteratorVtable,
) -> *mut RefIterator {
    // SAFETY: see the head of `vtable`.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"reflog_iterator_begin");
        both_stacks(store, &|backend| {
            new_reflog_iterator(raw, ReflogIter::begin(backend), table)
        })
    }
}

/// An iterator over the main stack or, in a linked worktree, git's merge of that with the
/// worktree's.
///
/// # Safety
///
/// `begin` returns live iterators that nothing else uses.
unsafe fn both_stacks(
    store: &Store,
    begin: &dyn Fn(Outcome<&Backend>) -> *mut RefIterator,
) -> *mut RefIterator {
    let main = begin(store.main().map(Deref::deref));
    let Some(worktree) = store.worktree() else {
        return main;
    };
    let worktree = begin(Ok(worktree));
    // SAFETY: the merging iterator takes both over.
    unsafe { calls::merge_iterators(worktree, main) }
}

/// The strings of an array that ends with NULL. A NULL array counts as empty.
///
/// # Safety
///
/// `array` is NULL or such an array, and its strings live for `'a`.
unsafe fn patterns<'a>(array: *const *const c_char) -> impl Iterator<Item = &'a CStr> {
    let mut next = array;
    std::iter::from_fn(move || {
        if next.is_null() {
            return None;
        }
        // SAFETY: not past the NULL at the end, where `next` stays.
        unsafe {
            let string = *next;
            if string.is_null() {
                return None;
            }
            next = next.add(1);
            Some(CStr::from_ptr(string))
        }
    })
}

fn new_ref_iterator(inner: RefIter, table: &'static RefIteratorVtable) -> *mut RefIterator {
    // SAFETY: the new object is zeroed and large enough.
    unsafe {
        let object: *mut RefIterObject = ffi::xcalloc(1, size_of::<RefIterObject>()).cast();
        let base = ptr::addr_of_mut!((*object).base);
        calls::init_iterator(base, table);
        (*object).inner = Box::into_raw(Box::new(inner));
        base
    }
}

pub unsafe extern "C" fn ref_advance(base: *mut RefIterator) -> c_int {
    let object: *mut RefIterObject = base.cast();
    // SAFETY: git passes an iterator of ours that is not released. `inner` is borrowed once:
    // an iterator does not call itself. Git uses the name and the ids only until the next call.
    unsafe {
        let inner = &mut *(*object).inner;
        match inner.advance() {
            Ok(true) => {}
            Ok(false) => return ITER_DONE,
            Err(failure) => {
                failure.complain();
                return ITER_ERROR;
            }
        }
        let found = inner.current();
        let shown = ShownRef {
            name: inner.name().as_ptr(),
            target: found.target,
            oid: &found.oid,
            peeled: found.peeled.as_ref().map_or(ptr::null(), ptr::from_ref),
            flags: found.flags,
        };
        calls::show_ref(base, &shown);
    }
    ITER_OK
}

/// What the current ref of an iterator peels to, if that is known.
///
/// # Safety
///
/// As in `ref_advance`, which has returned `ITER_OK`.
#[allow(
    dead_code,
    reason = "an entry point in some releases, shown by the iterator in others"
)]
pub unsafe fn ref_peeled(base: *mut RefIterator) -> Option<ObjectId> {
    let object: *mut RefIterObject = base.cast();
    // SAFETY: the caller's promise.
    let peeled = unsafe { (*(*object).inner).current().peeled };
    peeled.filter(|oid| !oid.is_null())
}

/// Positions an iterator over refs at `name`, which becomes its prefix with `set_prefix`.
///
/// # Safety
///
/// As in `ref_advance`; `name` is NUL-terminated.
#[allow(dead_code, reason = "some releases have no such entry point")]
pub unsafe fn ref_seek(base: *mut RefIterator, name: *const c_char, set_prefix: bool) -> c_int {
    let object: *mut RefIterObject = base.cast();
    // SAFETY: the caller's promise.
    unsafe { complain((*(*object).inner).seek(text(name).to_bytes(), set_prefix)) }
}

/// Lets an iterator leave out the refs that cannot point at one of the `count` objects at `ids`.
///
/// # Safety
///
/// As in `ref_advance`; `ids` is NULL or points to `count` IDs, which live through the call.
#[allow(dead_code, reason = "some releases have no such entry point")]
pub unsafe fn ref_limit_to(base: *mut RefIterator, ids: *const ObjectId, count: usize) {
    let object: *mut RefIterObject = base.cast();
    // SAFETY: the caller's promise.
    unsafe {
        let ids = match ids.is_null() {
            true => &[],
            false => std::slice::from_raw_parts(ids, count),
        };
        (*(*object).inner).limit_to(ids);
    }
}

pub unsafe extern "C" fn ref_release(base: *mut RefIterator) {
    let object: *mut RefIterObject = base.cast();
    // SAFETY: called once, before git frees the object.
    unsafe { drop(Box::from_raw((*object).inner)) };
}

fn new_reflog_iterator(
    store: *mut RefStore,
    inner: ReflogIter,
    table: &'static RefIteratorVtable,
) -> *mut RefIterator {
    // SAFETY: as in `new_ref_iterator`.
    unsafe {
        let object: *mut ReflogIterObject = ffi::xcalloc(1, size_of::<ReflogIterObject>()).cast();
        let base = ptr::addr_of_mut!((*object).base);
        calls::init_iterator(base, table);
        (*object).store = store;
        (*object).inner = Box::into_raw(Box::new(inner));
        base
    }
}

/// The store of an iterator over names that have reflogs, and its slot for an ID.
///
/// # Safety
///
/// As in `reflog_advance`.
#[allow(dead_code, reason = "not every release shows IDs")]
pub unsafe fn reflog_slots(base: *mut RefIterator) -> (*mut RefStore, *mut ObjectId) {
    let object: *mut ReflogIterObject = base.cast();
    // SAFETY: the caller's promise.
    unsafe { ((*object).store, ptr::addr_of_mut!((*object).oid)) }
}

pub unsafe extern "C" fn reflog_advance(base: *mut RefIterator) -> c_int {
    let object: *mut ReflogIterObject = base.cast();
    // SAFETY: as in `ref_advance`.
    unsafe {
        let inner = &mut *(*object).inner;
        match inner.advance() {
            Ok(true) => {
                calls::show_reflog(base, inner.name().as_ptr());
                ITER_OK
            }
            Ok(false) => ITER_DONE,
            Err(failure) => {
                failure.complain();
                ITER_ERROR
            }
        }
    }
}

pub unsafe extern "C" fn reflog_release(base: *mut RefIterator) {
    let object: *mut ReflogIterObject = base.cast();
    // SAFETY: called once, before git frees the object.
    unsafe { drop(Box::from_raw((*object).inner)) };
}
