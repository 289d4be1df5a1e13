//! Operations that may change the tables of a stack.
//!
//! After each change the caller's `on_reload` is called. It may use the stack again, so only
//! shared references to the stack exist then.

use std::sync::Arc;

use super::{reftable_log_expiry_config, reftable_stack, KeptOptions, Writing};
use crate::capi::shape::Opening;
use crate::ffi::code::CResult;
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::stack::{Addition, LogExpiry, OnOutdated, Stack};

/// Calls `on_reload` after a stack has read its list, or failed to.
pub(super) fn call_on_reload(options: &KeptOptions) {
    if let (Some(on_reload), payload) = options.on_reload() {
        // SAFETY: the caller passed the function for this purpose, with its payload.
        unsafe { on_reload(payload) };
    }
}

/// The current merged view of a stack, which does not change.
pub(in crate::capi) fn tables_of(stack: &reftable_stack) -> Arc<Merged> {
    stack.core.merged()
}

impl reftable_stack {
    /// Runs an operation of `core`, a handle on this stack, and calls `on_reload` if it changed the tables.
    fn watch<R>(&self, core: &Stack, operation: impl FnOnce(&Stack) -> Result<R>) -> Result<R> {
        let before = self.core.merged();
        let result = operation(core);
        self.shown.set_stats(self.core.stats());
        if !Arc::ptr_eq(&before, &self.core.merged()) {
            drop(before);
            self.show_tables();
        }
        result
    }

    /// Updates everything that depends on the tables.
    fn show_tables(&self) {
        self.finder.clear();
        self.shown.set_tables(&self.core.merged(), &self.merged);
        call_on_reload(&self.shown.options());
    }

    /// See `reftable_stack_reload()`.
    pub(super) fn reload(&self) -> CResult {
        let before = self.core.merged();
        match self.watch(&self.core, Stack::reload) {
            Ok(true) => self.remove_replaced(&before),
            Ok(false) => {}
            Err(error) => {
                call_on_reload(&self.shown.options());
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Removes files of tables in `before` that are no longer listed.
    fn remove_replaced(&self, before: &Merged) {
        let now = self.core.merged();
        let mut shown: Vec<_> = now.tables().iter().map(Arc::as_ptr).collect();
        shown.sort_unstable();
        let is_shown = |table: &Arc<_>| shown.binary_search(&Arc::as_ptr(table)).is_ok();
        if !before.tables().iter().all(is_shown) {
            self.core.remove_replaced(before);
        }
    }

    /// Locks the stack for a change.
    pub(super) fn begin(&self, writing: &Writing, on_outdated: OnOutdated) -> CResult<Addition> {
        let before = self.core.merged();
        let mut addition = self.watch(&writing.core, |stack| stack.begin(on_outdated))?;
        addition.share_update_indexes();
        if on_outdated == OnOutdated::Reload {
            self.remove_replaced(&before);
        }
        Ok(addition)
    }

    /// Publishes a change, then compacts the stack if the options do not forbid it.
    pub(super) fn commit(&self, writing: &Writing, addition: Addition) -> CResult {
        let done = self.watch(&writing.core, |stack| stack.commit(addition))?;
        if !done.published || !writing.compacts {
            return Ok(());
        }
        match self.watch(&writing.core, Stack::auto_compact) {
            // Another process compacts the stack.
            Ok(()) | Err(Error::Locked { .. } | Error::Outdated) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// See `reftable_stack_compact_all()`.
    pub(super) fn compact_all(
        &self,
        writing: &Writing,
        config: Option<reftable_log_expiry_config>,
    ) -> CResult {
        let expiry = config.map(|config| LogExpiry {
            time: config.time,
            min_update_index: config.min_update_index,
            ..LogExpiry::default()
        });
        Ok(self.watch(&writing.core, |stack| stack.compact_all(expiry.as_ref()))?)
    }

    /// See `reftable_stack_auto_compact()`.
    pub(super) fn auto_compact(&self, writing: &Writing) -> CResult {
        Ok(self.watch(&writing.core, Stack::auto_compact)?)
    }

    /// See `reftable_stack_clean()`.
    pub(super) fn clean(&self) -> CResult {
        let writing = Writing::new(self, &self.options().for_cleaning())?;
        Ok(self.watch(&writing.core, |stack| stack.clean_if(OnOutdated::Fail))?)
    }
}
