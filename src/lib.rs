//! Git's reftable reference storage in memory-safe Rust.
//!
//! The modules are floors; each uses only those below it:
//!
//! ```text
//! stack     tables.list, locks, additions, compaction
//! merged    newest-wins view of several tables
//! table     one file: sections, indexes, reader and writer
//! block     one block: restarts, prefix compression, deflate
//! record    ref, log, obj and index records
//! format    integers, varints, keys, constants, errors
//! sys       files, locks, clock and random numbers behind a trait
//! ```
//!
//! The file format is that of git's `Documentation/technical/reftable`.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod block;
pub mod format;
pub mod merged;
pub mod record;
pub mod stack;
pub mod sys;
pub mod table;

#[cfg(feature = "capi")]
mod capi;
#[cfg(feature = "capi")]
mod ffi;
#[cfg(feature = "git-backend")]
mod git;
