//! The seven functions that differ, in one form for the tests that both shapes share.

use std::ffi::c_void;
use std::ptr;

use super::OnReload;
use crate::capi::basics::hash_number;
use crate::capi::writer::reftable_write_options;

pub(in crate::capi) use super::current::testing::*;

/// All options of a stack. It is opened with the first three, and changed with `write`.
#[derive(Clone, Copy, Debug)]
pub(in crate::capi) struct Options {
    pub(in crate::capi) hash_id: hash_number,
    pub(in crate::capi) on_reload: Option<OnReload>,
    pub(in crate::capi) on_reload_payload: *mut c_void,
    pub(in crate::capi) write: reftable_write_options,
}

impl Options {
    /// The defaults.
    pub(in crate::capi) const EMPTY: Self = Self {
        hash_id: 0,
        on_reload: None,
        on_reload_payload: ptr::null_mut(),
        write: reftable_write_options::EMPTY,
    };
}
