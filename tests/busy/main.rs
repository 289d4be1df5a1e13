//! Stacks that other processes and threads keep locked.
//!
//! Separate from the tests in `tests/stack`: between fork and exec, a child process holds the
//! descriptors of all locks, which would disturb those tests.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)] // the tests of stacks use the rest
#[path = "../stack/support.rs"]
mod support;

mod compaction;
mod waiting;
