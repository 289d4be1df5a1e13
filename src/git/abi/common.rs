//! The structs and constants of git that are the same in all supported releases, field for
//! field.
//!
//! Sources: `hash.h`, `strbuf.h`, `string-list.h`, `ident.h`, `refs.h`,
//! `refs/refs-internal.h`. cbindgen writes these items and those of a release's `layout` and
//! `options` into the header of that release, `include/reftable-git-RELEASE.h`. The C shim
//! asserts that git's own structs have the same sizes and offsets, so that a layout that
//! drifts fails the build of git. `build_prototypes.rs` does the same for functions.
//!
//! The first line of an item's documentation is its name in C. The headers use it.

#![forbid(unsafe_code)]

use super::{HashAlgo, RefStorageBe, RefTransaction};
use std::ffi::{c_char, c_int, c_uint, c_void};

/// `struct repository`.
pub enum Repository {}

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
    pub algo: HashAlgo,
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

/// `struct ref_store`.
///
/// The base of every backend's store.
#[repr(C)]
pub struct RefStore {
    pub be: *const RefStorageBe,
    pub repo: *mut Repository,
    pub gitdir: *mut c_char,
}

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

/// `GIT_HASH_*` of `hash.h`.
pub const GIT_HASH_SHA1: HashAlgo = 1;
pub const GIT_HASH_SHA256: HashAlgo = 2;

/// Bits of `ref_update::flags` and of the flags that callers pass (`refs.h`,
/// `refs/refs-internal.h`).
pub const REF_NO_DEREF: c_uint = 1 << 0;
pub const REF_FORCE_CREATE_REFLOG: c_uint = 1 << 1;
pub const REF_HAVE_NEW: c_uint = 1 << 2;
pub const REF_HAVE_OLD: c_uint = 1 << 3;
pub const REF_LOG_ONLY: c_uint = 1 << 7;

/// `enum reference_status`.
pub const REF_ISSYMREF: c_uint = 1 << 0;
pub const REF_ISBROKEN: c_uint = 1 << 2;
pub const REF_BAD_NAME: c_uint = 1 << 3;

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

/// `enum log_refs_config`.
pub type LogRefsConfig = c_int;
pub const LOG_REFS_UNSET: LogRefsConfig = -1;
pub const LOG_REFS_NONE: LogRefsConfig = 0;
pub const LOG_REFS_NORMAL: LogRefsConfig = 1;
pub const LOG_REFS_ALWAYS: LogRefsConfig = 2;

/// `enum expire_reflog_flags`.
pub const EXPIRE_REFLOGS_DRY_RUN: c_uint = 1 << 0;
pub const EXPIRE_REFLOGS_UPDATE_REF: c_uint = 1 << 1;
pub const EXPIRE_REFLOGS_REWRITE: c_uint = 1 << 2;

/// Results of an iterator's `advance` (`iterator.h`).
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
/// `FSYNC_METHOD_WRITEOUT_ONLY`: content is written to the disk's cache, which is not flushed.
pub type FsyncMethod = c_uint;
pub const FSYNC_METHOD_WRITEOUT_ONLY: FsyncMethod = 1;
