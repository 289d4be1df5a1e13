//! Names for this crate's own tests, benchmarks and fuzzers. Not part of its API: they may
//! change in any release.
#![forbid(unsafe_code)]

pub use crate::format::BlockType;
#[cfg(feature = "repo")]
pub use crate::repo::config_list;
pub use crate::stack::check_in;
pub use crate::sys::{
    lock_path, Fault, FaultPlan, FaultStorage, FileId, FileKind, Hold, LinkedLock, ListFile,
    ListHandle, LockFile, LockState, Operation, StdStorage, Storage, TableData, TempFile,
    WriteFile, LOCK_SUFFIX, MAX_LIST_BYTES, TEMP_INFIX,
};
pub use crate::table::{BlockInfo, Blocks};
