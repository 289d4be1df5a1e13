//! Updates and transactions of git 2.47.3: members and functions that other releases lack.
//!
//! # Safety
//!
//! Of every function here: updates and transactions are alive, strings are NUL-terminated and
//! live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use super::behavior::RefTransactionError;
use super::layout::{
    RefTransaction, RefUpdate, REF_SKIP_OID_VERIFICATION, REF_TRANSACTION_ERROR_GENERIC,
    REF_TRANSACTION_ERROR_NAME_CONFLICT,
};
use crate::git::abi::{
    calls, ffi, NewUpdate, ObjectId, RefStore, Repository, StrBuf, StringList, StringListItem,
    REF_HAVE_NEW, REF_LOG_ONLY,
};
use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_uint, CStr};
use std::ptr;

/// `enum object_type`.
pub type ObjectType = c_int;
const OBJ_COMMIT: ObjectType = 1;

extern "C" {
    fn is_branch(refname: *const c_char) -> c_int;
    fn oid_to_hex(oid: *const ObjectId) -> *mut c_char;
    fn ref_transaction_add_update(
        transaction: *mut RefTransaction,
        refname: *const c_char,
        flags: c_uint,
        new_oid: *const ObjectId,
        old_oid: *const ObjectId,
        new_target: *const c_char,
        old_target: *const c_char,
        msg: *const c_char,
    ) -> *mut RefUpdate;
    fn ref_update_reject_duplicates(refnames: *mut StringList, err: *mut StrBuf) -> c_int;
    fn ref_update_original_update_refname(update: *mut RefUpdate) -> *const c_char;
    fn ref_update_has_null_new_value(update: *mut RefUpdate) -> c_int;
    fn ref_update_expects_existing_old_ref(update: *mut RefUpdate) -> c_int;
    fn ref_update_check_old_target(
        referent: *const c_char,
        update: *mut RefUpdate,
        err: *mut StrBuf,
    ) -> c_int;

    // refs/reftable-rust.c
    /// The type of an object, which is read and checked; negative when there is no such object.
    fn reftable_rs_parse_object(repo: *mut Repository, oid: *const ObjectId) -> ObjectType;
}

/// The symref target to be set, or NULL.
pub unsafe fn new_target(update: *const RefUpdate) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { (*update).new_target }
}

/// The symref target that must be there, or NULL.
pub unsafe fn old_target(update: *const RefUpdate) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { (*update).old_target }
}

/// The ident to log in place of the process's committer: none in this release.
pub unsafe fn committer_info(_: *const RefUpdate) -> *const c_char {
    ptr::null()
}

/// Position among the entries of one reflog: this release does not migrate them.
pub unsafe fn index(_: *const RefUpdate) -> u64 {
    0
}

/// Whether the update is the entry of a reflog whose ids the caller has given.
pub unsafe fn provides_log_ids(_: *const RefUpdate) -> bool {
    false
}

/// Whether a transaction of batched updates has set this one aside: this release has none.
pub unsafe fn is_rejected(_: *const RefUpdate) -> bool {
    false
}

/// What the new id peels to, or None for an object that is no tag.
pub unsafe fn peeled(update: *const RefUpdate, repo: *mut Repository) -> Option<ObjectId> {
    // SAFETY: the caller's promise.
    unsafe {
        let new = ptr::addr_of!((*update).new_oid);
        if (*update).flags & REF_HAVE_NEW == 0 || (*new).is_null() {
            return None;
        }
        let mut peeled = ObjectId::ZERO;
        calls::peel(repo, new, &mut peeled).then_some(peeled)
    }
}

/// Whether the new value is null: the ref is to be deleted.
pub unsafe fn has_null_new_value(update: *mut RefUpdate) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ref_update_has_null_new_value(update) != 0 }
}

/// Whether the ref must exist beforehand.
pub unsafe fn expects_existing_old_ref(update: *mut RefUpdate) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ref_update_expects_existing_old_ref(update) != 0 }
}

/// The name under which the user asked for the update: that of an ancestor, perhaps.
pub unsafe fn original_refname(update: *mut RefUpdate) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { ref_update_original_update_refname(update) }
}

/// Compares `referent` with the target that must be there. Returns 0, or an error with its
/// message in `err`.
pub unsafe fn check_old_target(
    referent: *const c_char,
    update: *mut RefUpdate,
    err: *mut StrBuf,
) -> RefTransactionError {
    // SAFETY: the caller's promise.
    match unsafe { ref_update_check_old_target(referent, update, err) } {
        0 => 0,
        _ => REF_TRANSACTION_ERROR_GENERIC,
    }
}

/// Checks the new value of `update`: there must be such an object, and a branch needs a commit.
/// Returns 0, or an error with its message in `err`.
pub unsafe fn check_new_object(
    update: *const RefUpdate,
    repo: *mut Repository,
    err: *mut StrBuf,
) -> RefTransactionError {
    // SAFETY: the caller's promise. The formats have a `%s` for each of the strings.
    unsafe {
        let new = ptr::addr_of!((*update).new_oid);
        let unchecked = REF_SKIP_OID_VERIFICATION | REF_LOG_ONLY;
        if (*update).flags & (REF_HAVE_NEW | unchecked) != REF_HAVE_NEW || (*new).is_null() {
            return 0;
        }
        let refname = update.add(1).cast::<c_char>();
        let kind = reftable_rs_parse_object(repo, new);
        if kind < 0 {
            let format = c"trying to write ref '%s' with nonexistent object %s";
            let format = ffi::reftable_rs_gettext(format.as_ptr());
            ffi::strbuf_addf(err, format, refname, oid_to_hex(new));
            return REF_TRANSACTION_ERROR_GENERIC;
        }
        if kind != OBJ_COMMIT && is_branch(refname) != 0 {
            let format = c"trying to write non-commit object %s to branch '%s'";
            let format = ffi::reftable_rs_gettext(format.as_ptr());
            ffi::strbuf_addf(err, format, oid_to_hex(new), refname);
            return REF_TRANSACTION_ERROR_GENERIC;
        }
    }
    0
}

/// Whether the transaction fills a new repository: this release has a function for that, which
/// checks names as any other.
pub unsafe fn is_initial(_: *const RefTransaction) -> bool {
    false
}

/// Highest `index` of all updates.
pub unsafe fn max_index(_: *const RefTransaction) -> u64 {
    0
}

/// In a transaction of batched updates, sets an update aside: this release has none, so that the
/// whole transaction must fail.
pub unsafe fn reject(
    _: *mut RefTransaction,
    _: usize,
    _: RefTransactionError,
    _: *mut StrBuf,
) -> bool {
    false
}

/// The names that a transaction updates, sorted. They belong to the updates.
pub struct Names {
    items: Vec<StringListItem>,
}

impl Names {
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// Collects the names of all updates. Returns 0, or an error with its message in `err` when
    /// one is updated twice.
    pub unsafe fn collect(
        &mut self,
        transaction: *mut RefTransaction,
        err: *mut StrBuf,
    ) -> RefTransactionError {
        // SAFETY: the caller's promise: there are `nr` updates, and their names are
        // NUL-terminated.
        unsafe {
            let (updates, count) = ((*transaction).updates, (*transaction).nr);
            self.items = (0..count).map(|i| item(*updates.add(i))).collect();
            self.items
                .sort_unstable_by(|a, b| compare(a.string, b.string));
            if ref_update_reject_duplicates(&mut self.list(), err) != 0 {
                return REF_TRANSACTION_ERROR_GENERIC;
            }
        }
        0
    }

    /// The names and their number. They stay until an update is added.
    pub unsafe fn items(&self, _: *const RefTransaction) -> (*const StringListItem, usize) {
        (self.items.as_ptr(), self.items.len())
    }

    /// Whether `refname` is one of them.
    pub unsafe fn has(&self, _: *const RefTransaction, refname: *const c_char) -> bool {
        self.find(refname).is_ok()
    }

    /// Adds an update, and its name.
    pub unsafe fn add_update(
        &mut self,
        transaction: *mut RefTransaction,
        new: &NewUpdate,
    ) -> *mut RefUpdate {
        // SAFETY: the caller's promise; git copies all of it.
        let update = unsafe {
            ref_transaction_add_update(
                transaction,
                new.refname,
                new.flags,
                new.new_oid,
                new.old_oid,
                new.new_target,
                new.old_target,
                new.msg,
            )
        };
        let item = item(update);
        let (Ok(at) | Err(at)) = self.find(item.string);
        self.items.insert(at, item);
        update
    }

    /// Checks that the refs `new` can be created next to those that exist and those that the
    /// transaction creates. Returns 0, or an error with its message in `err`.
    pub unsafe fn verify_available(
        &mut self,
        store: *mut RefStore,
        new: *const StringList,
        _: *mut RefTransaction,
        err: *mut StrBuf,
    ) -> RefTransactionError {
        let all = self.list();
        // SAFETY: the caller's promise; the lists live through the calls, which only read them.
        unsafe {
            for i in 0..(*new).nr {
                let refname = (*(*new).items.add(i)).string;
                if calls::refs_verify_refname_available(store, refname, &all, ptr::null(), err) != 0
                {
                    return REF_TRANSACTION_ERROR_NAME_CONFLICT;
                }
            }
        }
        0
    }

    /// The names as git takes them; valid until they change.
    fn list(&mut self) -> StringList {
        StringList {
            items: self.items.as_mut_ptr(),
            nr: self.items.len(),
            alloc: self.items.len(),
            bits: 0,
            cmp: None,
        }
    }

    /// Where `refname` is in the list, or belongs.
    fn find(&self, refname: *const c_char) -> Result<usize, usize> {
        self.items
            .binary_search_by(|item| compare(item.string, refname))
    }
}

fn item(update: *mut RefUpdate) -> StringListItem {
    StringListItem {
        string: update.wrapping_add(1).cast(),
        util: ptr::null_mut(),
    }
}

fn compare(a: *const c_char, b: *const c_char) -> Ordering {
    // SAFETY: only called for names, which are NUL-terminated.
    unsafe { CStr::from_ptr(a).cmp(CStr::from_ptr(b)) }
}
