//! The functions that allocate everything a C program gets from the library.
//!
//! They are stored in three separate atomics. Setting them while another thread allocates is
//! misuse and may mix old and new functions, but it is not a data race.

use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

pub(crate) type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
pub(crate) type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
pub(crate) type Free = unsafe extern "C" fn(*mut c_void);

/// The addresses of the configured functions; NULL for those of the C library.
static MALLOC: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static REALLOC: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static FREE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// Sets the functions; `None` selects those of the C library.
pub(crate) fn set(malloc: Option<Malloc>, realloc: Option<Realloc>, free: Option<Free>) {
    let address = |f: Option<*mut c_void>| f.unwrap_or(ptr::null_mut());
    MALLOC.store(address(malloc.map(|f| f as *mut c_void)), Ordering::Release);
    REALLOC.store(
        address(realloc.map(|f| f as *mut c_void)),
        Ordering::Release,
    );
    FREE.store(address(free.map(|f| f as *mut c_void)), Ordering::Release);
}

/// Allocates `size` bytes with the alignment of `malloc`. Returns NULL on failure, or for 0.
pub(crate) fn malloc(size: usize) -> *mut c_void {
    if size == 0 {
        return ptr::null_mut();
    }
    let address = MALLOC.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: `malloc` accepts any size.
        return unsafe { libc::malloc(size) };
    }
    // SAFETY: `set` stores only functions of this type, which accept any size.
    unsafe { mem::transmute::<*mut c_void, Malloc>(address)(size) }
}

/// Resizes `memory` to `size` bytes, which must not be 0. Returns NULL on failure, which leaves
/// `memory` unchanged.
///
/// # Safety
/// `memory` is NULL or comes from the configured allocator.
pub(crate) unsafe fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    let address = REALLOC.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { libc::realloc(memory, size) };
    }
    // SAFETY: `set` stores only functions of this type. The caller's promise covers the rest.
    unsafe { mem::transmute::<*mut c_void, Realloc>(address)(memory, size) }
}

/// Frees memory. Does nothing for NULL.
///
/// # Safety
/// `memory` is NULL, or comes from the configured allocator and is no longer used.
pub(crate) unsafe fn free(memory: *mut c_void) {
    if memory.is_null() {
        return;
    }
    let address = FREE.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { libc::free(memory) };
    }
    // SAFETY: `set` stores only functions of this type. The caller's promise covers the rest.
    unsafe { mem::transmute::<*mut c_void, Free>(address)(memory) }
}

/// An allocator for tests. The configured functions are global, so it is installed once for all
/// tests; counts and failures are per thread.
#[cfg(test)]
pub(crate) mod testing {
    use std::cell::Cell;
    use std::ffi::c_void;
    use std::ptr;
    use std::sync::Once;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
        static BALANCE: Cell<i64> = const { Cell::new(0) };
    }

    fn may_allocate() -> bool {
        LEFT.with(|left| match left.get() {
            Some(0) => false,
            Some(n) => {
                left.set(Some(n - 1));
                true
            }
            None => true,
        })
    }

    fn count(memory: *mut c_void, by: i64) {
        if !memory.is_null() {
            BALANCE.with(|balance| balance.set(balance.get() + by));
        }
    }

    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        if !may_allocate() {
            return ptr::null_mut();
        }
        // SAFETY: `malloc` accepts any size.
        let memory = unsafe { libc::malloc(size) };
        count(memory, 1);
        memory
    }

    unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
        if !may_allocate() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        let grown = unsafe { libc::realloc(memory, size) };
        if memory.is_null() {
            count(grown, 1);
        }
        grown
    }

    unsafe extern "C" fn free(memory: *mut c_void) {
        count(memory, -1);
        // SAFETY: the caller's promise.
        unsafe { libc::free(memory) };
    }

    fn install() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| super::set(Some(malloc), Some(realloc), Some(free)));
    }

    /// Runs `f` with an allocator that fails in this thread after `allocations` allocations.
    /// Returns its result and the number of allocations that it has not freed.
    pub(crate) fn failing_after<R>(allocations: u32, f: impl FnOnce() -> R) -> (R, i64) {
        install();
        LEFT.with(|left| left.set(Some(allocations)));
        let result = counted(f);
        LEFT.with(|left| left.set(None));
        result
    }

    /// Runs `f`. Returns its result and the number of allocations that it has not freed.
    pub(crate) fn counted<R>(f: impl FnOnce() -> R) -> (R, i64) {
        install();
        let before = BALANCE.with(Cell::get);
        let result = f();
        (result, BALANCE.with(Cell::get) - before)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{counted, failing_after};
    use super::*;

    #[test]
    fn configured_functions_are_called() {
        let (memory, left) = counted(|| {
            let memory = malloc(10);
            // SAFETY: `memory` was allocated above, and is used no more after its free.
            unsafe {
                let memory = realloc(memory, 1000);
                assert!(!memory.is_null());
                free(memory);
                free(ptr::null_mut());
            }
            malloc(0)
        });
        assert!(memory.is_null());
        assert_eq!(left, 0);
    }

    #[test]
    fn failure_is_null() {
        let (memory, left) = failing_after(1, || {
            let first = malloc(8);
            // SAFETY: as above.
            let second = unsafe { realloc(first, 16) };
            assert!(second.is_null() && malloc(1).is_null());
            first
        });
        assert!(!memory.is_null());
        assert_eq!(left, 1);
        // SAFETY: a failed `realloc` leaves its argument allocated.
        unsafe { free(memory) };
    }
}
