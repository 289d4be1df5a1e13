//! Git's reftable backend: `refs_be_reftable`, linked into git-core.
//!
//! ```text
//! vtable       the entry points: raw pointers in, numbers out   (unsafe)
//! transaction, iterator, reflog, copy, optimize, fsck, dump     the operations
//! store        the stacks of a repository, and which ref lives in which
//! backend      one stack and its reader
//! storage      files, through git's functions for lock files and temporary files
//! sys          git's functions as safe Rust                     (unsafe)
//! abi          everything that differs between git releases            (unsafe)
//! shim         definitions for the C shim
//! ```
//!
//! While git runs a callback or resolves a ref for the backend, it may call the same store
//! again. Therefore a store is only shared, never borrowed mutably, and no borrow of its
//! inner state spans a call into git.
//!
//! Behaviour and messages are those of git's own backend (`refs/reftable-backend.c` of the
//! same release).

mod abi;
mod backend;
mod config;
mod copy;
mod dump;
mod exclude;
mod failure;
mod fsck;
mod iterator;
mod lifecycle;
mod optimize;
mod points_at;
mod reflog;
mod refname;
mod shim;
mod storage;
mod store;
mod sys;
mod transaction;
mod vtable;
