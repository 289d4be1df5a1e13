//! The functions that allocate what C programs get from the library.
//!
//! They are three separate words: a thread that sets them while another allocates may
//! mix old and new ones, which is the caller's mistake, but never a data race.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

pub(crate) type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
pub(crate) type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
pub(crate) type Free = unsafe extern "C" fn(*mut c_void);

/// The caller's functions as addresses; NULL stands for those of the C library.
static MALLOC: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static REALLOC: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static FREE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Sets the functions; nothing stands for those of the C library.
pub(crate) fn set(malloc: Option<Malloc>, realloc: Option<Realloc>, free: Option<Free>) {
    let store = |place: &AtomicPtr<c_void>, address: Option<*mut c_void>| {
        place.store(address.unwrap_or(ptr::null_mut()), Ordering::Release);
    };
    store(&MALLOC, malloc.map(|f| f as *mut c_void));
    store(&REALLOC, realloc.map(|f| f as *mut c_void));
    store(&FREE, free.map(|f| f as *mut c_void));
}
