//! Reflogs: reading, creating, deleting and expiring them.
#![forbid(unsafe_code)]

mod entry;
mod expire;
mod iterator;
mod read;
mod text;
mod write;

pub use entry::Entry;
pub use expire::{expire, Policy};
pub use iterator::ReflogIter;
pub use read::{exists, for_each, for_each_reverse, Visitor};
pub use write::{create, delete};
