//! Iterators over values of their own, made from lending ones.
#![forbid(unsafe_code)]

use std::iter;

use super::Result;

/// An iterator over what `next` returns, which ends after an error.
pub(super) fn until_error<T>(
    mut next: impl FnMut() -> Result<Option<T>>,
) -> impl Iterator<Item = Result<T>> {
    let mut is_failed = false;
    iter::from_fn(move || {
        if is_failed {
            return None;
        }
        let next = next().transpose()?;
        is_failed = next.is_err();
        Some(next)
    })
}
