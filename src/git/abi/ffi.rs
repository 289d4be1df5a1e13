//! Foreign declarations: the functions of git that the backend calls and that have the same
//! type in all supported releases. A release declares the others in its own files.
//!
//! Functions with the prefix `reftable_rs_` are defined by the C shim
//! (`refs/reftable-rust.c`), because git has them only as macros, inline functions or struct
//! members; all others are git's own.
//!
//! The header of a release is generated from these declarations, too, and the shim repeats
//! each of them, so that a prototype that differs from git's does not compile. This needs exact
//! types: each `enum` has its own name, and `*const` stands for `const`.

use super::{
    FsckOptions, FsyncComponent, FsyncMethod, LockFile, ObjectId, RefStorageBe, RefStore,
    Repository, StrBuf, Tempfile, WantIdent,
};
use crate::git::shim::FsckFinding;
use std::ffi::{c_char, c_int, c_long, c_uint, c_void};

extern "C" {
    // usage.c, wrapper.c, strbuf.c
    pub fn die(fmt: *const c_char, ...) -> !;
    pub fn error(fmt: *const c_char, ...) -> c_int;
    pub fn warning(fmt: *const c_char, ...);
    pub fn BUG_fl(file: *const c_char, line: c_int, fmt: *const c_char, ...) -> !;
    pub fn xcalloc(count: usize, size: usize) -> *mut c_void;
    pub fn strbuf_add(sb: *mut StrBuf, data: *const c_void, len: usize);
    pub fn strbuf_addf(sb: *mut StrBuf, fmt: *const c_char, ...);
    pub fn strbuf_release(sb: *mut StrBuf);
    pub fn strbuf_realpath(
        sb: *mut StrBuf,
        path: *const c_char,
        die_on_error: c_int,
    ) -> *mut c_char;
    /// What the pointer of an empty strbuf points to.
    pub static mut strbuf_slopbuf: [c_char; 1];

    // config.c, parse.c
    pub fn git_config_bool(name: *const c_char, value: *const c_char) -> c_int;
    pub fn git_env_bool(name: *const c_char, default: c_int) -> c_int;

    // ident.c, trace.c
    pub fn git_committer_info(flags: c_int) -> *const c_char;
    pub fn fmt_ident(
        name: *const c_char,
        email: *const c_char,
        whose: WantIdent,
        date: *const c_char,
        flags: c_int,
    ) -> *const c_char;
    pub fn getnanotime() -> u64;

    // refs.c, refs/
    /// The table of this backend, defined by the release.
    pub static mut refs_be_reftable: RefStorageBe;
    pub fn base_ref_store_init(
        store: *mut RefStore,
        repo: *mut Repository,
        path: *const c_char,
        be: *const RefStorageBe,
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

    // lockfile.c, tempfile.c, write-or-die.c
    pub fn unable_to_lock_message(path: *const c_char, error: c_int, sb: *mut StrBuf);
    pub fn mks_tempfile_sm(pattern: *const c_char, suffix_len: c_int, mode: c_int)
        -> *mut Tempfile;
    pub fn register_tempfile(path: *const c_char) -> *mut Tempfile;
    pub fn get_tempfile_path(tempfile: *mut Tempfile) -> *const c_char;
    pub fn get_tempfile_fd(tempfile: *mut Tempfile) -> c_int;
    pub fn close_tempfile_gently(tempfile: *mut Tempfile) -> c_int;
    pub fn rename_tempfile(tempfile: *mut *mut Tempfile, path: *const c_char) -> c_int;
    pub fn fsync_component(component: FsyncComponent, fd: c_int) -> c_int;
    pub static mut fsync_components: FsyncComponent;
    pub static mut fsync_method: FsyncMethod;
    pub static mut use_fsync: c_int;

    // refs/reftable-rust.c
    pub fn reftable_rs_gettext(msgid: *const c_char) -> *const c_char;
    pub fn reftable_rs_repo_hash_format(repo: *mut Repository) -> u32;
    pub fn reftable_rs_repo_common_dir(repo: *mut Repository) -> *const c_char;
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
