//! Functions of git 2.47.3 whose parameters or results differ in other releases.
//!
//! # Safety
//!
//! Of every function here: pointers are as git's function of that name wants them, and live
//! through the call.

#![expect(unsafe_code, reason = "calls into git")]

use super::layout::{
    ConfigContext, EachReflogEntFn, RefIterator, RefIteratorVtable, Trace2CounterId,
    TRACE2_COUNTER_ID_REFTABLE_RESEEKS,
};
use crate::git::abi::{
    FsckOptions, IdentSplit, IteratorSelection, KeyValueInfo, LogRefsConfig, ObjectId, PeelStatus,
    RefStore, Repository, ShownEntry, ShownRef, StrBuf, StringList, Tempfile, PEEL_PEELED,
};
use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_ulong, c_void};
use std::ptr;
use std::sync::Once;

/// `config_fn_t`.
pub type ConfigFn =
    unsafe extern "C" fn(*const c_char, *const c_char, *const ConfigContext, *mut c_void) -> c_int;

/// `ref_iterator_select_fn`.
pub type SelectFn =
    unsafe extern "C" fn(*mut RefIterator, *mut RefIterator, *mut c_void) -> IteratorSelection;

/// `chdir_notify_callback`.
pub type ChdirFn =
    Option<unsafe extern "C" fn(*const c_char, *const c_char, *const c_char, *mut c_void)>;

extern "C" {
    fn git_rand() -> u32;
    fn trace2_counter_add(counter: Trace2CounterId, value: u64);
    fn delete_tempfile(tempfile: *mut *mut Tempfile) -> c_int;
    fn split_ident_line(split: *mut IdentSplit, line: *const c_char, len: c_int) -> c_int;

    fn repo_config(repo: *mut Repository, callback: ConfigFn, data: *mut c_void);
    fn git_config_ulong(
        name: *const c_char,
        value: *const c_char,
        kvi: *const KeyValueInfo,
    ) -> c_ulong;
    fn git_config_int64(name: *const c_char, value: *const c_char, kvi: *const KeyValueInfo)
        -> i64;
    fn calc_shared_perm(mode: c_int) -> c_int;
    fn adjust_shared_perm(path: *const c_char) -> c_int;
    fn safe_create_dir(dir: *const c_char, share: c_int);

    fn chdir_notify_register(name: *const c_char, callback: ChdirFn, data: *mut c_void);
    fn reparent_relative_path(
        old_cwd: *const c_char,
        new_cwd: *const c_char,
        path: *const c_char,
    ) -> *mut c_char;

    fn is_root_ref(refname: *const c_char) -> c_int;
    fn should_autocreate_reflog(config: LogRefsConfig, refname: *const c_char) -> c_int;
    fn peel_object(
        repo: *mut Repository,
        name: *const ObjectId,
        peeled: *mut ObjectId,
    ) -> PeelStatus;
    pub fn refs_verify_refname_available(
        store: *mut RefStore,
        refname: *const c_char,
        extras: *const StringList,
        skip: *const StringList,
        err: *mut StrBuf,
    ) -> c_int;
    fn base_ref_iterator_init(iter: *mut RefIterator, vtable: *mut RefIteratorVtable);
    fn merge_ref_iterator_begin(
        first: *mut RefIterator,
        second: *mut RefIterator,
        select: SelectFn,
        data: *mut c_void,
    ) -> *mut RefIterator;
    fn ref_iterator_select(
        worktree: *mut RefIterator,
        common: *mut RefIterator,
        data: *mut c_void,
    ) -> IteratorSelection;
}

/// A random number that need not be secret.
pub fn random() -> u32 {
    // SAFETY: no arguments.
    unsafe { git_rand() }
}

/// Counts a re-seek of an iterator for trace2.
pub fn count_reseek() {
    // SAFETY: plain numbers.
    unsafe { trace2_counter_add(TRACE2_COUNTER_ID_REFTABLE_RESEEKS, 1) };
}

/// Removes a temporary file and clears the pointer to it.
pub unsafe fn remove_tempfile(tempfile: *mut *mut Tempfile) {
    // SAFETY: the caller's promise.
    unsafe { delete_tempfile(tempfile) };
}

/// Splits the first `len` bytes of `line`; not 0 when they are no ident.
pub unsafe fn split_ident(split: *mut IdentSplit, line: *const c_char, len: usize) -> c_int {
    let len = c_int::try_from(len).unwrap_or(c_int::MAX);
    // SAFETY: the caller's promise.
    unsafe { split_ident_line(split, line, len) }
}

/// Calls `callback` with `data` for each setting of `repo`.
pub unsafe fn for_each_setting(repo: *mut Repository, callback: ConfigFn, data: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { repo_config(repo, callback, data) };
}

/// The value of a setting as an unsigned number; git dies on others.
pub unsafe fn config_ulong(
    name: *const c_char,
    value: *const c_char,
    context: *const ConfigContext,
) -> c_ulong {
    // SAFETY: the caller's promise.
    unsafe { git_config_ulong(name, value, (*context).kvi) }
}

/// The value of a setting as a signed number; git dies on others.
pub unsafe fn config_int64(
    name: *const c_char,
    value: *const c_char,
    context: *const ConfigContext,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { git_config_int64(name, value, (*context).kvi) }
}

/// The mode that `core.sharedRepository` makes of `mode`.
pub unsafe fn shared_mode(_: *mut Repository, mode: c_int) -> c_int {
    // SAFETY: the caller's promise.
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

thread_local! {
    /// The strings that follow changes of the directory. Git cannot forget a callback in this
    /// release, so that it has one for all of them.
    static FOLLOWING: RefCell<Vec<*mut *mut c_char>> = const { RefCell::new(Vec::new()) };
}

/// Adapts the string `*path` whenever the process changes its directory, if it is a relative
/// path.
///
/// # Safety
///
/// `path` is valid until `ignore_chdir`, and its string comes from git's `xmalloc()`.
pub unsafe fn follow_chdir(path: *mut *mut c_char) {
    static ONCE: Once = Once::new();
    // SAFETY: the callback needs no data.
    ONCE.call_once(|| unsafe {
        chdir_notify_register(ptr::null(), Some(reparent), ptr::null_mut());
    });
    FOLLOWING.with_borrow_mut(|following| following.push(path));
}

/// Undoes `follow_chdir`.
pub unsafe fn ignore_chdir(path: *mut *mut c_char) {
    FOLLOWING.with_borrow_mut(|following| following.retain(|&other| other != path));
}

unsafe extern "C" fn reparent(
    _: *const c_char,
    old_cwd: *const c_char,
    new_cwd: *const c_char,
    _: *mut c_void,
) {
    FOLLOWING.with_borrow(|following| {
        for &path in following {
            // SAFETY: the promise of the caller of `follow_chdir`.
            unsafe {
                let old = *path;
                *path = reparent_relative_path(old_cwd, new_cwd, old);
                libc::free(old.cast());
            }
        }
    });
}

/// Whether `refname` is a root ref, such as `HEAD`.
pub unsafe fn names_root_ref(refname: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    unsafe { is_root_ref(refname) != 0 }
}

/// Whether `core.logAllRefUpdates` in `config` asks for a log of `refname`.
pub unsafe fn autocreates_reflog(config: LogRefsConfig, refname: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    unsafe { should_autocreate_reflog(config, refname) != 0 }
}

/// Follows the tag `oid` to an object; false for an object that is no tag or is missing.
pub unsafe fn peel(repo: *mut Repository, oid: *const ObjectId, peeled: *mut ObjectId) -> bool {
    // SAFETY: the caller's promise.
    unsafe { peel_object(repo, oid, peeled) == PEEL_PEELED }
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

/// This release has no check of a direct ref.
pub unsafe fn fsck_ref(
    _: *mut RefStore,
    _: *mut FsckOptions,
    _: *const c_char,
    _: *const c_char,
    _: *const ObjectId,
) -> c_int {
    0
}

/// This release has no check of a symref.
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
    unsafe { base_ref_iterator_init(iter, ptr::from_ref(table).cast_mut()) };
}

/// The iterator over the refs of a linked worktree and those that it shares. It takes both over.
pub unsafe fn merge_iterators(
    worktree: *mut RefIterator,
    shared: *mut RefIterator,
) -> *mut RefIterator {
    // SAFETY: the caller's promise.
    unsafe { merge_ref_iterator_begin(worktree, shared, ref_iterator_select, ptr::null_mut()) }
}

/// Makes `shown` the current ref of an iterator.
pub unsafe fn show_ref(iter: *mut RefIterator, shown: &ShownRef) {
    // SAFETY: the caller's promise.
    unsafe {
        (*iter).refname = shown.name;
        (*iter).referent = shown.target;
        (*iter).oid = shown.oid;
        (*iter).flags = shown.flags;
    }
}

/// Makes `name` the current one of an iterator over the names that have reflogs.
pub unsafe fn show_reflog(iter: *mut RefIterator, name: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe { (*iter).refname = name };
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
