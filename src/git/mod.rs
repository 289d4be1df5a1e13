//! Git's reftable backend: `refs_be_reftable`, linked into git-core.
//!
//! ```text
//! vtable       the entry points: raw pointers in, numbers out   (unsafe)
//! transaction, iterator, reflog, copy, optimize, fsck, dump     the operations
//! store        the stacks of a repository, and which ref lives where
//! backend      one stack and its reader
//! storage      files by git's own lock and temporary file functions
//! sys          git's functions as a safe vocabulary             (unsafe)
//! abi          the structs of one git release                   (unsafe)
//! ```
//!
//! While git runs a callback or resolves a ref for us, it may call the same
//! store again. So a store is only ever shared, and no borrow of its inner
//! state spans a call into git.
//!
//! What an operation does and says is what git's own backend does and says
//! (`refs/reftable-backend.c` of the same release).

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
mod reflog;
mod refname;
mod storage;
mod store;
mod sys;
mod transaction;
mod vtable;
