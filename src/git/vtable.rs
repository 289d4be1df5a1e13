//! The functions that git calls, and the C objects that it holds.
//!
//! The table of a release, `refs_be_reftable` in `abi`, lists them. Each function here only
//! translates: raw pointers to the types of `sys`, outcomes to numbers. Objects that git
//! frees with `free()` come from git's `xcalloc()` and begin with git's base struct.
//!
//! Pointers are valid as `refs/refs-internal.h` promises: stores and transactions live through
//! the call, strings are NUL-terminated, and no two threads use one store at a time.

#![expect(unsafe_code, reason = "the entry points that git calls")]

use super::abi::{self, calls, ffi, ObjectId, RefStore, RefTransaction, StrBuf};
use super::failure::{code, complain, Outcome};
use super::reflog::Expiries;
use super::store::Store;
use super::sys::refs::{FsckOptions, StoreHandle};
use super::sys::repo::Repository;
use super::sys::transaction::Transaction;
use super::sys::{ending, messages};
use super::transaction::Prepared;
use super::{copy, fsck, lifecycle, optimize, transaction};
use crate::git::backend::RefState;
use crate::git::store::Reload;
use std::ffi::{c_char, c_int, c_uint, CStr};
use std::ptr::{self, NonNull};

mod arguments;
pub mod iterators;
pub mod reflogs;

use arguments::{buffer, store, text, Opened, StoreObject};

/// How git opens a store.
pub struct Opening<'a> {
    /// A repository that outlives the store.
    pub repo: *mut abi::Repository,
    /// The function table of the release.
    pub table: *const abi::RefStorageBe,
    /// The directory that the store is for.
    pub git_dir: &'a CStr,
    /// The directory that all worktrees share.
    pub common_dir: &'a CStr,
    pub is_worktree: bool,
    /// `REF_STORE_*`.
    pub access: c_uint,
}

/// Opens a store. A stack that cannot be read makes later operations fail, not this one.
///
/// # Safety
///
/// The pointers are valid, as documented.
pub unsafe fn open_store(opening: &Opening<'_>) -> *mut RefStore {
    ending::die_on_panics();
    // SAFETY: the caller's promise. The new object is zeroed, large enough for a `StoreObject`,
    // and its address does not change.
    unsafe {
        let object: *mut StoreObject = ffi::xcalloc(1, std::mem::size_of::<StoreObject>()).cast();
        let base = ptr::addr_of_mut!((*object).base);
        let repository = Repository::from_raw(opening.repo);
        let git_dir = opening.git_dir.as_ptr();
        ffi::base_ref_store_init(base, opening.repo, git_dir, opening.table);
        let Some(hash) = repository.hash_id() else {
            messages::bug(c"unknown hash algorithm", &[]);
        };
        let location = lifecycle::locate(opening.is_worktree, opening.git_dir, opening.common_dir);
        let store = Store::open(
            StoreHandle::from_raw(base),
            repository,
            hash,
            opening.access,
            &location,
        );
        if store.check().is_ok() {
            calls::follow_chdir(ptr::addr_of_mut!((*object).base.gitdir));
            (*object).follows_chdir = true;
        }
        (*object).inner = Box::into_raw(Box::new(Opened {
            store,
            expiries: Expiries::default(),
        }));
        base
    }
}

pub unsafe extern "C" fn release(raw: *mut RefStore) {
    let object: *mut StoreObject = raw.cast();
    // SAFETY: `raw` came from `open_store`. `inner` is cleared, so that a second release does
    // nothing.
    unsafe {
        if (*object).follows_chdir {
            (*object).follows_chdir = false;
            calls::ignore_chdir(ptr::addr_of_mut!((*object).base.gitdir));
        }
        let inner = ptr::addr_of_mut!((*object).inner).replace(ptr::null_mut());
        if !inner.is_null() {
            drop(Box::from_raw(inner));
        }
    }
}

pub unsafe extern "C" fn create_on_disk(raw: *mut RefStore, _: c_int, _: *mut StrBuf) -> c_int {
    // SAFETY: see the head of this file.
    let store = unsafe { store(raw, abi::REF_STORE_WRITE, c"create") };
    lifecycle::create_on_disk(store.repo, store.handle.git_dir());
    0
}

pub unsafe extern "C" fn remove_on_disk(raw: *mut RefStore, err: *mut StrBuf) -> c_int {
    // SAFETY: see the head of this file. The handle stays valid: git frees the C object after
    // this call.
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

pub unsafe extern "C" fn transaction_prepare(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    const REQUIRED: c_uint = abi::REF_STORE_WRITE | abi::REF_STORE_MAIN;
    // SAFETY: see the head of this file. The prepared data refers to updates of the transaction,
    // which outlives it.
    unsafe {
        let store = store(raw, REQUIRED, c"ref_transaction_prepare");
        let mut transaction = lent(transaction);
        transaction::prepare(store, &mut transaction, &mut buffer(err))
    }
}

pub unsafe extern "C" fn transaction_finish(
    raw: *mut RefStore,
    transaction: *mut RefTransaction,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: see the head of this file; only `transaction_prepare` stores data.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, c"ref_transaction_finish");
        let mut transaction = lent(transaction);
        let prepared = transaction.take_data::<Prepared>();
        transaction::finish(store, prepared, &mut transaction, &mut buffer(err))
    }
}

pub unsafe extern "C" fn transaction_abort(
    _: *mut RefStore,
    transaction: *mut RefTransaction,
    _: *mut StrBuf,
) -> c_int {
    // SAFETY: see the head of this file; only `transaction_prepare` stores data.
    unsafe {
        let mut transaction = lent(transaction);
        drop(transaction.take_data::<Prepared>());
        transaction.set_state(abi::REF_TRANSACTION_CLOSED);
    }
    0
}

/// # Safety
///
/// `raw` is a transaction that nothing else uses during the call.
unsafe fn lent(raw: *mut RefTransaction) -> Transaction<'static> {
    match NonNull::new(raw) {
        // SAFETY: the caller's promise.
        Some(raw) => unsafe { Transaction::from_raw(raw) },
        None => messages::bug(c"missing transaction", &[]),
    }
}

/// Compacts the current worktree's stack; with `is_auto`, only as the geometric rule
/// requires.
///
/// # Safety
///
/// As at the head of this file.
pub unsafe fn optimize(raw: *mut RefStore, is_auto: bool) -> c_int {
    const REQUIRED: c_uint = abi::REF_STORE_WRITE | abi::REF_STORE_ODB;
    // SAFETY: the caller's promise.
    let store = unsafe { store(raw, REQUIRED, c"optimize_refs") };
    code(optimize::optimize(store, is_auto))
}

/// Whether `optimize` would compact anything.
///
/// # Safety
///
/// As at the head of this file; `required` is an out-pointer.
#[allow(dead_code, reason = "not every release has this function")]
pub unsafe fn optimize_required(raw: *mut RefStore, is_auto: bool, required: *mut bool) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"optimize_refs_required");
        complain(optimize::is_required(store, is_auto).map(|answer| *required = answer))
    }
}

pub unsafe extern "C" fn rename_ref(
    raw: *mut RefStore,
    old: *const c_char,
    new: *const c_char,
    message: *const c_char,
) -> c_int {
    // SAFETY: see the head of this file.
    unsafe { move_ref(raw, old, new, message, c"rename_ref", copy::rename) }
}

pub unsafe extern "C" fn copy_ref(
    raw: *mut RefStore,
    old: *const c_char,
    new: *const c_char,
    message: *const c_char,
) -> c_int {
    // SAFETY: see the head of this file.
    unsafe { move_ref(raw, old, new, message, c"copy_ref", copy::copy) }
}

/// # Safety
///
/// As at the head of this file.
unsafe fn move_ref(
    raw: *mut RefStore,
    old: *const c_char,
    new: *const c_char,
    message: *const c_char,
    caller: &'static CStr,
    operation: fn(&Store, &CStr, &CStr, &CStr) -> Outcome,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, caller);
        complain(operation(store, text(old), text(new), text(message)))
    }
}

fn read_state(store: &Store, name: &CStr) -> Outcome<RefState> {
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    backend.read_ref(name)
}

pub unsafe extern "C" fn read_raw_ref(
    raw: *mut RefStore,
    name: *const c_char,
    oid: *mut ObjectId,
    referent: *mut StrBuf,
    kind: *mut c_uint,
    failure_errno: *mut c_int,
) -> c_int {
    // SAFETY: see the head of this file. `name` may lie in `referent`, and is not used after
    // that is written.
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
                // Git reads the number after any failure and does not initialise it.
                *failure_errno = libc::EIO;
                return number;
            }
        }
    }
    0
}

pub unsafe extern "C" fn read_symbolic_ref(
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

/// Verifies the stack of the linked worktree `worktree`, or the main one's.
///
/// # Safety
///
/// As at the head of this file; `options` lives through the call.
pub unsafe fn fsck(
    raw: *mut RefStore,
    options: *mut abi::FsckOptions,
    worktree: Option<&CStr>,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"fsck");
        let mut options = FsckOptions::from_raw(options);
        code(fsck::check(store, &mut options, worktree))
    }
}

/// The crate's version, for `git version --build-options`.
#[no_mangle]
pub extern "C" fn reftable_rs_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
