//! Definitions of the backend for the C shim (`refs/reftable-rust.c`).
//!
//! The headers contain them together with the mirrors of git's structs.
#![forbid(unsafe_code)]

use std::ffi::c_uint;

/// Flag of `ref_update::flags` that only the backend uses: the update reached a branch through
/// `HEAD`. The shim asserts that no flag of git's has the same bit.
pub const REF_UPDATE_VIA_HEAD: c_uint = 1 << 8;

/// `enum reftable_rs_fsck_finding`.
///
/// The shim maps each kind of finding to an `enum fsck_msg_id`.
pub use crate::format::FindingKind as FsckFinding;
