//! Git's configuration, one setting at a time.

use super::repo::Repository;
use super::strings::borrow;
use crate::git::abi::{calls, ffi, ConfigContext};
use std::ffi::{c_char, c_int, c_void, CStr};

/// A setting, during the callback that visits it.
pub struct Setting<'a> {
    key: &'a CStr,
    value: *const c_char,
    context: *const ConfigContext,
}

impl Setting<'_> {
    /// The key, section and name in lower case.
    pub fn key(&self) -> &[u8] {
        self.key.to_bytes()
    }

    /// The value as an unsigned number with an optional unit suffix. Git dies on anything else.
    pub fn unsigned(&self) -> u64 {
        // SAFETY: key, value and context are those of the running callback.
        let value = unsafe { calls::config_ulong(self.key.as_ptr(), self.value, self.context) };
        #[allow(
            clippy::useless_conversion,
            reason = "c_ulong is 32 bits wide elsewhere"
        )]
        u64::from(value)
    }

    /// The value as a signed number with an optional unit suffix. Git dies on anything else.
    pub fn signed(&self) -> i64 {
        // SAFETY: as in `unsigned`.
        unsafe { calls::config_int64(self.key.as_ptr(), self.value, self.context) }
    }

    /// The value as a boolean. Git dies on anything else.
    pub fn boolean(&self) -> bool {
        // SAFETY: as in `unsigned`.
        unsafe { ffi::git_config_bool(self.key.as_ptr(), self.value) != 0 }
    }
}

/// Calls `visit` for every setting of `repo`, in the order in which they override each other.
pub fn for_each(repo: Repository, visit: &mut dyn FnMut(&Setting<'_>)) {
    let mut visit = visit;
    let data: *mut &mut dyn FnMut(&Setting<'_>) = &mut visit;
    // SAFETY: `data` lives through the call, and only `trampoline` uses it.
    unsafe { calls::for_each_setting(repo.as_ptr(), trampoline, data.cast()) };
}

unsafe extern "C" fn trampoline(
    key: *const c_char,
    value: *const c_char,
    context: *const ConfigContext,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is the pointer that `for_each` passed, still alive.
    let visit = unsafe { &mut *data.cast::<&mut dyn FnMut(&Setting<'_>)>() };
    // SAFETY: git passes a key that lives through the callback.
    if let Some(key) = unsafe { borrow(key) } {
        visit(&Setting {
            key,
            value,
            context,
        });
    }
    0
}
