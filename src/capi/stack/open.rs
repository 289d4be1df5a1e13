//! Opening and closing stacks.

use std::ffi::{c_char, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::hold::Holds;
use super::lookup::SharedFinder;
use super::{reftable_stack, reftable_write_options, Code, KeptOptions, StackShown};
use crate::capi::merged;
use crate::capi::shape::Opening;
use crate::ffi::code::CResult;
use crate::ffi::{object, string};
use crate::stack::Stack;

/// Opens a stack; see `reftable_new_stack()`.
///
/// # Safety
/// The pointers are NULL or valid as the C API requires.
pub(super) unsafe fn new(dir: *const c_char, options: KeptOptions) -> CResult<*mut reftable_stack> {
    // SAFETY: the caller's promise.
    let dir = unsafe { string::bytes(dir) }.ok_or(Code::MISUSE)?;
    // Reading depends on the hash function only.
    let for_reading = reftable_write_options::EMPTY.for_stacks(options.hash()?);
    let memory = object::reserve::<reftable_stack>()?;
    let shown = StackShown::new(options, dir)?;
    let path = Path::new(OsStr::from_bytes(dir));
    let opened = Stack::open(path, for_reading);
    super::change::call_on_reload(&options);
    let core = Arc::new(opened?);
    let stack = memory.fill(reftable_stack {
        shown,
        merged: merged::of_stack(&core, options.tombstones()),
        core,
        finder: SharedFinder::default(),
        holds: Holds::default(),
    });
    // SAFETY: created above.
    let of = unsafe { &*stack };
    of.shown.set_tables(&of.core.merged(), &of.merged);
    Ok(stack)
}
