//! git's reftable reference storage in memory-safe Rust.
//!
//! A [stack](stack::Stack) is a directory of tables. It is read through a
//! [merged view](merged::Merged) of its tables and changed by [additions](stack::Addition); its
//! documentation has an example. A single [table](table::Table) can also be
//! read and [written](table::Writer):
//!
//! ```
//! use std::sync::Arc;
//!
//! use reftable::record::{RefRecord, RefValue};
//! use reftable::table::{Table, WriteOptions, Writer};
//!
//! # fn main() -> reftable::format::Result<()> {
//! let mut bytes = Vec::new();
//! let mut writer = Writer::new(&mut bytes, &WriteOptions::default())?;
//! writer.set_limits(1, 1)?;
//! writer.add_ref(&RefRecord {
//!     name: b"refs/heads/main",
//!     update_index: 1,
//!     value: RefValue::Val1(&[0x11; 20]),
//! })?;
//! writer.finish()?;
//! drop(writer);
//!
//! let table = Arc::new(Table::new("example", bytes.into())?);
//! let mut refs = table.refs();
//! refs.seek(b"refs/heads/")?;
//! assert!(refs.advance()?);
//! assert_eq!(refs.record().name, b"refs/heads/main");
//! # Ok(())
//! # }
//! ```
//!
//! Each module uses only those below it:
//!
//! ```text
//! repo      a repository: worktrees, symbolic refs, transactions, reflogs
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
// The front ends for git and for C use more than is public. A build with both shows dead code.
#![cfg_attr(
    not(all(feature = "capi-internals", feature = "git-backend")),
    allow(dead_code, unused_imports)
)]

mod block;
pub mod format;
pub mod merged;
pub mod record;
pub mod repo;
pub mod stack;
mod sys;
pub mod table;

#[doc(hidden)]
pub mod internals;

pub use format::HashId;
#[cfg(feature = "repo")]
pub use repo::{
    Error, Expected, Head, ObjectId, ParseIdError, Reference, Repository, Target, Transaction,
};

#[cfg(feature = "capi")]
mod capi;
#[cfg(feature = "capi")]
mod ffi;
#[cfg(feature = "git-backend")]
mod git;
