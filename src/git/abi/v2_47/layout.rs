//! Structs and constants of git 2.47.3; see `abi/common.rs`.
//!
//! Sources: `hash.h`, `refs.h`, `refs/refs-internal.h`, `config.h`, `trace2.h`.

#![forbid(unsafe_code)]

use crate::git::abi::{
    ExpiryCleanupFn, ExpiryPrepareFn, ExpiryShouldPruneFn, FsckOptions, KeyValueInfo, ObjectId,
    RefStore, RefTransactionState, RenameFn, Repository, StrBuf, StringList, Timestamp,
    TransactionFn,
};
use std::ffi::{c_char, c_int, c_uint, c_void};

/// `struct config_context`.
#[repr(C)]
pub struct ConfigContext {
    pub kvi: *const KeyValueInfo,
}

/// `struct ref_iterator`.
#[repr(C)]
pub struct RefIterator {
    pub vtable: *const RefIteratorVtable,
    pub refname: *const c_char,
    pub referent: *const c_char,
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
    pub new_target: *const c_char,
    pub old_target: *const c_char,
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

/// `struct pack_refs_opts`.
#[repr(C)]
pub struct PackRefsOpts {
    pub flags: c_uint,
    pub exclusions: *mut c_void,
    pub includes: *mut StringList,
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
    pub name: *const c_char,
    pub init: Option<unsafe extern "C" fn(*mut Repository, *const c_char, c_uint) -> *mut RefStore>,
    pub release: Option<unsafe extern "C" fn(*mut RefStore)>,
    pub create_on_disk: Option<unsafe extern "C" fn(*mut RefStore, c_int, *mut StrBuf) -> c_int>,
    pub remove_on_disk: Option<unsafe extern "C" fn(*mut RefStore, *mut StrBuf) -> c_int>,
    pub transaction_prepare: TransactionFn,
    pub transaction_finish: TransactionFn,
    pub transaction_abort: TransactionFn,
    pub initial_transaction_commit: TransactionFn,
    pub pack_refs: Option<unsafe extern "C" fn(*mut RefStore, *mut PackRefsOpts) -> c_int>,
    pub rename_ref: RenameFn,
    pub copy_ref: RenameFn,
    pub iterator_begin: Option<
        unsafe extern "C" fn(
            *mut RefStore,
            *const c_char,
            *mut *const c_char,
            c_uint,
        ) -> *mut RefIterator,
    >,
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
    pub fsck: Option<unsafe extern "C" fn(*mut RefStore, *mut FsckOptions) -> c_int>,
}

/// `DO_FOR_EACH_INCLUDE_BROKEN`.
pub const REFS_FOR_EACH_INCLUDE_BROKEN: c_uint = 1 << 0;
/// `DO_FOR_EACH_PER_WORKTREE_ONLY`.
pub const REFS_FOR_EACH_PER_WORKTREE_ONLY: c_uint = 1 << 1;
/// `DO_FOR_EACH_OMIT_DANGLING_SYMREFS`.
pub const REFS_FOR_EACH_OMIT_DANGLING_SYMREFS: c_uint = 1 << 2;
/// `DO_FOR_EACH_INCLUDE_ROOT_REFS`.
pub const REFS_FOR_EACH_INCLUDE_ROOT_REFS: c_uint = 1 << 3;

/// Bits of `ref_update::flags` that not every release has.
pub const REF_SKIP_OID_VERIFICATION: c_uint = 1 << 10;
pub const REF_SKIP_CREATE_REFLOG: c_uint = 1 << 12;

/// `TRANSACTION_GENERIC_ERROR`.
///
/// Later releases have this number for a name conflict.
pub const REF_TRANSACTION_ERROR_GENERIC: c_int = -2;
/// `TRANSACTION_NAME_CONFLICT`.
///
/// Later releases have this number for a generic error.
pub const REF_TRANSACTION_ERROR_NAME_CONFLICT: c_int = -1;

/// `PACK_REFS_AUTO`.
pub const PACK_REFS_AUTO: c_uint = 1 << 1;

/// `enum trace2_counter_id`.
pub type Trace2CounterId = c_uint;
pub const TRACE2_COUNTER_ID_REFTABLE_RESEEKS: Trace2CounterId = 3;

/// `int`.
///
/// The type of `object_id::algo`.
pub type HashAlgo = c_int;
