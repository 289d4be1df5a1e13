//! Checks that a ref has the value that its change expects.
#![forbid(unsafe_code)]

use super::change::{Change, Expected};
use crate::repo::{Error, ObjectId, Result, Value};

/// Checks the change of a ref that does not exist.
pub(super) fn missing(change: &Change) -> Result<()> {
    match &change.expected {
        Expected::Any | Expected::Missing => Ok(()),
        Expected::Id(id) if id.is_null() => Ok(()),
        Expected::Existing | Expected::Id(_) | Expected::Symbolic(_) => {
            Err(unexpected(change, Value::Missing))
        }
    }
}

/// Checks the change of a ref with the value `current`.
pub(super) fn direct(change: &Change, current: ObjectId) -> Result<()> {
    match &change.expected {
        Expected::Any | Expected::Existing => Ok(()),
        Expected::Id(id) if *id == current => Ok(()),
        Expected::Missing | Expected::Id(_) | Expected::Symbolic(_) => {
            Err(unexpected(change, Value::Id(current)))
        }
    }
}

/// Checks the change of a symbolic ref itself. An expected id is compared with the one that it
/// resolves to.
pub(super) fn symbolic(change: &Change, target: &[u8], resolved: Option<ObjectId>) -> Result<()> {
    let found = match (&change.expected, resolved) {
        (Expected::Any | Expected::Existing, _) => return Ok(()),
        (Expected::Symbolic(expected), _) if expected == target => return Ok(()),
        (Expected::Id(id), Some(current)) if *id == current => return Ok(()),
        (Expected::Id(id), Some(current)) if !id.is_null() => Value::Id(current),
        _ => Value::Symbolic(target.into()),
    };
    Err(unexpected(change, found))
}

#[cold]
fn unexpected(change: &Change, found: Value) -> Error {
    Error::Unexpected {
        name: change.name.clone(),
        expected: change.expected.value(),
        found,
    }
}
