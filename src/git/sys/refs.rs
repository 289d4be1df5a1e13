//! Functions of `refs.c` on names and stores.

use super::repo::Repository;
use super::strings::{borrow, OwnedBuffer};
use crate::git::abi::{
    self, calls, ffi, ObjectId, RefStore, StringList, StringListItem, REFNAME_ALLOW_ONELEVEL,
    RESOLVE_REF_READING,
};
use crate::git::shim::FsckFinding;
use std::ffi::{c_char, c_int, c_uint, CStr, CString};
use std::ptr;

/// The C object of a ref store, for calls back into `refs.c`.
#[derive(Clone, Copy)]
pub struct StoreHandle {
    raw: *mut RefStore,
}

impl StoreHandle {
    /// # Safety
    ///
    /// `raw` is a ref store that outlives the handle and all its copies.
    pub unsafe fn from_raw(raw: *mut RefStore) -> Self {
        Self { raw }
    }

    /// The pointer to hand to git.
    pub fn as_ptr(self) -> *mut RefStore {
        self.raw
    }

    /// The git directory of the store.
    pub fn git_dir(&self) -> &CStr {
        // SAFETY: the store owns the string, and git replaces it only when the process changes
        // its directory, which it does not do during a call of the backend.
        unsafe { borrow((*self.raw).gitdir.cast_const()) }.unwrap_or_default()
    }

    /// Follows symrefs from `name` and returns the name of the ref at the end. With `reading`
    /// that ref must exist: a dangling symref is None. `oid` and `flags` (`REF_IS…`) are filled
    /// in.
    pub fn resolve(
        self,
        name: &CStr,
        reading: bool,
        oid: &mut ObjectId,
        flags: &mut c_uint,
    ) -> Option<*const c_char> {
        let how = if reading { RESOLVE_REF_READING } else { 0 };
        let mut kind: c_int = 0;
        // SAFETY: the store is alive, name and out-pointers live through the
        // call; no borrow of the backend's state is held by the caller.
        let target =
            unsafe { ffi::refs_resolve_ref_unsafe(self.raw, name.as_ptr(), how, oid, &mut kind) };
        // C keeps these bits in an `int`.
        *flags = c_uint::from_ne_bytes(kind.to_ne_bytes());
        (!target.is_null()).then_some(target)
    }

    /// Checks that `name` can be created: no ref is one of its directories, and none lies
    /// below it. The ref `skip` counts as absent. Returns 0, or an error with its text in
    /// `message`.
    pub fn verify_name_available(
        self,
        name: &CStr,
        skip: Option<&CStr>,
        message: &mut OwnedBuffer,
    ) -> c_int {
        let mut items = Vec::new();
        if let Some(skip) = skip {
            items.push(StringListItem {
                string: skip.as_ptr().cast_mut(),
                util: ptr::null_mut(),
            });
        }
        let skip = list_of(&mut items);
        // SAFETY: lists and strings live through the call, which reads them.
        unsafe { calls::verify_refname_available(self.raw, name.as_ptr(), &skip, message.as_ptr()) }
    }
}

/// A `struct string_list` over `items`, which git may read but not grow.
pub(super) fn list_of(items: &mut [StringListItem]) -> StringList {
    StringList {
        items: items.as_mut_ptr(),
        nr: items.len(),
        alloc: items.len(),
        bits: 0,
        cmp: None,
    }
}

/// Whether `name` obeys the rules of `git check-ref-format --allow-onelevel`.
pub fn is_well_formed(name: &CStr) -> bool {
    // SAFETY: a NUL-terminated name.
    unsafe { ffi::check_refname_format(name.as_ptr(), REFNAME_ALLOW_ONELEVEL) == 0 }
}

/// Whether a malformed `name` is harmless (`refname_is_safe()`).
pub fn is_safe(name: &CStr) -> bool {
    // SAFETY: a NUL-terminated name.
    unsafe { ffi::refname_is_safe(name.as_ptr()) != 0 }
}

/// Whether `name` is a root ref, such as `HEAD`.
pub fn is_root_ref(name: &CStr) -> bool {
    // SAFETY: a NUL-terminated name.
    unsafe { calls::names_root_ref(name.as_ptr()) }
}

/// Whether `core.logAllRefUpdates` in `config` requires a log of `name`.
pub fn autocreates_reflog(config: c_int, name: &CStr) -> bool {
    // SAFETY: a NUL-terminated name.
    unsafe { calls::autocreates_reflog(config, name.as_ptr()) }
}

/// Whether the object of `name` exists. Git reports an error if it does not.
pub fn resolves_to_object(name: &CStr, repo: Repository, oid: &ObjectId, flags: c_uint) -> bool {
    // SAFETY: name and id live through the call.
    unsafe { ffi::ref_resolves_to_object(name.as_ptr(), repo.as_ptr(), oid, flags) != 0 }
}

/// The options of a running `git refs verify`.
pub struct FsckOptions<'a> {
    raw: *mut abi::FsckOptions,
    life: std::marker::PhantomData<&'a mut ()>,
}

impl FsckOptions<'_> {
    /// # Safety
    ///
    /// `raw` is a `struct fsck_options` that lives as long as the result.
    pub unsafe fn from_raw(raw: *mut abi::FsckOptions) -> Self {
        Self {
            raw,
            life: std::marker::PhantomData,
        }
    }

    /// Whether progress lines were requested.
    pub fn verbose(&self) -> bool {
        // SAFETY: `raw` is alive.
        unsafe { ffi::reftable_rs_fsck_verbose(self.raw) != 0 }
    }

    /// Reports a finding in the file `path` of a stack. Not 0 when git counts it as an error.
    pub fn report(&mut self, finding: FsckFinding, path: &CStr, text: &CStr) -> c_int {
        // SAFETY: the strings live through the call.
        unsafe { ffi::reftable_rs_fsck_report(self.raw, finding, path.as_ptr(), text.as_ptr()) }
    }

    /// Runs git's own checks of a direct ref, reported under `path`.
    pub fn check_ref(
        &mut self,
        store: StoreHandle,
        path: &CString,
        name: &CStr,
        oid: &ObjectId,
    ) -> c_int {
        // SAFETY: all arguments live through the call.
        unsafe { calls::fsck_ref(store.as_ptr(), self.raw, path.as_ptr(), name.as_ptr(), oid) }
    }

    /// Runs git's own checks of a symref, reported under `path`.
    pub fn check_symref(
        &mut self,
        store: StoreHandle,
        path: &CString,
        name: &CStr,
        target: &CStr,
    ) -> c_int {
        // SAFETY: all arguments live through the call.
        unsafe {
            calls::fsck_symref(
                store.as_ptr(),
                self.raw,
                path.as_ptr(),
                name.as_ptr(),
                target.as_ptr(),
            )
        }
    }
}
