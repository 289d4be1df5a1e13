//! A fast check that the names of new refs are available. Git's own check uses lookups and an
//! iterator for each name. If this one finds a conflict, git's decides and writes the message.
#![forbid(unsafe_code)]

use crate::format::Result;
use crate::git::sys::transaction::Refnames;
use crate::merged::conflicts::{find_conflict, SortedNames};
use crate::merged::Merged;
use std::ffi::CStr;

impl SortedNames for Refnames<'_> {
    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, i: usize) -> Option<&[u8]> {
        self.get(i).map(CStr::to_bytes)
    }
}

/// Whether the refs `new` can certainly be created in a transaction that updates the refs `all`.
/// `new` are sorted, do not exist, and are among `all`. Without `view`, checks only for conflicts
/// within the transaction.
///
/// # Errors
/// Those of reading a table.
pub fn are_free<'n>(
    view: Option<&Merged>,
    mut new: impl Iterator<Item = &'n [u8]> + Clone,
    all: &dyn SortedNames,
) -> Result<bool> {
    let is_sorted = (0..all.len()).is_sorted_by_key(|i| all.get(i));
    // Names outside of refs/ may conflict with files.
    if !is_sorted || !new.clone().all(|name| name.starts_with(b"refs/")) {
        return Ok(false);
    }
    Ok(find_conflict(view, &mut new, all, None)?.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsorted_transactions_are_left_to_git() {
        let names: &[&[u8]] = &[b"refs/b", b"refs/a"];
        assert!(!are_free(None, names.iter().copied().take(1), &names).unwrap());
    }

    #[test]
    fn names_outside_of_refs_are_left_to_git() {
        let names: &[&[u8]] = &[b"HEAD"];
        assert!(!are_free(None, names.iter().copied(), &names).unwrap());
    }
}
