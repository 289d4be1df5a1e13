//! Preparing a transaction: lock the stacks, read the refs, check the expected values, and decide
//! what to write.
#![forbid(unsafe_code)]

mod log;
mod names;

use std::collections::BTreeSet;

use bstr::{BStr, BString};

use self::log::found_or_dangling;
use super::change::{Change, Log, New};
use super::check;
use super::parts::Parts;
use super::update::{index, LogChange, Name, Names, Update};
use crate::format::Error as StoreError;
use crate::record::RefValue;
use crate::repo::locked::{route, Key, LockedStack};
use crate::repo::name;
use crate::repo::rules::SYMREF_DEPTH;
use crate::repo::{Error, ObjectId, Repository, Result, Settings};

/// What [`prepare`] has decided.
#[derive(Debug)]
pub(super) struct Plan {
    /// The stacks, in the order in which they are published, and what is written to them.
    pub(super) parts: Vec<(LockedStack, Vec<Update>)>,
    pub(super) names: Names,
}

impl Plan {
    /// Whether any log gets an entry.
    pub(super) fn appends(&self) -> bool {
        let mut updates = self.parts.iter().flat_map(|(_, updates)| updates);
        updates.any(|update| matches!(update.log, LogChange::Append | LogChange::AppendResolved(_)))
    }
}

/// Why an attempt ended.
enum Stop {
    /// Another stack must be locked, too, which is known only now.
    Needs(Key),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Locks the stacks of `changes`, and checks and plans them. `log` is for changes that do not say
/// it themselves.
pub(super) fn prepare(repository: &Repository, changes: &[Change], log: Log) -> Result<Plan> {
    let settings = repository.settings()?;
    changes
        .iter()
        .try_for_each(|change| change.check(repository.hash()))?;
    let mut keys = expected_keys(repository, changes)?;
    loop {
        match Preparation::run(repository, settings, changes, log, &keys) {
            Ok(plan) => return Ok(plan),
            Err(Stop::Failed(error)) => return Err(error),
            // All locks have been released, so that stacks are always locked in the same order.
            Err(Stop::Needs(key)) => {
                if !keys.insert(key) {
                    return Err(StoreError::Misuse("a locked stack is missing").into());
                }
            }
        }
    }
}

/// The stacks that the changes concern: those of the refs themselves, and in a linked worktree that
/// of `HEAD` and its branch if one of them is changed.
fn expected_keys(repository: &Repository, changes: &[Change]) -> Result<BTreeSet<Key>> {
    let mut keys = BTreeSet::new();
    let mut last = None;
    for change in changes {
        let (key, _) = route(repository, &change.name);
        if last != Some(key) {
            keys.insert(key.map(BStr::to_owned));
            last = Some(key);
        }
    }
    let Some(worktree) = repository.layout().worktree() else {
        return Ok(keys);
    };
    let stack = repository.current_stack()?;
    stack.reload()?;
    let mut finder = stack.merged().finder();
    if let Some(RefValue::Symref(target)) = finder.find(b"HEAD")?.map(|head| head.value) {
        let is_concerned = |change: &Change| change.name == "HEAD" || change.name == target;
        if changes.iter().any(is_concerned) {
            keys.insert(Some(worktree.to_owned()));
            keys.insert(route(repository, target).0.map(BStr::to_owned));
        }
    }
    Ok(keys)
}

/// The value of a ref.
enum Found {
    Missing,
    Id(ObjectId),
    Symbolic(BString),
}

/// A ref of a locked stack.
#[derive(Clone, Copy)]
struct Place {
    part: usize,
    name: Name,
}

/// A change, by its ref.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'t> {
    part: usize,
    /// The name in the stack.
    name: &'t [u8],
    number: u32,
}

struct Preparation<'t, 'r> {
    repository: &'r Repository,
    settings: &'r Settings,
    changes: &'t [Change],
    log: Log,
    parts: Parts<'r>,
    sorted: Vec<Entry<'t>>,
    /// Further refs that are changed through symbolic refs.
    referents: BTreeSet<(usize, BString)>,
    /// For each part.
    updates: Vec<Vec<Update>>,
    /// For each part, the refs that do not exist yet, and their changes.
    missing: Vec<Vec<(u32, Name)>>,
    /// The part and the name of the ref that `HEAD` points at.
    head: Option<(usize, BString)>,
    names: Names,
}

impl<'t, 'r> Preparation<'t, 'r> {
    fn run(
        repository: &'r Repository,
        settings: &'r Settings,
        changes: &'t [Change],
        log: Log,
        keys: &BTreeSet<Key>,
    ) -> Result<Plan, Stop> {
        let parts = Parts::lock(repository, keys)?;
        // Usually there is one stack. Unused memory costs nothing, but growing a list does.
        let room = if keys.len() == 1 { changes.len() } else { 0 };
        let lists = parts.all.len();
        let mut this = Self {
            repository,
            settings,
            changes,
            log,
            parts,
            sorted: Vec::with_capacity(changes.len()),
            referents: BTreeSet::new(),
            updates: (0..lists).map(|_| Vec::with_capacity(room)).collect(),
            missing: (0..lists).map(|_| Vec::with_capacity(room)).collect(),
            head: None,
            names: Names::default(),
        };
        this.sort()?;
        this.read_head()?;
        // In the order of the names, which makes lookups and all that follows faster.
        for at in 0..this.sorted.len() {
            this.apply(at)?;
        }
        this.check_names()?;
        Ok(Plan {
            parts: this.parts.all.into_iter().zip(this.updates).collect(),
            names: this.names,
        })
    }

    /// Sorts the changes and finds duplicates.
    fn sort(&mut self) -> Result<(), Stop> {
        let mut last = None;
        for (number, change) in self.changes.iter().enumerate() {
            let (key, name) = route(self.repository, &change.name);
            let part = match last {
                Some((known, part)) if known == key => part,
                _ => self.locked(key)?,
            };
            last = Some((key, part));
            let number = index(number)?;
            self.sorted.push(Entry { part, name, number });
        }
        if !self.sorted.is_sorted() {
            self.sorted.sort_unstable();
        }
        for pair in self.sorted.windows(2) {
            if let [a, b] = pair {
                if (a.part, a.name) == (b.part, b.name) {
                    return Err(duplicate(a.name));
                }
            }
        }
        Ok(())
    }

    /// The number of the part for the stack `key`.
    fn locked(&self, key: Option<&BStr>) -> Result<usize, Stop> {
        let number = self.parts.number_of(key);
        number.ok_or_else(|| Stop::Needs(key.map(BStr::to_owned)))
    }

    fn name(&self, change: u32, name: Name) -> &[u8] {
        self.names.of(self.changes, change, name)
    }

    fn is_changed(&self, part: usize, name: &[u8]) -> bool {
        let order = |entry: &Entry<'_>| (entry.part, entry.name).cmp(&(part, name));
        self.sorted.binary_search_by(order).is_ok()
    }

    fn read_head(&mut self) -> Result<(), Stop> {
        let key = self.repository.layout().worktree();
        let found = self.parts.find(key, b"HEAD")?;
        if let Some(RefValue::Symref(target)) = found.map(|found| found.value) {
            let target = target.to_owned();
            let (key, bare) = route(self.repository, &target);
            // If its stack is not locked, it is not changed.
            let part = self.parts.number_of(key);
            self.head = part.map(|part| (part, bare.into()));
        }
        Ok(())
    }

    fn read(&mut self, change: u32, place: Place) -> Result<Found> {
        let hash = self.repository.hash();
        let name = self.names.of(self.changes, change, place.name);
        let Some(part) = self.parts.all.get_mut(place.part) else {
            return Ok(Found::Missing);
        };
        let found = part.finder.find(name)?;
        Ok(found.map_or(Found::Missing, |found| match found.value {
            RefValue::Deletion => Found::Missing,
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
                Found::Id(ObjectId::stored(id, hash))
            }
            RefValue::Symref(target) => Found::Symbolic(target.into()),
        }))
    }

    /// Checks a change and queues what it writes. Follows symbolic refs: only the last ref gets the
    /// value, the others get a log entry.
    fn apply(&mut self, at: usize) -> Result<(), Stop> {
        let Some(&Entry { part, name, number }) = self.sorted.get(at) else {
            return Ok(());
        };
        let changes = self.changes;
        let change = usize::try_from(number).ok().and_then(|at| changes.get(at));
        let Some(change) = change else {
            return Ok(());
        };
        let at = index(change.name.len().saturating_sub(name.len()))?;
        let name = Name::OfChange { at };
        let mut place = Place { part, name };
        let mut links: Vec<(Place, u32)> = Vec::new();
        let mut via_head = false;
        for _ in 0..SYMREF_DEPTH {
            if !via_head {
                self.log_head(number, change, place)?;
            }
            let old = match self.read(number, place)? {
                Found::Missing => self.apply_to_missing(number, change, place)?,
                Found::Id(id) => self.apply_to_direct(number, change, place, id)?,
                Found::Symbolic(target) if change.no_deref => {
                    return self.apply_to_symref(number, change, place, &target);
                }
                Found::Symbolic(target) => {
                    via_head |= self.name(number, place.name) == b"HEAD";
                    links.push((place, self.names.add(&target)?));
                    let next = self.follow(&target)?;
                    if self.is_among(number, next, &links) {
                        break;
                    }
                    self.add_referent(number, next)?;
                    place = next;
                    continue;
                }
            };
            for (link, target) in links {
                self.queue_log(number, change, link, old, target)?;
            }
            return Ok(());
        }
        let name = change.name.clone();
        Err(Stop::Failed(Error::TooManySymrefs { name }))
    }

    fn apply_to_missing(
        &mut self,
        number: u32,
        change: &Change,
        place: Place,
    ) -> Result<ObjectId, Stop> {
        check::missing(change)?;
        if let Some(missing) = self.missing.get_mut(place.part) {
            missing.push((number, place.name));
        }
        let null = ObjectId::null(self.repository.hash());
        // Deleting a missing ref needs no tombstone.
        if matches!(change.new, New::Id(_) | New::Symbolic(_)) {
            self.queue(number, change, place, null, None)?;
        }
        Ok(null)
    }

    fn apply_to_direct(
        &mut self,
        number: u32,
        change: &Change,
        place: Place,
        id: ObjectId,
    ) -> Result<ObjectId, Stop> {
        check::direct(change, id)?;
        let is_changed = match &change.new {
            New::Same => false,
            // Setting a ref to its value writes neither a record nor a log entry.
            New::Id(new) => *new != id,
            New::Symbolic(_) | New::Deleted => true,
        };
        if is_changed {
            self.queue(number, change, place, id, None)?;
        }
        Ok(id)
    }

    /// The place of the ref that a changed symbolic ref points at.
    fn follow(&mut self, target: &[u8]) -> Result<Place, Stop> {
        name::check(target)?;
        let (key, bare) = route(self.repository, target);
        let part = self.locked(key)?;
        let name = Name::Other(self.names.add(bare)?);
        Ok(Place { part, name })
    }

    /// Whether `place` is one of the symbolic refs that led to it.
    fn is_among(&self, number: u32, place: Place, links: &[(Place, u32)]) -> bool {
        let key = |place: &Place| (place.part, self.name(number, place.name));
        links.iter().any(|(link, _)| key(link) == key(&place))
    }

    /// Adds a ref that is changed through a symbolic ref.
    fn add_referent(&mut self, number: u32, place: Place) -> Result<(), Stop> {
        let name = self.name(number, place.name).to_vec();
        if self.is_changed(place.part, &name) {
            return Err(duplicate(&name));
        }
        match self.referents.insert((place.part, name.clone().into())) {
            true => Ok(()),
            false => Err(duplicate(&name)),
        }
    }

    /// Changes a symbolic ref itself.
    fn apply_to_symref(
        &mut self,
        number: u32,
        change: &Change,
        place: Place,
        target: &[u8],
    ) -> Result<(), Stop> {
        // A circle or a bad target must not prevent a symbolic ref from being replaced.
        let old = found_or_dangling(self.resolve(target, SYMREF_DEPTH - 1))?;
        check::symbolic(change, target, old)?;
        if change.new == New::Same {
            return Ok(());
        }
        let old = old.unwrap_or(ObjectId::null(self.repository.hash()));
        let target = self.names.add(target)?;
        self.queue(number, change, place, old, Some(target))
    }

    /// Adds an entry to the log of `HEAD` if the ref at `place` is the one that it points at.
    fn log_head(&mut self, number: u32, change: &Change, place: Place) -> Result<(), Stop> {
        let Some((part, head)) = &self.head else {
            return Ok(());
        };
        if *part != place.part || self.name(number, place.name) != head {
            return Ok(());
        }
        let key = self.repository.layout().worktree();
        let part = self.locked(key)?;
        if self.is_changed(part, b"HEAD") {
            return Err(duplicate(b"HEAD"));
        }
        if change.new == New::Same {
            return Ok(());
        }
        let null = ObjectId::null(self.repository.hash());
        let old = self.resolve(b"HEAD", SYMREF_DEPTH);
        let old = found_or_dangling(old)?.unwrap_or(null);
        let name = Name::Other(self.names.add(b"HEAD")?);
        let target = self.names.add(&[])?;
        self.queue_log(number, change, Place { part, name }, old, target)
    }

    /// Queues a change of the ref at `place` and of its log.
    fn queue(
        &mut self,
        number: u32,
        change: &Change,
        place: Place,
        old: ObjectId,
        old_target: Option<u32>,
    ) -> Result<(), Stop> {
        let log = match (&change.new, old_target) {
            (New::Deleted, None) => match self.has_log(number, place)? {
                true => LogChange::Remove,
                false => LogChange::None,
            },
            _ => self.plan_log(number, change, place)?,
        };
        self.push(
            place,
            Update {
                name: place.name,
                change: number,
                old,
                old_target,
                is_log_only: false,
                log,
            },
        );
        Ok(())
    }

    /// Queues an entry in the log of the symbolic ref at `place`, whose target is changed.
    fn queue_log(
        &mut self,
        number: u32,
        change: &Change,
        place: Place,
        old: ObjectId,
        target: u32,
    ) -> Result<(), Stop> {
        let log = match change.new {
            New::Same => LogChange::None,
            _ => self.plan_log(number, change, place)?,
        };
        if log != LogChange::None {
            self.push(
                place,
                Update {
                    name: place.name,
                    change: number,
                    old,
                    old_target: Some(target),
                    is_log_only: true,
                    log,
                },
            );
        }
        Ok(())
    }

    fn push(&mut self, place: Place, update: Update) {
        if let Some(updates) = self.updates.get_mut(place.part) {
            updates.push(update);
        }
    }
}

#[cold]
fn duplicate(name: &[u8]) -> Stop {
    let name = name.into();
    Stop::Failed(Error::Duplicate { name })
}
