//! Keeping a stack alive while a library function uses it.
//!
//! A callback may destroy the stack. As for writers, additions and iterators, destruction is
//! deferred until the function returns.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::reftable_stack;
use crate::ffi::code::CResult;
use crate::ffi::object;

/// The bit that marks a stack to be destroyed.
const DOOMED: usize = 1;
/// One hold.
const ONE: usize = 2;

/// The number of holds on a stack, and whether it is to be destroyed after the last one.
#[derive(Debug, Default)]
pub(super) struct Holds(AtomicUsize);

/// Keeps a stack from being destroyed.
#[derive(Debug)]
pub(in crate::capi) struct StackHold(*mut reftable_stack);

impl StackHold {
    /// Holds `stack`; misuse for NULL.
    ///
    /// # Safety
    /// `stack` is NULL or valid as the C API requires.
    pub(in crate::capi) unsafe fn of(stack: *mut reftable_stack) -> CResult<Self> {
        // SAFETY: the caller's promise.
        let holds = unsafe { &object::borrow(stack)?.holds };
        holds.0.fetch_add(ONE, Ordering::Relaxed);
        Ok(Self(stack))
    }

    /// The stack.
    pub(in crate::capi) fn stack(&self) -> &reftable_stack {
        // SAFETY: the stack was valid when it was held, and a held stack is not destroyed.
        unsafe { &*self.0 }
    }
}

impl Drop for StackHold {
    fn drop(&mut self) {
        let before = self.stack().holds.0.fetch_sub(ONE, Ordering::AcqRel);
        if before == ONE | DOOMED {
            // SAFETY: the caller has dismissed the stack, and this was the last hold.
            unsafe { destroy(self.0) };
        }
    }
}

/// Destroys a stack, or defers that until the last hold is dropped. Does nothing for NULL.
///
/// # Safety
/// `stack` is NULL or a stack that the caller no longer uses.
pub(super) unsafe fn dismiss(stack: *mut reftable_stack) {
    // SAFETY: the caller's promise.
    let Some(holds) = (unsafe { stack.as_ref() }).map(|stack| &stack.holds) else {
        return;
    };
    if holds.0.fetch_or(DOOMED, Ordering::AcqRel) == 0 {
        // SAFETY: the caller's promise, and there are no holds.
        unsafe { destroy(stack) };
    }
}

/// Closes a stack, and removes those of its tables that other processes have replaced.
///
/// # Safety
/// `stack` is NULL, or a stack that is no longer used.
unsafe fn destroy(stack: *mut reftable_stack) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(stack) = stack.as_ref() {
            stack.core.remove_replaced(&stack.core.merged());
        }
        object::destroy(stack);
    }
}
