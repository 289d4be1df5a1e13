//! The values of refs at the time their stack was locked, which become the old ids of log
//! entries. Ids are stored contiguously, with the size that they have in a table.
#![forbid(unsafe_code)]

use crate::format::HashId;

/// A list of ids of one size.
pub struct OldValues {
    ids: Vec<u8>,
    /// Size of an id in bytes.
    size: usize,
}

impl OldValues {
    /// Allocates room for `expected` ids.
    pub fn new(hash: HashId, expected: usize) -> Self {
        let size = hash.len();
        Self {
            ids: Vec::with_capacity(expected.saturating_mul(size)),
            size,
        }
    }

    /// Adds `id`, which must have the size of the list's ids, and returns its index, or `None` if
    /// there are too many.
    pub fn push(&mut self, id: &[u8]) -> Option<u32> {
        let number = u32::try_from(self.ids.len() / self.size).ok()?;
        self.ids.extend_from_slice(id);
        Some(number)
    }

    /// The id at index `number`, or an empty slice if there is none.
    pub fn get(&self, number: u32) -> &[u8] {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let mut ids = self.ids.chunks_exact(self.size);
        ids.nth(number).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_index() {
        let mut values = OldValues::new(HashId::Sha1, 1);
        assert_eq!(values.push(&[1; 20]), Some(0));
        assert_eq!(values.push(&[2; 20]), Some(1));
        assert_eq!(values.get(1), [2; 20]);
        assert_eq!(values.get(0), [1; 20]);
        assert!(values.get(2).is_empty());
    }
}
