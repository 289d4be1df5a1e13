//! How git 2.47.3 shares the work with a backend.

#![forbid(unsafe_code)]

use super::layout::REF_TRANSACTION_ERROR_GENERIC;
use crate::record::ZoneForm;
use std::ffi::c_int;

/// How the time zones of reflog entries are stored.
pub const ZONE_FORM: ZoneForm = ZoneForm::Hhmm;

/// Whether the bytes of `object_id::hash` after those of a short id are zero.
pub const IDS_ARE_PADDED: bool = true;

/// Whether the update of a symref, once split, still expects the old value. Here only the
/// update of its referent does.
pub const SYMREF_KEEPS_OLD_VALUE: bool = false;

/// Whether a dangling symref counts as existing where an update expects no ref and does not
/// follow symrefs.
pub const DANGLING_SYMREF_EXISTS: bool = false;

/// This release has no number for a ref that is not symbolic.
pub const NOT_A_SYMREF: c_int = -1;

/// The results of `transaction_prepare`: plain numbers in this release.
pub type RefTransactionError = c_int;

/// This release has no numbers of their own for these.
pub const REF_TRANSACTION_ERROR_CREATE_EXISTS: RefTransactionError = REF_TRANSACTION_ERROR_GENERIC;
pub const REF_TRANSACTION_ERROR_NONEXISTENT_REF: RefTransactionError =
    REF_TRANSACTION_ERROR_GENERIC;
pub const REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE: RefTransactionError =
    REF_TRANSACTION_ERROR_GENERIC;
pub const REF_TRANSACTION_ERROR_EXPECTED_SYMREF: RefTransactionError =
    REF_TRANSACTION_ERROR_GENERIC;

/// Whether the name of a new ref is checked before the updates after it. Else all names are
/// checked after all values, and a wrong value is reported even if a name conflicts.
pub const NAMES_ARE_CHECKED_IN_TURN: bool = true;

/// Whether `test-tool dump-reftable -b` lists the blocks of indexes.
pub const DUMP_LISTS_INDEXES: bool = false;
