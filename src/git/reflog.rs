//! Reflogs: reading, creating, deleting and expiring them.
#![forbid(unsafe_code)]

mod entry;
mod expire;
mod iterator;
mod judge;
mod read;
mod run;
mod settle;
mod text;
mod write;

pub use entry::Entry;
pub use expire::expire;
pub use iterator::ReflogIter;
pub use judge::Policy;
pub use read::{exists, for_each, for_each_reverse, Visitor};
pub use run::Expiries;
pub use write::{create, delete};
