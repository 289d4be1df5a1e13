//! The ref store of a repository: its stacks, and which ref lives in which of them.
//!
//! Refs such as `HEAD` and `refs/bisect/*` belong to a worktree, most others to the
//! repository. The stack in the common directory holds the shared refs and those of the main
//! worktree. Each linked worktree has its own stack, in `worktrees/NAME/reftable`.
#![forbid(unsafe_code)]

use super::abi::{LOG_REFS_ALWAYS, LOG_REFS_NONE, LOG_REFS_NORMAL, LOG_REFS_UNSET};
use super::backend::Backend;
use super::config::Settings;
use super::failure::{Failure, Outcome};
use super::storage::GitStorage;
use super::sys::messages::bug;
use super::sys::refs::{autocreates_reflog, StoreHandle};
use super::sys::repo::Repository;
use crate::format::HashId;
use crate::repo::rules::{owner_of, Owner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{c_uint, CStr, CString};
use std::rc::Rc;
use std::sync::Arc;

/// Whether to reload a stack before it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    Yes,
    No,
}

/// The state behind git's `struct ref_store`.
pub struct Store {
    /// The C object, for calls back into `refs.c`. These may call this store again: no borrow
    /// of a `RefCell` spans them.
    pub handle: StoreHandle,
    pub repo: Repository,
    pub hash: HashId,
    settings: Rc<Settings>,
    /// `REF_STORE_*`.
    pub access: c_uint,
    storage: Arc<GitStorage>,
    main_dir: CString,
    main: Outcome<Rc<Backend>>,
    /// The stack of the linked worktree that the store was opened for; None for the main one.
    worktree: Option<Rc<Backend>>,
    others: RefCell<BTreeMap<Vec<u8>, Rc<Backend>>>,
    /// The failure of the last read for git. Git treats such a ref as missing when it follows a
    /// symref; an iterator must not.
    unreadable: Rc<Cell<Option<Failure>>>,
}

/// The directories of a store's stacks.
pub struct Location {
    /// The `reftable` directory of the repository.
    pub main: CString,
    /// That of the linked worktree, if the store is opened for one.
    pub worktree: Option<CString>,
}

impl Store {
    /// Opens the stacks of a repository. A stack that cannot be read makes every later operation
    /// fail, not this one.
    pub fn open(
        handle: StoreHandle,
        repo: Repository,
        hash: HashId,
        access: c_uint,
        location: &Location,
    ) -> Self {
        let storage = Arc::new(GitStorage::new(repo));
        let settings = Rc::new(Settings::new(repo, hash));
        let open = |dir: &CStr| Backend::open(storage.clone(), dir, settings.clone()).map(Rc::new);
        let mut main = open(&location.main);
        let mut worktree = None;
        if let (Ok(_), Some(dir)) = (&main, &location.worktree) {
            match open(dir) {
                Ok(backend) => worktree = Some(backend),
                Err(failure) => main = Err(failure),
            }
        }
        Self {
            handle,
            repo,
            hash,
            settings,
            access,
            storage,
            main_dir: location.main.clone(),
            main,
            worktree,
            others: RefCell::default(),
            unreadable: Rc::default(),
        }
    }

    /// The slot for the failure of the last read by git.
    pub fn unreadable(&self) -> &Rc<Cell<Option<Failure>>> {
        &self.unreadable
    }

    /// Fails if the store could not be opened.
    pub fn check(&self) -> Outcome {
        self.main.as_ref().map(|_| ()).map_err(Failure::clone)
    }

    /// The stack of shared refs and of the main worktree.
    pub fn main(&self) -> Outcome<&Rc<Backend>> {
        self.main.as_ref().map_err(Failure::clone)
    }

    /// The stack of the linked worktree that the store was opened for.
    pub fn worktree(&self) -> Option<&Rc<Backend>> {
        self.worktree.as_ref()
    }

    /// The stack of the worktree that the store was opened for, linked or main.
    pub fn current(&self) -> Outcome<&Rc<Backend>> {
        self.check()?;
        match &self.worktree {
            Some(worktree) => Ok(worktree),
            None => self.main(),
        }
    }

    /// The stack of the linked worktree `name`, opened at first use.
    pub fn named_worktree(&self, name: &[u8]) -> Outcome<Rc<Backend>> {
        self.check()?;
        if let Some(known) = self.others.borrow().get(name) {
            return Ok(known.clone());
        }
        let dir = self.worktree_dir(name);
        let backend = Backend::open(self.storage.clone(), &dir, self.settings.clone())?;
        let backend = Rc::new(backend);
        self.others
            .borrow_mut()
            .insert(name.to_vec(), backend.clone());
        Ok(backend)
    }

    /// The directory of the stack of the linked worktree `name`.
    pub fn worktree_dir(&self, name: &[u8]) -> CString {
        let mut dir = self.repo.common_dir().to_bytes().to_vec();
        dir.extend_from_slice(b"/worktrees/");
        dir.extend_from_slice(name);
        dir.extend_from_slice(b"/reftable");
        CString::new(dir).unwrap_or_default()
    }

    /// The directory of the stack of the main worktree.
    pub fn main_dir(&self) -> &CStr {
        &self.main_dir
    }

    /// The storage of all stacks.
    pub fn storage(&self) -> &GitStorage {
        &self.storage
    }

    /// The stack in which ref `name` lives, and its name there: `worktrees/W/X` is `X` in the
    /// stack of W.
    pub fn backend_for<'n>(
        &self,
        name: &'n CStr,
        reload: Reload,
    ) -> Outcome<(Rc<Backend>, &'n CStr)> {
        let (owner, bare) = owner_of(name.to_bytes());
        let backend = match owner {
            Owner::Current => self.current()?.clone(),
            Owner::Main | Owner::Shared => self.main()?.clone(),
            Owner::Other(worktree) => self.named_worktree(worktree)?,
        };
        let at = name.count_bytes() - bare.len();
        let bare = name.to_bytes_with_nul().get(at..);
        let bare = bare.and_then(|bare| CStr::from_bytes_with_nul(bare).ok());
        if reload == Reload::Yes {
            backend.stack.reload()?;
        }
        Ok((backend, bare.unwrap_or(name)))
    }

    /// Whether an update of `name` is logged. `logs` returns whether there is a log already, and
    /// is called only if that matters.
    pub fn should_log(
        &self,
        name: &CStr,
        logs: &mut dyn FnMut() -> Outcome<bool>,
    ) -> Outcome<bool> {
        let config = match self.settings.log_refs() {
            LOG_REFS_UNSET if self.repo.is_bare() => LOG_REFS_NONE,
            LOG_REFS_UNSET => LOG_REFS_NORMAL,
            config => config,
        };
        match config {
            LOG_REFS_ALWAYS => Ok(true),
            LOG_REFS_NORMAL if autocreates_reflog(config, name) => Ok(true),
            LOG_REFS_NORMAL | LOG_REFS_NONE => logs(),
            _ => bug(c"unhandled core.logAllRefUpdates value", &[]),
        }
    }

    /// Size of a block in bytes.
    pub fn max_block(&self) -> usize {
        usize::try_from(self.settings.stack_options().write.block_size).unwrap_or(usize::MAX)
    }

    /// Truncates a log message to the part that is stored: at most half a block.
    pub fn cut_message<'m>(&self, message: &'m CStr) -> &'m [u8] {
        let message = message.to_bytes();
        message.get(..self.max_block() / 2).unwrap_or(message)
    }
}
