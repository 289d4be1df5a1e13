//! `struct ref_transaction` and `struct ref_update`.

use super::ffi;
use super::refs::{list_of, StoreHandle};
use super::strings::{borrow, Buffer};
use crate::git::abi::{
    ObjectId, RefTransaction, RefTransactionState, RefUpdate, StringListItem, REF_HAVE_NEW,
    REF_HAVE_OLD, REF_ISSYMREF, REF_TRANSACTION_FLAG_INITIAL,
};
use std::ffi::{c_int, c_uint, c_void, CStr};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// One update of a transaction. Its strings never change during the
/// transaction's life `'t`; numbers and ids may, and are read anew each time.
#[derive(Clone, Copy)]
pub struct Update<'t> {
    raw: NonNull<RefUpdate>,
    life: PhantomData<&'t RefUpdate>,
}

impl<'t> Update<'t> {
    /// # Safety
    ///
    /// `raw` is an update of a transaction that lives for `'t`.
    unsafe fn from_raw(raw: NonNull<RefUpdate>) -> Self {
        Self {
            raw,
            life: PhantomData,
        }
    }

    /// The name of the ref to be updated.
    pub fn refname(self) -> &'t CStr {
        // SAFETY: the name follows the fixed members, NUL-terminated, in the
        // same allocation; the shim asserts the offset.
        unsafe { CStr::from_ptr(self.raw.as_ptr().add(1).cast()) }
    }

    /// Reads a member through the pointer, so that no reference into memory
    /// that git may write is ever held.
    fn get<T: Copy>(self, member: impl FnOnce(*mut RefUpdate) -> *mut T) -> T {
        // SAFETY: the update is alive and the member initialised.
        unsafe { member(self.raw.as_ptr()).read() }
    }

    /// The value to be set; meaningful with `REF_HAVE_NEW`.
    pub fn new_oid(self) -> ObjectId {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).new_oid) })
    }

    /// Records the id that a new symref target resolves to.
    pub fn set_new_oid(self, oid: ObjectId) {
        // SAFETY: the update is alive; nobody else refers to the member now.
        unsafe { ptr::addr_of_mut!((*self.raw.as_ptr()).new_oid).write(oid) };
    }

    /// The value that must be there; meaningful with `REF_HAVE_OLD`.
    pub fn old_oid(self) -> ObjectId {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).old_oid) })
    }

    /// The object that the new tag leads to; meaningful with `REF_HAVE_PEELED`.
    pub fn peeled(self) -> ObjectId {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).peeled) })
    }

    /// The symref target to be set.
    pub fn new_target(self) -> Option<&'t CStr> {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(self.get(|raw| ptr::addr_of_mut!((*raw).new_target))) }
    }

    /// The symref target that must be there.
    pub fn old_target(self) -> Option<&'t CStr> {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(self.get(|raw| ptr::addr_of_mut!((*raw).old_target))) }
    }

    /// The log message; empty when there is none.
    pub fn message(self) -> &'t CStr {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(self.get(|raw| ptr::addr_of_mut!((*raw).msg)).cast_const()) }
            .unwrap_or_default()
    }

    /// The ident to log instead of the process's committer.
    pub fn committer_info(self) -> Option<&'t CStr> {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe {
            borrow(
                self.get(|raw| ptr::addr_of_mut!((*raw).committer_info))
                    .cast_const(),
            )
        }
    }

    /// `REF_*` bits.
    pub fn flags(self) -> c_uint {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).flags) })
    }

    /// Whether all of `bits` are set.
    pub fn has(self, bits: c_uint) -> bool {
        self.flags() & bits == bits
    }

    /// Sets `bits` in addition.
    pub fn add_flags(self, bits: c_uint) {
        let flags = self.flags() | bits;
        // SAFETY: the update is alive; nobody else refers to the member now.
        unsafe { ptr::addr_of_mut!((*self.raw.as_ptr()).flags).write(flags) };
    }

    /// Whether the ref was found to be symbolic.
    pub fn is_symref(self) -> bool {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).kind) }) & REF_ISSYMREF != 0
    }

    /// Records that the ref is symbolic.
    pub fn mark_symref(self) {
        // SAFETY: the update is alive; nobody else refers to the member now.
        unsafe { (*self.raw.as_ptr()).kind |= REF_ISSYMREF };
    }

    /// Position of a migrated log entry; 0 for ordinary updates.
    pub fn index(self) -> u64 {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).index) })
    }

    /// Whether a batched transaction has set this update aside.
    pub fn is_rejected(self) -> bool {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).rejection_err) }) != 0
    }

    /// Whether the new value is none: the ref is to be deleted.
    pub fn deletes(self) -> bool {
        // SAFETY: the update is alive.
        unsafe { ffi::ref_update_has_null_new_value(self.raw.as_ptr()) != 0 }
    }

    /// Whether the ref must exist beforehand.
    pub fn expects_existing(self) -> bool {
        // SAFETY: the update is alive.
        unsafe { ffi::ref_update_expects_existing_old_ref(self.raw.as_ptr()) != 0 }
    }

    /// The name under which the user asked for the update.
    pub fn original_refname(self) -> &'t CStr {
        // SAFETY: answers the refname of this update or of an ancestor.
        unsafe { borrow(ffi::ref_update_original_update_refname(self.raw.as_ptr())) }
            .unwrap_or_default()
    }

    /// Compares the target found with the one expected; 0, or an error with
    /// its message in `err`.
    pub fn check_old_target(self, referent: &CStr, err: &mut Buffer<'_>) -> c_int {
        // SAFETY: all arguments live through the call.
        unsafe {
            ffi::ref_update_check_old_target(referent.as_ptr(), self.raw.as_ptr(), err.as_ptr())
        }
    }
}

/// A transaction, lent by git for one call of the backend.
pub struct Transaction<'t> {
    raw: NonNull<RefTransaction>,
    life: PhantomData<&'t mut RefTransaction>,
}

impl<'t> Transaction<'t> {
    /// # Safety
    ///
    /// `raw` is a transaction that lives, and is used by this call only, for
    /// `'t`.
    pub unsafe fn from_raw(raw: NonNull<RefTransaction>) -> Self {
        Self {
            raw,
            life: PhantomData,
        }
    }

    /// Number of updates, those that the backend added included.
    pub fn len(&self) -> usize {
        // SAFETY: the transaction is alive.
        unsafe { (*self.raw.as_ptr()).nr }
    }

    /// Update number `i`, or None past the end.
    pub fn update(&self, i: usize) -> Option<Update<'t>> {
        if i >= self.len() {
            return None;
        }
        // SAFETY: `i` is below the number of updates; each is its own
        // allocation that stays until the transaction is freed.
        unsafe {
            let update = *(*self.raw.as_ptr()).updates.add(i);
            NonNull::new(update).map(|raw| Update::from_raw(raw))
        }
    }

    /// Highest `Update::index` of all.
    pub fn max_index(&self) -> u64 {
        // SAFETY: the transaction is alive.
        unsafe { (*self.raw.as_ptr()).max_index }
    }

    /// The names of all refs that the transaction changes, as git sorts them.
    pub fn refnames(&self) -> Refnames<'_> {
        // SAFETY: the transaction is alive, and its list not changed while `self` is borrowed.
        let (items, len) = unsafe {
            let list = ptr::addr_of!((*self.raw.as_ptr()).refnames);
            ((*list).items, (*list).nr)
        };
        Refnames {
            items,
            len,
            life: PhantomData,
        }
    }

    /// Whether the transaction fills a new repository, where no ref can be in the way.
    pub fn is_initial(&self) -> bool {
        // SAFETY: the transaction is alive.
        unsafe { (*self.raw.as_ptr()).flags & REF_TRANSACTION_FLAG_INITIAL != 0 }
    }

    /// Whether the transaction already updates `name`.
    pub fn has_refname(&self, name: &CStr) -> bool {
        // SAFETY: the list is alive and sorted as git keeps it.
        unsafe {
            let list = ptr::addr_of!((*self.raw.as_ptr()).refnames);
            ffi::string_list_has_string(list, name.as_ptr())
        }
    }

    /// Adds the update of `HEAD`'s log that goes with the update `of`.
    pub fn add_head_log(&mut self, flags: c_uint, of: Update<'_>) {
        let (new, old, peeled) = (of.new_oid(), of.old_oid(), of.peeled());
        // SAFETY: all arguments live through the call, which copies them.
        unsafe {
            ffi::ref_transaction_add_update(
                self.raw.as_ptr(),
                c"HEAD".as_ptr(),
                flags,
                &new,
                &old,
                &peeled,
                ptr::null(),
                ptr::null(),
                ptr::null(),
                of.message().as_ptr(),
            );
        }
    }

    /// Adds the update of the ref that the symref of `of` points to.
    pub fn add_referent(&mut self, referent: &CStr, flags: c_uint, of: Update<'_>) {
        let (new, old, peeled) = (of.new_oid(), of.old_oid(), of.peeled());
        let target = |target: Option<&CStr>| target.map_or(ptr::null(), CStr::as_ptr);
        let oid = |oid: &ObjectId, unless: Option<&CStr>| match unless {
            Some(_) => ptr::null(),
            None => ptr::from_ref(oid),
        };
        // SAFETY: all arguments live through the call, which copies them.
        unsafe {
            let update = ffi::ref_transaction_add_update(
                self.raw.as_ptr(),
                referent.as_ptr(),
                flags,
                oid(&new, of.new_target()),
                oid(&old, of.old_target()),
                &peeled,
                target(of.new_target()),
                target(of.old_target()),
                target(of.committer_info()),
                of.message().as_ptr(),
            );
            (*update).parent_update = of.raw.as_ptr();
        }
    }

    /// In a transaction with batched updates, sets update `i` aside with
    /// `error` and the message in `err`; false when the whole must fail.
    pub fn reject(&mut self, i: usize, error: c_int, err: &mut Buffer<'_>) -> bool {
        // SAFETY: `i` is the number of an update; git takes the message over.
        unsafe {
            ffi::ref_transaction_maybe_set_rejected(self.raw.as_ptr(), i, error, err.as_ptr()) != 0
        }
    }

    /// Checks that the names of the updates numbered `new` can be created.
    /// Answers 0, or an error with its message in `err`.
    pub fn verify_available(
        &mut self,
        store: StoreHandle,
        new: &mut [usize],
        err: &mut Buffer<'_>,
    ) -> c_int {
        let mut items = Vec::with_capacity(new.len());
        for index in new.iter_mut() {
            let Some(update) = self.update(*index) else {
                continue;
            };
            items.push(StringListItem {
                string: update.refname().as_ptr().cast_mut(),
                util: ptr::from_mut(index).cast::<c_void>(),
            });
        }
        let names = list_of(&mut items);
        let raw = self.raw.as_ptr();
        // SAFETY: the lists live through the call, which reads names and, as
        // `util`, the number of each update.
        unsafe {
            let initial = (*raw).flags & REF_TRANSACTION_FLAG_INITIAL;
            ffi::refs_verify_refnames_available(
                store.as_ptr(),
                &names,
                ptr::addr_of!((*raw).refnames),
                ptr::null(),
                raw,
                initial,
                err.as_ptr(),
            )
        }
    }

    /// Moves the transaction to `state` (`enum ref_transaction_state`).
    pub fn set_state(&mut self, state: RefTransactionState) {
        // SAFETY: the transaction is alive.
        unsafe { (*self.raw.as_ptr()).state = state };
    }

    /// Leaves `data` with the transaction until `take_data`.
    pub fn put_data<T>(&mut self, data: Box<T>) {
        // SAFETY: the transaction is alive; the backend owns this member.
        unsafe { (*self.raw.as_ptr()).backend_data = Box::into_raw(data).cast() };
    }

    /// Takes back what `put_data` left.
    ///
    /// # Safety
    ///
    /// `T` is the type that was put.
    pub unsafe fn take_data<T>(&mut self) -> Option<Box<T>> {
        // SAFETY: the pointer came from `Box::into_raw` of a `T` and is
        // cleared, so that it is taken once.
        unsafe {
            let slot = ptr::addr_of_mut!((*self.raw.as_ptr()).backend_data);
            let data = slot.replace(ptr::null_mut());
            (!data.is_null()).then(|| Box::from_raw(data.cast()))
        }
    }
}

/// Names in the order that git keeps them in.
pub struct Refnames<'t> {
    items: *const StringListItem,
    len: usize,
    life: PhantomData<&'t StringListItem>,
}

impl<'t> Refnames<'t> {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Name number `i`, or None past the end.
    pub fn get(&self, i: usize) -> Option<&'t CStr> {
        if i >= self.len {
            return None;
        }
        // SAFETY: the list has `len` items, each with a NUL-terminated string, and does not
        // change for `'t`.
        unsafe { borrow((*self.items.add(i)).string.cast_const()) }
    }
}

/// Whether an update both has a new and an old value and touches only a log.
pub fn has_provided_values(update: Update<'_>) -> bool {
    update.has(REF_HAVE_OLD | REF_HAVE_NEW | crate::git::abi::REF_LOG_ONLY)
}
