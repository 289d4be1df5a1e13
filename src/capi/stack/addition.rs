//! Changing a stack through the caller's functions.

use std::ffi::{c_int, c_uint, c_void};

use super::{
    reftable_addition, reftable_stack, reftable_write_options, reftable_writer, Code, StackHold,
    Writing,
};
use crate::capi::stack::reftable_stack_new_addition_flags;
use crate::capi::writer::lend;
use crate::ffi::code::{check, CResult};
use crate::ffi::object::{self, Exclusive, Guarded};
use crate::format::Error;
use crate::stack::{Addition, OnOutdated};

/// The caller's function that writes a table with the writer it receives.
pub(super) type WriteTable = unsafe extern "C" fn(*mut reftable_writer, *mut c_void) -> c_int;

impl Guarded for reftable_addition {
    type Content = Option<Addition>;

    fn exclusive(&self) -> &Exclusive<Option<Addition>> {
        &self.addition
    }
}

/// How an addition with these flags treats an outdated stack. Unknown flags are ignored.
fn on_outdated(flags: c_uint) -> OnOutdated {
    const RELOAD: c_uint =
        reftable_stack_new_addition_flags::REFTABLE_STACK_NEW_ADDITION_RELOAD as c_uint;
    match flags & RELOAD {
        0 => OnOutdated::Fail,
        _ => OnOutdated::Reload,
    }
}

/// Makes an addition; see `reftable_stack_new_addition()`.
///
/// # Safety
/// `stack` is NULL or valid as the C API requires.
pub(super) unsafe fn new(
    stack: *mut reftable_stack,
    options: impl FnOnce(&reftable_stack) -> reftable_write_options,
    flags: c_uint,
) -> CResult<*mut reftable_addition> {
    let memory = object::reserve()?;
    // SAFETY: the caller's promise.
    let stack = unsafe { StackHold::of(stack) }?;
    let writing = Writing::new(stack.stack(), &options(stack.stack()))?;
    let addition = stack.stack().begin(&writing, on_outdated(flags))?;
    Ok(memory.fill(reftable_addition {
        addition: Exclusive::new(Some(addition)),
        writing,
        stack,
    }))
}

/// Adds a table that `write_table` writes.
///
/// # Safety
/// The function and its argument are valid as the C API requires.
pub(super) unsafe fn add_table(
    addition: &mut Addition,
    write_table: Option<WriteTable>,
    arg: *mut c_void,
) -> CResult {
    let write_table = write_table.ok_or(Code::MISUSE)?;
    let hash = addition.hash_id();
    addition.add_table(|writer| {
        lend(writer, hash, |lent| {
            // SAFETY: the caller's promise. The caller cannot reach the addition while the
            // function runs, and everything else is borrowed by shared references.
            check(unsafe { write_table(lent, arg) })
        })
    })
}

/// Publishes an addition and ends it; see `reftable_addition_commit()`.
///
/// # Safety
/// `add` is NULL or valid as the C API requires.
pub(super) unsafe fn commit(add: *mut reftable_addition) -> CResult {
    // SAFETY: the caller's promise. The addition, which holds its stack, is not destroyed
    // before the operation is over.
    unsafe {
        let reftable_addition { stack, writing, .. } = object::borrow(add)?;
        object::with(add, |addition| match addition.take() {
            Some(addition) => stack.stack().commit(writing, addition),
            None => Ok(()),
        })
    }
}

/// Makes, fills and commits an addition; see `reftable_stack_add()`.
///
/// # Safety
/// The function and its argument are valid as the C API requires.
pub(super) unsafe fn run(
    stack: &reftable_stack,
    writing: &Writing,
    write_table: Option<WriteTable>,
    arg: *mut c_void,
    flags: c_uint,
) -> CResult {
    let begun = stack.begin(writing, on_outdated(flags));
    let done = begun.and_then(|mut addition| {
        // SAFETY: the caller's promise.
        unsafe { add_table(&mut addition, write_table, arg) }?;
        stack.commit(writing, addition)
    });
    if done == Err(Error::Outdated.into()) {
        // The caller learns that the stack is outdated; its next call reports a failure here.
        let _ = stack.reload();
    }
    done
}
