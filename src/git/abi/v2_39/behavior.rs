//! How git 2.39.5 shares the work with a backend, and what the rest of the code uses and this
//! release lacks.

#![forbid(unsafe_code)]

use super::layout::REF_TRANSACTION_ERROR_GENERIC;
use crate::record::ZoneForm;
use std::ffi::{c_int, c_uint};

/// How the time zones of reflog entries are stored.
pub const ZONE_FORM: ZoneForm = ZoneForm::Hhmm;

/// Whether the bytes of `object_id::hash` after those of a short id are zero.
pub const IDS_ARE_PADDED: bool = false;

/// Whether the update of a symref, once split, still expects the old value: the caller then
/// compares the value that it finds through the symref.
pub const SYMREF_KEEPS_OLD_VALUE: bool = false;

/// Whether a dangling symref counts as existing where an update expects no ref and does not
/// follow symrefs.
pub const DANGLING_SYMREF_EXISTS: bool = false;

/// Whether the name of a new ref is checked before the updates after it. Else all names are
/// checked after all values, and a wrong value is reported even if a name conflicts.
pub const NAMES_ARE_CHECKED_IN_TURN: bool = true;

/// Whether `test-tool dump-reftable -b` lists the blocks of indexes.
pub const DUMP_LISTS_INDEXES: bool = true;

/// What git passes along with a setting: nothing in this release.
pub enum ConfigContext {}

/// The results of `transaction_prepare`: plain numbers in this release.
pub type RefTransactionError = c_int;

/// This release knows only conflicts of names and other errors.
pub const REF_TRANSACTION_ERROR_CREATE_EXISTS: c_int = REF_TRANSACTION_ERROR_GENERIC;
pub const REF_TRANSACTION_ERROR_NONEXISTENT_REF: c_int = REF_TRANSACTION_ERROR_GENERIC;
pub const REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE: c_int = REF_TRANSACTION_ERROR_GENERIC;
pub const REF_TRANSACTION_ERROR_EXPECTED_SYMREF: c_int = REF_TRANSACTION_ERROR_GENERIC;

/// Git never passes it: an iteration has no refs outside of `refs/`.
pub const REFS_FOR_EACH_INCLUDE_ROOT_REFS: c_uint = 1 << 3;

/// Flag of `ref_update::flags` that only the backend sets: no log is written.
pub const REF_SKIP_CREATE_REFLOG: c_uint = 1 << 12;

/// Result of `read_symbolic_ref` for a ref that is not symbolic, like for one that is missing.
pub const NOT_A_SYMREF: c_int = -1;
