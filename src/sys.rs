//! Files, locks, clock and random numbers behind one trait.
//!
//! The modules above access the file system only through a [`Storage`]. [`StdStorage`] uses the
//! standard library. A host program with its own lock and temporary files provides another. Git
//! does, so that it can remove them when it receives a signal. [`FaultStorage`] wraps a storage and makes
//! chosen operations fail, for tests.
//!
//! A storage has the same tasks as git's `reftable/system.h`.
//!
//! This file cannot forbid unsafe code, as its child `mmap` maps files; the crate denies it.

mod abandoned;
mod backoff;
#[cfg(feature = "repo")]
mod configured;
mod data;
mod fault;
mod flock;
mod mmap;
#[cfg(unix)]
mod open_dir;
pub(crate) mod outcome;
mod random;
#[cfg(feature = "repo")]
mod read;
mod std_storage;
mod storage;

pub(crate) use abandoned::remove_if;
pub(crate) use backoff::{with_backoff, Backoff};
#[cfg(feature = "repo")]
pub use configured::Sharing;
#[cfg(feature = "repo")]
pub(crate) use configured::{ConfiguredStorage, FileOptions};
pub use data::TableData;
pub use fault::{Fault, FaultPlan, FaultStorage, Operation};
#[cfg(unix)]
pub(crate) use open_dir::OpenDir;
#[cfg(feature = "repo")]
pub(crate) use read::{read_start, read_up_to};
pub use std_storage::StdStorage;
pub use storage::{
    lock_path, FileId, FileKind, Hold, LinkedLock, ListFile, ListHandle, LockFile, LockState,
    Storage, TempFile, WriteFile, LOCK_SUFFIX, MAX_LIST_BYTES, TEMP_INFIX,
};
