//! Git's arguments as the types of `sys`.
use crate::git::abi::{ffi, RefStore, StrBuf};
use crate::git::reflog::Expiries;
use crate::git::store::Store;
use crate::git::sys::messages;
use crate::git::sys::strings::{borrow, Buffer};
use std::ffi::{c_char, c_uint, CStr};
use std::ptr;

/// The C object of a store. Git frees it after `release`, which frees `inner`.
#[repr(C)]
pub(super) struct StoreObject {
    pub(super) base: RefStore,
    pub(super) inner: *mut Opened,
    /// Whether `calls::follow_chdir` is in effect.
    pub(super) follows_chdir: bool,
}

/// The Rust state of a store.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) expiries: Expiries,
}

/// The store of `raw`, which must be ours and allow the accesses `required`.
///
/// # Safety
///
/// As for [`opened`].
pub(super) unsafe fn store<'a>(
    raw: *mut RefStore,
    required: c_uint,
    caller: &'static CStr,
) -> &'a Store {
    // SAFETY: the caller's promise.
    unsafe { &opened(raw, required, caller).store }
}

/// The state of the store `raw`, which must be ours and allow the accesses `required`.
///
/// # Safety
///
/// `raw` is a ref store that `open_store` returned, not yet released.
pub(super) unsafe fn opened<'a>(
    raw: *mut RefStore,
    required: c_uint,
    caller: &'static CStr,
) -> &'a Opened {
    // SAFETY: the caller's promise: `raw` is alive.
    let be = unsafe { (*raw).be };
    if !ptr::eq(be, ptr::addr_of!(ffi::refs_be_reftable)) {
        messages::bug(c"ref_store is not \"reftables\" in %s", &[caller]);
    }
    // SAFETY: a store with our table is the head of a `StoreObject`.
    let Some(opened) = (unsafe { (*raw.cast::<StoreObject>()).inner.as_ref() }) else {
        messages::bug(c"ref_store is released in %s", &[caller]);
    };
    if opened.store.access & required != required {
        messages::bug(
            c"operation %s requires abilities that the store lacks",
            &[caller],
        );
    }
    opened
}

/// A string argument; NULL counts as empty.
///
/// # Safety
///
/// `raw` is NULL or NUL-terminated and lives through the call.
pub(super) unsafe fn text<'a>(raw: *const c_char) -> &'a CStr {
    // SAFETY: the caller's promise.
    unsafe { borrow(raw) }.unwrap_or_default()
}

/// A buffer, which git always passes.
///
/// # Safety
///
/// `raw` is an initialised strbuf, lent for the call.
pub(super) unsafe fn buffer<'a>(raw: *mut StrBuf) -> Buffer<'a> {
    // SAFETY: the caller's promise.
    match unsafe { Buffer::from_raw(raw) } {
        Some(buffer) => buffer,
        None => messages::bug(c"missing buffer", &[]),
    }
}
