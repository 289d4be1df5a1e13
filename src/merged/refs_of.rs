//! The refs that point at an object.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::merge::Merge;
use super::{Merged, MergedRefs, Tombstones};
use crate::format::{IdPrefix, Result};
use crate::record::{RefRecord, RefValue};
use crate::table::{RefsFor, Wanted};

/// Number of refs to skip one by one before a seek.
const STEPS_BEFORE_SEEK: u32 = 16;

/// A cursor over the refs of a [`Merged`] that point at an object, directly or peeled, by name; or
/// at any object whose id begins with a prefix.
///
/// Tables with an object section are searched by it. A ref counts only if its newest record points
/// at the object.
#[derive(Debug)]
pub struct RefsOf {
    wanted: Wanted,
    /// The records of each table that point at the object.
    matches: Merge<RefsFor>,
    /// All records, if there are several tables.
    all: Option<MergedRefs>,
    /// Whether `all` is at a record, or at its end.
    is_placed: bool,
}

impl RefsOf {
    pub(super) fn new(view: &Merged, oid: &[u8]) -> Result<Self> {
        let matches = view.tables().iter().map(|table| table.refs_for(oid));
        Self::with_matches(view, Wanted::Id(oid.to_vec()), matches)
    }

    pub(super) fn of_prefix(view: &Merged, prefix: &IdPrefix) -> Result<Self> {
        let matches = view.tables().iter();
        let matches = matches.map(|table| table.refs_for_prefix(prefix));
        Self::with_matches(view, Wanted::Prefix(prefix.clone()), matches)
    }

    fn with_matches(
        view: &Merged,
        wanted: Wanted,
        matches: impl Iterator<Item = Result<RefsFor>>,
    ) -> Result<Self> {
        let matches = matches.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            wanted,
            matches: Merge::new(matches.into_iter(), Tombstones::Hide),
            all: (view.tables().len() > 1).then(|| view.refs(Tombstones::Show)),
            is_placed: false,
        })
    }

    /// Moves to the next ref; returns `false` at the end.
    ///
    /// # Errors
    /// Those of a damaged table.
    pub fn advance(&mut self) -> Result<bool> {
        while self.matches.advance()? {
            let Some(found) = self.matches.current() else {
                return Ok(false);
            };
            let Some(all) = &mut self.all else {
                return Ok(true);
            };
            let name = found.record().name;
            place(all, &mut self.is_placed, name)?;
            let newest = all.record();
            if newest.name == name && self.wanted.is_in(newest.value) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The current ref, after [`advance`](Self::advance) has returned `true`; otherwise a deletion
    /// of the empty name.
    #[must_use]
    pub fn record(&self) -> RefRecord<'_> {
        match self.matches.current() {
            Some(found) => found.record(),
            None => RefRecord {
                name: b"",
                update_index: 0,
                value: RefValue::Deletion,
            },
        }
    }
}

/// Moves `all` to the first record whose name is not less than `name`. It is a few records further
/// if many refs point at the object, which a walk reaches faster than a seek.
fn place(all: &mut MergedRefs, is_placed: &mut bool, name: &[u8]) -> Result<()> {
    for _ in 0..STEPS_BEFORE_SEEK {
        match all.record().name.cmp(name) {
            Ordering::Less if *is_placed => {}
            Ordering::Equal if *is_placed => return Ok(()),
            // Also the end.
            _ => break,
        }
        *is_placed = all.advance()?;
    }
    if *is_placed && all.record().name >= name {
        return Ok(());
    }
    all.seek(name)?;
    *is_placed = all.advance()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::HashId;
    use crate::table::{Table, WriteOptions, Writer};
    use std::sync::Arc;

    fn view(refs: u32, options: &WriteOptions) -> Merged {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, options).unwrap();
        writer.set_limits(1, 1).unwrap();
        for number in 0..refs {
            let mut id = [7; 20];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let name = format!("refs/heads/{number:06}");
            let record = RefRecord {
                name: name.as_bytes(),
                update_index: 1,
                value: RefValue::Val1(&id),
            };
            writer.add_ref(&record).unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        let table = Table::new("a.ref", bytes.into()).unwrap();
        Merged::new(vec![Arc::new(table)], HashId::Sha1).unwrap()
    }

    #[test]
    fn objects_are_found_fast_by_an_object_section_or_among_few_refs() {
        let with = WriteOptions::default();
        let without = WriteOptions {
            skip_index_objects: true,
            ..WriteOptions::default()
        };
        assert!(Merged::new(Vec::new(), HashId::Sha1)
            .unwrap()
            .finds_objects_fast());
        assert!(view(1_000, &without).finds_objects_fast());
        assert!(view(10_000, &with).finds_objects_fast());
        assert!(!view(10_000, &without).finds_objects_fast());
    }
}
