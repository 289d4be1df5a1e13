//! One stack of tables and the reader that is kept on its current view.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::config::Settings;
use super::failure::Outcome;
use crate::format::{Error, HashId, Result};
use crate::merged::{Merged, MergedLogs, RefFinder, Tombstones};
use crate::record::RefValue;
use crate::stack::Stack;
use crate::sys::Storage;
use std::cell::{OnceCell, RefCell};
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// The stack of a directory `reftable/`.
pub struct Backend {
    pub stack: Stack,
    /// The handle that writes, made when the settings are first needed.
    writing: OnceCell<Stack>,
    settings: Rc<Settings>,
    /// The view that the finder reads, and the finder; kept between calls so
    /// that its buffers and positions serve the next lookup.
    finder: RefCell<Option<(Arc<Merged>, RefFinder)>>,
}

/// What a ref is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefState {
    /// There is no such ref.
    Missing,
    /// It holds an object id.
    Direct(ObjectId),
    /// It names another ref.
    Symbolic(CString),
}

impl Backend {
    /// Opens the stack in `dir`; a missing one is empty.
    pub fn open(storage: Arc<dyn Storage>, dir: &CStr, settings: Rc<Settings>) -> Outcome<Self> {
        let path = Path::new(OsStr::from_bytes(dir.to_bytes()));
        Ok(Self {
            stack: Stack::open_in(storage, path, settings.reading_options())?,
            writing: OnceCell::new(),
            settings,
            finder: RefCell::new(None),
        })
    }

    /// The stack with the options of the repository's configuration, for changes.
    pub fn writing(&self) -> Result<&Stack> {
        if let Some(known) = self.writing.get() {
            return Ok(known);
        }
        let options = self.settings.stack_options().clone();
        let stack = self.stack.with_options(options)?;
        Ok(self.writing.get_or_init(|| stack))
    }

    /// The hash algorithm of the stack.
    pub fn hash_id(&self) -> HashId {
        self.stack.hash_id()
    }

    /// Reads ref `name` in the view last loaded, without following it.
    pub fn read_ref(&self, name: &CStr) -> Outcome<RefState> {
        let view = self.stack.merged();
        let mut slot = self.finder.borrow_mut();
        let (_, finder) = match slot.take() {
            Some((seen, finder)) if Arc::ptr_eq(&seen, &view) => slot.insert((seen, finder)),
            _ => {
                let finder = view.finder();
                slot.insert((view, finder))
            }
        };
        let hash = self.stack.hash_id();
        let Some(record) = finder.find(name.to_bytes())? else {
            return Ok(RefState::Missing);
        };
        Ok(match record.value {
            RefValue::Deletion => RefState::Missing,
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
                RefState::Direct(ObjectId::new(id, hash))
            }
            RefValue::Symref(target) => RefState::Symbolic(c_string(target)?),
        })
    }

    /// A cursor over all log records of the view last loaded.
    pub fn logs(&self) -> MergedLogs {
        self.stack.merged().logs(Tombstones::Hide)
    }

    /// Whether `name` has a reflog in the view last loaded. `logs` is a cursor
    /// of that view, to be used for many names.
    pub fn has_reflog(logs: &mut MergedLogs, name: &[u8]) -> Result<bool> {
        logs.seek_only(name)?;
        logs.advance()
    }
}

/// `bytes` from a table as a C string; one with a NUL inside is damage.
pub fn c_string(bytes: &[u8]) -> Outcome<CString> {
    CString::new(bytes).map_err(|_| Error::InvalidRefname(bytes.to_owned()).into())
}
