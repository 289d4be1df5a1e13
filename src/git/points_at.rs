//! The objects at which the refs of an iteration have to point.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use crate::format::HashId;
use crate::record::RefValue;
use crate::repo::rules::is_plain;

/// Git accepts nothing but commits there, so that these refs need no peeled id.
const BRANCHES: &[u8] = b"refs/heads/";

/// A set of objects that decides which refs git has to see.
///
/// A ref is left out only if its record shows that it is sound and points at none of the objects.
/// Tables do not say enough of
///
/// - symrefs, whose targets may have any value,
/// - refs with one id outside `refs/heads/`: they may be tags whose peeled ids are unknown, since
///   not every writer looks them up (`git refs migrate` of git 2.55.0 does not).
pub struct PointsAt {
    /// The ids and the null id, concatenated in order. Refs with a null id are broken, which git
    /// reports.
    ids: Vec<u8>,
    /// Length of an id.
    len: usize,
    /// The first bytes of each id, to exclude most ids by one comparison each.
    heads: Vec<u64>,
}

impl PointsAt {
    /// The objects `ids`. Git passes the peeled objects of tags, too.
    pub fn new(ids: &[ObjectId], hash: HashId) -> Self {
        let null = ObjectId::null(hash);
        let mut all: Vec<&[u8]> = ids.iter().chain([&null]).map(|id| id.raw(hash)).collect();
        all.sort_unstable();
        all.dedup();
        Self {
            ids: all.concat(),
            len: hash.len(),
            heads: all.into_iter().map(head).collect(),
        }
    }

    /// Whether `id` is one of the objects.
    #[inline]
    fn has(&self, id: &[u8]) -> bool {
        const FEW: usize = 8;
        let head = head(id);
        let is_possible = if self.heads.len() <= FEW {
            self.heads.contains(&head)
        } else {
            self.heads.binary_search(&head).is_ok()
        };
        is_possible && self.ids.chunks_exact(self.len).any(|known| known == id)
    }

    /// Whether git has to see the ref `name` with the one id `id`.
    #[inline]
    pub fn may_match_id(&self, name: &[u8], id: &[u8]) -> bool {
        self.has(id) || !name.starts_with(BRANCHES) || !is_plain(name)
    }

    /// Whether git has to see the ref `name`.
    #[inline]
    pub fn may_match(&self, name: &[u8], value: RefValue<'_>) -> bool {
        match value {
            RefValue::Val1(id) => self.may_match_id(name, id),
            RefValue::Val2 { value, target } => {
                self.has(value) || self.has(target) || !is_plain(name)
            }
            RefValue::Symref(_) | RefValue::Deletion => true,
        }
    }
}

/// The first eight bytes of an id.
#[inline]
fn head(id: &[u8]) -> u64 {
    id.first_chunk()
        .map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASHES: [HashId; 2] = [HashId::Sha1, HashId::Sha256];

    fn id(byte: u8, hash: HashId) -> ObjectId {
        ObjectId::new(&[byte; 32][..hash.len()], hash)
    }

    fn direct(id: &ObjectId, hash: HashId) -> RefValue<'_> {
        RefValue::Val1(id.raw(hash))
    }

    #[test]
    fn branches_are_shown_only_if_they_have_one_of_the_values() {
        for hash in HASHES {
            for count in [1, 3, 20] {
                let ids: Vec<_> = (1..=count).map(|byte| id(byte, hash)).rev().collect();
                let objects = PointsAt::new(&ids, hash);
                for byte in 1..=30 {
                    let id = id(byte, hash);
                    let shown = objects.may_match(b"refs/heads/main", direct(&id, hash));
                    assert_eq!(shown, byte <= count, "{byte} of {count}");
                }
            }
        }
    }

    #[test]
    fn an_id_must_be_equal_to_its_end() {
        for hash in HASHES {
            let wanted = id(1, hash);
            let mut other = wanted;
            other.hash[hash.len() - 1] = 2;
            let objects = PointsAt::new(&[wanted], hash);
            assert!(objects.may_match_id(b"refs/heads/main", wanted.raw(hash)));
            assert!(!objects.may_match_id(b"refs/heads/main", other.raw(hash)));
        }
    }

    #[test]
    fn tags_are_shown_if_value_or_peeled_value_is_wanted_or_unknown() {
        let hash = HashId::Sha1;
        let [tag, commit, other] = [1, 2, 3].map(|byte| id(byte, hash));
        let shown = |wanted: &ObjectId, value| {
            PointsAt::new(&[*wanted], hash).may_match(b"refs/tags/v1", value)
        };
        let value = RefValue::Val2 {
            value: tag.raw(hash),
            target: commit.raw(hash),
        };
        assert!(shown(&tag, value));
        assert!(shown(&commit, value));
        assert!(!shown(&other, value));
        assert!(shown(&other, direct(&tag, hash)));
    }

    #[test]
    fn symrefs_and_broken_refs_are_always_shown() {
        let hash = HashId::Sha1;
        let objects = PointsAt::new(&[id(1, hash)], hash);
        let [null, other] = [0, 2].map(|byte| id(byte, hash));
        for (name, value) in [
            ("refs/heads/main", RefValue::Symref(b"refs/heads/other")),
            ("refs/heads/main", direct(&null, hash)),
            ("refs/heads/a..b", direct(&other, hash)),
            ("refs/heads/a.lock", direct(&other, hash)),
        ] {
            assert!(objects.may_match(name.as_bytes(), value), "{name}");
        }
        let peeled = RefValue::Val2 {
            value: other.raw(hash),
            target: other.raw(hash),
        };
        assert!(objects.may_match(b"refs/tags/a..b", peeled));
        assert!(!objects.may_match(b"refs/tags/a", peeled));
    }

    #[test]
    fn without_objects_only_uncertain_refs_are_shown() {
        let hash = HashId::Sha1;
        let objects = PointsAt::new(&[], hash);
        let id = id(1, hash);
        assert!(!objects.may_match(b"refs/heads/main", direct(&id, hash)));
        assert!(objects.may_match(b"refs/tags/v1", direct(&id, hash)));
    }
}
