//! Internal names of git's library, for its own unit tests.
//!
//! Git's unit tests use functions and structs that are not in its public headers. These are
//! the ones that its tests of merged tables, of reading and writing, of stacks and of tables
//! use, with the layouts of its internal headers. They are not part of the API, and are not
//! installed.

mod basics;
mod blocksource;
mod iterator;
mod merged;
mod stack;

pub(super) use merged::MergedShown;
pub(super) use stack::StackShown;
