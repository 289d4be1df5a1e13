//! Iteration over refs.
#![forbid(unsafe_code)]

use super::abi::{
    ObjectId, REFS_FOR_EACH_INCLUDE_BROKEN, REFS_FOR_EACH_INCLUDE_ROOT_REFS,
    REFS_FOR_EACH_OMIT_DANGLING_SYMREFS, REFS_FOR_EACH_PER_WORKTREE_ONLY, REF_BAD_NAME,
    REF_ISBROKEN, REF_ISSYMREF,
};
use super::backend::Backend;
use super::exclude::Excludes;
use super::failure::{Failure, Outcome};
use super::points_at::PointsAt;
use super::refname::is_well_formed;
use super::store::Store;
use super::sys::messages::die;
use super::sys::refs::{self, StoreHandle};
use super::sys::repo::{count_reseek, Repository};
use super::sys::strings::{quoted, NameBuffer};
use crate::format::words::begins_with;
use crate::format::{Error, HashId, Result};
use crate::merged::{Merged, MergedRefs, RefsOf, Tombstones};
use crate::record::{RefRecord, RefValue};
use crate::repo::rules::belongs_to_worktree;
use std::cell::Cell;
use std::ffi::{c_char, c_uint, CStr};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

/// An iterator over the refs of one stack that pass git's filters.
pub struct RefIter {
    resolver: RefResolver,
    view: Option<Arc<Merged>>,
    refs: Option<Walk>,
    /// The name of the current ref.
    name: NameBuffer,
    /// The current ref, apart from its name.
    current: ResolvedRef,
    prefix: Vec<u8>,
    excludes: Excludes,
    /// If set, refs that cannot point at these objects are left out.
    points_at: Option<PointsAt>,
    state: RefIterState,
}

/// The records that an iterator visits.
#[expect(
    clippy::large_enum_variant,
    reason = "an iterator is itself in a box; nearly all visit all records"
)]
enum Walk {
    All(MergedRefs),
    /// Those with a given object id or peeled id.
    Of(Box<RefsOf>),
}

impl Walk {
    /// Moves to the next ref, perhaps passing some that cannot point at one of `objects`.
    #[inline]
    fn advance(&mut self, objects: Option<&PointsAt>) -> Result<bool> {
        match (self, objects) {
            (Self::All(refs), None) => refs.advance(),
            (Self::All(refs), Some(objects)) => {
                let is_at_next = refs.advance_fast_until(|name, id| objects.may_match_id(name, id));
                Ok(is_at_next || refs.advance()?)
            }
            (Self::Of(refs), _) => refs.advance(),
        }
    }

    #[inline]
    fn record(&self) -> RefRecord<'_> {
        match self {
            Self::All(refs) => refs.record(),
            Self::Of(refs) => refs.record(),
        }
    }
}

/// Resolves refs through the store, and filters them by git's flags.
struct RefResolver {
    handle: StoreHandle,
    repo: Repository,
    hash: HashId,
    /// `REFS_FOR_EACH_*`.
    flags: c_uint,
    /// The failure of the store's last read for git.
    unreadable: Rc<Cell<Option<Failure>>>,
}

#[derive(Clone)]
enum RefIterState {
    Running,
    Done,
    Failed(Failure),
}

/// The current ref of an iterator, apart from its name.
pub struct ResolvedRef {
    pub oid: ObjectId,
    pub peeled: Option<ObjectId>,
    /// The target of a symref, in one of git's buffers, which is overwritten when the next
    /// symref is resolved. NULL for a direct ref.
    pub target: *const c_char,
    /// `REF_IS…`, `REF_BAD_NAME`.
    pub flags: c_uint,
}

impl ResolvedRef {
    fn new(hash: HashId) -> Self {
        Self {
            oid: ObjectId::null(hash),
            peeled: None,
            target: ptr::null(),
            flags: 0,
        }
    }
}

impl RefIter {
    /// Reloads `backend` and begins at its first ref that starts with `prefix`. A failure is
    /// returned by `advance`.
    pub fn begin(
        store: &Store,
        backend: Outcome<&Backend>,
        prefix: &[u8],
        excludes: Excludes,
        flags: c_uint,
    ) -> Self {
        let mut iter = Self {
            resolver: RefResolver {
                handle: store.handle,
                repo: store.repo,
                hash: store.hash,
                flags,
                unreadable: store.unreadable().clone(),
            },
            view: None,
            refs: None,
            name: NameBuffer::new(),
            current: ResolvedRef::new(store.hash),
            prefix: Vec::new(),
            excludes,
            points_at: None,
            state: RefIterState::Running,
        };
        if let Err(failure) = iter.open(backend, prefix) {
            iter.state = RefIterState::Failed(failure);
        }
        iter
    }

    fn open(&mut self, backend: Outcome<&Backend>, prefix: &[u8]) -> Outcome {
        let backend = backend?;
        backend.stack.reload()?;
        let view = backend.stack.merged();
        self.refs = Some(Walk::All(view.refs(Tombstones::Hide)));
        self.view = Some(view);
        self.seek(prefix, true)
    }

    /// Positions the iterator before the first ref that is not less than `name`. With
    /// `set_prefix`, only refs that start with `name` follow, otherwise all.
    pub fn seek(&mut self, name: &[u8], set_prefix: bool) -> Outcome {
        self.prefix.clear();
        if set_prefix {
            self.prefix.extend_from_slice(name);
        }
        let outcome = match &mut self.refs {
            // The bound ends the iteration before the tombstones that follow the prefix.
            Some(Walk::All(refs)) if set_prefix => refs.seek_prefix(name).map_err(Failure::from),
            Some(Walk::All(refs)) => refs.seek(name).map_err(Failure::from),
            Some(Walk::Of(_)) => {
                Err(Error::Misuse("cannot seek among the refs of an object").into())
            }
            None => Err(match &self.state {
                RefIterState::Failed(failure) => failure.clone(),
                RefIterState::Running | RefIterState::Done => Failure::Reported,
            }),
        };
        self.state = match &outcome {
            Ok(()) => RefIterState::Running,
            Err(failure) => RefIterState::Failed(failure.clone()),
        };
        outcome
    }

    /// Leaves out the refs that cannot point at one of `ids`, whose peeled ids are among them.
    pub fn limit_to(&mut self, ids: &[ObjectId]) {
        self.points_at = Some(PointsAt::new(ids, self.resolver.hash));
    }

    /// Restricts the iterator to refs that the object sections show to have the value or the peeled
    /// value `oid`. Returns `false`, and does nothing, if looking there would take long.
    pub fn find(&mut self, oid: &ObjectId) -> Outcome<bool> {
        match (&self.view, &self.state) {
            (Some(view), RefIterState::Running) if view.finds_objects_fast() => {
                let refs = view.refs_of(oid.raw(self.resolver.hash))?;
                self.refs = Some(Walk::Of(Box::new(refs)));
                Ok(true)
            }
            (_, RefIterState::Failed(failure)) => Err(failure.clone()),
            _ => Ok(false),
        }
    }

    /// The name of the current ref.
    pub fn name(&self) -> &CStr {
        self.name.as_c_str()
    }

    /// The current ref, after `advance` has returned `true`.
    pub fn current(&self) -> &ResolvedRef {
        &self.current
    }

    /// Moves to the next ref that passes the filters; returns `false` at the end. The end, or a
    /// failure, is final until the next `seek`.
    pub fn advance(&mut self) -> Outcome<bool> {
        while matches!(self.state, RefIterState::Running) {
            match self.step() {
                Ok(RefStep::Show) => return Ok(true),
                Ok(RefStep::Skip) => {}
                Ok(RefStep::End) => self.state = RefIterState::Done,
                Err(failure) => self.state = RefIterState::Failed(failure),
            }
        }
        match &self.state {
            RefIterState::Failed(failure) => Err(failure.clone()),
            RefIterState::Done | RefIterState::Running => Ok(false),
        }
    }

    fn step(&mut self) -> Outcome<RefStep> {
        let Some(refs) = &mut self.refs else {
            return Ok(RefStep::End);
        };
        if !refs.advance(self.points_at.as_ref())? {
            return Ok(RefStep::End);
        }
        let record = refs.record();
        if let Some(objects) = &self.points_at {
            if !objects.may_match(record.name, record.value) {
                return Ok(RefStep::Skip);
            }
        }
        if !self.name.set(record.name) {
            return Err(Error::InvalidRefname(record.name.to_owned()).into());
        }
        let name = self.name.as_c_str();
        if !record.name.starts_with(b"refs/") && !self.resolver.wants_root_ref(name) {
            return Ok(RefStep::Skip);
        }
        // `memcmp` of no bytes takes as long as the rest of a step where its masked load is at an
        // invalid address, as that of an empty vector is.
        if !begins_with(record.name, &self.prefix) {
            return Ok(RefStep::End);
        }
        if !self.excludes.is_empty() {
            if let Some(next) = self.excludes.skip(record.name) {
                if let Walk::All(refs) = refs {
                    refs.skip_to(&next)?;
                    count_reseek();
                }
                return Ok(RefStep::Skip);
            }
        }
        let only_own = self.resolver.has(REFS_FOR_EACH_PER_WORKTREE_ONLY);
        if only_own && !belongs_to_worktree(record.name) {
            return Ok(RefStep::Skip);
        }
        self.resolver
            .resolve(name, record.value, &mut self.current)?;
        Ok(self.resolver.filter(name, &mut self.current))
    }
}

impl RefResolver {
    fn has(&self, flag: c_uint) -> bool {
        self.flags & flag != 0
    }

    fn wants_root_ref(&self, name: &CStr) -> bool {
        self.has(REFS_FOR_EACH_INCLUDE_ROOT_REFS) && refs::is_root_ref(name)
    }

    /// Resolves a record's value to an ID. A symref whose target exists but cannot be read is a
    /// failure, not a dangling symref.
    #[inline]
    fn resolve(&self, name: &CStr, value: RefValue<'_>, found: &mut ResolvedRef) -> Outcome {
        found.peeled = None;
        found.target = ptr::null();
        found.flags = 0;
        match value {
            RefValue::Val1(id) => found.oid = ObjectId::new(id, self.hash),
            RefValue::Val2 { value, target } => {
                found.oid = ObjectId::new(value, self.hash);
                found.peeled = Some(ObjectId::new(target, self.hash));
            }
            RefValue::Symref(_) => {
                found.oid = ObjectId::null(self.hash);
                self.unreadable.set(None);
                let resolved = self
                    .handle
                    .resolve(name, true, &mut found.oid, &mut found.flags);
                match resolved {
                    Some(target) => found.target = target,
                    None => {
                        if let Some(failure) = self.unreadable.take() {
                            return Err(failure);
                        }
                        found.oid = ObjectId::null(self.hash);
                    }
                }
            }
            // The cursor hides tombstones.
            RefValue::Deletion => found.oid = ObjectId::null(self.hash),
        }
        Ok(())
    }

    /// Marks broken refs, and applies the flags.
    #[inline]
    fn filter(&self, name: &CStr, found: &mut ResolvedRef) -> RefStep {
        const DANGLING: c_uint = REF_ISSYMREF | REF_ISBROKEN;
        if found.oid.is_null() {
            found.flags |= REF_ISBROKEN;
        }
        if !is_well_formed(name) {
            if !refs::is_safe(name) {
                die(c"refname is dangerous: %s", &[&quoted(name.to_bytes())]);
            }
            found.oid = ObjectId::null(self.hash);
            found.flags |= REF_BAD_NAME | REF_ISBROKEN;
        }
        let omit_dangling = self.has(REFS_FOR_EACH_OMIT_DANGLING_SYMREFS);
        if omit_dangling && found.flags & DANGLING == DANGLING {
            return RefStep::Skip;
        }
        let with_broken = self.has(REFS_FOR_EACH_INCLUDE_BROKEN);
        if !with_broken && !refs::resolves_to_object(name, self.repo, &found.oid, found.flags) {
            return RefStep::Skip;
        }
        RefStep::Show
    }
}

enum RefStep {
    Show,
    Skip,
    End,
}
