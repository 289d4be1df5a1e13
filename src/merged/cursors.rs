//! Cursors over the refs and the reflog entries of several tables.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::merge::Merge;
use super::Tombstones;
use crate::format::Result;
use crate::record::{log_key, LogRecord, LogValue, RefRecord, RefValue};
use crate::table::{LogCursor, RefCursor, Table};

/// A cursor over the refs of several tables, by name.
#[derive(Debug)]
pub struct MergedRefs {
    merge: Merge<RefCursor>,
}

impl MergedRefs {
    pub(super) fn new(tables: &[Arc<Table>], tombstones: Tombstones) -> Self {
        Self {
            merge: Merge::new(tables.iter().map(Table::refs), tombstones),
        }
    }

    /// Makes the next [`advance`](Self::advance) move to the first ref whose name is not less than
    /// `name`.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.merge.seek(name)
    }

    /// Restricts the walk to refs whose names begin with `prefix`.
    ///
    /// If the caller compared the names itself, a walk could first skip any number of hidden
    /// tombstones after the prefix; this one ends before them.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek_prefix(&mut self, prefix: &[u8]) -> Result<()> {
        self.merge.seek_prefix(prefix)
    }

    /// Seeks like [`seek`](Self::seek), but keeps the restriction of
    /// [`seek_prefix`](Self::seek_prefix).
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub(crate) fn skip_to(&mut self, name: &[u8]) -> Result<()> {
        self.merge.skip_to(name)
    }

    /// Moves to the next ref; returns `false` at the end.
    ///
    /// # Errors
    /// Those of a damaged table. The same error is returned until the next seek.
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.merge.advance()
    }

    /// As [`advance`](Self::advance), for callers that visit many refs in one place.
    #[inline(always)]
    pub(crate) fn advance_inline(&mut self) -> Result<bool> {
        self.merge.advance()
    }

    /// Moves to the next ref by the [fast path](crate::record::fast), if only one table has refs
    /// left, and returns the result of `visit` for it; [`record`](Self::record) is not valid then.
    /// If it returns `None`, nothing has changed, and [`advance`](Self::advance) reads the ref.
    #[inline(always)]
    pub(crate) fn advance_fast<T>(&mut self, visit: impl FnOnce(&RefRecord<'_>) -> T) -> Option<T> {
        self.merge.fast_lane()?.advance_fast(visit)
    }

    /// Moves by the [fast path](crate::record::fast) to the next ref for whose name and object id
    /// `is_wanted` returns `true`, if only one table has refs left. Returns `false` before the
    /// first ref that [`advance`](Self::advance) has to read.
    ///
    /// It stops, and returns `true`, also at the first ref without the prefix of
    /// [`seek_prefix`](Self::seek_prefix).
    #[inline(always)]
    pub(crate) fn advance_fast_until(&mut self, is_wanted: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        match self.merge.only_lane() {
            Some((lane, b"")) => lane.advance_fast_until(is_wanted),
            Some((lane, prefix)) => {
                lane.advance_fast_until(|name, id| !name.starts_with(prefix) || is_wanted(name, id))
            }
            None => false,
        }
    }

    /// The current ref, if its value is one object id. Saves building a [`RefRecord`] of any type
    /// where several tables are merged and [`advance_fast`](Self::advance_fast) does not apply.
    #[inline(always)]
    pub(crate) fn fast_record(&self) -> Option<RefRecord<'_>> {
        self.merge.current()?.fast_record()
    }

    /// The current ref, after [`advance`](Self::advance) has returned `true`; otherwise a deletion
    /// of the empty name.
    #[inline(always)]
    #[must_use]
    pub fn record(&self) -> RefRecord<'_> {
        match self.merge.current() {
            Some(cursor) => cursor.record(),
            None => RefRecord {
                name: b"",
                update_index: 0,
                value: RefValue::Deletion,
            },
        }
    }
}

/// A cursor over the reflog entries of several tables, by name, and newest first for each name.
#[derive(Debug)]
pub struct MergedLogs {
    merge: Merge<LogCursor>,
    key: Vec<u8>,
}

impl MergedLogs {
    pub(super) fn new(tables: &[Arc<Table>], tombstones: Tombstones) -> Self {
        Self {
            merge: Merge::new(tables.iter().map(Table::logs), tombstones),
            key: Vec::new(),
        }
    }

    /// Makes the next [`advance`](Self::advance) move to the newest entry of `name`, or to the first
    /// entry of a greater name if there is none.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek(&mut self, name: &[u8]) -> Result<()> {
        self.seek_at(name, u64::MAX)
    }

    /// Makes the next [`advance`](Self::advance) move to the newest entry of `name` with at most
    /// this update index, or to the first entry of a greater name if there is none.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek_at(&mut self, name: &[u8], update_index: u64) -> Result<()> {
        log_key(&mut self.key, name, update_index);
        self.merge.seek(&self.key)
    }

    /// Restricts the walk to entries of `name`.
    ///
    /// If the caller compared the names itself, a walk could first skip any number of hidden
    /// tombstones of greater names; this one ends before them.
    ///
    /// # Errors
    /// As for [`advance`](Self::advance).
    pub fn seek_only(&mut self, name: &[u8]) -> Result<()> {
        self.key.clear();
        self.key.extend_from_slice(name);
        self.key.push(0);
        self.merge.seek_prefix(&self.key)
    }

    /// Moves to the next entry; returns `false` at the end.
    ///
    /// # Errors
    /// Those of a damaged table. The same error is returned until the next seek.
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.merge.advance()
    }

    /// The table that contains the current entry.
    #[must_use]
    pub fn table(&self) -> Option<&Arc<Table>> {
        self.merge.current().map(LogCursor::table)
    }

    /// The current entry, after [`advance`](Self::advance) has returned `true`; otherwise a
    /// deletion of the empty name.
    #[inline]
    #[must_use]
    pub fn record(&self) -> LogRecord<'_> {
        match self.merge.current() {
            Some(cursor) => cursor.record(),
            None => LogRecord {
                name: b"",
                update_index: 0,
                value: LogValue::Deletion,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::HashId;
    use crate::merged::Merged;
    use crate::table::{WriteOptions, Writer};

    const IDS: [&[u8]; 2] = [&[1; 20], &[2; 20]];

    fn view(refs: &[(&str, RefValue<'_>)]) -> Merged {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &WriteOptions::default()).unwrap();
        writer.set_limits(1, 1).unwrap();
        for (name, value) in refs {
            let record = RefRecord {
                name: name.as_bytes(),
                update_index: 1,
                value: *value,
            };
            writer.add_ref(&record).unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        let table = Table::new("a.ref", bytes.into()).unwrap();
        Merged::new(vec![Arc::new(table)], HashId::Sha1).unwrap()
    }

    #[test]
    fn the_fast_path_stops_at_a_wanted_ref_and_at_the_end_of_the_prefix() {
        let [one, two] = IDS.map(RefValue::Val1);
        let view = view(&[
            ("refs/a/0", one),
            ("refs/a/1", one),
            ("refs/a/2", two),
            ("refs/a/3", one),
            ("refs/b/0", two),
            ("refs/b/1", one),
            ("refs/b/2", one),
        ]);
        let is_two = |_: &[u8], id: &[u8]| id == IDS[1];
        for prefix in [&b""[..], b"refs/"] {
            let mut refs = view.refs(Tombstones::Hide);
            refs.seek_prefix(prefix).unwrap();
            assert!(!refs.advance_fast_until(is_two), "before the first ref");
            assert!(refs.advance().unwrap());
            assert!(refs.advance_fast_until(is_two));
            assert_eq!(refs.record().name, b"refs/a/2");
            assert!(refs.advance_fast_until(is_two));
            assert_eq!(refs.record().name, b"refs/b/0");
            assert!(!refs.advance_fast_until(is_two));
            assert!(!refs.advance().unwrap());
        }
        let mut refs = view.refs(Tombstones::Hide);
        refs.seek_prefix(b"refs/a/").unwrap();
        assert!(refs.advance().unwrap());
        assert!(refs.advance_fast_until(|_, _| false));
        assert_eq!(
            refs.record().name,
            b"refs/b/0",
            "the first without the prefix"
        );
    }

    #[test]
    fn the_fast_path_returns_direct_refs_only() {
        let symref = RefValue::Symref(b"refs/a");
        let values = IDS.map(RefValue::Val1);
        let view = view(&[
            ("refs/a", values[0]),
            ("refs/b", values[1]),
            ("refs/c", symref),
            ("refs/d", values[0]),
        ]);
        let mut refs = view.refs(Tombstones::Hide);
        let next = |refs: &mut MergedRefs| {
            refs.advance_fast(|record| (record.name.to_vec(), record.id().map(<[u8]>::to_vec)))
        };
        assert_eq!(next(&mut refs), None, "before the first ref");
        assert!(refs.advance().unwrap());
        assert_eq!(refs.fast_record(), Some(refs.record()));
        assert_eq!(refs.record().value, values[0]);
        let second = (b"refs/b".to_vec(), Some(IDS[1].to_vec()));
        assert_eq!(next(&mut refs), Some(second));
        assert_eq!(next(&mut refs), None);
        assert!(refs.advance().unwrap());
        assert_eq!(refs.fast_record(), None);
        assert_eq!(refs.record().value, symref);
        assert!(refs.advance().unwrap());
        assert_eq!(refs.record().name, b"refs/d");
        assert_eq!(next(&mut refs), None, "after the last ref");
        assert!(!refs.advance().unwrap());
        assert_eq!(refs.fast_record(), None);
    }
}
