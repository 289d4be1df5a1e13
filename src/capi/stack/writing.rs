//! How one operation writes.

use super::reftable_stack;
use crate::capi::writer::reftable_write_options;
use crate::ffi::code::CResult;
use crate::stack::Stack;

/// A handle on a stack that writes with the options of one operation.
#[derive(Debug)]
pub(super) struct Writing {
    /// Leaves compaction after a commit to the caller.
    pub(super) core: Stack,
    /// Whether the stack is compacted after a commit.
    pub(super) compacts: bool,
}

impl Writing {
    /// A handle on `stack` that writes with `options`.
    ///
    /// # Errors
    /// None: the handle has the stack's hash function.
    pub(super) fn new(stack: &reftable_stack, options: &reftable_write_options) -> CResult<Self> {
        let core = &stack.core;
        Ok(Self {
            core: core.with_options(options.for_stacks(core.hash_id()))?,
            compacts: !options.disables_auto_compact(),
        })
    }
}
