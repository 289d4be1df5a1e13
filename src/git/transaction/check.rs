//! Checks that a ref has the value expected by its update. The messages mention a lock although
//! refs are not locked individually: they are those of the files backend, which users and tests
//! expect.
#![forbid(unsafe_code)]

use super::refusal::Refusal;
use crate::git::abi::{
    ObjectId, DANGLING_SYMREF_EXISTS, REF_HAVE_OLD, REF_LOG_ONLY, REF_NO_DEREF,
    SYMREF_KEEPS_OLD_VALUE,
};
use crate::git::sys::strings::{quoted, Buffer};
use crate::git::sys::transaction::Update;
use std::ffi::CStr;

/// Compares the current value, an id and for a symref its target, with the old value that
/// `update` expects. Stores a message in `err` if they differ.
pub fn old_value(
    update: Update<'_>,
    current: &ObjectId,
    referent: Option<&CStr>,
    err: &mut Buffer<'_>,
) -> Result<(), Refusal> {
    if let Some(target) = update.old_target() {
        return old_target(update, target, referent, err);
    }
    // Where a split symref's update loses the old value, the updates of logs that still have one
    // are checked.
    let skips_log = SYMREF_KEEPS_OLD_VALUE && update.has(REF_LOG_ONLY);
    if skips_log || !update.has(REF_HAVE_OLD) {
        return Ok(());
    }
    let old = update.old_oid();
    if current.same(&old) {
        return dangling(update, referent, &old, err);
    }
    let name = update.original_refname();
    if old.is_null() {
        err.push_message(c"cannot lock ref '%s': reference already exists", &[name]);
        Err(Refusal::CREATE_EXISTS)
    } else if current.is_null() {
        err.push_message(
            c"cannot lock ref '%s': reference is missing but expected %s",
            &[name, &old.to_hex()],
        );
        Err(Refusal::NONEXISTENT_REF)
    } else {
        err.push_message(
            c"cannot lock ref '%s': is at %s but expected %s",
            &[name, &current.to_hex(), &old.to_hex()],
        );
        Err(Refusal::INCORRECT_OLD_VALUE)
    }
}

fn old_target(
    update: Update<'_>,
    target: &CStr,
    referent: Option<&CStr>,
    err: &mut Buffer<'_>,
) -> Result<(), Refusal> {
    if !update.is_symref() {
        err.push_message(
            c"cannot lock ref '%s': expected symref with target '%s': but is a regular ref",
            &[update.original_refname(), target],
        );
        return Err(Refusal::EXPECTED_SYMREF);
    }
    // Valid targets contain no bytes that need quoting, so this affects only the message.
    let referent = quoted(referent.unwrap_or_default().to_bytes());
    Refusal::check(update.check_old_target(&referent, err))
}

/// A dangling symref resolves to the null OID. Refuses an update that expects no ref and does not
/// follow symrefs, which would overwrite it.
fn dangling(
    update: Update<'_>,
    referent: Option<&CStr>,
    old: &ObjectId,
    err: &mut Buffer<'_>,
) -> Result<(), Refusal> {
    let is_symref = referent.is_some_and(|referent| !referent.is_empty());
    if !(DANGLING_SYMREF_EXISTS && update.has(REF_NO_DEREF) && is_symref && old.is_null()) {
        return Ok(());
    }
    err.push_message(
        c"cannot lock ref '%s': dangling symref already exists",
        &[update.original_refname()],
    );
    Err(Refusal::CREATE_EXISTS)
}
