//! Functions of git 2.39.5 whose parameters or results differ in other releases.
//!
//! # Safety
//!
//! Of every function here: pointers are as git's function of that name wants them, and live
//! through the call.

#![expect(unsafe_code, reason = "calls into git")]

use super::behavior::ConfigContext;
use super::layout::{
    EachReflogEntFn, RefIterator, RefIteratorVtable, ITER_SELECT_0, ITER_SELECT_0_SKIP_1,
    ITER_SELECT_1, ITER_SELECT_DONE, ITER_SKIP_1,
};
use crate::git::abi::{
    FsckOptions, IdentSplit, IteratorSelection, LogRefsConfig, ObjectId, PeelStatus, RefStore,
    Repository, ShownEntry, ShownRef, StrBuf, StringList, Tempfile, LOG_REFS_UNSET, PEEL_PEELED,
};
use crate::repo::rules::{owner_of, Owner};
use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void, CStr};
use std::mem::size_of;
use std::ptr;

/// `config_fn_t`.
pub type PlainConfigFn = unsafe extern "C" fn(*const c_char, *const c_char, *mut c_void) -> c_int;

/// The callback of `for_each_setting`, which gets NULL as the context.
pub type ConfigFn =
    unsafe extern "C" fn(*const c_char, *const c_char, *const ConfigContext, *mut c_void) -> c_int;

/// `ref_iterator_select_fn`.
pub type SelectFn =
    unsafe extern "C" fn(*mut RefIterator, *mut RefIterator, *mut c_void) -> IteratorSelection;

extern "C" {
    fn csprng_bytes(buffer: *mut c_void, len: usize) -> c_int;
    fn delete_tempfile(tempfile: *mut *mut Tempfile);
    fn split_ident_line(split: *mut IdentSplit, line: *const c_char, len: c_int) -> c_int;

    fn repo_config(repo: *mut Repository, callback: PlainConfigFn, data: *mut c_void);
    fn git_config_ulong(name: *const c_char, value: *const c_char) -> c_ulong;
    fn git_config_int64(name: *const c_char, value: *const c_char) -> i64;
    fn calc_shared_perm(mode: c_int) -> c_int;
    fn adjust_shared_perm(path: *const c_char) -> c_int;
    fn safe_create_dir(dir: *const c_char, share: c_int);

    fn chdir_notify_reparent(name: *const c_char, path: *mut *mut c_char);

    /// `core.logAllRefUpdates`; see `settings`.
    pub static mut log_all_ref_updates: LogRefsConfig;
    fn should_autocreate_reflog(refname: *const c_char) -> c_int;
    fn peel_object(name: *const ObjectId, peeled: *mut ObjectId) -> PeelStatus;
    pub fn refs_verify_refname_available(
        store: *mut RefStore,
        refname: *const c_char,
        extras: *const StringList,
        skip: *const StringList,
        err: *mut StrBuf,
    ) -> c_int;

    fn base_ref_iterator_init(
        iter: *mut RefIterator,
        vtable: *mut RefIteratorVtable,
        ordered: c_int,
    );
    fn merge_ref_iterator_begin(
        ordered: c_int,
        first: *mut RefIterator,
        second: *mut RefIterator,
        select: SelectFn,
        data: *mut c_void,
    ) -> *mut RefIterator;
}

/// A random number that need not be secret.
pub fn random() -> u32 {
    let mut number: u32 = 0;
    // SAFETY: git fills the buffer, whose size is given; it stays 0 when there is no source.
    unsafe { csprng_bytes(ptr::from_mut(&mut number).cast(), size_of::<u32>()) };
    number
}

/// Counts a re-seek of an iterator for trace2, which has no such counter in this release.
pub fn count_reseek() {}

/// Removes a temporary file and clears the pointer to it.
pub unsafe fn remove_tempfile(tempfile: *mut *mut Tempfile) {
    // SAFETY: the caller's promise.
    unsafe { delete_tempfile(tempfile) };
}

/// Splits the first `len` bytes of `line`; not 0 when they are no ident.
pub unsafe fn split_ident(split: *mut IdentSplit, line: *const c_char, len: usize) -> c_int {
    let Ok(len) = c_int::try_from(len) else {
        return -1;
    };
    // SAFETY: the caller's promise.
    unsafe { split_ident_line(split, line, len) }
}

/// A callback and its data, for `visit_setting`.
struct Visit {
    callback: ConfigFn,
    data: *mut c_void,
}

/// Calls `callback` with `data` for each setting of `repo`.
pub unsafe fn for_each_setting(repo: *mut Repository, callback: ConfigFn, data: *mut c_void) {
    let mut visit = Visit { callback, data };
    // SAFETY: the caller's promise; `visit` lives through the call.
    unsafe { repo_config(repo, visit_setting, ptr::from_mut(&mut visit).cast()) };
}

unsafe extern "C" fn visit_setting(
    key: *const c_char,
    value: *const c_char,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is the `Visit` that `for_each_setting` passed, still alive.
    unsafe {
        let visit: *const Visit = data.cast();
        ((*visit).callback)(key, value, ptr::null(), (*visit).data)
    }
}

/// The value of a setting as an unsigned number; git dies on others.
pub unsafe fn config_ulong(
    name: *const c_char,
    value: *const c_char,
    _: *const ConfigContext,
) -> c_ulong {
    // SAFETY: the caller's promise.
    unsafe { git_config_ulong(name, value) }
}

/// The value of a setting as a signed number; git dies on others.
pub unsafe fn config_int64(
    name: *const c_char,
    value: *const c_char,
    _: *const ConfigContext,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { git_config_int64(name, value) }
}

/// The mode that `core.sharedRepository` makes of `mode`.
pub unsafe fn shared_mode(_: *mut Repository, mode: c_int) -> c_int {
    // SAFETY: a plain number.
    unsafe { calc_shared_perm(mode) }
}

/// Gives the file `path` the mode that `core.sharedRepository` asks for.
pub unsafe fn share(_: *mut Repository, path: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { adjust_shared_perm(path) }
}

/// Creates the directory `dir` with the repository's sharing; dies when it cannot.
pub unsafe fn create_shared_dir(_: *mut Repository, dir: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe { safe_create_dir(dir, 1) };
}

/// Adapts the string `*path` whenever the process changes its directory, if it is a relative
/// path.
///
/// # Safety
///
/// `path` is valid for the rest of the process's life, for this release never frees a store,
/// and its string comes from git's `xmalloc()`.
pub unsafe fn follow_chdir(path: *mut *mut c_char) {
    // SAFETY: the caller's promise.
    unsafe { chdir_notify_reparent(ptr::null(), path) };
}

/// Undoes `follow_chdir`: not called in this release, which cannot.
pub unsafe fn ignore_chdir(_: *mut *mut c_char) {}

/// Whether `refname` is a root ref, such as `HEAD`. This release does not ask for these.
pub unsafe fn names_root_ref(_: *const c_char) -> bool {
    false
}

/// Whether `core.logAllRefUpdates` asks for a log of `refname`: in this release, that of the
/// repository that the process runs in.
pub unsafe fn autocreates_reflog(config: LogRefsConfig, refname: *const c_char) -> bool {
    // SAFETY: the caller's promise. Git has the "files" backend replace an unset value, too.
    unsafe {
        if log_all_ref_updates == LOG_REFS_UNSET {
            log_all_ref_updates = config;
        }
        should_autocreate_reflog(refname) != 0
    }
}

/// Follows the tag `oid` to an object; false for an object that is no tag or is missing.
pub unsafe fn peel(_: *mut Repository, oid: *const ObjectId, peeled: *mut ObjectId) -> bool {
    // SAFETY: the caller's promise.
    unsafe { peel_object(oid, peeled) == PEEL_PEELED }
}

/// Checks that no ref other than those in `skip` is in the way of `refname`. Returns 0, or an
/// error with its message in `err`.
pub unsafe fn verify_refname_available(
    store: *mut RefStore,
    refname: *const c_char,
    skip: *const StringList,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { refs_verify_refname_available(store, refname, ptr::null(), skip, err) }
}

/// Has git check a direct ref: this release has no such check.
pub unsafe fn fsck_ref(
    _: *mut RefStore,
    _: *mut FsckOptions,
    _: *const c_char,
    _: *const c_char,
    _: *const ObjectId,
) -> c_int {
    0
}

/// Has git check a symref: this release has no such check.
pub unsafe fn fsck_symref(
    _: *mut RefStore,
    _: *mut FsckOptions,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    0
}

/// Initialises the base of an iterator, which is zeroed.
pub unsafe fn init_iterator(iter: *mut RefIterator, table: &'static RefIteratorVtable) {
    // SAFETY: the caller's promise. Git only reads the table, which C declares without `const`.
    unsafe { base_ref_iterator_init(iter, ptr::from_ref(table).cast_mut(), 1) };
}

/// The iterator over the refs of a linked worktree and those that it shares. It takes both over.
pub unsafe fn merge_iterators(
    worktree: *mut RefIterator,
    shared: *mut RefIterator,
) -> *mut RefIterator {
    // SAFETY: the caller's promise.
    unsafe { merge_ref_iterator_begin(1, worktree, shared, select, ptr::null_mut()) }
}

/// Takes the refs of a worktree and the shared ones in order. Of refs that each worktree has
/// for itself, those of the main worktree are left out.
unsafe extern "C" fn select(
    worktree: *mut RefIterator,
    shared: *mut RefIterator,
    _: *mut c_void,
) -> IteratorSelection {
    // SAFETY: git passes iterators with a current ref, or NULL for one that has ended.
    unsafe {
        if shared.is_null() {
            return if worktree.is_null() {
                ITER_SELECT_DONE
            } else {
                ITER_SELECT_0
            };
        }
        let name = (*shared).refname;
        if !worktree.is_null() {
            match CStr::from_ptr((*worktree).refname).cmp(CStr::from_ptr(name)) {
                Ordering::Less => return ITER_SELECT_0,
                Ordering::Equal => return ITER_SELECT_0_SKIP_1,
                Ordering::Greater => {}
            }
        }
        if owner_of(CStr::from_ptr(name).to_bytes()).0 == Owner::Shared {
            ITER_SELECT_1
        } else {
            ITER_SKIP_1
        }
    }
}

/// Makes `shown` the current ref of an iterator.
pub unsafe fn show_ref(iter: *mut RefIterator, shown: &ShownRef) {
    // SAFETY: the caller's promise.
    unsafe {
        (*iter).refname = shown.name;
        (*iter).oid = shown.oid;
        (*iter).flags = shown.flags;
    }
}

/// Makes `name` the current one of an iterator over the names that have reflogs.
pub unsafe fn show_reflog(iter: *mut RefIterator, name: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe { (*iter).refname = name };
}

/// Makes the id that the current name resolves to that of an iterator over the names that have
/// reflogs.
pub unsafe fn show_reflog_id(iter: *mut RefIterator, oid: *const ObjectId, flags: c_uint) {
    // SAFETY: the caller's promise.
    unsafe {
        (*iter).oid = oid;
        (*iter).flags = flags;
    }
}

/// Calls git's callback, which is not NULL, for an entry of a reflog.
pub unsafe fn visit_entry(
    callback: EachReflogEntFn,
    _: *const c_char,
    entry: &mut ShownEntry,
    payload: *mut c_void,
) -> c_int {
    let Some(callback) = callback else {
        return 0;
    };
    // SAFETY: the caller's promise.
    unsafe {
        callback(
            &mut entry.old,
            &mut entry.new,
            entry.committer,
            entry.time,
            entry.zone,
            entry.message,
            payload,
        )
    }
}
