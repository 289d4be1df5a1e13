//! Updates and transactions of git 2.39.5: members and functions that other releases lack.
//!
//! An update has no member for the target of a symref. Symrefs are created by a function of
//! their own, which makes a transaction of one update that no other code sees and keeps the
//! target in `backend_data`.
//!
//! # Safety
//!
//! Of every function here: updates and transactions are alive, strings are NUL-terminated and
//! live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use super::calls;
use super::layout::{
    ObjectType, RefTransaction, RefUpdate, OBJ_COMMIT, REF_SKIP_OID_VERIFICATION,
    REF_TRANSACTION_ERROR_GENERIC, REF_TRANSACTION_ERROR_NAME_CONFLICT,
};
use crate::git::abi::{
    ffi, NewUpdate, ObjectId, RefStore, Repository, StrBuf, StringList, StringListItem,
    REF_HAVE_NEW, REF_HAVE_OLD, REF_LOG_ONLY,
};
use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

extern "C" {
    fn string_list_append(list: *mut StringList, string: *const c_char) -> *mut StringListItem;
    fn string_list_insert(list: *mut StringList, string: *const c_char) -> *mut StringListItem;
    fn string_list_sort(list: *mut StringList);
    fn string_list_clear(list: *mut StringList, free_util: c_int);
    fn string_list_has_string(list: *const StringList, string: *const c_char) -> c_int;
    fn ref_update_reject_duplicates(names: *mut StringList, err: *mut StrBuf) -> c_int;
    fn ref_transaction_add_update(
        transaction: *mut RefTransaction,
        refname: *const c_char,
        flags: c_uint,
        new_oid: *const ObjectId,
        old_oid: *const ObjectId,
        msg: *const c_char,
    ) -> *mut RefUpdate;
    fn oid_to_hex(oid: *const ObjectId) -> *mut c_char;
    fn is_branch(refname: *const c_char) -> c_int;
    /// The type of an object that can be read and parsed, else a negative number.
    fn reftable_rs_parsed_type(repo: *mut Repository, oid: *const ObjectId) -> ObjectType;
}

/// Flag of an update that creates a symref: the target is its `backend_data`.
const HAS_TARGET: c_uint = 1 << 13;

/// Adds an update to a transaction, for `set_new_target`.
pub unsafe fn add_symref(
    transaction: *mut RefTransaction,
    refname: *const c_char,
    flags: c_uint,
    msg: *const c_char,
) -> *mut RefUpdate {
    // SAFETY: the caller's promise; git copies all of it.
    unsafe {
        let null = &ObjectId::ZERO;
        ref_transaction_add_update(transaction, refname, flags, null, null, msg)
    }
}

/// Makes `update` one that creates a symref to `target`, which must outlive it.
pub unsafe fn set_new_target(update: *mut RefUpdate, target: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe {
        (*update).flags |= HAS_TARGET | REF_HAVE_NEW;
        (*update).backend_data = target.cast_mut().cast();
    }
}

/// The symref target to be set, or NULL.
pub unsafe fn new_target(update: *const RefUpdate) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        if (*update).flags & HAS_TARGET == 0 {
            return ptr::null();
        }
        (*update).backend_data.cast_const().cast()
    }
}

/// The symref target that must be there: not in this release.
pub unsafe fn old_target(_: *const RefUpdate) -> *const c_char {
    ptr::null()
}

/// The ident to log in place of the process's committer: not in this release.
pub unsafe fn committer_info(_: *const RefUpdate) -> *const c_char {
    ptr::null()
}

/// Position among the entries of one reflog that a migration writes: not in this release.
pub unsafe fn index(_: *const RefUpdate) -> u64 {
    0
}

/// Whether the update is the entry of a reflog whose ids the caller has given: not in this
/// release.
pub unsafe fn provides_log_ids(_: *const RefUpdate) -> bool {
    false
}

/// Whether a transaction of batched updates has set this one aside: not in this release.
pub unsafe fn is_rejected(_: *const RefUpdate) -> bool {
    false
}

/// What the new id peels to, or None for an object that is no tag.
pub unsafe fn peeled(update: *const RefUpdate, repo: *mut Repository) -> Option<ObjectId> {
    let mut peeled = ObjectId::ZERO;
    // SAFETY: the caller's promise.
    unsafe {
        let oid = ptr::addr_of!((*update).new_oid);
        let is_id = (*update).flags & REF_HAVE_NEW != 0
            && new_target(update).is_null()
            && !(*oid).is_null();
        (is_id && calls::peel(repo, oid, &mut peeled)).then_some(peeled)
    }
}

/// Whether the new value is null: the ref is to be deleted.
pub unsafe fn has_null_new_value(update: *mut RefUpdate) -> bool {
    // SAFETY: the caller's promise.
    unsafe { new_target(update).is_null() && (*ptr::addr_of!((*update).new_oid)).is_null() }
}

/// Whether the ref must exist beforehand.
pub unsafe fn expects_existing_old_ref(update: *mut RefUpdate) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*update).flags & REF_HAVE_OLD != 0 && !(*ptr::addr_of!((*update).old_oid)).is_null() }
}

/// The name under which the user asked for the update: that of an ancestor, perhaps.
pub unsafe fn original_refname(update: *mut RefUpdate) -> *const c_char {
    let mut first = update;
    // SAFETY: the caller's promise; the chain of parents ends with NULL, and the name follows
    // the fixed members.
    unsafe {
        while !(*first).parent_update.is_null() {
            first = (*first).parent_update;
        }
        first.add(1).cast_const().cast()
    }
}

/// Compares `referent` with the target that must be there: not in this release.
pub unsafe fn check_old_target(_: *const c_char, _: *mut RefUpdate, _: *mut StrBuf) -> c_int {
    0
}

/// Checks the new value of `update`: the object exists, and is a commit if the ref is a branch.
/// Returns 0, or an error with its message in `err`.
pub unsafe fn check_new_object(
    update: *const RefUpdate,
    repo: *mut Repository,
    err: *mut StrBuf,
) -> c_int {
    // SAFETY: the caller's promise; the name follows the fixed members.
    unsafe {
        let flags = (*update).flags;
        let is_checked = flags & REF_HAVE_NEW != 0
            && flags & (REF_LOG_ONLY | REF_SKIP_OID_VERIFICATION) == 0
            && !has_null_new_value(update.cast_mut())
            && new_target(update).is_null();
        if !is_checked {
            return 0;
        }
        let name: *const c_char = update.add(1).cast();
        let oid = ptr::addr_of!((*update).new_oid);
        let found = reftable_rs_parsed_type(repo, oid);
        if found < 0 {
            let text = c"trying to write ref '%s' with nonexistent object %s";
            ffi::strbuf_addf(err, text.as_ptr(), name, oid_to_hex(oid));
            return REF_TRANSACTION_ERROR_GENERIC;
        }
        if found != OBJ_COMMIT && is_branch(name) != 0 {
            let text = c"trying to write non-commit object %s to branch '%s'";
            ffi::strbuf_addf(err, text.as_ptr(), oid_to_hex(oid), name);
            return REF_TRANSACTION_ERROR_GENERIC;
        }
    }
    0
}

/// Whether the transaction fills a new repository, where no ref can be in the way. A clone
/// checks names in this release, too: a remote helper may have made refs.
pub unsafe fn is_initial(_: *const RefTransaction) -> bool {
    false
}

/// Highest `index` of all updates.
pub unsafe fn max_index(_: *const RefTransaction) -> u64 {
    0
}

/// Sets an update aside: not in this release, whose transactions succeed or fail as a whole.
pub unsafe fn reject(_: *mut RefTransaction, _: usize, _: c_int, _: *mut StrBuf) -> bool {
    false
}

/// The names that a transaction updates, sorted. The strings are those of the updates.
pub struct Names {
    list: StringList,
}

impl Names {
    pub const fn new() -> Self {
        Self {
            list: StringList {
                items: ptr::null_mut(),
                nr: 0,
                alloc: 0,
                bits: 0,
                cmp: None,
            },
        }
    }

    /// Collects the names of all updates. Returns 0, or an error with its message in `err` when
    /// one is updated twice.
    pub unsafe fn collect(&mut self, transaction: *mut RefTransaction, err: *mut StrBuf) -> c_int {
        // SAFETY: the caller's promise; the updates outlive the list.
        unsafe {
            for i in 0..(*transaction).nr {
                let update = *(*transaction).updates.add(i);
                string_list_append(&mut self.list, update.add(1).cast_const().cast());
            }
            string_list_sort(&mut self.list);
            if ref_update_reject_duplicates(&mut self.list, err) != 0 {
                return REF_TRANSACTION_ERROR_GENERIC;
            }
        }
        0
    }

    /// The names and their number. They stay until an update is added.
    pub unsafe fn items(&self, _: *const RefTransaction) -> (*const StringListItem, usize) {
        (self.list.items, self.list.nr)
    }

    /// Whether `refname` is one of them.
    pub unsafe fn has(&self, _: *const RefTransaction, refname: *const c_char) -> bool {
        // SAFETY: the caller's promise; the list is sorted.
        unsafe { string_list_has_string(&self.list, refname) != 0 }
    }

    /// Adds an update, and its name.
    pub unsafe fn add_update(
        &mut self,
        transaction: *mut RefTransaction,
        new: &NewUpdate,
    ) -> *mut RefUpdate {
        // SAFETY: the caller's promise; git copies all of it. A value that is not there is
        // passed as the null id, which git does not use without the flag for it.
        unsafe {
            let update = ref_transaction_add_update(
                transaction,
                new.refname,
                new.flags,
                new.new_oid,
                new.old_oid,
                new.msg,
            );
            string_list_insert(&mut self.list, update.add(1).cast_const().cast());
            update
        }
    }

    /// Checks that the refs `new` can be created next to those that exist and those that the
    /// transaction creates. Returns 0, or an error with its message in `err`.
    pub unsafe fn verify_available(
        &self,
        store: *mut RefStore,
        new: *const StringList,
        _: *mut RefTransaction,
        err: *mut StrBuf,
    ) -> c_int {
        // SAFETY: the caller's promise.
        unsafe {
            for i in 0..(*new).nr {
                let name = (*(*new).items.add(i)).string;
                let refused =
                    calls::refs_verify_refname_available(store, name, &self.list, ptr::null(), err);
                if refused != 0 {
                    return REF_TRANSACTION_ERROR_NAME_CONFLICT;
                }
            }
        }
        0
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // SAFETY: a list of git's functions, which does not own its strings.
        unsafe { string_list_clear(&mut self.list, 0) };
    }
}
