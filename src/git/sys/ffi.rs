//! Foreign declarations: the functions of git that the backend calls.
//!
//! Names without the prefix `reftable_rs_` are git's own; those with it are
//! defined by the C shim (`refs/reftable-rust.c`), because git has them only as
//! macros, inline functions or struct members.
//!
//! `include/reftable-git.h` is generated from these declarations too. The shim
//! declares each function and variable again as it is here, so that a prototype
//! that differs from git's does not compile. This needs exact types: `enum`s have
//! their own names, and `*const` is `const`.

use crate::git::abi::{
    ConfigContext, FsckFinding, FsckOptions, FsckRefReport, FsyncComponent, FsyncMethod,
    IdentSplit, IteratorSelection, KeyValueInfo, LockFile, LogRefsConfig, ObjectId, PeelStatus,
    RefIterator, RefIteratorVtable, RefStorageBe, RefStore, RefTransaction, RefTransactionError,
    RefUpdate, RefWorktreeType, Repository, StrBuf, StringList, Tempfile, Trace2CounterId,
    WantIdent, Worktree,
};
use std::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

/// `config_fn_t`.
pub type ConfigFn =
    unsafe extern "C" fn(*const c_char, *const c_char, *const ConfigContext, *mut c_void) -> c_int;

/// `ref_iterator_select_fn`.
pub type SelectFn =
    unsafe extern "C" fn(*mut RefIterator, *mut RefIterator, *mut c_void) -> IteratorSelection;

extern "C" {
    // usage.c, wrapper.c, strbuf.c
    pub fn die(fmt: *const c_char, ...) -> !;
    pub fn error(fmt: *const c_char, ...) -> c_int;
    pub fn warning(fmt: *const c_char, ...);
    pub fn BUG_fl(file: *const c_char, line: c_int, fmt: *const c_char, ...) -> !;
    pub fn xcalloc(count: usize, size: usize) -> *mut c_void;
    pub fn git_rand(flags: c_uint) -> u32;
    pub fn strbuf_add(sb: *mut StrBuf, data: *const c_void, len: usize);
    pub fn strbuf_addf(sb: *mut StrBuf, fmt: *const c_char, ...);
    pub fn strbuf_release(sb: *mut StrBuf);
    pub fn strbuf_realpath(
        sb: *mut StrBuf,
        path: *const c_char,
        die_on_error: c_int,
    ) -> *mut c_char;
    pub fn string_list_has_string(list: *const StringList, string: *const c_char) -> bool;
    /// Git's empty buffer: what an unallocated strbuf points to.
    pub static mut strbuf_slopbuf: [c_char; 1];

    // config, environment, setup, paths
    pub fn repo_config(repo: *mut Repository, callback: ConfigFn, data: *mut c_void);
    pub fn git_config_ulong(
        name: *const c_char,
        value: *const c_char,
        kvi: *const KeyValueInfo,
    ) -> c_ulong;
    pub fn git_config_int64(
        name: *const c_char,
        value: *const c_char,
        kvi: *const KeyValueInfo,
    ) -> i64;
    pub fn git_config_bool(name: *const c_char, value: *const c_char) -> c_int;
    pub fn git_env_bool(name: *const c_char, default: c_int) -> c_int;
    pub fn is_bare_repository() -> c_int;
    pub fn repo_settings_get_log_all_ref_updates(repo: *mut Repository) -> LogRefsConfig;
    pub fn calc_shared_perm(repo: *mut Repository, mode: c_int) -> c_int;
    pub fn adjust_shared_perm(repo: *mut Repository, path: *const c_char) -> c_int;
    pub fn safe_create_dir(repo: *mut Repository, dir: *const c_char, share: c_int);
    pub fn chdir_notify_reparent(name: *const c_char, path: *mut *mut c_char);

    // ident.c, trace.c, trace2.c
    pub fn git_committer_info(flags: c_int) -> *const c_char;
    pub fn split_ident_line(split: *mut IdentSplit, line: *const c_char, len: usize) -> c_int;
    pub fn fmt_ident(
        name: *const c_char,
        email: *const c_char,
        whose: WantIdent,
        date: *const c_char,
        flags: c_int,
    ) -> *const c_char;
    pub fn getnanotime() -> u64;
    pub fn trace2_counter_add(counter: Trace2CounterId, value: u64);

    // refs.c, refs/
    pub fn base_ref_store_init(
        store: *mut RefStore,
        repo: *mut Repository,
        path: *const c_char,
        be: *const RefStorageBe,
    );
    pub fn refs_compute_filesystem_location(
        gitdir: *const c_char,
        payload: *const c_char,
        is_worktree: *mut bool,
        refdir: *mut StrBuf,
        common_dir: *mut StrBuf,
    );
    pub fn refs_resolve_ref_unsafe(
        store: *mut RefStore,
        refname: *const c_char,
        flags: c_int,
        oid: *mut ObjectId,
        kind: *mut c_int,
    ) -> *const c_char;
    pub fn check_refname_format(refname: *const c_char, flags: c_int) -> c_int;
    pub fn refname_is_safe(refname: *const c_char) -> c_int;
    pub fn ref_resolves_to_object(
        refname: *const c_char,
        repo: *mut Repository,
        oid: *const ObjectId,
        flags: c_uint,
    ) -> c_int;
    pub fn parse_worktree_ref(
        refname: *const c_char,
        worktree: *mut *const c_char,
        worktree_len: *mut c_int,
        bare: *mut *const c_char,
    ) -> RefWorktreeType;
    pub fn is_root_ref(refname: *const c_char) -> c_int;
    pub fn should_autocreate_reflog(config: LogRefsConfig, refname: *const c_char) -> c_int;
    pub fn peel_object(
        repo: *mut Repository,
        name: *const ObjectId,
        peeled: *mut ObjectId,
        flags: c_uint,
    ) -> PeelStatus;
    pub fn base_ref_iterator_init(iter: *mut RefIterator, vtable: *mut RefIteratorVtable);
    pub fn merge_ref_iterator_begin(
        first: *mut RefIterator,
        second: *mut RefIterator,
        select: SelectFn,
        data: *mut c_void,
    ) -> *mut RefIterator;
    pub fn ref_iterator_select(
        worktree: *mut RefIterator,
        common: *mut RefIterator,
        data: *mut c_void,
    ) -> IteratorSelection;
    pub fn ref_transaction_add_update(
        transaction: *mut RefTransaction,
        refname: *const c_char,
        flags: c_uint,
        new_oid: *const ObjectId,
        old_oid: *const ObjectId,
        peeled: *const ObjectId,
        new_target: *const c_char,
        old_target: *const c_char,
        committer_info: *const c_char,
        msg: *const c_char,
    ) -> *mut RefUpdate;
    pub fn ref_transaction_maybe_set_rejected(
        transaction: *mut RefTransaction,
        index: usize,
        error: RefTransactionError,
        details: *mut StrBuf,
    ) -> c_int;
    pub fn ref_update_original_update_refname(update: *mut RefUpdate) -> *const c_char;
    pub fn ref_update_has_null_new_value(update: *mut RefUpdate) -> c_int;
    pub fn ref_update_expects_existing_old_ref(update: *mut RefUpdate) -> c_int;
    pub fn ref_update_check_old_target(
        referent: *const c_char,
        update: *mut RefUpdate,
        err: *mut StrBuf,
    ) -> RefTransactionError;
    pub fn refs_verify_refnames_available(
        store: *mut RefStore,
        refnames: *const StringList,
        extras: *const StringList,
        skip: *const StringList,
        transaction: *mut RefTransaction,
        initial: c_uint,
        err: *mut StrBuf,
    ) -> RefTransactionError;
    pub fn refs_verify_refname_available(
        store: *mut RefStore,
        refname: *const c_char,
        extras: *const StringList,
        skip: *const StringList,
        initial: c_uint,
        err: *mut StrBuf,
    ) -> RefTransactionError;
    pub fn refs_fsck_ref(
        store: *mut RefStore,
        options: *mut FsckOptions,
        report: *mut FsckRefReport,
        refname: *const c_char,
        oid: *const ObjectId,
    ) -> c_int;
    pub fn refs_fsck_symref(
        store: *mut RefStore,
        options: *mut FsckOptions,
        report: *mut FsckRefReport,
        refname: *const c_char,
        target: *const c_char,
    ) -> c_int;
    pub fn is_main_worktree(worktree: *const Worktree) -> c_int;

    // lockfile.c, tempfile.c, write-or-die.c
    pub fn unable_to_lock_message(path: *const c_char, error: c_int, sb: *mut StrBuf);
    pub fn mks_tempfile_sm(pattern: *const c_char, suffix_len: c_int, mode: c_int)
        -> *mut Tempfile;
    pub fn register_tempfile(path: *const c_char) -> *mut Tempfile;
    pub fn get_tempfile_path(tempfile: *mut Tempfile) -> *const c_char;
    pub fn get_tempfile_fd(tempfile: *mut Tempfile) -> c_int;
    pub fn close_tempfile_gently(tempfile: *mut Tempfile) -> c_int;
    pub fn delete_tempfile(tempfile: *mut *mut Tempfile) -> c_int;
    pub fn rename_tempfile(tempfile: *mut *mut Tempfile, path: *const c_char) -> c_int;
    pub fn fsync_component(component: FsyncComponent, fd: c_int) -> c_int;
    pub static mut fsync_components: FsyncComponent;
    pub static mut fsync_method: FsyncMethod;
    pub static mut use_fsync: c_int;

    // refs/reftable-rust.c
    pub fn reftable_rs_gettext(msgid: *const c_char) -> *const c_char;
    pub fn reftable_rs_repo_hash_format(repo: *mut Repository) -> u32;
    pub fn reftable_rs_repo_common_dir(repo: *mut Repository) -> *const c_char;
    pub fn reftable_rs_worktree_id(worktree: *const Worktree) -> *const c_char;
    pub fn reftable_rs_fsck_verbose(options: *const FsckOptions) -> c_int;
    pub fn reftable_rs_fsck_report(
        options: *mut FsckOptions,
        finding: FsckFinding,
        path: *const c_char,
        msg: *const c_char,
    ) -> c_int;
    pub fn reftable_rs_print_stderr(line: *const c_char);
    pub fn reftable_rs_lock(path: *const c_char, timeout_ms: c_long) -> *mut LockFile;
    pub fn reftable_rs_lock_path(lock: *mut LockFile) -> *const c_char;
    pub fn reftable_rs_lock_fd(lock: *mut LockFile) -> c_int;
    pub fn reftable_rs_lock_close(lock: *mut LockFile) -> c_int;
    pub fn reftable_rs_lock_commit(lock: *mut LockFile) -> c_int;
    pub fn reftable_rs_lock_rollback(lock: *mut LockFile);
}
