//! Whether a ref has the value that its update expects. Nothing is locked per
//! ref here, yet the messages speak of it: they are those of the files
//! backend, and users and tests compare them.
#![forbid(unsafe_code)]

use crate::git::abi::{
    ObjectId, DANGLING_SYMREF_EXISTS, REF_HAVE_OLD, REF_LOG_ONLY, REF_NO_DEREF,
    REF_TRANSACTION_ERROR_CREATE_EXISTS, REF_TRANSACTION_ERROR_EXPECTED_SYMREF,
    REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE, REF_TRANSACTION_ERROR_NONEXISTENT_REF,
};
use crate::git::failure::{Failure, Outcome};
use crate::git::sys::strings::{quoted, Buffer};
use crate::git::sys::transaction::Update;
use std::ffi::CStr;

/// Compares what was found, an id and for a symref its target, with the old
/// value that `update` names. A mismatch puts its message into `err`.
pub fn old_value(
    update: Update<'_>,
    current: &ObjectId,
    referent: Option<&CStr>,
    err: &mut Buffer<'_>,
) -> Outcome {
    if let Some(target) = update.old_target() {
        return old_target(update, target, referent, err);
    }
    let checks_id = update.flags() & (REF_LOG_ONLY | REF_HAVE_OLD) == REF_HAVE_OLD;
    if !checks_id {
        return Ok(());
    }
    let old = update.old_oid();
    if current.same(&old) {
        return dangling(update, referent, &old, err);
    }
    let name = update.original_refname();
    if old.is_null() {
        err.push_message(c"cannot lock ref '%s': reference already exists", &[name]);
        Err(Failure::new(REF_TRANSACTION_ERROR_CREATE_EXISTS))
    } else if current.is_null() {
        err.push_message(
            c"cannot lock ref '%s': reference is missing but expected %s",
            &[name, &old.to_hex()],
        );
        Err(Failure::new(REF_TRANSACTION_ERROR_NONEXISTENT_REF))
    } else {
        err.push_message(
            c"cannot lock ref '%s': is at %s but expected %s",
            &[name, &current.to_hex(), &old.to_hex()],
        );
        Err(Failure::new(REF_TRANSACTION_ERROR_INCORRECT_OLD_VALUE))
    }
}

fn old_target(
    update: Update<'_>,
    target: &CStr,
    referent: Option<&CStr>,
    err: &mut Buffer<'_>,
) -> Outcome {
    if !update.is_symref() {
        err.push_message(
            c"cannot lock ref '%s': expected symref with target '%s': but is a regular ref",
            &[update.original_refname(), target],
        );
        return Err(Failure::new(REF_TRANSACTION_ERROR_EXPECTED_SYMREF));
    }
    // What is compared has no bytes that are quoted: quoting changes only the message.
    let referent = quoted(referent.unwrap_or_default().to_bytes());
    match update.check_old_target(&referent, err) {
        0 => Ok(()),
        refused => Err(Failure::new(refused)),
    }
}

/// A symref that leads nowhere reads as the null id. Whoever expects no ref
/// and does not follow symrefs would overwrite it: that is refused.
fn dangling(
    update: Update<'_>,
    referent: Option<&CStr>,
    old: &ObjectId,
    err: &mut Buffer<'_>,
) -> Outcome {
    let is_symref = referent.is_some_and(|referent| !referent.is_empty());
    if !(DANGLING_SYMREF_EXISTS && update.has(REF_NO_DEREF) && is_symref && old.is_null()) {
        return Ok(());
    }
    err.push_message(
        c"cannot lock ref '%s': dangling symref already exists",
        &[update.original_refname()],
    );
    Err(Failure::new(REF_TRANSACTION_ERROR_CREATE_EXISTS))
}
