//! Keeping a stack alive while the library is at work on it.
//!
//! Functions of the caller's may run meanwhile, and may destroy the stack: as for writers,
//! additions and iterators, that is put off until the library is done with it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::reftable_stack;
use crate::ffi::code::CResult;
use crate::ffi::object;

/// The bit that says that the stack is to be destroyed.
const DOOMED: usize = 1;
/// One hold.
const ONE: usize = 2;

/// How many holds there are of a stack, and whether it is to be destroyed afterwards.
#[derive(Debug, Default)]
pub(super) struct Holds(AtomicUsize);

/// Keeps a stack from being destroyed.
#[derive(Debug)]
pub(in crate::capi) struct Hold(*mut reftable_stack);

impl Hold {
    /// Holds `stack`; misuse for NULL.
    ///
    /// # Safety
    /// `stack` is NULL or as C must pass it.
    pub(in crate::capi) unsafe fn of(stack: *mut reftable_stack) -> CResult<Self> {
        // SAFETY: the caller's promise.
        let holds = unsafe { &object::borrow(stack)?.holds };
        holds.0.fetch_add(ONE, Ordering::Relaxed);
        Ok(Self(stack))
    }

    /// The stack.
    pub(in crate::capi) fn stack(&self) -> &reftable_stack {
        // SAFETY: it was alive when it was held, and is not destroyed before that ends.
        unsafe { &*self.0 }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let before = self.stack().holds.0.fetch_sub(ONE, Ordering::AcqRel);
        if before == ONE | DOOMED {
            // SAFETY: the caller has wished it, and this was the last hold.
            unsafe { super::open::destroy(self.0) };
        }
    }
}

/// Destroys a stack now, or when it is held no more; NULL is fine.
///
/// # Safety
/// `stack` is NULL, or a stack that the caller uses no more.
pub(super) unsafe fn dismiss(stack: *mut reftable_stack) {
    // SAFETY: the caller's promise.
    let Some(holds) = (unsafe { stack.as_ref() }).map(|stack| &stack.holds) else {
        return;
    };
    if holds.0.fetch_or(DOOMED, Ordering::AcqRel) == 0 {
        // SAFETY: the caller's promise, and nobody holds it.
        unsafe { super::open::destroy(stack) };
    }
}
