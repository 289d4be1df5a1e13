//! The references of git repositories whose format is *reftable*: branches, tags, `HEAD` and
//! reflogs, in memory-safe Rust and without git.
//!
//! In such a repository the file `.git/HEAD` always says `ref: refs/heads/.invalid`, there are no
//! files in `.git/refs`, and `extensions.refStorage` is `reftable`. The references are in binary
//! tables in `.git/reftable`. This crate reads and writes them with git's rules: for names, old
//! values, symbolic refs, worktrees, and which changes are logged. Any number of processes of this
//! crate and of git may use a repository at the same time.
//!
//! It is not a library for git repositories: it reads no objects, runs no hooks, and does not know
//! references in files. [`Error::NotReftable`] says that another library is needed.
//!
//! # Reading
//!
//! ```
//! use reftable::{Head, Repository};
//!
//! # let dir = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/example.rs"));
//! # let path = dir.path();
//! let repository = Repository::discover(path)?;
//! match repository.head()? {
//!     Head::Detached { id } => println!("at {id}"),
//!     // With a commit or without one.
//!     head => println!("on {head}"),
//! }
//! if let Some(tag) = repository.resolve("refs/tags/v1.0")? {
//!     println!("the release is {:?}", tag.peeled.or(tag.id));
//! }
//! # assert_eq!(repository.head()?.to_string(), "main");
//! # Ok::<(), reftable::Error>(())
//! ```
//!
//! A [`snapshot`](Repository::snapshot) shows all refs as of one moment, and reads many of them
//! without allocating memory for each:
//!
//! ```
//! # use reftable::Repository;
//! # let dir = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/example.rs"));
//! # let repository = Repository::discover(dir.path())?;
//! let mut snapshot = repository.snapshot()?;
//! let main = snapshot.find("refs/heads/main")?.map(|found| found.id());
//! let mut branches = snapshot.refs("refs/heads/")?;
//! while let Some(branch) = branches.next()? {
//!     println!("{} {:?}", branch.name, branch.id());
//! }
//! # assert!(main.is_some());
//! # Ok::<(), reftable::Error>(())
//! ```
//!
//! Reflogs are read from either end:
//!
//! ```
//! # use reftable::Repository;
//! # let dir = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/example.rs"));
//! # let repository = Repository::discover(dir.path())?;
//! let log = repository.reflog("HEAD")?;
//! for entry in log.newest_first()?.owned().take(10) {
//!     let entry = entry?;
//!     println!("{} {}: {}", entry.time, entry.committer.name, entry.message);
//! }
//! # assert_eq!(log.newest_first()?.owned().count(), 1);
//! # Ok::<(), reftable::Error>(())
//! ```
//!
//! # Writing
//!
//! A transaction makes all its changes or none, and only if the refs have the values that the
//! caller expects:
//!
//! ```
//! use reftable::{Error, Repository};
//!
//! # let dir = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/example.rs"));
//! # let repository = Repository::discover(dir.path())?;
//! # let old: reftable::ObjectId = "cdd9f6b1a9cdc3a5a0d656ea5b62bac487c89cd7".parse().unwrap();
//! # let new: reftable::ObjectId = "27ab5c8e9b4e7f466f29bed687eff60ab3d73df5".parse().unwrap();
//! let done = repository
//!     .transaction()
//!     .message("release: version 1.1")
//!     .update("refs/heads/main", new, old.into())
//!     .create("refs/tags/v1.1", new)
//!     .commit();
//! match done {
//!     Ok(_) => println!("released"),
//!     Err(Error::Unexpected { name, found, .. }) => println!("{name} is now {found}"),
//!     Err(error) => return Err(error),
//! }
//! # assert_eq!(repository.head()?.id(), Some(new));
//! # Ok::<(), reftable::Error>(())
//! ```
//!
//! # Watching
//!
//! [`Repository::generation`] tells cheaply whether anything may have changed, and
//! [`Repository::watch_paths`] names the directories for a file watcher.
//!
//! ```
//! # use reftable::Repository;
//! # let dir = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/example.rs"));
//! # let repository = Repository::discover(dir.path())?;
//! let before = repository.generation()?;
//! let branch = repository.head()?.to_string();
//! // Later: `branch` is valid as long as
//! assert!(repository.generation()? == before);
//! # assert_eq!(branch, "main");
//! # Ok::<(), reftable::Error>(())
//! ```
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! | --- | --- | --- |
//! | `repo` | yes | [`Repository`] and the rest of [`repo`] |
//! | `config` | yes | settings for writing, from git's configuration; without it the caller passes them to [`Repository::open_at`] |
//!
//! A program that only reads can do without `config`, which brings most of the dependencies.
//!
//! The other features build the library for C programs and the backend for git; see the project's
//! Makefile.
//!
//! # Which module for whom
//!
//! Programs that use references need the root and [`repo`] only. The modules below are for those
//! who build on the format: each uses only those below it.
//!
//! ```text
//! repo      a repository: worktrees, symbolic refs, transactions, reflogs
//! stack     a directory of tables: tables.list, locks, additions, compaction
//! merged    the newest-wins view of several tables
//! table     one file: sections, indexes, reader and writer
//! record    ref, log, obj and index records
//! format    integers, varints, keys, constants, errors
//! ```
//!
//! The file format is that of git's `Documentation/technical/reftable`. The documentation of
//! [`stack::Stack`] has an example of a stack, that of [`table::Writer`] one of a single table.
//!
//! # Versions and platforms
//!
//! Rust 1.85 or later. A new minor version may need a later one that is at least half a year old.
//! Until 1.0, a new minor version (0.3) may change the API and a patch version does not. Structs of
//! options may get fields with a default in any version, so end a literal with
//! `..Default::default()`. The tables are git's and stay readable by git.
//!
//! Tested on Linux. The crate compiles for macOS and Windows; its tests have not been run there.
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
