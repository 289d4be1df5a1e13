//! A fast check of refnames that accepts nearly all names in use. Git's own check decides about
//! the others.
#![forbid(unsafe_code)]

use super::sys::refs;
use crate::repo::rules::is_plain;
use std::ffi::CStr;

/// Whether `name` follows the rules of `git check-ref-format --allow-onelevel`.
pub fn is_well_formed(name: &CStr) -> bool {
    is_plain(name.to_bytes()) || refs::is_well_formed(name)
}
