//! Structs and constants of git 2.55.0; see `abi/common.rs`.
//!
//! Sources: `hash.h`, `refs.h`, `refs/refs-internal.h`, `fsck.h`, `config.h`, `wrapper.h`,
//! `trace2.h`.

#![forbid(unsafe_code)]

use super::options::RefStoreInitOptions;
use crate::git::abi::{
    ExpiryCleanupFn, ExpiryPrepareFn, ExpiryShouldPruneFn, FsckOptions, KeyValueInfo, ObjectId,
    RefStore, RefTransactionState, RenameFn, Repository, StrBuf, StringList, Timestamp,
    TransactionFn,
};
use std::ffi::{c_char, c_int, c_uint, c_void};

/// `struct worktree`.
pub enum Worktree {}

/// `struct config_context`.
#[repr(C)]
pub struct ConfigContext {
    pub kvi: *const KeyValueInfo,
}

/// `struct reference`.
#[repr(C)]
pub struct Reference {
    pub name: *const c_char,
    pub target: *const c_char,
    pub oid: *const ObjectId,
    pub peeled_oid: *const ObjectId,
    pub flags: c_uint,
}

/// `struct ref_iterator`.
#[repr(C)]
pub struct RefIterator {
    pub vtable: *const RefIteratorVtable,
    /// `ref`.
    pub reference: Reference,
}

/// `struct ref_iterator_vtable`.
#[repr(C)]
pub struct RefIteratorVtable {
    pub advance: Option<unsafe extern "C" fn(*mut RefIterator) -> c_int>,
    pub seek: Option<unsafe extern "C" fn(*mut RefIterator, *const c_char, c_uint) -> c_int>,
    pub release: Option<unsafe extern "C" fn(*mut RefIterator)>,
    pub limit_to_oids: Option<unsafe extern "C" fn(*mut RefIterator, *const ObjectId, usize)>,
}

/// `struct ref_update`.
///
/// Without its flexible member: the refname, NUL-terminated, begins where this
/// struct ends.
#[repr(C)]
pub struct RefUpdate {
    pub new_oid: ObjectId,
    pub old_oid: ObjectId,
    pub peeled: ObjectId,
    pub new_target: *const c_char,
    pub old_target: *const c_char,
    pub flags: c_uint,
    pub backend_data: *mut c_void,
    /// `type`.
    ///
    /// `REF_IS…` bits of the ref when the transaction was prepared.
    pub kind: c_uint,
    pub msg: *mut c_char,
    pub committer_info: *mut c_char,
    pub index: u64,
    pub rejection_err: RefTransactionError,
    pub rejection_details: *const c_char,
    pub parent_update: *mut RefUpdate,
}

/// `struct ref_transaction`.
#[repr(C)]
pub struct RefTransaction {
    pub ref_store: *mut RefStore,
    pub updates: *mut *mut RefUpdate,
    pub refnames: StringList,
    pub alloc: usize,
    pub nr: usize,
    pub state: RefTransactionState,
    pub rejections: *mut c_void,
    pub backend_data: *mut c_void,
    pub flags: c_uint,
    pub max_index: u64,
}

/// `struct refs_optimize_opts`.
#[repr(C)]
pub struct RefsOptimizeOpts {
    pub flags: c_uint,
    pub exclusions: *mut c_void,
    pub includes: *mut StringList,
}

/// `struct fsck_ref_report`.
#[repr(C)]
pub struct FsckRefReport {
    pub path: *const c_char,
}

/// `each_reflog_ent_fn`.
///
/// Refname, old id, new id, committer, time, time zone, message, payload.
pub type EachReflogEntFn = Option<
    unsafe extern "C" fn(
        *const c_char,
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
    pub init: Option<
        unsafe extern "C" fn(
            *mut Repository,
            *const c_char,
            *const c_char,
            *const RefStoreInitOptions,
        ) -> *mut RefStore,
    >,
    pub release: Option<unsafe extern "C" fn(*mut RefStore)>,
    pub create_on_disk: Option<unsafe extern "C" fn(*mut RefStore, c_int, *mut StrBuf) -> c_int>,
    pub remove_on_disk: Option<unsafe extern "C" fn(*mut RefStore, *mut StrBuf) -> c_int>,
    pub transaction_prepare: TransactionFn,
    pub transaction_finish: TransactionFn,
    pub transaction_abort: TransactionFn,
    pub optimize: Option<unsafe extern "C" fn(*mut RefStore, *mut RefsOptimizeOpts) -> c_int>,
    pub optimize_required:
        Option<unsafe extern "C" fn(*mut RefStore, *mut RefsOptimizeOpts, *mut bool) -> c_int>,
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
    pub fsck: Option<unsafe extern "C" fn(*mut RefStore, *mut FsckOptions, *mut Worktree) -> c_int>,
    pub oid_iterator_begin:
        Option<unsafe extern "C" fn(*mut RefStore, *const ObjectId, c_uint) -> *mut RefIterator>,
}

/// `enum refs_for_each_flag`.
pub const REFS_FOR_EACH_INCLUDE_BROKEN: c_uint = 1 << 0;
pub const REFS_FOR_EACH_PER_WORKTREE_ONLY: c_uint = 1 << 1;
pub const REFS_FOR_EACH_OMIT_DANGLING_SYMREFS: c_uint = 1 << 2;
pub const REFS_FOR_EACH_INCLUDE_ROOT_REFS: c_uint = 1 << 3;

/// `enum ref_iterator_seek_flag`.
pub const REF_ITERATOR_SEEK_SET_PREFIX: c_uint = 1 << 0;

/// Bits of `ref_update::flags` that not every release has.
pub const REF_SKIP_CREATE_REFLOG: c_uint = 1 << 12;
pub const REF_LOG_USE_PROVIDED_OIDS: c_uint = 1 << 13;
pub const REF_HAVE_PEELED: c_uint = 1 << 15;

/// Bits of `ref_transaction::flags`.
pub const REF_TRANSACTION_FLAG_INITIAL: c_uint = 1 << 0;

/// `enum ref_transaction_error`.
pub type RefTransactionError = c_int;
pub const REF_TRANSACTION_ERROR_GENERIC: RefTransactionError = -1;
pub const REF_TRANSACTION_ERROR_NAME_CONFLICT: RefTransactionError = -2;
pub const REF_TRANSACTION_ERROR_CREATE_EXISTS: RefTransactionError = -3;
pub const REF_TRANSACTION_ERROR_NONEXISTENT_REF: RefTransactionError = -4;
pub const REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE: RefTransactionError = -5;
pub const REF_TRANSACTION_ERROR_EXPECTED_SYMREF: RefTransactionError = -7;

/// `REFS_OPTIMIZE_AUTO`.
pub const REFS_OPTIMIZE_AUTO: c_uint = 1 << 1;

/// Result of `read_symbolic_ref` for a ref that is not symbolic.
pub const NOT_A_SYMREF: c_int = -2;

/// Random bytes that need not be secret.
pub const CSPRNG_BYTES_INSECURE: c_uint = 1 << 0;

/// `enum trace2_counter_id`.
pub type Trace2CounterId = c_uint;
pub const TRACE2_COUNTER_ID_REFTABLE_RESEEKS: Trace2CounterId = 3;

/// `uint32_t`.
///
/// The type of `object_id::algo`.
pub type HashAlgo = u32;
