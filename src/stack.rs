//! A stack: a directory of tables that is read as one and changed by adding tables.
//!
//! ```text
//! reftable/tables.list          names of the tables, one per line, oldest first
//! reftable/tables.list.lock     held while the list is changed; becomes the next list
//! reftable/0x…-0x…-….ref        a table: least and greatest update index, random number
//! reftable/0x…-0x…-….ref.lock   held by the compaction that merges that table
//! reftable/0x…-0x…-….temp.XXXXXX   a table that is being written
//! ```
//!
//! An [`Addition`] is a transaction:
//!
//! ```text
//! lock tables.list            begin: reload the stack if it has changed
//! write NAME.temp.XXXXXX      add_table, possibly merged with small older tables; flush
//! rename it to NAME.ref
//! write tables.list.lock      commit: flush it and the directory
//! rename it to tables.list    the transaction is now visible; releases the lock
//! flush the directory         the transaction is now durable
//! compact                     if the geometric rule requires it
//! ```
//!
//! A compaction holds the list's lock only at its beginning and its end:
//!
//! ```text
//! lock tables.list            reload the stack if it has changed; select tables
//! lock the selected tables    NAME.ref.lock each
//! unlock tables.list          other processes may add tables from here on
//! merge into NAME.temp.XXXXXX
//! lock tables.list, rename the merged table, replace the list, flush, as above
//! remove the merged tables, then their locks
//! ```
//!
//! Readers take no lock: they read the list and open the tables that it names, and start again
//! if a table is missing because the list has changed. Tables and lists are written once, under
//! another name, and renamed into place. So a list that is the same file has the same content,
//! and a reader sees the stack before or after a change, even if the writer is killed. The
//! rules are those of git's `reftable/stack.c` and of the section "Update transactions" of git's
//! reftable document: any number of processes of this library and of C git may read and write
//! one directory at the same time.
//!
//! JGit may read at any time, but may write only while no other process does. It takes the lock,
//! reads the list, and then uses the file's time stamp to decide whether that list is current. A
//! change between these two steps is lost with the next list that JGit writes. This also happens
//! next to C git, and another writer cannot prevent it.
//!
//! The modules, each of which uses only those above it:
//!
//! ```text
//! options, names, list    plain values and texts
//! shared                  the state of a stack, its locks and temporary files
//! reload, segment, locks  reading the list; the geometric rule; per-table locks
//! sink, publish           writing a table; naming it and replacing the list
//! handle                  `Stack`
//! rewrite, fold           merging tables; merging a new table with small older ones
//! lock_list               whose locks there are
//! clean, compact          removing leftovers; compaction
//! addition, replace       transactions; replacing a damaged stack
//! check, remove           checking a directory; removing a stack
//! ```
#![forbid(unsafe_code)]

mod addition;
mod check;
mod clean;
mod compact;
mod fold;
mod handle;
mod list;
mod lock_list;
mod locks;
pub(crate) mod names;
mod options;
mod publish;
mod reload;
#[cfg(unix)]
mod remove;
mod replace;
mod rewrite;
pub(crate) mod segment;
mod shared;
mod sink;

pub use addition::{Addition, CommitOutcome};
#[doc(hidden)]
pub use check::check_in;
pub use check::{check, check_in_parallel, CheckEvent, Finding};
pub use handle::Stack;
pub use lock_list::{locks, Lock, LockKind};
pub use locks::LockOwner;
pub use options::{CompactionStats, LogExpiry, OnOutdated, Progress, StackOptions};
#[cfg(unix)]
pub use remove::{remove, RemoveError};
pub use replace::Replacement;
