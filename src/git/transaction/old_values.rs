//! The values that refs had when their stack was locked: the log entries of their updates
//! begin with them. Ids stand side by side, at the size that they have in a table.
#![forbid(unsafe_code)]

use crate::format::HashId;

pub struct OldValues {
    ids: Vec<u8>,
    /// Bytes of an id.
    size: usize,
}

impl OldValues {
    /// Room for `expected` ids.
    pub fn new(hash: HashId, expected: usize) -> Self {
        let size = hash.len();
        Self {
            ids: Vec::with_capacity(expected.saturating_mul(size)),
            size,
        }
    }

    /// Adds `id`, of the size that ids have here, and answers its number; None when there are
    /// too many.
    pub fn push(&mut self, id: &[u8]) -> Option<u32> {
        let number = u32::try_from(self.ids.len() / self.size).ok()?;
        self.ids.extend_from_slice(id);
        Some(number)
    }

    /// Id number `number`; nothing when there are not so many.
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
    fn ids_come_back_by_their_numbers() {
        let mut values = OldValues::new(HashId::Sha1, 1);
        assert_eq!(values.push(&[1; 20]), Some(0));
        assert_eq!(values.push(&[2; 20]), Some(1));
        assert_eq!(values.get(1), [2; 20]);
        assert_eq!(values.get(0), [1; 20]);
        assert!(values.get(2).is_empty());
    }
}
