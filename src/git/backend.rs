//! One stack of tables, and the finder for lookups in its current view.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::config::Settings;
use super::failure::Outcome;
use crate::format::{Error, HashId, Result};
use crate::merged::{CachedFinder, MergedLogs, Tombstones};
use crate::record::{RefRecord, RefValue};
use crate::stack::Stack;
use crate::sys::Storage;
use std::cell::{OnceCell, RefCell};
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// The stack in a `reftable` directory.
pub struct Backend {
    pub stack: Stack,
    /// The handle that writes, made when the first change needs the settings.
    writing: OnceCell<Stack>,
    settings: Rc<Settings>,
    finder: RefCell<CachedFinder>,
}

/// The value of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefState {
    /// There is no such ref.
    Missing,
    /// It holds an object ID.
    Direct(ObjectId),
    /// It names another ref.
    Symbolic(CString),
}

impl Backend {
    /// Opens the stack in `dir`. A missing directory is an empty stack.
    pub fn open(storage: Arc<dyn Storage>, dir: &CStr, settings: Rc<Settings>) -> Outcome<Self> {
        let path = Path::new(OsStr::from_bytes(dir.to_bytes()));
        Ok(Self {
            stack: Stack::open_in(storage, path, settings.reading_options())?,
            writing: OnceCell::new(),
            settings,
            finder: RefCell::default(),
        })
    }

    /// The stack with the options of the repository's configuration, for writing.
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

    /// Reads ref `name` in the current view, without following symrefs.
    pub fn read_ref(&self, name: &CStr) -> Outcome<RefState> {
        let mut finder = self.finder.borrow_mut();
        let finder = finder.for_view(self.stack.merged());
        RefState::new(finder.find(name.to_bytes())?, self.stack.hash_id())
    }

    /// A cursor over all log records of the current view.
    pub fn logs(&self) -> MergedLogs {
        self.stack.merged().logs(Tombstones::Hide)
    }

    /// Whether `name` has a reflog. `logs` is a cursor over a view, which can serve many names.
    pub fn has_reflog(logs: &mut MergedLogs, name: &[u8]) -> Outcome<bool> {
        logs.seek_only(name)?;
        Ok(logs.advance()?)
    }
}

impl RefState {
    /// The value in the record that a finder returned.
    pub fn new(found: Option<RefRecord<'_>>, hash: HashId) -> Outcome<Self> {
        let Some(record) = found else {
            return Ok(Self::Missing);
        };
        Ok(match record.value {
            RefValue::Deletion => Self::Missing,
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
                Self::Direct(ObjectId::new(id, hash))
            }
            RefValue::Symref(target) => Self::Symbolic(c_string(target)?),
        })
    }

    /// The object id of a direct ref, otherwise the null id.
    pub fn id_or_null(&self) -> ObjectId {
        match self {
            Self::Direct(oid) => *oid,
            Self::Symbolic(_) | Self::Missing => ObjectId::ZERO,
        }
    }
}

/// `bytes` from a table as a C string. A NUL byte inside is an error: the table is damaged.
pub fn c_string(bytes: &[u8]) -> Outcome<CString> {
    CString::new(bytes).map_err(|_| Error::InvalidRefname(bytes.to_owned()).into())
}
