//! Operations after which a stack may have other tables.
//!
//! Whenever it has, C is told by the function that it has named for that, which may use the
//! stack again: nothing of the stack is borrowed then but by shared references.

use std::sync::Arc;

use super::{reftable_log_expiry_config, reftable_stack, reftable_write_options};
use crate::ffi::code::CResult;
use crate::format::{Error, Result};
use crate::merged::Merged;
use crate::stack::{Addition, LogExpiry, OnOutdated, Stack};

/// Tells C that a stack has read its list, or has tried to.
pub(super) fn tell_reload(options: &reftable_write_options) {
    if let Some(on_reload) = options.on_reload {
        // SAFETY: C has said that the function is to be called so.
        unsafe { on_reload(options.on_reload_payload) };
    }
}

/// The tables that a stack has now; they stay as they are for as long as they are held.
pub(in crate::capi) fn tables_of(stack: &reftable_stack) -> Arc<Merged> {
    stack.core.merged()
}

impl reftable_stack {
    /// Runs an operation, and tells C if there are other tables afterwards.
    fn watch<R>(&self, operation: impl FnOnce(&Stack) -> Result<R>) -> Result<R> {
        let before = self.core.merged();
        let result = operation(&self.core);
        self.shown.set_stats(self.core.stats());
        if !Arc::ptr_eq(&before, &self.core.merged()) {
            drop(before);
            self.show_tables();
        }
        result
    }

    /// There are other tables than before.
    fn show_tables(&self) {
        self.finder.clear();
        self.shown.set_tables(&self.core.merged(), &self.merged);
        tell_reload(&self.shown.options());
    }

    /// See `reftable_stack_reload()`.
    pub(super) fn reload(&self) -> CResult {
        let before = self.core.merged();
        match self.watch(Stack::reload) {
            Ok(true) => self.core_removes(&before),
            Ok(false) => {}
            Err(error) => {
                tell_reload(&self.shown.options());
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Removes tables that are not shown any more and that nobody has removed.
    fn core_removes(&self, before: &Merged) {
        let now = self.core.merged();
        let mut shown: Vec<_> = now.tables().iter().map(Arc::as_ptr).collect();
        shown.sort_unstable();
        let is_shown = |table: &Arc<_>| shown.binary_search(&Arc::as_ptr(table)).is_ok();
        if !before.tables().iter().all(is_shown) {
            self.core.remove_replaced(before);
        }
    }

    /// Locks the stack for a change.
    pub(super) fn begin(&self, on_outdated: OnOutdated) -> CResult<Addition> {
        let before = self.core.merged();
        let mut addition = self.watch(|stack| stack.begin(on_outdated))?;
        addition.share_update_indexes();
        if on_outdated == OnOutdated::Reload {
            self.core_removes(&before);
        }
        Ok(addition)
    }

    /// Publishes a change, then compacts the stack if the options do not forbid it.
    pub(super) fn commit(&self, addition: Addition) -> CResult {
        let done = self.watch(|stack| stack.commit(addition))?;
        if !done.published || self.shown.options().disables_auto_compact() {
            return Ok(());
        }
        match self.watch(Stack::auto_compact) {
            // Somebody else was faster, which does no harm.
            Ok(()) | Err(Error::Locked { .. } | Error::Outdated) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// See `reftable_stack_compact_all()`.
    pub(super) fn compact_all(&self, config: Option<reftable_log_expiry_config>) -> CResult {
        let expiry = config.map(|config| LogExpiry {
            time: config.time,
            min_update_index: config.min_update_index,
        });
        Ok(self.watch(|stack| stack.compact_all(expiry.as_ref()))?)
    }

    /// See `reftable_stack_auto_compact()`.
    pub(super) fn auto_compact(&self) -> CResult {
        Ok(self.watch(Stack::auto_compact)?)
    }

    /// See `reftable_stack_clean()`.
    pub(super) fn clean(&self) -> CResult {
        Ok(self.watch(|stack| stack.clean_if(OnOutdated::Fail))?)
    }
}
