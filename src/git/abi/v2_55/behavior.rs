//! How git 2.55.0 shares the work with a backend.

#![forbid(unsafe_code)]

use crate::record::ZoneForm;

/// How the time zones of reflog entries are stored.
pub const ZONE_FORM: ZoneForm = ZoneForm::Hhmm;

/// Whether the bytes of `object_id::hash` after those of a short id are zero.
pub const IDS_ARE_PADDED: bool = true;

/// Whether the update of a symref, once split, still expects the old value: the caller then
/// compares the value that it finds through the symref.
pub const SYMREF_KEEPS_OLD_VALUE: bool = true;

/// Whether a dangling symref counts as existing where an update expects no ref and does not
/// follow symrefs.
pub const DANGLING_SYMREF_EXISTS: bool = true;

/// Whether the name of a new ref is checked before the updates after it. Else all names are
/// checked after all values, and a wrong value is reported even if a name conflicts.
pub const NAMES_ARE_CHECKED_IN_TURN: bool = false;

/// Whether `test-tool dump-reftable -b` lists the blocks of indexes.
pub const DUMP_LISTS_INDEXES: bool = true;
