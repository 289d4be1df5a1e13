//! What the fuzzers run: one function for each, over bytes of any kind, which panics when
//! something is wrong.
//!
//! cargo-fuzz calls them from `fuzz_targets`, the crate's tests from `tests/fuzz_smoke.rs`.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each user uses a part

#[path = "../../tests/hostile/mod.rs"]
pub mod hostile;

pub mod block;
pub mod check;
pub mod inflate;
pub mod input;
pub mod memory;
pub mod merged;
pub mod stack;
pub mod structured;
pub mod table;
pub mod tables_list;

/// A fuzzer: its name, and what it runs.
pub type Fuzzer = (&'static str, fn(&[u8]));

/// All fuzzers.
pub const ALL: [Fuzzer; 7] = [
    ("block", block::run),
    ("inflate", inflate::run),
    ("merged", merged::run),
    ("stack", stack::run),
    ("structured", structured::run),
    ("table", table::run),
    ("tables_list", tables_list::run),
];
