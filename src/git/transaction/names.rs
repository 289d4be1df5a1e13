//! A fast check that the names of new refs are available: no existing ref is a directory of a
//! new name, or below it. Git's own check uses lookups and an iterator for each name; this one
//! iterates over sorted names together with one cursor. If it finds a possible conflict, git's check decides and
//! writes the message.
#![forbid(unsafe_code)]

use crate::format::Result;
use crate::git::sys::transaction::Refnames;
use crate::merged::{Merged, MergedRefs, RefFinder, Tombstones};
use std::ffi::CStr;

/// The sorted names of a transaction, accessed without copying them.
pub trait SortedNames {
    fn len(&self) -> usize;
    /// The name at index `i`, or `None` past the end.
    fn get(&self, i: usize) -> Option<&[u8]>;
}

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
pub fn are_free(
    view: Option<&Merged>,
    new: &mut dyn Iterator<Item = &[u8]>,
    all: &dyn SortedNames,
) -> Result<bool> {
    if !(0..all.len()).is_sorted_by_key(|i| all.get(i)) {
        return Ok(false);
    }
    let mut stored = view.map(Stored::new);
    let mut last: &[u8] = b"";
    let mut key = Vec::new();
    let mut at = 0;
    for name in new {
        // Names outside of refs/ may conflict with files.
        if !name.starts_with(b"refs/") {
            return Ok(false);
        }
        let shared = last.iter().zip(name).take_while(|(a, b)| a == b).count();
        for dir in directories(name, shared) {
            if contains(all, dir) {
                return Ok(false);
            }
            if let Some(stored) = &mut stored {
                if stored.finder.find(dir)?.is_some() {
                    return Ok(false);
                }
            }
        }
        key.clear();
        key.extend_from_slice(name);
        key.push(b'/');
        if let Some(stored) = &mut stored {
            if stored.may_have_below(&key)? {
                return Ok(false);
            }
        }
        while all.get(at).is_some_and(|other| other <= name) {
            at += 1;
        }
        let following = (at..).map_while(|i| all.get(i));
        let mut longer = following.take_while(|other| other.starts_with(name));
        if longer.any(|other| other.get(name.len()) == Some(&b'/')) {
            return Ok(false);
        }
        last = name;
    }
    Ok(true)
}

/// Whether `name` is one of `names`.
fn contains(names: &dyn SortedNames, name: &[u8]) -> bool {
    let (mut low, mut high) = (0, names.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match names.get(middle) {
            Some(other) if other < name => low = middle + 1,
            _ => high = middle,
        }
    }
    names.get(low) == Some(name)
}

/// The directories of `name` that end after its first `shared` bytes, without the slash.
fn directories(name: &[u8], shared: usize) -> impl Iterator<Item = &[u8]> {
    let tail = name.iter().enumerate().skip(shared);
    tail.filter(|(_, &byte)| byte == b'/')
        .map(|(end, _)| name.get(..end).unwrap_or_default())
}

/// The refs of a stack.
struct Stored {
    finder: RefFinder,
    refs: MergedRefs,
    /// The last key of a seek, and whether a record follows it. That record, which may be a
    /// tombstone, is the current one of `refs`.
    sought: Option<(Vec<u8>, bool)>,
}

impl Stored {
    fn new(view: &Merged) -> Self {
        Self {
            finder: view.finder(),
            refs: view.refs(Tombstones::Show),
            sought: None,
        }
    }

    /// Whether there are records, possibly only tombstones, whose names start with `prefix`.
    fn may_have_below(&mut self, prefix: &[u8]) -> Result<bool> {
        // There are no records between the key of the seek and the record it found.
        let known = match &self.sought {
            Some((sought, more)) if sought.as_slice() <= prefix => {
                !more || self.refs.record().name >= prefix
            }
            _ => false,
        };
        if !known {
            self.refs.seek(prefix)?;
            let more = self.refs.advance()?;
            let (sought, found) = self.sought.get_or_insert_default();
            sought.clear();
            sought.extend_from_slice(prefix);
            *found = more;
        }
        let more = self.sought.as_ref().is_some_and(|(_, more)| *more);
        Ok(more && self.refs.record().name.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::HashId;
    use crate::record::{RefRecord, RefValue};
    use crate::sys::TableData;
    use crate::table::{Table, WriteOptions, Writer};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    struct Listed<'n>(&'n [&'n [u8]]);

    impl SortedNames for Listed<'_> {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn get(&self, i: usize) -> Option<&[u8]> {
            self.0.get(i).copied()
        }
    }

    /// A table with these names; `false` makes a tombstone.
    fn table(names: &[(Vec<u8>, bool)], index: u64) -> Arc<Table> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
        writer.set_limits(index, index).unwrap();
        for (name, lives) in names {
            let value = if *lives {
                RefValue::Val1(&[1; 20])
            } else {
                RefValue::Deletion
            };
            let record = RefRecord {
                name,
                update_index: index,
                value,
            };
            writer.add_ref(&record).unwrap();
        }
        let _ = writer.finish();
        drop(writer);
        Arc::new(Table::new("t", TableData::from(bytes)).unwrap())
    }

    fn conflict(a: &[u8], b: &[u8]) -> bool {
        let below =
            |dir: &[u8], name: &[u8]| name.starts_with(dir) && name.get(dir.len()) == Some(&b'/');
        below(a, b) || below(b, a)
    }

    fn name() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(&b"ab!/0"[..]), 1..7)
            .prop_map(|tail| [b"refs/", &tail[..]].concat())
    }

    proptest! {
        #[test]
        fn free_names_have_no_conflict(
            old in prop::collection::btree_map(name(), any::<bool>(), 0..8),
            newer in prop::collection::btree_map(name(), any::<bool>(), 0..8),
            new in prop::collection::btree_set(name(), 1..6),
            also in prop::collection::btree_set(name(), 0..4),
        ) {
            let list = |map: &std::collections::BTreeMap<Vec<u8>, bool>| -> Vec<_> {
                map.iter().map(|(name, lives)| (name.clone(), *lives)).collect()
            };
            let tables = vec![table(&list(&old), 1), table(&list(&newer), 2)];
            let view = Merged::new(tables, HashId::Sha1).unwrap();
            let all: BTreeSet<_> = new.union(&also).collect();
            let all: Vec<&[u8]> = all.iter().map(|name| &name[..]).collect();
            let mut merged = old.clone();
            merged.extend(newer.clone());
            let names: Vec<&[u8]> = new.iter().map(|name| &name[..]).collect();
            let in_way = |with_tombstones: bool| {
                names.iter().any(|name| {
                    let stored = merged.iter().filter(|(_, lives)| **lives || with_tombstones);
                    stored.map(|(other, _)| &other[..])
                        .chain(all.iter().copied())
                        .any(|other| conflict(name, other))
                })
            };
            let free = are_free(Some(&view), &mut names.iter().copied(), &Listed(&all)).unwrap();
            // A tombstone may be mistaken for a ref, but no ref may be missed.
            prop_assert!(!(free && in_way(false)));
            prop_assert!(free || in_way(true));
            let alone = are_free(None, &mut names.iter().copied(), &Listed(&all)).unwrap();
            let conflicts = names.iter().any(|a| all.iter().any(|b| conflict(a, b)));
            prop_assert_eq!(alone, !conflicts);
        }
    }

    /// `!` sorts before the slash, so that the keys of the searches do not ascend.
    #[test]
    fn a_name_before_the_directory_of_the_previous_name_is_searched_for() {
        let new: [&[u8]; 2] = [b"refs/a", b"refs/a!"];
        for (stored, is_free) in [(&b"refs/a!/x"[..], false), (b"refs/a\"/x", true)] {
            let names = [(stored.to_vec(), true), (b"refs/b".to_vec(), true)];
            let view = Merged::new(vec![table(&names, 1)], HashId::Sha1).unwrap();
            let free = are_free(Some(&view), &mut new.into_iter(), &Listed(&new)).unwrap();
            assert_eq!(free, is_free);
        }
    }

    #[test]
    fn unsorted_transactions_are_left_to_git() {
        let names: [&[u8]; 2] = [b"refs/b", b"refs/a"];
        assert!(!are_free(None, &mut [names[0]].into_iter(), &Listed(&names)).unwrap());
    }

    #[test]
    fn names_outside_of_refs_are_left_to_git() {
        let name: &[u8] = b"HEAD";
        assert!(!are_free(None, &mut [name].into_iter(), &Listed(&[name])).unwrap());
    }
}
