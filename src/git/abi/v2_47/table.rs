//! `refs_be_reftable` for git 2.47.3, and the entry points that only this release has.
//!
//! The rules of `vtable` hold here, too.

#![expect(unsafe_code, reason = "the entry points that git calls")]

use super::layout::{PackRefsOpts, RefIterator, RefIteratorVtable, RefStorageBe, PACK_REFS_AUTO};
use super::stubs;
use crate::git::abi::{
    FsckOptions, ObjectId, RefStore, RefTransaction, Repository, StrBuf, ITER_DONE, ITER_OK,
};
use crate::git::sys::messages;
use crate::git::sys::strings::OwnedBuffer;
use crate::git::vtable::{self, iterators, reflogs, Opening};
use std::ffi::{c_char, c_int, c_uint, CStr, CString};
use std::ptr;

extern "C" {
    fn get_common_dir_noenv(common_dir: *mut StrBuf, gitdir: *const c_char) -> c_int;
    fn base_ref_iterator_free(iter: *mut RefIterator);
    fn ref_transaction_commit(transaction: *mut RefTransaction, err: *mut StrBuf) -> c_int;
}

/// Git's table for the format "reftable".
///
/// Never written to, but C declares it without `const`.
#[no_mangle]
pub static mut refs_be_reftable: RefStorageBe = RefStorageBe {
    name: c"reftable".as_ptr(),
    init: Some(init),
    release: Some(vtable::release),
    create_on_disk: Some(create_on_disk),
    remove_on_disk: Some(vtable::remove_on_disk),
    transaction_prepare: Some(vtable::transaction_prepare),
    transaction_finish: Some(vtable::transaction_finish),
    transaction_abort: Some(vtable::transaction_abort),
    initial_transaction_commit: Some(initial_transaction_commit),
    pack_refs: Some(pack_refs),
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
};

static REF_ITERATOR: RefIteratorVtable = RefIteratorVtable {
    advance: Some(ref_advance),
    peel: Some(ref_peel),
    abort: Some(ref_abort),
};

static REFLOG_ITERATOR: RefIteratorVtable = RefIteratorVtable {
    advance: Some(reflog_advance),
    peel: Some(reflog_peel),
    abort: Some(reflog_abort),
};

unsafe extern "C" fn init(
    repo: *mut Repository,
    gitdir: *const c_char,
    access: c_uint,
) -> *mut RefStore {
    let mut common_dir = OwnedBuffer::new();
    // SAFETY: git passes a repository that outlives the store, and a string.
    unsafe {
        let is_worktree = get_common_dir_noenv(common_dir.as_ptr(), gitdir) != 0;
        vtable::open_store(&Opening {
            repo,
            table: ptr::addr_of!(refs_be_reftable),
            git_dir: CStr::from_ptr(gitdir),
            common_dir: common_dir.as_c_str(),
            is_worktree,
            access,
        })
    }
}

unsafe extern "C" fn create_on_disk(raw: *mut RefStore, flags: c_int, err: *mut StrBuf) -> c_int {
    // SAFETY: git passes live pointers, and a store has a git directory.
    unsafe {
        let result = vtable::create_on_disk(raw, flags, err);
        stubs::create((*raw).repo, CStr::from_ptr((*raw).gitdir));
        result
    }
}

unsafe extern "C" fn initial_transaction_commit(
    _: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe { ref_transaction_commit(transaction, err) }
}

unsafe extern "C" fn pack_refs(raw: *mut RefStore, options: *mut PackRefsOpts) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe { vtable::optimize(raw, (*options).flags & PACK_REFS_AUTO != 0) }
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

unsafe extern "C" fn reflog_iterator_begin(raw: *mut RefStore) -> *mut RefIterator {
    // SAFETY: git passes live pointers.
    unsafe { iterators::begin_reflogs(raw, &REFLOG_ITERATOR) }
}

unsafe extern "C" fn ref_advance(iter: *mut RefIterator) -> c_int {
    // SAFETY: git passes a live iterator. At the end, and after an error, it expects the iterator
    // to be gone.
    unsafe {
        let result = iterators::ref_advance(iter);
        if result != ITER_OK {
            ref_abort(iter);
        }
        result
    }
}

unsafe extern "C" fn ref_peel(iter: *mut RefIterator, peeled: *mut ObjectId) -> c_int {
    // SAFETY: git passes live pointers.
    match unsafe { iterators::ref_peeled(iter) } {
        Some(oid) => {
            // SAFETY: as above.
            unsafe { *peeled = oid };
            0
        }
        None => -1,
    }
}

unsafe extern "C" fn ref_abort(iter: *mut RefIterator) -> c_int {
    // SAFETY: git passes a live iterator, and does not use it again.
    unsafe {
        iterators::ref_release(iter);
        base_ref_iterator_free(iter);
    }
    ITER_DONE
}

unsafe extern "C" fn reflog_advance(iter: *mut RefIterator) -> c_int {
    // SAFETY: as in `ref_advance`.
    unsafe {
        let result = iterators::reflog_advance(iter);
        if result != ITER_OK {
            reflog_abort(iter);
        }
        result
    }
}

unsafe extern "C" fn reflog_peel(_: *mut RefIterator, _: *mut ObjectId) -> c_int {
    messages::bug(c"reftable reflog iterator cannot be peeled", &[])
}

unsafe extern "C" fn reflog_abort(iter: *mut RefIterator) -> c_int {
    // SAFETY: as in `ref_abort`.
    unsafe {
        iterators::reflog_release(iter);
        base_ref_iterator_free(iter);
    }
    ITER_DONE
}

unsafe extern "C" fn fsck(raw: *mut RefStore, options: *mut FsckOptions) -> c_int {
    let mut common_dir = OwnedBuffer::new();
    // SAFETY: git passes live pointers, and a store has a git directory. That of a linked
    // worktree has its name.
    unsafe {
        let gitdir = (*raw).gitdir;
        let is_worktree = get_common_dir_noenv(common_dir.as_ptr(), gitdir) != 0;
        let name = CStr::from_ptr(gitdir)
            .to_bytes()
            .rsplit(|&byte| byte == b'/')
            .next();
        let name = CString::new(name.unwrap_or_default()).unwrap_or_default();
        vtable::fsck(raw, options, is_worktree.then_some(&name))
    }
}
