//! Structs and constants of git 2.39.5; see `abi/common.rs`.
//!
//! Sources: `hash.h`, `refs.h`, `refs/refs-internal.h`.

#![forbid(unsafe_code)]

use crate::git::abi::{
    ExpiryCleanupFn, ExpiryPrepareFn, ExpiryShouldPruneFn, ObjectId, RefStore, RefTransactionState,
    RenameFn, Repository, StrBuf, StringList, Timestamp, TransactionFn,
};
use std::ffi::{c_char, c_int, c_uint, c_void};

/// `struct worktree`.
pub enum Worktree {}

/// `struct ref_iterator`.
///
/// The bit-field `ordered` is the word `bits`.
#[repr(C)]
pub struct RefIterator {
    pub vtable: *const RefIteratorVtable,
    pub bits: c_uint,
    pub refname: *const c_char,
    pub oid: *const ObjectId,
    pub flags: c_uint,
}

/// `struct ref_iterator_vtable`.
#[repr(C)]
pub struct RefIteratorVtable {
    pub advance: Option<unsafe extern "C" fn(*mut RefIterator) -> c_int>,
    pub peel: Option<unsafe extern "C" fn(*mut RefIterator, *mut ObjectId) -> c_int>,
    pub abort: Option<unsafe extern "C" fn(*mut RefIterator) -> c_int>,
}

/// `struct ref_update`.
///
/// Without its flexible member: the refname, NUL-terminated, begins where this
/// struct ends.
#[repr(C)]
pub struct RefUpdate {
    pub new_oid: ObjectId,
    pub old_oid: ObjectId,
    pub flags: c_uint,
    pub backend_data: *mut c_void,
    /// `type`.
    ///
    /// `REF_IS…` bits of the ref when the transaction was prepared.
    pub kind: c_uint,
    pub msg: *mut c_char,
    pub parent_update: *mut RefUpdate,
}

/// `struct ref_transaction`.
#[repr(C)]
pub struct RefTransaction {
    pub ref_store: *mut RefStore,
    pub updates: *mut *mut RefUpdate,
    pub alloc: usize,
    pub nr: usize,
    pub state: RefTransactionState,
    pub backend_data: *mut c_void,
}

/// `each_reflog_ent_fn`.
///
/// Old id, new id, committer, time, time zone, message, payload.
pub type EachReflogEntFn = Option<
    unsafe extern "C" fn(
        *mut ObjectId,
        *mut ObjectId,
        *const c_char,
        Timestamp,
        c_int,
        *const c_char,
        *mut c_void,
    ) -> c_int,
>;

/// `for_each_reflog_ent_fn`.
///
/// Its reverse is the same.
pub type ForEachReflogEntFn = Option<
    unsafe extern "C" fn(*mut RefStore, *const c_char, EachReflogEntFn, *mut c_void) -> c_int,
>;

/// `struct ref_storage_be`.
#[repr(C)]
pub struct RefStorageBe {
    pub next: *mut RefStorageBe,
    pub name: *const c_char,
    pub init: Option<unsafe extern "C" fn(*mut Repository, *const c_char, c_uint) -> *mut RefStore>,
    pub init_db: Option<unsafe extern "C" fn(*mut RefStore, *mut StrBuf) -> c_int>,
    pub transaction_prepare: TransactionFn,
    pub transaction_finish: TransactionFn,
    pub transaction_abort: TransactionFn,
    pub initial_transaction_commit: TransactionFn,
    pub pack_refs: Option<unsafe extern "C" fn(*mut RefStore, c_uint) -> c_int>,
    pub create_symref: RenameFn,
    pub delete_refs: Option<
        unsafe extern "C" fn(*mut RefStore, *const c_char, *mut StringList, c_uint) -> c_int,
    >,
    pub rename_ref: RenameFn,
    pub copy_ref: RenameFn,
    pub iterator_begin:
        Option<unsafe extern "C" fn(*mut RefStore, *const c_char, c_uint) -> *mut RefIterator>,
    pub read_raw_ref: Option<
        unsafe extern "C" fn(
            *mut RefStore,
            *const c_char,
            *mut ObjectId,
            *mut StrBuf,
            *mut c_uint,
            *mut c_int,
        ) -> c_int,
    >,
    pub read_symbolic_ref:
        Option<unsafe extern "C" fn(*mut RefStore, *const c_char, *mut StrBuf) -> c_int>,
    pub reflog_iterator_begin: Option<unsafe extern "C" fn(*mut RefStore) -> *mut RefIterator>,
    pub for_each_reflog_ent: ForEachReflogEntFn,
    pub for_each_reflog_ent_reverse: ForEachReflogEntFn,
    pub reflog_exists: Option<unsafe extern "C" fn(*mut RefStore, *const c_char) -> c_int>,
    pub create_reflog:
        Option<unsafe extern "C" fn(*mut RefStore, *const c_char, *mut StrBuf) -> c_int>,
    pub delete_reflog: Option<unsafe extern "C" fn(*mut RefStore, *const c_char) -> c_int>,
    pub reflog_expire: Option<
        unsafe extern "C" fn(
            *mut RefStore,
            *const c_char,
            c_uint,
            ExpiryPrepareFn,
            ExpiryShouldPruneFn,
            ExpiryCleanupFn,
            *mut c_void,
        ) -> c_int,
    >,
    /// Added by the series for this release.
    pub fsck: Option<unsafe extern "C" fn(*mut RefStore, *mut Worktree) -> c_int>,
}

/// `DO_FOR_EACH_INCLUDE_BROKEN`.
pub const REFS_FOR_EACH_INCLUDE_BROKEN: c_uint = 1 << 0;
/// `DO_FOR_EACH_PER_WORKTREE_ONLY`.
pub const REFS_FOR_EACH_PER_WORKTREE_ONLY: c_uint = 1 << 1;
/// `DO_FOR_EACH_OMIT_DANGLING_SYMREFS`.
pub const REFS_FOR_EACH_OMIT_DANGLING_SYMREFS: c_uint = 1 << 2;

/// `REF_SKIP_OID_VERIFICATION`.
///
/// The new object is not read.
pub const REF_SKIP_OID_VERIFICATION: c_uint = 1 << 10;

/// `TRANSACTION_GENERIC_ERROR`.
pub const REF_TRANSACTION_ERROR_GENERIC: c_int = -2;
/// `TRANSACTION_NAME_CONFLICT`.
pub const REF_TRANSACTION_ERROR_NAME_CONFLICT: c_int = -1;

/// Results of the selector of a merging iterator.
pub const ITER_SELECT_DONE: c_int = -1;
pub const ITER_SELECT_0: c_int = 2;
pub const ITER_SELECT_0_SKIP_1: c_int = 6;
pub const ITER_SELECT_1: c_int = 3;
pub const ITER_SKIP_1: c_int = 4;

/// `enum object_type`.
pub type ObjectType = c_int;
pub const OBJ_COMMIT: ObjectType = 1;

/// `int`.
///
/// The type of `object_id::algo`.
pub type HashAlgo = c_int;
