//! `refs_be_reftable` for git 2.39.5, and the entry points that only this release has.
//!
//! The rules of `vtable` hold here, too.

#![expect(unsafe_code, reason = "the entry points that git calls")]

use super::behavior::REF_SKIP_CREATE_REFLOG;
use super::calls;
use super::layout::{
    RefIterator, RefIteratorVtable, RefStorageBe, RefTransaction, REF_SKIP_OID_VERIFICATION,
    REF_TRANSACTION_ERROR_GENERIC, REF_TRANSACTION_ERROR_NAME_CONFLICT,
};
use super::stubs;
use super::updates;
use crate::git::abi::{
    ffi, ObjectId, PeelStatus, RefStore, RefUpdate, Repository, StrBuf, StringList, Worktree,
    ITER_DONE, ITER_OK, PEEL_PEELED, REF_HAVE_NEW, REF_NO_DEREF,
};
use crate::git::sys::strings::{borrow, OwnedBuffer};
use crate::git::vtable::{self, iterators, reflogs, Opening};
use std::ffi::{c_char, c_int, c_uint, CStr};
use std::ptr;

extern "C" {
    static mut refs_be_files: RefStorageBe;
    fn get_common_dir_noenv(common_dir: *mut StrBuf, gitdir: *const c_char) -> c_int;
    fn base_ref_iterator_free(iter: *mut RefIterator);
    fn ref_store_transaction_begin(store: *mut RefStore, err: *mut StrBuf) -> *mut RefTransaction;
    fn ref_transaction_delete(
        transaction: *mut RefTransaction,
        refname: *const c_char,
        old_oid: *const ObjectId,
        flags: c_uint,
        msg: *const c_char,
        err: *mut StrBuf,
    ) -> c_int;
    fn ref_transaction_commit(transaction: *mut RefTransaction, err: *mut StrBuf) -> c_int;
    fn ref_transaction_free(transaction: *mut RefTransaction);
    /// NULL for the main worktree.
    fn reftable_rs_worktree_id(worktree: *const Worktree) -> *const c_char;
}

/// Git's table for the format "reftable", the first of a list of all tables.
///
/// Never written to, but C declares it without `const`.
#[no_mangle]
pub static mut refs_be_reftable: RefStorageBe = RefStorageBe {
    next: ptr::addr_of_mut!(refs_be_files),
    name: c"reftable".as_ptr(),
    init: Some(init),
    init_db: Some(init_db),
    transaction_prepare: Some(transaction_prepare),
    transaction_finish: Some(transaction_finish),
    transaction_abort: Some(vtable::transaction_abort),
    initial_transaction_commit: Some(initial_transaction_commit),
    pack_refs: Some(pack_refs),
    create_symref: Some(create_symref),
    delete_refs: Some(delete_refs),
    rename_ref: Some(vtable::rename_ref),
    copy_ref: Some(vtable::copy_ref),
    iterator_begin: Some(iterator_begin),
    read_raw_ref: Some(read_raw_ref),
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
    // SAFETY: git passes a repository that outlives the store; all else lives through the call.
    unsafe {
        let is_worktree = get_common_dir_noenv(common_dir.as_ptr(), gitdir) != 0;
        vtable::open_store(&Opening {
            repo,
            table: ptr::addr_of!(refs_be_reftable),
            git_dir: borrow(gitdir).unwrap_or_default(),
            common_dir: common_dir.as_c_str(),
            is_worktree,
            access,
        })
    }
}

/// Creates the directory of the stack, and the stubs by which git recognises a repository.
unsafe extern "C" fn init_db(raw: *mut RefStore, err: *mut StrBuf) -> c_int {
    // SAFETY: git passes live pointers, and a store has a git directory.
    unsafe {
        let answer = vtable::create_on_disk(raw, 0, err);
        stubs::create((*raw).repo, CStr::from_ptr((*raw).gitdir));
        answer
    }
}

/// The number for git of a transaction's outcome. The backend's errors have numbers that mean
/// something else to this release.
fn transaction_result(answer: c_int) -> c_int {
    match answer {
        0 | REF_TRANSACTION_ERROR_NAME_CONFLICT => answer,
        _ => REF_TRANSACTION_ERROR_GENERIC,
    }
}

unsafe extern "C" fn transaction_prepare(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: git passes live pointers.
    transaction_result(unsafe { vtable::transaction_prepare(raw, transaction, err) })
}

unsafe extern "C" fn transaction_finish(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: git passes live pointers.
    let answer = unsafe { vtable::transaction_finish(raw, transaction, err) };
    if answer == 0 {
        0
    } else {
        REF_TRANSACTION_ERROR_GENERIC
    }
}

/// Prepares and finishes a transaction without git's hook.
///
/// # Safety
///
/// As at the head of `vtable`.
unsafe fn commit_quietly(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        match transaction_prepare(raw, transaction, err) {
            0 => transaction_finish(raw, transaction, err),
            refused => refused,
        }
    }
}

/// Fills a new repository: no logs are written, no hook runs, and objects are not read,
/// like in the "files" format.
unsafe extern "C" fn initial_transaction_commit(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe {
        for i in 0..(*transaction).nr {
            let update: *mut RefUpdate = *(*transaction).updates.add(i);
            (*update).flags |= REF_SKIP_CREATE_REFLOG | REF_SKIP_OID_VERIFICATION;
        }
        commit_quietly(raw, transaction, err)
    }
}

/// Compacts the current worktree's stack, whichever refs the flags ask for.
unsafe extern "C" fn pack_refs(raw: *mut RefStore, _: c_uint) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe { vtable::optimize(raw, false) }
}

/// Verifies the stack of `worktree`. The shim reports without options.
unsafe extern "C" fn fsck(raw: *mut RefStore, worktree: *mut Worktree) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe {
        let id = borrow(reftable_rs_worktree_id(worktree));
        vtable::fsck(raw, ptr::null_mut(), id)
    }
}

unsafe extern "C" fn create_symref(
    raw: *mut RefStore,
    name: *const c_char,
    target: *const c_char,
    message: *const c_char,
) -> c_int {
    let mut err = OwnedBuffer::new();
    // SAFETY: git passes live pointers. The target outlives the transaction.
    let answer = unsafe {
        let transaction = ref_store_transaction_begin(raw, err.as_ptr());
        if transaction.is_null() {
            -1
        } else {
            let flags = REF_NO_DEREF | REF_HAVE_NEW;
            let update = updates::add_symref(transaction, name, flags, message);
            updates::set_new_target(update, target);
            let answer = commit_quietly(raw, transaction, err.as_ptr());
            ref_transaction_free(transaction);
            answer
        }
    };
    report(answer, c"%s", &[], &err)
}

/// Deletes refs in one transaction: all or none.
unsafe extern "C" fn delete_refs(
    raw: *mut RefStore,
    message: *const c_char,
    names: *mut StringList,
    flags: c_uint,
) -> c_int {
    let mut err = OwnedBuffer::new();
    // SAFETY: git passes live pointers.
    unsafe {
        if (*names).nr == 0 {
            return 0;
        }
        let transaction = ref_store_transaction_begin(raw, err.as_ptr());
        let mut answer = if transaction.is_null() { -1 } else { 0 };
        for i in 0..(*names).nr {
            if answer == 0 {
                let name = (*(*names).items.add(i)).string;
                let err = err.as_ptr();
                answer =
                    ref_transaction_delete(transaction, name, ptr::null(), flags, message, err);
            }
        }
        if answer == 0 {
            answer = ref_transaction_commit(transaction, err.as_ptr());
        }
        ref_transaction_free(transaction);
        match borrow((*(*names).items).string.cast_const()) {
            Some(name) if (*names).nr == 1 => {
                report(answer, c"could not delete reference %s: %s", &[name], &err)
            }
            _ => report(answer, c"could not delete references: %s", &[], &err),
        }
    }
}

/// Reports the text in `err` when `answer` is a failure.
fn report(answer: c_int, format: &'static CStr, what: &[&CStr], err: &OwnedBuffer) -> c_int {
    if answer == 0 {
        return 0;
    }
    let text = err.as_c_str();
    match what {
        [name] => crate::git::sys::messages::error(format, &[name, text]),
        _ => crate::git::sys::messages::error(format, &[text]),
    };
    -1
}

unsafe extern "C" fn read_raw_ref(
    raw: *mut RefStore,
    name: *const c_char,
    oid: *mut ObjectId,
    referent: *mut StrBuf,
    kind: *mut c_uint,
    failure_errno: *mut c_int,
) -> c_int {
    // SAFETY: git passes live pointers.
    unsafe {
        match vtable::read_raw_ref(raw, name, oid, referent, kind, failure_errno) {
            0 => 0,
            _ => -1,
        }
    }
}

unsafe extern "C" fn iterator_begin(
    raw: *mut RefStore,
    prefix: *const c_char,
    flags: c_uint,
) -> *mut RefIterator {
    // SAFETY: git passes live pointers.
    unsafe { iterators::begin_refs(raw, prefix, ptr::null_mut(), flags, &REF_ITERATOR) }
}

unsafe extern "C" fn reflog_iterator_begin(raw: *mut RefStore) -> *mut RefIterator {
    // SAFETY: git passes live pointers.
    unsafe { iterators::begin_reflogs(raw, &REFLOG_ITERATOR) }
}

/// Advances an iterator over refs, which is freed at its end.
unsafe extern "C" fn ref_advance(iter: *mut RefIterator) -> c_int {
    // SAFETY: git passes a live iterator, and does not use it after its end.
    unsafe {
        let answer = iterators::ref_advance(iter);
        if answer != ITER_OK {
            ref_abort(iter);
        }
        answer
    }
}

unsafe extern "C" fn ref_abort(iter: *mut RefIterator) -> c_int {
    // SAFETY: git passes a live iterator, and does not use it afterwards.
    unsafe {
        iterators::ref_release(iter);
        base_ref_iterator_free(iter);
    }
    ITER_DONE
}

unsafe extern "C" fn ref_peel(iter: *mut RefIterator, peeled: *mut ObjectId) -> c_int {
    // SAFETY: git passes a live iterator that has a current ref.
    unsafe {
        if let Some(known) = iterators::ref_peeled(iter) {
            *peeled = known;
            return 0;
        }
        peel((*iter).oid, peeled)
    }
}

/// # Safety
///
/// Both pointers are valid.
unsafe fn peel(oid: *const ObjectId, peeled: *mut ObjectId) -> c_int {
    const PEELED: PeelStatus = PEEL_PEELED;
    // SAFETY: the caller's promise.
    if unsafe { calls::peel(ptr::null_mut(), oid, peeled) } {
        PEELED
    } else {
        -1
    }
}

/// Advances an iterator over the names that have reflogs, which is freed at its end. The names
/// come with what they resolve to; those that do not resolve are reported and left out.
unsafe extern "C" fn reflog_advance(iter: *mut RefIterator) -> c_int {
    // SAFETY: git passes a live iterator, and does not use it after its end.
    unsafe {
        loop {
            let answer = iterators::reflog_advance(iter);
            if answer != ITER_OK {
                reflog_abort(iter);
                return answer;
            }
            let (store, oid) = iterators::reflog_slots(iter);
            let name = (*iter).refname;
            let mut flags: c_int = 0;
            if !ffi::refs_resolve_ref_unsafe(store, name, 0, oid, &mut flags).is_null() {
                let flags = c_uint::from_ne_bytes(flags.to_ne_bytes());
                calls::show_reflog_id(iter, oid, flags);
                return ITER_OK;
            }
            let name = borrow(name).unwrap_or_default();
            crate::git::sys::messages::error(c"bad ref for %s", &[name]);
        }
    }
}

unsafe extern "C" fn reflog_abort(iter: *mut RefIterator) -> c_int {
    // SAFETY: git passes a live iterator, and does not use it afterwards.
    unsafe {
        iterators::reflog_release(iter);
        base_ref_iterator_free(iter);
    }
    ITER_DONE
}

unsafe extern "C" fn reflog_peel(iter: *mut RefIterator, peeled: *mut ObjectId) -> c_int {
    // SAFETY: git passes a live iterator that has a current name.
    unsafe { peel((*iter).oid, peeled) }
}
