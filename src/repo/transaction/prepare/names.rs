//! Checks that no new ref has the name of another one's directory, or the other way round.
#![forbid(unsafe_code)]

use bstr::{BString, ByteSlice};

use super::{Preparation, Stop};
use crate::merged::conflicts::{find_conflict, Conflict};
use crate::merged::Tombstones;
use crate::repo::{Error, Result};

/// The directories of refs that each worktree has for itself. Refs with these names would be shared.
const OWN_DIRS: [&[u8]; 3] = [b"refs/bisect", b"refs/rewritten", b"refs/worktree"];

impl Preparation<'_, '_> {
    /// Checks the names of all refs that do not exist yet.
    pub(super) fn check_names(&mut self) -> Result<(), Stop> {
        for part in 0..self.missing.len() {
            if let Some(conflict) = self.find_conflict(part)? {
                return Err(Stop::Failed(Error::NameConflict {
                    name: self.full_name(part, &conflict.name),
                    existing: self.full_name(part, &conflict.other),
                }));
            }
        }
        Ok(())
    }

    fn find_conflict(&mut self, part: usize) -> Result<Option<Conflict>> {
        let missing = self.missing.get(part).map_or(&[][..], Vec::as_slice);
        if missing.is_empty() {
            return Ok(None);
        }
        let mut new: Vec<&[u8]> = missing
            .iter()
            .map(|&(change, name)| self.name(change, name))
            .collect();
        if !new.is_sorted() {
            new.sort_unstable();
        }
        let all = self.changed_in(part);
        let view = self.parts.all.get(part).map(|part| &*part.view);
        let found = find_conflict(view, &mut new.iter().copied(), &all.as_slice(), None)?;
        if found.is_some() {
            return Ok(found);
        }
        let new_in = |dir: &[u8]| {
            let start = [dir, b"/"].concat();
            let below = new.get(new.partition_point(|name| *name < start.as_slice()));
            let below = below.filter(|name| name.starts_with(&start));
            let is_new = new.binary_search(&dir).is_ok();
            (is_new, below.map(|&name| BString::from(name)))
        };
        let new_in = OWN_DIRS.map(new_in);
        self.find_conflict_between_stacks(new_in)
    }

    /// Looks for a conflict of a shared ref and those of the current worktree. `new` says of each
    /// of [`OWN_DIRS`] whether it is a new ref, and which new ref is below it.
    fn find_conflict_between_stacks(
        &mut self,
        new: [(bool, Option<BString>); 3],
    ) -> Result<Option<Conflict>> {
        for (dir, (is_new, below)) in OWN_DIRS.into_iter().zip(new) {
            if is_new {
                let other = match self.own_change_below(dir) {
                    None => self.own_ref_below(dir)?,
                    changed => changed,
                };
                if let Some(other) = other {
                    let (name, other) = (dir.to_vec(), other.into());
                    return Ok(Some(Conflict { name, other }));
                }
            }
            if let Some(below) = below {
                let main = self.parts.number_of(None);
                let is_changed = main.is_some_and(|main| self.is_changed(main, dir));
                if is_changed || self.parts.find(None, dir)?.is_some() {
                    let (name, other) = (below.into(), dir.to_vec());
                    return Ok(Some(Conflict { name, other }));
                }
            }
        }
        Ok(None)
    }

    /// The sorted names of the refs in a part that are changed.
    fn changed_in(&self, part: usize) -> Vec<&[u8]> {
        let from = self.sorted.partition_point(|entry| entry.part < part);
        let own = self.sorted.get(from..).unwrap_or_default();
        let own = own.iter().take_while(|entry| entry.part == part);
        let mut all: Vec<&[u8]> = Vec::with_capacity(self.sorted.len() - from);
        all.extend(own.map(|entry| entry.name));
        let others = self.referents.range((part, BString::default())..);
        let others = others.take_while(|(place, _)| *place == part);
        let sorted = all.len();
        all.extend(others.map(|(_, name)| name.as_slice()));
        if all.len() > sorted {
            all.sort_unstable();
        }
        all
    }

    /// The first ref of the current worktree in the directory `dir` that is changed, if it is a
    /// linked worktree.
    fn own_change_below(&self, dir: &[u8]) -> Option<BString> {
        let own = self.repository.layout().worktree()?;
        let part = self.parts.number_of(Some(own))?;
        let start = [dir, b"/"].concat();
        let mut names = self.changed_in(part).into_iter();
        let below = names.find(|name| name.starts_with(&start))?;
        Some(below.into())
    }

    /// The first ref of the current worktree, if it is a linked one, in the directory `dir`.
    fn own_ref_below(&self, dir: &[u8]) -> Result<Option<BString>> {
        if self.repository.layout().worktree().is_none() {
            return Ok(None);
        }
        let stack = self.repository.current_stack()?;
        stack.reload()?;
        let mut refs = stack.merged().refs(Tombstones::Hide);
        refs.seek_prefix(&[dir, b"/"].concat())?;
        Ok(refs.advance()?.then(|| refs.record().name.into()))
    }

    /// The name of a ref of a part as the current worktree names it.
    fn full_name(&self, part: usize, name: &[u8]) -> BString {
        let key = self.parts.all.get(part).and_then(|part| part.key.as_ref());
        let key = key.map(|worktree| worktree.as_bstr());
        self.repository.layout().long_name(key, name)
    }
}
