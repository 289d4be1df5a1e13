//! Files, locks, clock and random numbers behind one trait.
//!
//! The floors above never touch the file system themselves: they ask a
//! [`Storage`]. [`StdStorage`] is the one of the standard library; a host
//! program with lock and temporary files of its own (git has them, so that a
//! signal leaves nothing behind) brings another; [`FaultStorage`] wraps any of
//! them and makes chosen operations fail, for tests.
//!
//! What is asked of a storage is what git asks of the platform in
//! `reftable/system.h`.
//!
//! This file cannot forbid unsafe code, as `mmap` below it maps files; the crate
//! denies it.

mod backoff;
mod data;
mod fault;
mod flock;
mod mmap;
#[cfg(unix)]
mod open_dir;
mod outcome;
mod random;
mod std_storage;
mod storage;

pub(crate) use backoff::{with_backoff, Backoff};
pub use data::TableData;
pub use fault::{Fault, FaultPlan, FaultStorage, Operation};
#[cfg(unix)]
pub(crate) use open_dir::OpenDir;
#[cfg(feature = "git-2-55")]
pub(crate) use outcome::ignore_unsupported;
#[cfg(any(unix, feature = "git-2-55"))]
pub(crate) use outcome::uninterrupted;
pub use std_storage::StdStorage;
pub use storage::{
    lock_path, FileId, FileKind, Hold, LinkedLock, ListFile, ListHandle, LockFile, LockLook,
    Storage, TempFile, WriteFile, LOCK_SUFFIX, MAX_LIST_BYTES, TEMP_INFIX,
};
