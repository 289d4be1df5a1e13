//! The functions for reflogs, and git's callbacks as closures.

use super::arguments::{opened, store, text, Opened};
use crate::git::abi::{
    self, calls, EachReflogEntFn, ExpiryCleanupFn, ExpiryPrepareFn, ExpiryShouldPruneFn, ObjectId,
    RefStore, ShownEntry, StrBuf,
};
use crate::git::failure::{code, complain, report_unexpired, Failure};
use crate::git::reflog::{self, Entry, Policy, Visitor};
use crate::git::sys::messages;
use std::ffi::{c_char, c_int, c_uint, c_void, CStr};

/// A closure that calls git's callback for entries with `payload`.
///
/// # Safety
///
/// `callback` may be called with `payload` while the result lives.
unsafe fn visitor(
    callback: EachReflogEntFn,
    payload: *mut c_void,
) -> impl FnMut(&CStr, &Entry, &CStr) -> c_int {
    if callback.is_none() {
        messages::bug(c"missing callback", &[]);
    }
    move |name, entry, committer| {
        let mut shown = ShownEntry {
            old: entry.old,
            new: entry.new,
            committer: committer.as_ptr(),
            time: entry.time,
            zone: entry.hhmm(),
            message: entry.message.shown().as_ptr(),
        };
        // SAFETY: the caller's promise; all arguments live through the call.
        unsafe { calls::visit_entry(callback, name.as_ptr(), &mut shown, payload) }
    }
}

fn walked(outcome: Result<c_int, Failure>) -> c_int {
    match outcome {
        Ok(answer) => answer,
        Err(failure) => {
            failure.complain();
            failure.code()
        }
    }
}

pub unsafe extern "C" fn for_each_reflog_ent(
    raw: *mut RefStore,
    name: *const c_char,
    callback: EachReflogEntFn,
    payload: *mut c_void,
) -> c_int {
    // SAFETY: see the head of `vtable`.
    unsafe {
        let Opened { store, expiries } = opened(raw, abi::REF_STORE_READ, c"for_each_reflog_ent");
        let visit: &mut Visitor<'_> = &mut visitor(callback, payload);
        walked(reflog::for_each(store, expiries, text(name), visit))
    }
}

pub unsafe extern "C" fn for_each_reflog_ent_reverse(
    raw: *mut RefStore,
    name: *const c_char,
    callback: EachReflogEntFn,
    payload: *mut c_void,
) -> c_int {
    // SAFETY: see the head of `vtable`.
    unsafe {
        let Opened { store, expiries } =
            opened(raw, abi::REF_STORE_READ, c"for_each_reflog_ent_reverse");
        let visit: &mut Visitor<'_> = &mut visitor(callback, payload);
        walked(reflog::for_each_reverse(store, expiries, text(name), visit))
    }
}

pub unsafe extern "C" fn reflog_exists(raw: *mut RefStore, name: *const c_char) -> c_int {
    // SAFETY: see the head of `vtable`.
    unsafe {
        let store = store(raw, abi::REF_STORE_READ, c"reflog_exists");
        walked(reflog::exists(store, text(name)).map(c_int::from))
    }
}

pub unsafe extern "C" fn create_reflog(
    raw: *mut RefStore,
    name: *const c_char,
    _: *mut StrBuf,
) -> c_int {
    // SAFETY: see the head of `vtable`.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, c"create_reflog");
        complain(reflog::create(store, text(name)))
    }
}

pub unsafe extern "C" fn delete_reflog(raw: *mut RefStore, name: *const c_char) -> c_int {
    // SAFETY: see the head of `vtable`.
    unsafe {
        let store = store(raw, abi::REF_STORE_WRITE, c"delete_reflog");
        complain(reflog::delete(store, text(name)))
    }
}

/// Git's three callbacks for the expiry of a reflog.
struct Callbacks {
    prepare: ExpiryPrepareFn,
    should_prune: ExpiryShouldPruneFn,
    cleanup: ExpiryCleanupFn,
    payload: *mut c_void,
}

impl Policy for Callbacks {
    fn prepare(&mut self, name: &CStr, oid: &ObjectId) {
        if let Some(prepare) = self.prepare {
            // SAFETY: git's callbacks accept its payload during the expiry; the arguments live
            // through the call.
            unsafe { prepare(name.as_ptr(), oid, self.payload) };
        }
    }

    fn should_prune(&mut self, entry: &Entry) -> bool {
        let Some(should_prune) = self.should_prune else {
            return false;
        };
        let (mut old, mut new) = (entry.old, entry.new);
        // SAFETY: as in `prepare`.
        let answer = unsafe {
            should_prune(
                &mut old,
                &mut new,
                entry.who.email.shown().as_ptr(),
                entry.time,
                entry.hhmm(),
                entry.message.shown().as_ptr(),
                self.payload,
            )
        };
        answer != 0
    }

    fn cleanup(&mut self) {
        if let Some(cleanup) = self.cleanup {
            // SAFETY: as in `prepare`.
            unsafe { cleanup(self.payload) };
        }
    }
}

pub unsafe extern "C" fn reflog_expire(
    raw: *mut RefStore,
    name: *const c_char,
    flags: c_uint,
    prepare: ExpiryPrepareFn,
    should_prune: ExpiryShouldPruneFn,
    cleanup: ExpiryCleanupFn,
    payload: *mut c_void,
) -> c_int {
    // SAFETY: see the head of `vtable`.
    let (Opened { store, expiries }, name) = unsafe {
        let opened = opened(raw, abi::REF_STORE_WRITE, c"reflog_expire");
        (opened, text(name))
    };
    let mut callbacks = Callbacks {
        prepare,
        should_prune,
        cleanup,
        payload,
    };
    let outcome = reflog::expire(store, expiries, name, flags, &mut callbacks);
    if let Err(failure) = &outcome {
        // A held lock has already been reported, with its path.
        if !failure.is_locked() {
            report_unexpired(name, failure);
        }
    }
    code(outcome)
}

/// Begins a run of expiries.
///
/// # Safety
///
/// As at the head of `vtable`.
#[allow(dead_code, reason = "not every release has this function")]
pub unsafe extern "C" fn reflog_expire_begin(raw: *mut RefStore) {
    // SAFETY: the caller's promise.
    let opened = unsafe { opened(raw, abi::REF_STORE_WRITE, c"reflog_expire_begin") };
    opened.expiries.begin();
}

/// Ends a run of expiries. Returns 0, or -1 if some changes could not be written.
///
/// # Safety
///
/// As at the head of `vtable`.
#[allow(dead_code, reason = "not every release has this function")]
pub unsafe extern "C" fn reflog_expire_end(raw: *mut RefStore) -> c_int {
    // SAFETY: the caller's promise.
    let Opened { store, expiries } =
        unsafe { opened(raw, abi::REF_STORE_WRITE, c"reflog_expire_end") };
    code(expiries.end(store))
}
