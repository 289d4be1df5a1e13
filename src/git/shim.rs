//! What the backend defines for the C shim (`refs/reftable-rust.c`).
//!
//! Written into the headers beside the mirrors of git's structs.
#![forbid(unsafe_code)]

use std::ffi::c_uint;

/// Flag of `ref_update::flags` that only the backend uses: the update reached a branch through
/// `HEAD`. The shim asserts that no flag of git's has the same bit.
pub const REF_UPDATE_VIA_HEAD: c_uint = 1 << 8;

/// `enum reftable_rs_fsck_finding`.
///
/// What verification finds. The shim has the `enum fsck_msg_id` for each.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsckFinding {
    /// A malformed table name, or one with other update indexes than its table.
    TableName,
    /// `tables.list`.
    List,
    /// A table that is missing or cannot be opened.
    MissingTable,
    /// A file that no list names.
    UnlistedFile,
    Header,
    Footer,
    Hash,
    UpdateIndex,
    Block,
    Order,
    Index,
    Objects,
}
