//! Arguments of the functions that each release has under one signature.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "not every release has a place for each of them")]

use super::{ObjectId, RefUpdate, Timestamp};
use std::ffi::{c_char, c_int, c_uint};

/// What an iterator shows of a ref.
pub struct ShownRef {
    pub name: *const c_char,
    /// The target of a symref, else NULL.
    pub target: *const c_char,
    pub oid: *const ObjectId,
    /// What a tag peels to; NULL when that is unknown.
    pub peeled: *const ObjectId,
    /// `REF_IS…`, `REF_BAD_NAME`.
    pub flags: c_uint,
}

/// What a callback gets of a reflog entry.
pub struct ShownEntry {
    pub old: ObjectId,
    pub new: ObjectId,
    pub committer: *const c_char,
    pub time: Timestamp,
    /// `±hhmm` in decimal.
    pub zone: c_int,
    pub message: *const c_char,
}

/// An update that the backend adds to a transaction. NULL for values that it does not have.
pub struct NewUpdate {
    pub refname: *const c_char,
    pub flags: c_uint,
    pub new_oid: *const ObjectId,
    pub old_oid: *const ObjectId,
    pub new_target: *const c_char,
    pub old_target: *const c_char,
    pub committer_info: *const c_char,
    pub msg: *const c_char,
    /// The update that it is made of.
    pub of: *const RefUpdate,
}
