//! The structs of git 2.55.0 that cross the boundary, field for field.
//!
//! Sources: `hash.h`, `strbuf.h`, `string-list.h`, `ident.h`, `refs.h`,
//! `refs/refs-internal.h`, `fsck.h`, `config.h`. cbindgen writes these structs
//! into `include/reftable-git.h`, and the C shim asserts that git's own have
//! the same sizes and offsets: a layout that drifts fails the build of git. The
//! same holds for prototypes, see `build_prototypes.rs`.
//!
//! The first line of an item's documentation is its name in C. The generated
//! header uses it.

#![forbid(unsafe_code)]

use crate::record::ZoneForm;
use std::ffi::{c_char, c_int, c_uint, c_void};

/// `struct repository`.
pub enum Repository {}

/// `struct worktree`.
pub enum Worktree {}

/// `struct fsck_options`.
pub enum FsckOptions {}

/// `struct key_value_info`.
pub enum KeyValueInfo {}

/// `struct lock_file`.
pub enum LockFile {}

/// `struct tempfile`.
pub enum Tempfile {}

/// `timestamp_t`.
pub type Timestamp = u64;

/// `GIT_MAX_RAWSZ`.
///
/// Bytes of the largest object id.
pub const MAX_RAW_SIZE: usize = 32;

/// `struct object_id`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId {
    pub hash: [u8; MAX_RAW_SIZE],
    /// `GIT_HASH_SHA1`, `GIT_HASH_SHA256`, or 0 when unset.
    pub algo: u32,
}

/// `struct strbuf`.
#[repr(C)]
pub struct StrBuf {
    pub alloc: usize,
    pub len: usize,
    pub buf: *mut c_char,
}

/// `struct string_list_item`.
#[repr(C)]
pub struct StringListItem {
    pub string: *mut c_char,
    pub util: *mut c_void,
}

/// `struct string_list`.
///
/// The bit-field `strdup_strings` is the word `bits`.
#[repr(C)]
pub struct StringList {
    pub items: *mut StringListItem,
    pub nr: usize,
    pub alloc: usize,
    pub bits: c_uint,
    pub cmp: Option<unsafe extern "C" fn(*const c_char, *const c_char) -> c_int>,
}

/// `struct ident_split`.
#[repr(C)]
pub struct IdentSplit {
    pub name_begin: *const c_char,
    pub name_end: *const c_char,
    pub mail_begin: *const c_char,
    pub mail_end: *const c_char,
    pub date_begin: *const c_char,
    pub date_end: *const c_char,
    pub tz_begin: *const c_char,
    pub tz_end: *const c_char,
}

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
}

/// `struct ref_update`.
///
/// Up to its flexible member: the refname, NUL-terminated, begins where this
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
    /// What the ref was when the transaction was prepared.
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

/// `struct ref_store`.
///
/// The base of every backend's store.
#[repr(C)]
pub struct RefStore {
    pub be: *const RefStorageBe,
    pub repo: *mut Repository,
    pub gitdir: *mut c_char,
}

/// `struct ref_store_init_options`.
#[repr(C)]
pub struct RefStoreInitOptions {
    pub access_flags: c_uint,
    pub log_all_ref_updates: LogRefsConfig,
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

/// `enum reftable_rs_fsck_finding`.
///
/// The kinds of findings are the crate's own: the shim maps each to its `enum fsck_msg_id`.
pub use crate::format::FindingKind as FsckFinding;

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

/// `reflog_expiry_prepare_fn`.
pub type ExpiryPrepareFn =
    Option<unsafe extern "C" fn(*const c_char, *const ObjectId, *mut c_void)>;

/// `reflog_expiry_should_prune_fn`.
///
/// Old id, new id, email, time, time zone, message, payload.
pub type ExpiryShouldPruneFn = Option<
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

/// `reflog_expiry_cleanup_fn`.
pub type ExpiryCleanupFn = Option<unsafe extern "C" fn(*mut c_void)>;

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
}

/// `ref_transaction_prepare_fn`.
///
/// Those of `finish` and `abort` are the same.
pub type TransactionFn =
    Option<unsafe extern "C" fn(*mut RefStore, *mut RefTransaction, *mut StrBuf) -> c_int>;

/// `rename_ref_fn`.
///
/// The same as `copy_ref_fn`: old name, new name, log message.
pub type RenameFn = Option<
    unsafe extern "C" fn(*mut RefStore, *const c_char, *const c_char, *const c_char) -> c_int,
>;

/// `for_each_reflog_ent_fn`.
///
/// Its reverse is the same.
pub type ForEachReflogEntFn = Option<
    unsafe extern "C" fn(*mut RefStore, *const c_char, EachReflogEntFn, *mut c_void) -> c_int,
>;

/// How this release stores the time zones of reflog entries. (A function, for constants here are
/// written into the header.)
pub const fn zone_form() -> ZoneForm {
    ZoneForm::Hhmm
}

/// `GIT_HASH_*` of `hash.h`.
pub const GIT_HASH_SHA1: u32 = 1;
pub const GIT_HASH_SHA256: u32 = 2;

/// Bits of `ref_update::flags` and of the flags that callers pass (`refs.h`,
/// `refs/refs-internal.h`).
pub const REF_NO_DEREF: c_uint = 1 << 0;
pub const REF_FORCE_CREATE_REFLOG: c_uint = 1 << 1;
pub const REF_HAVE_NEW: c_uint = 1 << 2;
pub const REF_HAVE_OLD: c_uint = 1 << 3;
pub const REF_LOG_ONLY: c_uint = 1 << 7;
pub const REF_SKIP_CREATE_REFLOG: c_uint = 1 << 12;
pub const REF_LOG_USE_PROVIDED_OIDS: c_uint = 1 << 13;
pub const REF_HAVE_PEELED: c_uint = 1 << 15;
/// Backend-specific: the update reached a branch through `HEAD`.
pub const REF_UPDATE_VIA_HEAD: c_uint = 1 << 8;

/// `enum reference_status`.
pub const REF_ISSYMREF: c_uint = 1 << 0;
pub const REF_ISBROKEN: c_uint = 1 << 2;
pub const REF_BAD_NAME: c_uint = 1 << 3;

/// `enum refs_for_each_flag`.
pub const REFS_FOR_EACH_INCLUDE_BROKEN: c_uint = 1 << 0;
pub const REFS_FOR_EACH_PER_WORKTREE_ONLY: c_uint = 1 << 1;
pub const REFS_FOR_EACH_OMIT_DANGLING_SYMREFS: c_uint = 1 << 2;
pub const REFS_FOR_EACH_INCLUDE_ROOT_REFS: c_uint = 1 << 3;

/// `enum ref_iterator_seek_flag`.
pub const REF_ITERATOR_SEEK_SET_PREFIX: c_uint = 1 << 0;

/// Flags of `refs_resolve_ref_unsafe()` and `check_refname_format()`.
pub const RESOLVE_REF_READING: c_int = 0x01;
pub const REFNAME_ALLOW_ONELEVEL: c_int = 1;

/// `REF_STORE_*`: what a store was opened for.
pub const REF_STORE_READ: c_uint = 1 << 0;
pub const REF_STORE_WRITE: c_uint = 1 << 1;
pub const REF_STORE_ODB: c_uint = 1 << 2;
pub const REF_STORE_MAIN: c_uint = 1 << 3;

/// `enum ref_transaction_state`.
pub type RefTransactionState = c_uint;
pub const REF_TRANSACTION_PREPARED: RefTransactionState = 1;
pub const REF_TRANSACTION_CLOSED: RefTransactionState = 2;

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

/// `enum log_refs_config`.
pub type LogRefsConfig = c_int;
pub const LOG_REFS_UNSET: LogRefsConfig = -1;
pub const LOG_REFS_NONE: LogRefsConfig = 0;
pub const LOG_REFS_NORMAL: LogRefsConfig = 1;
pub const LOG_REFS_ALWAYS: LogRefsConfig = 2;

/// `enum ref_worktree_type`.
pub type RefWorktreeType = c_uint;
pub const REF_WORKTREE_CURRENT: RefWorktreeType = 0;
pub const REF_WORKTREE_MAIN: RefWorktreeType = 1;
pub const REF_WORKTREE_OTHER: RefWorktreeType = 2;
pub const REF_WORKTREE_SHARED: RefWorktreeType = 3;

/// `enum expire_reflog_flags`.
pub const EXPIRE_REFLOGS_DRY_RUN: c_uint = 1 << 0;
pub const EXPIRE_REFLOGS_UPDATE_REF: c_uint = 1 << 1;
pub const EXPIRE_REFLOGS_REWRITE: c_uint = 1 << 2;

/// `REFS_OPTIMIZE_AUTO`.
pub const REFS_OPTIMIZE_AUTO: c_uint = 1 << 1;

/// `read_symbolic_ref_fn` answers this for a ref that is none.
pub const NOT_A_SYMREF: c_int = -2;

/// What an iterator's `advance` answers (`iterator.h`).
pub const ITER_OK: c_int = 0;
pub const ITER_DONE: c_int = -1;
pub const ITER_ERROR: c_int = -2;

/// `enum peel_status`.
pub type PeelStatus = c_int;
pub const PEEL_PEELED: PeelStatus = 0;

/// `enum iterator_selection`.
pub type IteratorSelection = c_int;

/// `enum want_ident`.
pub type WantIdent = c_uint;
pub const WANT_COMMITTER_IDENT: WantIdent = 2;

/// Flag of `fmt_ident()`.
pub const IDENT_NO_DATE: c_int = 2;

/// `enum fsync_component`.
pub type FsyncComponent = c_uint;
pub const FSYNC_COMPONENT_REFERENCE: FsyncComponent = 1 << 5;

/// `enum fsync_method`.
///
/// `FSYNC_METHOD_WRITEOUT_ONLY`: content leaves the system's memory, the disk's is not
/// flushed.
pub type FsyncMethod = c_uint;
pub const FSYNC_METHOD_WRITEOUT_ONLY: FsyncMethod = 1;

/// `CSPRNG_BYTES_INSECURE`: random bytes that need not be secret.
pub const CSPRNG_BYTES_INSECURE: c_uint = 1 << 0;

/// `enum trace2_counter_id`.
pub type Trace2CounterId = c_uint;
pub const TRACE2_COUNTER_ID_REFTABLE_RESEEKS: Trace2CounterId = 3;
