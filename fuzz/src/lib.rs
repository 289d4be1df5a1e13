//! The fuzzers: each is a function of arbitrary bytes that panics if a check fails.
//!
//! cargo-fuzz calls them through `fuzz_targets`, the crate's tests through `tests/fuzz_smoke.rs`.
#![forbid(unsafe_code)]
#![allow(dead_code)] // no target uses everything

#[path = "../../tests/hostile/mod.rs"]
pub mod hostile;

pub mod block;
pub mod check;
pub mod config;
pub mod inflate;
pub mod input;
pub mod memory;
pub mod merged;
pub mod stack;
pub mod structured;
pub mod table;
pub mod tables_list;

/// A fuzzer: its name and its function.
pub type Fuzzer = (&'static str, fn(&[u8]));

/// All fuzzers.
pub const ALL: [Fuzzer; 8] = [
    ("block", block::run),
    ("config", config::run),
    ("inflate", inflate::run),
    ("merged", merged::run),
    ("stack", stack::run),
    ("structured", structured::run),
    ("table", table::run),
    ("tables_list", tables_list::run),
];
