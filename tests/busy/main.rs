//! Stacks that other processes and threads keep locked.
//!
//! Apart from the tests of `tests/stack`: a process that starts keeps the descriptors of all
//! locks for a moment, which those tests would see.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)] // the tests of stacks use the rest
#[path = "../stack/support.rs"]
mod support;

mod compaction;
mod waiting;
