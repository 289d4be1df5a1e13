//! Updates and transactions of git 2.55.0: members and functions that other releases lack.
//!
//! # Safety
//!
//! Of every function here: updates and transactions are alive, strings are NUL-terminated and
//! live through the call.

#![expect(unsafe_code, reason = "calls into git")]

use super::layout::{
    RefTransaction, RefTransactionError, RefUpdate, REF_HAVE_PEELED, REF_LOG_USE_PROVIDED_OIDS,
    REF_TRANSACTION_FLAG_INITIAL,
};
use crate::git::abi::{
    NewUpdate, ObjectId, RefStore, Repository, StrBuf, StringList, StringListItem,
};
use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

extern "C" {
    fn string_list_has_string(list: *const StringList, string: *const c_char) -> bool;
    fn ref_transaction_add_update(
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
    fn ref_transaction_maybe_set_rejected(
        transaction: *mut RefTransaction,
        index: usize,
        error: RefTransactionError,
        details: *mut StrBuf,
    ) -> c_int;
    fn ref_update_original_update_refname(update: *mut RefUpdate) -> *const c_char;
    fn ref_update_has_null_new_value(update: *mut RefUpdate) -> c_int;
    fn ref_update_expects_existing_old_ref(update: *mut RefUpdate) -> c_int;
    fn ref_update_check_old_target(
        referent: *const c_char,
        update: *mut RefUpdate,
        err: *mut StrBuf,
    ) -> RefTransactionError;
    fn refs_verify_refnames_available(
        store: *mut RefStore,
        refnames: *const StringList,
        extras: *const StringList,
        skip: *const StringList,
        transaction: *mut RefTransaction,
        initial: c_uint,
        err: *mut StrBuf,
    ) -> RefTransactionError;
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

/// The ident to log in place of the process's committer, or NULL.
pub unsafe fn committer_info(update: *const RefUpdate) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { (*update).committer_info }
}

/// Position among the entries of one reflog that a migration writes; 0 for other updates.
pub unsafe fn index(update: *const RefUpdate) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { (*update).index }
}

/// Whether the update is the entry of a reflog whose ids the caller has given.
pub unsafe fn provides_log_ids(update: *const RefUpdate) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*update).flags & REF_LOG_USE_PROVIDED_OIDS != 0 }
}

/// Whether a transaction of batched updates has set this one aside.
pub unsafe fn is_rejected(update: *const RefUpdate) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*update).rejection_err != 0 }
}

/// What the new id peels to, or None for an object that is no tag. Git has found out.
pub unsafe fn peeled(update: *const RefUpdate, _: *mut Repository) -> Option<ObjectId> {
    // SAFETY: the caller's promise.
    unsafe { ((*update).flags & REF_HAVE_PEELED != 0).then(|| (*update).peeled) }
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
    unsafe { ref_update_check_old_target(referent, update, err) }
}

/// Checks the new value of `update`. Returns 0, or an error with its message in `err`. Git has
/// checked it before the transaction reaches a backend.
pub unsafe fn check_new_object(
    _: *const RefUpdate,
    _: *mut Repository,
    _: *mut StrBuf,
) -> RefTransactionError {
    0
}

/// Whether the transaction fills a new repository, where no ref can be in the way.
pub unsafe fn is_initial(transaction: *const RefTransaction) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*transaction).flags & REF_TRANSACTION_FLAG_INITIAL != 0 }
}

/// Highest `index` of all updates.
pub unsafe fn max_index(transaction: *const RefTransaction) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { (*transaction).max_index }
}

/// In a transaction of batched updates, sets update number `index` aside with `error` and the
/// message in `err`, which git takes over; false when the whole transaction must fail.
pub unsafe fn reject(
    transaction: *mut RefTransaction,
    index: usize,
    error: RefTransactionError,
    err: *mut StrBuf,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ref_transaction_maybe_set_rejected(transaction, index, error, err) != 0 }
}

/// The names that a transaction updates, sorted. Git keeps them with the transaction.
pub struct Names;

impl Names {
    pub const fn new() -> Self {
        Self
    }

    /// Collects the names of all updates. Returns 0, or an error with its message in `err` when
    /// one is updated twice: git has checked that.
    pub unsafe fn collect(
        &mut self,
        _: *mut RefTransaction,
        _: *mut StrBuf,
    ) -> RefTransactionError {
        0
    }

    /// The names and their number. They stay until an update is added.
    pub unsafe fn items(
        &self,
        transaction: *const RefTransaction,
    ) -> (*const StringListItem, usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let list = ptr::addr_of!((*transaction).refnames);
            ((*list).items, (*list).nr)
        }
    }

    /// Whether `refname` is one of them.
    pub unsafe fn has(&self, transaction: *const RefTransaction, refname: *const c_char) -> bool {
        // SAFETY: the caller's promise; git keeps the list sorted.
        unsafe { string_list_has_string(ptr::addr_of!((*transaction).refnames), refname) }
    }

    /// Adds an update, and its name.
    pub unsafe fn add_update(
        &mut self,
        transaction: *mut RefTransaction,
        new: &NewUpdate,
    ) -> *mut RefUpdate {
        // SAFETY: the caller's promise; git copies all of it.
        unsafe {
            ref_transaction_add_update(
                transaction,
                new.refname,
                new.flags,
                new.new_oid,
                new.old_oid,
                ptr::addr_of!((*new.of).peeled),
                new.new_target,
                new.old_target,
                new.committer_info,
                new.msg,
            )
        }
    }

    /// Checks that the refs `new` can be created next to those that exist and those that the
    /// transaction creates. The `util` of an item is the number of its update. Returns 0, or an
    /// error with its message in `err`.
    pub unsafe fn verify_available(
        &self,
        store: *mut RefStore,
        new: *const StringList,
        transaction: *mut RefTransaction,
        err: *mut StrBuf,
    ) -> RefTransactionError {
        // SAFETY: the caller's promise.
        unsafe {
            refs_verify_refnames_available(
                store,
                new,
                ptr::addr_of!((*transaction).refnames),
                ptr::null(),
                transaction,
                (*transaction).flags & REF_TRANSACTION_FLAG_INITIAL,
                err,
            )
        }
    }
}
