//! One stack of tables and the reader that is kept on its current view.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::failure::Outcome;
use crate::format::{Error, HashId, Result};
use crate::merged::{Merged, MergedLogs, RefFinder, Tombstones};
use crate::record::RefValue;
use crate::stack::{Stack, StackOptions};
use crate::sys::Storage;
use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// The stack of a directory `reftable/`.
pub struct Backend {
    pub stack: Stack,
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
    pub fn open(storage: Arc<dyn Storage>, dir: &CStr, options: StackOptions) -> Outcome<Self> {
        let path = Path::new(OsStr::from_bytes(dir.to_bytes()));
        Ok(Self {
            stack: Stack::open(storage, path, options)?,
            finder: RefCell::new(None),
        })
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
        logs.seek(name)?;
        Ok(logs.advance()? && logs.record().name == name)
    }
}

/// `bytes` from a table as a C string; one with a NUL inside is damage.
pub fn c_string(bytes: &[u8]) -> Outcome<CString> {
    CString::new(bytes).map_err(|_| Error::InvalidRefname(bytes.to_owned()).into())
}
