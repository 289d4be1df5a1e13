//! The functions that allocate what C programs get from the library.
//!
//! They are three separate words: a thread that sets them while another allocates may
//! mix old and new ones, which is the caller's mistake, but never a data race.

use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

pub(crate) type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
pub(crate) type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
pub(crate) type Free = unsafe extern "C" fn(*mut c_void);

/// The caller's functions as addresses; NULL stands for those of the C library.
static MALLOC: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static REALLOC: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static FREE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Memory could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// Sets the functions; nothing stands for those of the C library.
pub(crate) fn set(malloc: Option<Malloc>, realloc: Option<Realloc>, free: Option<Free>) {
    let address = |f: Option<*mut c_void>| f.unwrap_or(ptr::null_mut());
    MALLOC.store(address(malloc.map(|f| f as *mut c_void)), Ordering::Release);
    REALLOC.store(
        address(realloc.map(|f| f as *mut c_void)),
        Ordering::Release,
    );
    FREE.store(address(free.map(|f| f as *mut c_void)), Ordering::Release);
}

/// `size` bytes, aligned for anything; NULL when they are not to be had, or for 0.
pub(crate) fn malloc(size: usize) -> *mut c_void {
    if size == 0 {
        return ptr::null_mut();
    }
    let address = MALLOC.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: any size may be asked for.
        return unsafe { libc::malloc(size) };
    }
    // SAFETY: `set` stores only functions of this type there, and any size may be asked for.
    unsafe { mem::transmute::<*mut c_void, Malloc>(address)(size) }
}

/// Gives `memory` another size, not 0; NULL when that is not to be had, and it stays as it is.
///
/// # Safety
/// `memory` is NULL or comes from the allocator that is set.
pub(crate) unsafe fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    let address = REALLOC.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { libc::realloc(memory, size) };
    }
    // SAFETY: `set` stores only functions of this type there; else the caller's promise.
    unsafe { mem::transmute::<*mut c_void, Realloc>(address)(memory, size) }
}

/// Gives memory back; NULL is fine.
///
/// # Safety
/// `memory` is NULL, or comes from the allocator that is set and is used no more.
pub(crate) unsafe fn free(memory: *mut c_void) {
    if memory.is_null() {
        return;
    }
    let address = FREE.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { libc::free(memory) };
    }
    // SAFETY: `set` stores only functions of this type there; else the caller's promise.
    unsafe { mem::transmute::<*mut c_void, Free>(address)(memory) }
}

/// The functions are one for the whole process: tests that set them wait for each other,
/// and keep what others allocate meanwhile working.
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
        // SAFETY: any size may be asked for.
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

    /// Runs `f` with an allocator that fails, in this thread, after `allocations`; gives its
    /// result and how many pieces of memory it has left allocated.
    pub(crate) fn failing_after<R>(allocations: u32, f: impl FnOnce() -> R) -> (R, i64) {
        install();
        LEFT.with(|left| left.set(Some(allocations)));
        let result = counted(f);
        LEFT.with(|left| left.set(None));
        result
    }

    /// Runs `f`; gives its result and how many pieces of memory it has left allocated.
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
    fn the_functions_set_are_called() {
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
