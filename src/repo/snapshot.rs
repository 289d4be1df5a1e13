//! The references of a repository at one moment.
#![forbid(unsafe_code)]

use std::sync::Arc;

use bstr::ByteSlice;

use super::rules::{owner_of, Owner};
use super::{Error, ObjectId, Repository, Result};
use crate::merged::{Merged, RefFinder};

/// The references of a repository at one moment, for any number of reads.
///
/// Each stack is seen as it was when the snapshot was made, or for the stacks of other worktrees
/// when their first ref was asked for. Looking up many refs is faster in a snapshot than in the
/// repository, which asks the file system for changes each time.
#[derive(Debug)]
pub struct Snapshot<'r> {
    pub(super) repository: &'r Repository,
    pub(super) main: View,
    /// That of the linked worktree.
    pub(super) current: Option<View>,
    others: Vec<(Vec<u8>, View)>,
    /// The id in the file that was read last.
    pub(super) special: Option<ObjectId>,
}

/// The view of one stack.
#[derive(Debug)]
pub(super) struct View {
    pub(super) merged: Arc<Merged>,
    pub(super) finder: RefFinder,
}

impl View {
    pub(super) fn new(merged: Arc<Merged>) -> Self {
        Self {
            finder: merged.finder(),
            merged,
        }
    }
}

impl<'r> Snapshot<'r> {
    pub(super) fn new(repository: &'r Repository) -> Result<Self> {
        let main = repository.main_stack()?;
        main.reload()?;
        let current = match repository.layout().worktree() {
            None => None,
            Some(_) => {
                let stack = repository.current_stack()?;
                stack.reload()?;
                Some(View::new(stack.merged()))
            }
        };
        Ok(Self {
            repository,
            main: View::new(main.merged()),
            current,
            others: Vec::new(),
            special: None,
        })
    }

    /// The view of the current worktree.
    pub(super) fn current(&mut self) -> &mut View {
        self.current.as_mut().unwrap_or(&mut self.main)
    }

    /// The view that has the ref `name`, and the name of the ref there; `None` if `name` begins with
    /// the name of a worktree that cannot exist.
    pub(super) fn route<'n>(&mut self, name: &'n [u8]) -> Result<Option<(&mut View, &'n [u8])>> {
        let (owner, bare) = owner_of(name);
        let view = match owner {
            Owner::Current => self.current(),
            Owner::Main | Owner::Shared => &mut self.main,
            Owner::Other(worktree) => match self.view_of(worktree) {
                Ok(view) => view,
                Err(Error::NoWorktree { .. }) => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        Ok(Some((view, bare)))
    }

    fn view_of(&mut self, worktree: &[u8]) -> Result<&mut View> {
        if self.repository.layout().worktree() == Some(worktree.as_bstr()) {
            return Ok(self.current());
        }
        let known = self.others.iter().position(|(name, _)| name == worktree);
        let at = match known {
            Some(at) => at,
            None => {
                let stack = self.repository.stack_of(worktree)?;
                stack.reload()?;
                let view = View::new(stack.merged());
                self.others.push((worktree.to_vec(), view));
                self.others.len() - 1
            }
        };
        // The index is in range; the main view keeps this free of panics.
        Ok(self
            .others
            .get_mut(at)
            .map_or(&mut self.main, |(_, view)| view))
    }
}
