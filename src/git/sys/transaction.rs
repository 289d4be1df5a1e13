//! `struct ref_transaction` and `struct ref_update`.

use super::refs::{list_of, StoreHandle};
use super::repo::Repository;
use super::strings::{borrow, Buffer};
use crate::git::abi::updates::{self, Names};
use crate::git::abi::{
    NewUpdate, ObjectId, RefTransaction, RefTransactionState, RefUpdate, StringListItem,
    REF_HAVE_NEW, REF_HAVE_OLD, REF_ISSYMREF, REF_LOG_ONLY,
};
use std::ffi::{c_int, c_uint, c_void, CStr};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// One update of a transaction. Its strings never change during the life of the transaction,
/// `'t`; numbers and IDs may, and are read each time.
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

    /// The name of the ref to update.
    pub fn refname(self) -> &'t CStr {
        // SAFETY: the name follows the fixed members, NUL-terminated, in the
        // same allocation; the shim asserts the offset.
        unsafe { CStr::from_ptr(self.raw.as_ptr().add(1).cast()) }
    }

    /// Reads a member through the pointer, so that no reference is held to memory that git may
    /// write.
    fn get<T: Copy>(self, member: impl FnOnce(*mut RefUpdate) -> *mut T) -> T {
        // SAFETY: the update is alive and the member initialised.
        unsafe { member(self.raw.as_ptr()).read() }
    }

    /// The new value; meaningful with `REF_HAVE_NEW`.
    pub fn new_oid(self) -> ObjectId {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).new_oid) })
    }

    /// Records the ID to which a new symref target resolves.
    pub fn set_new_oid(self, oid: ObjectId) {
        // SAFETY: the update is alive; nothing else refers to the member now.
        unsafe { ptr::addr_of_mut!((*self.raw.as_ptr()).new_oid).write(oid) };
    }

    /// The expected value; meaningful with `REF_HAVE_OLD`.
    pub fn old_oid(self) -> ObjectId {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).old_oid) })
    }

    /// The object that the new tag peels to, or None when the new object is not a tag.
    pub fn peeled(self, repo: Repository) -> Option<ObjectId> {
        // SAFETY: the update is alive.
        unsafe { updates::peeled(self.raw.as_ptr(), repo.as_ptr()) }
    }

    /// The new symref target.
    pub fn new_target(self) -> Option<&'t CStr> {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(updates::new_target(self.raw.as_ptr())) }
    }

    /// The expected symref target.
    pub fn old_target(self) -> Option<&'t CStr> {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(updates::old_target(self.raw.as_ptr())) }
    }

    /// The log message, which may be empty.
    pub fn message(self) -> &'t CStr {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(self.get(|raw| ptr::addr_of_mut!((*raw).msg)).cast_const()) }
            .unwrap_or_default()
    }

    /// The ident to log in place of the process's committer.
    pub fn committer_info(self) -> Option<&'t CStr> {
        // SAFETY: the string is immutable for the transaction's life.
        unsafe { borrow(updates::committer_info(self.raw.as_ptr())) }
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

    /// Sets the bits of `added` after it has cleared those of `removed`.
    pub fn change_flags(self, added: c_uint, removed: c_uint) {
        let flags = self.flags() & !removed | added;
        // SAFETY: the update is alive; nothing else refers to the member now.
        unsafe { ptr::addr_of_mut!((*self.raw.as_ptr()).flags).write(flags) };
    }

    /// Whether the ref has been marked as symbolic.
    pub fn is_symref(self) -> bool {
        // SAFETY: address of a member of a live struct.
        self.get(|raw| unsafe { ptr::addr_of_mut!((*raw).kind) }) & REF_ISSYMREF != 0
    }

    /// Records that the ref is symbolic.
    pub fn mark_symref(self) {
        // SAFETY: the update is alive; nothing else refers to the member now.
        unsafe { (*self.raw.as_ptr()).kind |= REF_ISSYMREF };
    }

    /// Position of a migrated log entry; 0 for ordinary updates.
    pub fn index(self) -> u64 {
        // SAFETY: the update is alive.
        unsafe { updates::index(self.raw.as_ptr()) }
    }

    /// Whether it is a log entry whose IDs the caller has given.
    pub fn provides_log_ids(self) -> bool {
        // SAFETY: the update is alive.
        unsafe { updates::provides_log_ids(self.raw.as_ptr()) }
    }

    /// Whether a transaction of batched updates has set this one aside.
    pub fn is_rejected(self) -> bool {
        // SAFETY: the update is alive.
        unsafe { updates::is_rejected(self.raw.as_ptr()) }
    }

    /// Whether the new value is the null ID; meaningful with `REF_HAVE_NEW`.
    pub fn deletes(self) -> bool {
        // SAFETY: the update is alive.
        unsafe { updates::has_null_new_value(self.raw.as_ptr()) }
    }

    /// Whether it deletes its ref.
    pub fn is_deletion(self) -> bool {
        self.has(REF_HAVE_NEW) && self.deletes()
    }

    /// Whether the ref must already exist.
    pub fn expects_existing(self) -> bool {
        // SAFETY: the update is alive.
        unsafe { updates::expects_existing_old_ref(self.raw.as_ptr()) }
    }

    /// The name under which the user asked for the update.
    pub fn original_refname(self) -> &'t CStr {
        // SAFETY: returns the refname of this update or of an ancestor.
        unsafe { borrow(updates::original_refname(self.raw.as_ptr())) }.unwrap_or_default()
    }

    /// Compares `referent` with the expected target. Returns 0, or an error with its message in
    /// `err`.
    pub fn check_old_target(self, referent: &CStr, err: &mut Buffer<'_>) -> c_int {
        // SAFETY: all arguments live through the call.
        unsafe { updates::check_old_target(referent.as_ptr(), self.raw.as_ptr(), err.as_ptr()) }
    }

    /// Checks the object that becomes the new value, where git leaves that to the backend.
    /// Returns 0, or an error with its message in `err`.
    pub fn check_new_object(self, repo: Repository, err: &mut Buffer<'_>) -> c_int {
        // SAFETY: all arguments live through the call.
        unsafe { updates::check_new_object(self.raw.as_ptr(), repo.as_ptr(), err.as_ptr()) }
    }
}

/// A transaction that git lends for one call of the backend.
pub struct Transaction<'t> {
    raw: NonNull<RefTransaction>,
    names: Names,
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
            names: Names::new(),
            life: PhantomData,
        }
    }

    /// Collects the names of the updates for `refnames`, `has_refname` and `verify_available`,
    /// where git has not done so. Returns 0, or an error with its message in `err` when there
    /// are two updates of one ref.
    pub fn collect_refnames(&mut self, err: &mut Buffer<'_>) -> c_int {
        // SAFETY: the transaction is alive.
        unsafe { self.names.collect(self.raw.as_ptr(), err.as_ptr()) }
    }

    /// Number of updates, including those that the backend has added.
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
        unsafe { updates::max_index(self.raw.as_ptr()) }
    }

    /// The names of all refs that the transaction changes, sorted as git sorts them.
    pub fn refnames(&self) -> Refnames<'_> {
        // SAFETY: the transaction is alive, and its list not changed while `self` is borrowed.
        let (items, len) = unsafe { self.names.items(self.raw.as_ptr()) };
        Refnames {
            items,
            len,
            life: PhantomData,
        }
    }

    /// Whether the transaction fills a new repository, in which no ref can conflict.
    pub fn is_initial(&self) -> bool {
        // SAFETY: the transaction is alive.
        unsafe { updates::is_initial(self.raw.as_ptr()) }
    }

    /// Whether the transaction already updates `name`.
    pub fn has_refname(&self, name: &CStr) -> bool {
        // SAFETY: the transaction is alive.
        unsafe { self.names.has(self.raw.as_ptr(), name.as_ptr()) }
    }

    /// Adds the update of `HEAD`'s log that goes with the update `of`.
    pub fn add_head_log(&mut self, flags: c_uint, of: Update<'_>) {
        let (new, old) = (of.new_oid(), of.old_oid());
        let update = NewUpdate {
            refname: c"HEAD".as_ptr(),
            flags,
            new_oid: &new,
            old_oid: &old,
            new_target: ptr::null(),
            old_target: ptr::null(),
            committer_info: ptr::null(),
            msg: of.message().as_ptr(),
            of: of.raw.as_ptr(),
        };
        // SAFETY: all arguments live through the call, which copies them.
        unsafe { self.names.add_update(self.raw.as_ptr(), &update) };
    }

    /// Adds the update of the ref that the symref of `of` points to.
    pub fn add_referent(&mut self, referent: &CStr, flags: c_uint, of: Update<'_>) {
        let (new, old) = (of.new_oid(), of.old_oid());
        let target = |target: Option<&CStr>| target.map_or(ptr::null(), CStr::as_ptr);
        let oid = |oid: &ObjectId, unless: Option<&CStr>| match unless {
            Some(_) => ptr::null(),
            None => ptr::from_ref(oid),
        };
        let update = NewUpdate {
            refname: referent.as_ptr(),
            flags,
            new_oid: oid(&new, of.new_target()),
            old_oid: oid(&old, of.old_target()),
            new_target: target(of.new_target()),
            old_target: target(of.old_target()),
            committer_info: target(of.committer_info()),
            msg: of.message().as_ptr(),
            of: of.raw.as_ptr(),
        };
        // SAFETY: all arguments live through the call, which copies them.
        unsafe {
            let update = self.names.add_update(self.raw.as_ptr(), &update);
            (*update).parent_update = of.raw.as_ptr();
        }
    }

    /// In a transaction of batched updates, sets update `i` aside with `error` and the message
    /// in `err`. Returns false when the whole transaction must fail.
    pub fn reject(&mut self, i: usize, error: c_int, err: &mut Buffer<'_>) -> bool {
        // SAFETY: `i` is the number of an update; git takes the message over.
        unsafe { updates::reject(self.raw.as_ptr(), i, error, err.as_ptr()) }
    }

    /// Checks that the refs of the updates with the numbers `new` can be created. Returns 0, or
    /// an error with its message in `err`.
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
        let new = list_of(&mut items);
        // SAFETY: the lists live through the call, which reads names and, as
        // `util`, the number of each update.
        unsafe {
            let raw = self.raw.as_ptr();
            self.names
                .verify_available(store.as_ptr(), &new, raw, err.as_ptr())
        }
    }

    /// Moves the transaction to `state` (`enum ref_transaction_state`).
    pub fn set_state(&mut self, state: RefTransactionState) {
        // SAFETY: the transaction is alive.
        unsafe { (*self.raw.as_ptr()).state = state };
    }

    /// Stores `data` in the transaction until `take_data`.
    pub fn put_data<T>(&mut self, data: Box<T>) {
        // SAFETY: the transaction is alive; the backend owns this member.
        unsafe { (*self.raw.as_ptr()).backend_data = Box::into_raw(data).cast() };
    }

    /// Takes the data of `put_data`.
    ///
    /// # Safety
    ///
    /// `T` is the type that `put_data` stored.
    pub unsafe fn take_data<T>(&mut self) -> Option<Box<T>> {
        // SAFETY: the pointer came from `Box::into_raw` of a `T`; it is cleared, so that it is
        // taken once.
        unsafe {
            let slot = ptr::addr_of_mut!((*self.raw.as_ptr()).backend_data);
            let data = slot.replace(ptr::null_mut());
            (!data.is_null()).then(|| Box::from_raw(data.cast()))
        }
    }
}

/// Names, sorted as git sorts them.
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

/// Whether an update has a new and an old value and changes only a log.
pub fn has_provided_values(update: Update<'_>) -> bool {
    update.has(REF_HAVE_OLD | REF_HAVE_NEW | REF_LOG_ONLY)
}
