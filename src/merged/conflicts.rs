//! Checks that the names of new refs are available: no ref is a directory of a new name, or below
//! it. Iterates over sorted names together with one cursor, so that a transaction of any size takes
//! linear time.
#![forbid(unsafe_code)]

use super::{Merged, MergedRefs, RefFinder, Tombstones};
use crate::format::words::common_prefix;
use crate::format::Result;

/// The sorted names of a transaction, accessed without copying them.
pub(crate) trait SortedNames {
    fn len(&self) -> usize;
    /// The name at index `i`, or `None` past the end.
    fn get(&self, i: usize) -> Option<&[u8]>;
}

impl SortedNames for &[&[u8]] {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn get(&self, i: usize) -> Option<&[u8]> {
        (**self).get(i).copied()
    }
}

/// Two names of which one is a directory of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The new name.
    pub name: Vec<u8>,
    /// The ref in its way: one of the view, or of the same transaction.
    pub other: Vec<u8>,
}

/// Looks for a conflict of the refs `new`, which a transaction creates that changes the refs `all`.
/// `new` are sorted and among `all`. The ref `absent` counts as deleted. Without `view`, checks only
/// for conflicts within the transaction.
///
/// # Errors
/// Those of reading a table.
pub(crate) fn find_conflict(
    view: Option<&Merged>,
    new: &mut dyn Iterator<Item = &[u8]>,
    all: &dyn SortedNames,
    absent: Option<&[u8]>,
) -> Result<Option<Conflict>> {
    let mut stored = view.map(|view| Stored::new(view, absent));
    let mut last: &[u8] = b"";
    let mut key = Vec::new();
    let mut at = 0;
    for name in new {
        let conflict = |other: &[u8]| {
            Ok(Some(Conflict {
                name: name.to_vec(),
                other: other.to_vec(),
            }))
        };
        let shared = common_prefix(last, name);
        for dir in directories(name, shared) {
            if contains(all, dir) {
                return conflict(dir);
            }
            if let Some(stored) = &mut stored {
                if absent != Some(dir) && stored.finder.find(dir)?.is_some() {
                    return conflict(dir);
                }
            }
        }
        key.clear();
        key.extend_from_slice(name);
        key.push(b'/');
        if let Some(stored) = &mut stored {
            if let Some(below) = stored.below(&key)? {
                return conflict(&below);
            }
        }
        while all.get(at).is_some_and(|other| other <= name) {
            at += 1;
        }
        let following = (at..).map_while(|i| all.get(i));
        let mut longer = following.take_while(|other| other.starts_with(name));
        if let Some(below) = longer.find(|other| other.get(name.len()) == Some(&b'/')) {
            return conflict(below);
        }
        last = name;
    }
    Ok(None)
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
struct Stored<'a> {
    finder: RefFinder,
    refs: MergedRefs,
    live: MergedRefs,
    absent: Option<&'a [u8]>,
    /// The last key of a seek, and whether a record follows it. That record, which may be a
    /// tombstone, is the current one of `refs`.
    sought: Option<(Vec<u8>, bool)>,
}

impl<'a> Stored<'a> {
    fn new(view: &Merged, absent: Option<&'a [u8]>) -> Self {
        Self {
            finder: view.finder(),
            refs: view.refs(Tombstones::Show),
            live: view.refs(Tombstones::Hide),
            absent,
            sought: None,
        }
    }

    /// The first ref whose name starts with `prefix`.
    fn below(&mut self, prefix: &[u8]) -> Result<Option<Vec<u8>>> {
        if !self.may_have_below(prefix)? {
            return Ok(None);
        }
        self.live.seek_prefix(prefix)?;
        while self.live.advance()? {
            let name = self.live.record().name;
            if self.absent != Some(name) {
                return Ok(Some(name.to_vec()));
            }
        }
        Ok(None)
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

    fn is_free(view: Option<&Merged>, new: &[&[u8]], all: &[&[u8]]) -> bool {
        let found = find_conflict(view, &mut new.iter().copied(), &all, None).unwrap();
        found.is_none()
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
            let in_way = || {
                names.iter().any(|name| {
                    let stored = merged.iter().filter(|(_, lives)| **lives);
                    stored.map(|(other, _)| &other[..])
                        .chain(all.iter().copied())
                        .any(|other| conflict(name, other))
                })
            };
            let free = is_free(Some(&view), &names, &all);
            prop_assert_eq!(free, !in_way());
            let alone = is_free(None, &names, &all);
            let conflicts = names.iter().any(|a| all.iter().any(|b| conflict(a, b)));
            prop_assert_eq!(alone, !conflicts);
        }
    }

    /// `!` sorts before the slash, so that the keys of the searches do not ascend.
    #[test]
    fn a_name_before_the_directory_of_the_previous_name_is_searched_for() {
        let new: [&[u8]; 2] = [b"refs/a", b"refs/a!"];
        for (stored, is_free_of_it) in [(&b"refs/a!/x"[..], false), (b"refs/a\"/x", true)] {
            let names = [(stored.to_vec(), true), (b"refs/b".to_vec(), true)];
            let view = Merged::new(vec![table(&names, 1)], HashId::Sha1).unwrap();
            assert_eq!(is_free(Some(&view), &new, &new), is_free_of_it);
        }
    }

    #[test]
    fn an_absent_ref_is_in_nobodys_way() {
        let names = [(b"refs/a/b".to_vec(), true), (b"refs/c".to_vec(), true)];
        let view = Merged::new(vec![table(&names, 1)], HashId::Sha1).unwrap();
        for (new, absent) in [(&b"refs/a"[..], &b"refs/a/b"[..]), (b"refs/c/d", b"refs/c")] {
            let find = |absent| {
                let all: &[&[u8]] = &[new];
                find_conflict(Some(&view), &mut [new].into_iter(), &all, absent).unwrap()
            };
            assert_eq!(find(Some(absent)), None);
            let found = find(None).unwrap();
            assert_eq!((&found.name[..], &found.other[..]), (new, absent));
        }
    }
}
