//! The ref blocks that contain each object id: collected while refs are written, then sorted once.
#![forbid(unsafe_code)]

use crate::format::{HashId, Result};

/// Bytes of an id that are compared as a number.
const HEAD: usize = 8;

/// An id and the position of a block with a ref that points at it.
///
/// The derived order is by id, then by block. The head nearly always decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mention<const TAIL: usize> {
    head: u64,
    tail: [u8; TAIL],
    block: u64,
}

impl<const TAIL: usize> Mention<TAIL> {
    fn new(id: &[u8], block: u64) -> Option<Self> {
        let (head, tail) = id.split_first_chunk::<HEAD>()?;
        Some(Self {
            head: u64::from_be_bytes(*head),
            tail: <[u8; TAIL]>::try_from(tail).ok()?,
            block,
        })
    }

    fn same_id(&self, other: &Self) -> bool {
        self.head == other.head && self.tail == other.tail
    }

    /// Length of the longest common prefix of both ids.
    fn common_prefix(&self, other: &Self) -> usize {
        let differing = self.head ^ other.head;
        if differing == 0 {
            HEAD + crate::format::words::common_prefix(&self.tail, &other.tail)
        } else {
            usize::try_from(differing.leading_zeros() / 8).unwrap_or(0)
        }
    }
}

/// All mentions of ids of one length.
#[derive(Debug)]
pub(super) struct Mentions<const TAIL: usize>(Vec<Mention<TAIL>>);

impl<const TAIL: usize> Mentions<TAIL> {
    fn add(&mut self, id: &[u8], block: u64) {
        if let Some(mention) = Mention::new(id, block) {
            // Consecutive refs may have the same id, for instance when many are created at one
            // commit.
            if self.0.last() != Some(&mention) {
                self.0.push(mention);
            }
        }
    }

    /// Sorts; returns the length at which all ids differ.
    fn sort(&mut self) -> usize {
        self.0.sort_unstable();
        self.0.dedup();
        self.0
            .iter()
            .zip(self.0.iter().skip(1))
            .filter(|(a, b)| !a.same_id(b))
            .map(|(a, b)| a.common_prefix(b) + 1)
            .fold(1, usize::max)
    }

    /// See [`ObjectIndex::group`].
    fn group(&self, at: usize, id: &mut Vec<u8>, blocks: &mut Vec<u64>) -> Option<usize> {
        let rest = self.0.get(at..)?;
        let first = rest.first()?;
        id.clear();
        id.extend_from_slice(&first.head.to_be_bytes());
        id.extend_from_slice(&first.tail);
        blocks.clear();
        let same = rest.iter().take_while(|mention| mention.same_id(first));
        blocks.extend(same.map(|mention| mention.block));
        Some(at + blocks.len())
    }

    /// See [`ObjectIndex::for_each`].
    fn for_each(&self, mut f: impl FnMut(&[u8], &[u64]) -> Result<()>) -> Result<()> {
        let (mut id, mut blocks) = (Vec::with_capacity(HEAD + TAIL), Vec::new());
        let mut at = 0;
        while let Some(next) = self.group(at, &mut id, &mut blocks) {
            f(&id, &blocks)?;
            at = next;
        }
        Ok(())
    }
}

/// The mentions of object ids in a table.
#[derive(Debug)]
pub(super) enum ObjectIndex {
    Sha1(Mentions<12>),
    Sha256(Mentions<24>),
}

impl ObjectIndex {
    pub(super) fn new(hash_id: HashId) -> Self {
        match hash_id {
            HashId::Sha1 => Self::Sha1(Mentions(Vec::new())),
            HashId::Sha256 => Self::Sha256(Mentions(Vec::new())),
        }
    }

    /// Adds that the ref block at position `block` contains `id`.
    #[inline]
    pub(super) fn add(&mut self, id: &[u8], block: u64) {
        match self {
            Self::Sha1(mentions) => mentions.add(id, block),
            Self::Sha256(mentions) => mentions.add(id, block),
        }
    }

    /// Sorts by id; returns the least length, at least 1, at which all ids differ.
    pub(super) fn sort(&mut self) -> usize {
        match self {
            Self::Sha1(mentions) => mentions.sort(),
            Self::Sha256(mentions) => mentions.sort(),
        }
    }

    /// Stores the id of mention number `at`, which must be the first of its id, in `id`, and the
    /// ascending positions of its blocks in `blocks`. Returns the number of the next id's first
    /// mention, or `None` at the end. Requires sorted mentions.
    pub(super) fn group(
        &self,
        at: usize,
        id: &mut Vec<u8>,
        blocks: &mut Vec<u64>,
    ) -> Option<usize> {
        match self {
            Self::Sha1(mentions) => mentions.group(at, id, blocks),
            Self::Sha256(mentions) => mentions.group(at, id, blocks),
        }
    }

    /// Calls `f` with each id and the ascending positions of its blocks. Requires sorted mentions.
    pub(super) fn for_each(&self, f: impl FnMut(&[u8], &[u64]) -> Result<()>) -> Result<()> {
        match self {
            Self::Sha1(mentions) => mentions.for_each(f),
            Self::Sha256(mentions) => mentions.for_each(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn model() -> impl Strategy<Value = Vec<(Vec<u8>, u64)>> {
        let id = (prop::collection::vec(0_u8..3, 32), 0_usize..32, any::<u8>()).prop_map(
            |(mut id, at, byte)| {
                id[at..].fill(byte);
                id
            },
        );
        prop::collection::vec((id, 0_u64..4), 0..60)
    }

    proptest! {
        #[test]
        fn groups_are_those_of_a_sorted_map(mentions in model(), long: bool) {
            let hash_id = if long { HashId::Sha256 } else { HashId::Sha1 };
            let mut index = ObjectIndex::new(hash_id);
            let mut model = BTreeMap::<Vec<u8>, BTreeSet<u64>>::new();
            for (id, block) in &mentions {
                let id = &id[..hash_id.len()];
                index.add(id, *block);
                model.entry(id.to_vec()).or_default().insert(*block);
            }
            let len = index.sort();
            let mut groups = Vec::new();
            index
                .for_each(|id, blocks| {
                    groups.push((id.to_vec(), blocks.iter().copied().collect::<BTreeSet<_>>()));
                    Ok(())
                })
                .unwrap();
            let distinct = |len: usize| {
                model.keys().map(|id| &id[..len]).collect::<BTreeSet<_>>().len() == model.len()
            };
            prop_assert!(len >= 1 && distinct(len));
            prop_assert!(len == 1 || !distinct(len - 1));
            prop_assert_eq!(groups, model.into_iter().collect::<Vec<_>>());
        }
    }
}
