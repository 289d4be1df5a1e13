//! Internal names of git's library, for its own unit tests.
//!
//! Git tests its library by functions and structs that are not in its public headers. These
//! are the ones that its tests of merged tables, of reading and writing, of stacks and of
//! tables use, with the layouts of its internal headers. They are not part of what the
//! library promises, and not in what is installed.

mod basics;
mod blocksource;
mod iterator;
mod merged;
mod stack;

pub(super) use merged::MergedShown;
pub(super) use stack::StackShown;
