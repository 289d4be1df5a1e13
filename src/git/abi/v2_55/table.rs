//! `refs_be_reftable` for git 2.55.0, and the entry points that only this release has.
//!
//! The rules of `vtable` hold here, too.

#![expect(unsafe_code, reason = "the entry points that git calls")]

use super::layout::{
    RefIterator, RefIteratorVtable, RefStorageBe, RefsOptimizeOpts, REFS_OPTIMIZE_AUTO,
    REF_ITERATOR_SEEK_SET_PREFIX,
};
use super::options::RefStoreInitOptions;
use crate::git::abi::{FsckOptions, ObjectId, RefStore, Repository, StrBuf, Worktree};
use crate::git::sys::messages;
use crate::git::sys::strings::{borrow, OwnedBuffer};
use crate::git::vtable::{self, iterators, reflogs, Opening};
use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

extern "C" {
    fn refs_compute_filesystem_location(
        gitdir: *const c_char,
        payload: *const c_char,
        is_worktree: *mut bool,
        refdir: *mut StrBuf,
        common_dir: *mut StrBuf,
    );
    fn is_main_worktree(worktree: *const Worktree) -> c_int;

    // refs/reftable-rust.c
    fn reftable_rs_worktree_id(worktree: *const Worktree) -> *const c_char;
}

/// Git's table for the format "reftable".
///
/// Never written to, but C declares it without `const`.
#[no_mangle]
pub static mut refs_be_reftable: RefStorageBe = RefStorageBe {
    name: c"reftable".as_ptr(),
    init: Some(init),
    release: Some(vtable::release),
    create_on_disk: Some(vtable::create_on_disk),
    remove_on_disk: Some(vtable::remove_on_disk),
    transaction_prepare: Some(vtable::transaction_prepare),
    transaction_finish: Some(vtable::transaction_finish),
    transaction_abort: Some(vtable::transaction_abort),
    optimize: Some(optimize),
    optimize_required: Some(optimize_required),
    rename_ref: Some(vtable::rename_ref),
    copy_ref: Some(vtable::copy_ref),
    iterator_begin: Some(iterator_begin),
    read_raw_ref: Some(vtable::read_raw_ref),
    read_symbolic_ref: Some(vtable::read_symbolic_ref),
    reflog_iterator_begin: Some(reflog_iterator_begin),
    for_each_reflog_ent: Some(reflogs::for_each_reflog_ent),
    for_each_reflog_ent_reverse: Some(reflogs::for_each_reflog_ent_reverse),
    reflog_exists: Some(reflogs::reflog_exists),
    create_reflog: Some(reflogs::create_reflog),
    delete_reflog: Some(reflogs::delete_reflog),
    reflog_expire: Some(reflogs::reflog_expire),
    fsck: Some(fsck),
    oid_iterator_begin: Some(oid_iterator_begin),
};

static REF_ITERATOR: RefIteratorVtable = RefIteratorVtable {
    advance: Some(iterators::ref_advance),
    seek: Some(ref_seek),
    release: Some(iterators::ref_release),
    limit_to_oids: Some(ref_limit_to_oids),
};

static REFLOG_ITERATOR: RefIteratorVtable = RefIteratorVtable {
    advance: Some(iterators::reflog_advance),
    seek: Some(reflog_seek),
    release: Some(iterators::reflog_release),
    limit_to_oids: None,
};

unsafe extern "C" fn init(
    repo: *mut Repository,
    payload: *const c_char,
    gitdir: *const c_char,
    options: *const RefStoreInitOptions,
) -> *mut RefStore {
    let mut is_worktree = false;
    let (mut git_dir, mut common_dir) = (OwnedBuffer::new(), OwnedBuffer::new());
    // SAFETY: git passes a repository that outlives the store; all else lives through the call.
    unsafe {
        refs_compute_filesystem_location(
            gitdir,
            payload,
            &mut is_worktree,
            git_dir.as_ptr(),
            common_dir.as_ptr(),
        );
        vtable::open_store(&Opening {
            repo,
            table: ptr::addr_of!(refs_be_reftable),
            git_dir: git_dir.as_c_str(),
            common_dir: common_dir.as_c_str(),
            is_worktree,
            access: (*options).access_flags,
        })
    }
}

unsafe extern "C" fn optimize(raw: *mut RefStore, options: *mut RefsOptimizeOpts) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe { vtable::optimize(raw, (*options).flags & REFS_OPTIMIZE_AUTO != 0) }
}

unsafe extern "C" fn optimize_required(
    raw: *mut RefStore,
    options: *mut RefsOptimizeOpts,
    required: *mut bool,
) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe { vtable::optimize_required(raw, (*options).flags & REFS_OPTIMIZE_AUTO != 0, required) }
}

unsafe extern "C" fn iterator_begin(
    raw: *mut RefStore,
    prefix: *const c_char,
    excludes: *mut *const c_char,
    flags: c_uint,
) -> *mut RefIterator {
    // SAFETY: git passes live pointers.
    unsafe { iterators::begin_refs(raw, prefix, excludes, flags, &REF_ITERATOR) }
}

unsafe extern "C" fn oid_iterator_begin(
    raw: *mut RefStore,
    oid: *const ObjectId,
    flags: c_uint,
) -> *mut RefIterator {
    // SAFETY: git passes live pointers.
    unsafe { iterators::begin_refs_of(raw, oid, flags, &REF_ITERATOR) }
}

unsafe extern "C" fn reflog_iterator_begin(raw: *mut RefStore) -> *mut RefIterator {
    // SAFETY: git passes live pointers.
    unsafe { iterators::begin_reflogs(raw, &REFLOG_ITERATOR) }
}

unsafe extern "C" fn ref_seek(iter: *mut RefIterator, name: *const c_char, flags: c_uint) -> c_int {
    let set_prefix = flags & REF_ITERATOR_SEEK_SET_PREFIX != 0;
    // SAFETY: git passes live pointers.
    unsafe { iterators::ref_seek(iter, name, set_prefix) }
}

unsafe extern "C" fn ref_limit_to_oids(iter: *mut RefIterator, ids: *const ObjectId, count: usize) {
    // SAFETY: git passes live pointers.
    unsafe { iterators::ref_limit_to(iter, ids, count) }
}

unsafe extern "C" fn reflog_seek(_: *mut RefIterator, _: *const c_char, _: c_uint) -> c_int {
    messages::bug(c"reftable reflog iterator cannot be seeked", &[])
}

unsafe extern "C" fn fsck(
    raw: *mut RefStore,
    options: *mut FsckOptions,
    worktree: *mut Worktree,
) -> c_int {
    // SAFETY: git passes live pointers; the string belongs to the worktree.
    unsafe {
        let is_main = is_main_worktree(worktree) != 0;
        let id = (!is_main).then(|| borrow(reftable_rs_worktree_id(worktree)).unwrap_or_default());
        vtable::fsck(raw, options, id)
    }
}
