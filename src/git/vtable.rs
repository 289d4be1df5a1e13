//! `refs_be_reftable`: the function table that git calls, and the C objects
//! that it holds on to.
//!
//! Every function here only translates: raw pointers to the safe vocabulary of
//! `sys`, outcomes to numbers. Objects that git frees with `free()` are
//! allocated with git's `xcalloc()` and begin with git's base struct.
//!
//! Pointers are valid as `refs/refs-internal.h` promises: stores and
//! transactions live through the call, strings are NUL-terminated, and a call
//! for one store never runs on two threads at once.

#![expect(unsafe_code, reason = "the entry points that git calls")]

use super::abi::{self, ObjectId, RefStore, RefTransaction, StrBuf};
use super::failure::{code, complain, Outcome};
use super::store::Store;
use super::sys::refs::{FsckOptions, StoreHandle};
use super::sys::repo::{Repository, Worktree};
use super::sys::strings::{borrow, Buffer, OwnedBuffer};
use super::sys::transaction::Transaction;
use super::sys::{ending, ffi, messages};
use super::transaction::Prepared;
use super::{copy, fsck, lifecycle, optimize, transaction};
use crate::git::backend::RefState;
use crate::git::store::Reload;
use std::ffi::{c_char, c_int, c_uint, CStr};
use std::ptr::{self, NonNull};

mod iterators;
mod reflogs;

/// Git's table for the format "reftable".
///
/// Never written to, but C declares it without `const`.
#[no_mangle]
pub static mut refs_be_reftable: abi::RefStorageBe = abi::RefStorageBe {
    name: c"reftable".as_ptr(),
    init: Some(init),
    release: Some(release),
    create_on_disk: Some(create_on_disk),
    remove_on_disk: Some(remove_on_disk),
    transaction_prepare: Some(transaction_prepare),
    transaction_finish: Some(transaction_finish),
    transaction_abort: Some(transaction_abort),
    optimize: Some(optimize),
    optimize_required: Some(optimize_required),
    rename_ref: Some(rename_ref),
    copy_ref: Some(copy_ref),
    iterator_begin: Some(iterators::iterator_begin),
    read_raw_ref: Some(read_raw_ref),
    read_symbolic_ref: Some(read_symbolic_ref),
    reflog_iterator_begin: Some(iterators::reflog_iterator_begin),
    for_each_reflog_ent: Some(reflogs::for_each_reflog_ent),
    for_each_reflog_ent_reverse: Some(reflogs::for_each_reflog_ent_reverse),
    reflog_exists: Some(reflogs::reflog_exists),
    create_reflog: Some(reflogs::create_reflog),
    delete_reflog: Some(reflogs::delete_reflog),
    reflog_expire: Some(reflogs::reflog_expire),
    fsck: Some(fsck_stack),
};

/// The C object of a store. Git frees it after `release`, which frees `inner`.
#[repr(C)]
struct StoreObject {
    base: RefStore,
    inner: *mut Store,
}

/// The store behind `raw`, which must be ours and allow `required` accesses.
///
/// # Safety
///
/// `raw` is a ref store that git got from `init`, not yet released.
unsafe fn store<'a>(raw: *mut RefStore, required: c_uint, caller: &'static CStr) -> &'a Store {
    // SAFETY: the caller's promise: `raw` is alive.
    let be = unsafe { (*raw).be };
    if !ptr::eq(be, ptr::addr_of!(refs_be_reftable)) {
        messages::bug(c"ref_store is not \"reftables\" in %s", &[caller]);
    }
    // SAFETY: a store with our table is the head of a `StoreObject`.
    let Some(store) = (unsafe { (*raw.cast::<StoreObject>()).inner.as_ref() }) else {
        messages::bug(c"ref_store is released in %s", &[caller]);
    };
    if store.access & required != required {
        messages::bug(
            c"operation %s requires abilities that the store lacks",
            &[caller],
        );
    }
    store
}

/// A string argument; NULL is taken as empty.
///
/// # Safety
///
/// `raw` is NULL or NUL-terminated and lives through the call.
unsafe fn text<'a>(raw: *const c_char) -> &'a CStr {
    // SAFETY: the caller's promise.
    unsafe { borrow(raw) }.unwrap_or_default()
}

/// The buffer for messages; git always passes one.
///
/// # Safety
///
/// `raw` is an initialised strbuf, lent for the call.
unsafe fn buffer<'a>(raw: *mut StrBuf) -> Buffer<'a> {
    // SAFETY: the caller's promise.
    match unsafe { Buffer::from_raw(raw) } {
        Some(buffer) => buffer,
        None => messages::bug(c"missing buffer", &[]),
    }
}

unsafe extern "C" fn init(
    repo: *mut abi::Repository,
    payload: *const c_char,
    gitdir: *const c_char,
    options: *const abi::RefStoreInitOptions,
) -> *mut RefStore {
    ending::die_of_panics();
    // SAFETY: git passes a repository that outlives the store, and options
    // that live through the call. The new object is zeroed, large enough for a
    // `StoreObject`, and its address stays.
    unsafe {
        let object: *mut StoreObject = ffi::xcalloc(1, std::mem::size_of::<StoreObject>()).cast();
        let base = ptr::addr_of_mut!((*object).base);
        let repository = Repository::from_raw(repo);
        let mut is_worktree = false;
        let (mut git_dir, mut common_dir) = (OwnedBuffer::new(), OwnedBuffer::new());
        ffi::refs_compute_filesystem_location(
            gitdir,
            payload,
            &mut is_worktree,
            git_dir.as_ptr(),
            common_dir.as_ptr(),
        );
        ffi::base_ref_store_init(
            base,
            repo,
            git_dir.as_c_str().as_ptr(),
            ptr::addr_of!(refs_be_reftable),
        );
        let Some(hash) = repository.hash_id() else {
            messages::bug(c"unknown hash algorithm", &[]);
        };
        let location = lifecycle::locate(is_worktree, git_dir.as_c_str(), common_dir.as_c_str());
        let store = Store::open(
            StoreHandle::from_raw(base),
            repository,
            hash,
            (*options).access_flags,
            &location,
        );
        let opened = store.check().is_ok();
        (*object).inner = Box::into_raw(Box::new(store));
        if opened {
            let dir = ptr::addr_of_mut!((*object).base.gitdir);
            ffi::chdir_notify_reparent(c"reftables-backend $GIT_DIR".as_ptr(), dir);
        }
        base
    }
}

unsafe extern "C" fn release(raw: *mut RefStore) {
    // SAFETY: `raw` came from `init`; the pointer is cleared, so that a second
    // release finds nothing.
    unsafe {
        let slot = ptr::addr_of_mut!((*raw.cast::<StoreObject>()).inner);
        let inner = slot.replace(ptr::null_mut());
        if !inner.is_null() {
            drop(Box::from_raw(inner));
        }
    }
}

unsafe extern "C" fn create_on_disk(raw: *mut RefStore, _: c_int, _: *mut StrBuf) -> c_int {
    // SAFETY: see the head of this file.
    let store = unsafe { store(raw, abi::REF_STORE_WRITE, c"create") };
    lifecycle::create_on_disk(store.repo, store.handle.git_dir());
    0
}

unsafe extern "C" fn remove_on_disk(raw: *mut RefStore, err: *mut StrBuf) -> c_int {
    // SAFETY: see the head of this file. The handle stays valid: the C object
    // outlives the release of its inside.
    unsafe {
        let handle = store(raw, abi::REF_STORE_WRITE, c"remove").handle;
        release(raw);
        if lifecycle::remove_on_disk(handle.git_dir(), &mut buffer(err)) {
            0
        } else {
            -1
        }
    }
}

unsafe extern "C" fn transaction_prepare(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    const REQUIRED: c_uint = abi::REF_STORE_WRITE | abi::REF_STORE_MAIN;
    // SAFETY: see the head of this file. What is prepared refers to updates of
    // the transaction and is taken back before the transaction is freed.
    unsafe {
        let store = store(raw, REQUIRED, c"ref_transaction_prepare");
        let mut transaction = lent(transaction);
        transaction::prepare(store, &mut transaction, &mut buffer(err))
    }
}

unsafe extern "C" fn transaction_finish(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: see the head of this file; only `transaction_prepare` puts data.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, c"ref_transaction_finish");
        let mut transaction = lent(transaction);
        let prepared = transaction.take_data::<Prepared>();
        transaction::finish(store, prepared, &mut transaction, &mut buffer(err))
    }
}

unsafe extern "C" fn transaction_abort(
    _: *mut RefStore,
    transaction: *mut RefTransaction,
    _: *mut StrBuf,
) -> c_int {
    // SAFETY: see the head of this file; only `transaction_prepare` puts data.
    unsafe {
        let mut transaction = lent(transaction);
        drop(transaction.take_data::<Prepared>());
        transaction.set_state(abi::REF_TRANSACTION_CLOSED);
    }
    0
}

/// # Safety
///
/// `raw` is a transaction that nobody else uses during the call.
unsafe fn lent(raw: *mut RefTransaction) -> Transaction<'static> {
    match NonNull::new(raw) {
        // SAFETY: the caller's promise.
        Some(raw) => unsafe { Transaction::from_raw(raw) },
        None => messages::bug(c"missing transaction", &[]),
    }
}

unsafe extern "C" fn optimize(raw: *mut RefStore, options: *mut abi::RefsOptimizeOpts) -> c_int {
    const REQUIRED: c_uint = abi::REF_STORE_WRITE | abi::REF_STORE_ODB;
    // SAFETY: see the head of this file.
    let (store, flags) = unsafe { (store(raw, REQUIRED, c"optimize_refs"), (*options).flags) };
    code(optimize::optimize(store, flags))
}

unsafe extern "C" fn optimize_required(
    raw: *mut RefStore,
    options: *mut abi::RefsOptimizeOpts,
    required: *mut bool,
) -> c_int {
    // SAFETY: see the head of this file; `required` is an out-pointer.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"optimize_refs_required");
        let answer = optimize::is_required(store, (*options).flags);
        complain(answer.map(|answer| *required = answer))
    }
}

unsafe extern "C" fn rename_ref(
    raw: *mut RefStore,
    old: *const c_char,
    new: *const c_char,
    message: *const c_char,
) -> c_int {
    // SAFETY: see the head of this file.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, c"rename_ref");
        complain(copy::rename(store, text(old), text(new), text(message)))
    }
}

unsafe extern "C" fn copy_ref(
    raw: *mut RefStore,
    old: *const c_char,
    new: *const c_char,
    message: *const c_char,
) -> c_int {
    // SAFETY: see the head of this file.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, c"copy_ref");
        complain(copy::copy(store, text(old), text(new), text(message)))
    }
}

fn read_state(store: &Store, name: &CStr) -> Outcome<RefState> {
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    backend.read_ref(name)
}

unsafe extern "C" fn read_raw_ref(
    raw: *mut RefStore,
    name: *const c_char,
    oid: *mut ObjectId,
    referent: *mut StrBuf,
    kind: *mut c_uint,
    failure_errno: *mut c_int,
) -> c_int {
    // SAFETY: see the head of this file. `name` may lie in `referent`: it is
    // not used any more when that is written.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"read_raw_ref");
        match read_state(store, text(name)) {
            Ok(RefState::Direct(found)) => *oid = found,
            Ok(RefState::Symbolic(target)) => {
                buffer(referent).set(target.as_bytes());
                *kind |= abi::REF_ISSYMREF;
            }
            Ok(RefState::Missing) => {
                *failure_errno = libc::ENOENT;
                return -1;
            }
            Err(failure) => {
                failure.complain();
                let number = failure.code();
                store.unreadable().set(Some(failure));
                // Anything else that is in there may be left of another call.
                *failure_errno = libc::EIO;
                return number;
            }
        }
    }
    0
}

unsafe extern "C" fn read_symbolic_ref(
    raw: *mut RefStore,
    name: *const c_char,
    referent: *mut StrBuf,
) -> c_int {
    // SAFETY: see the head of this file.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"read_symbolic_ref");
        match read_state(store, text(name)) {
            Ok(RefState::Symbolic(target)) => {
                buffer(referent).set(target.as_bytes());
                0
            }
            Ok(RefState::Direct(_)) => abi::NOT_A_SYMREF,
            Ok(RefState::Missing) => -1,
            Err(failure) => {
                failure.complain();
                -1
            }
        }
    }
}

unsafe extern "C" fn fsck_stack(
    raw: *mut RefStore,
    options: *mut abi::FsckOptions,
    worktree: *mut abi::Worktree,
) -> c_int {
    // SAFETY: see the head of this file; options and worktree live through the
    // call.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"fsck");
        let mut options = FsckOptions::from_raw(options);
        code(fsck::check(
            store,
            &mut options,
            Worktree::from_raw(worktree),
        ))
    }
}

/// The crate's version, for `git version --build-options`.
#[no_mangle]
pub extern "C" fn reftable_rs_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
