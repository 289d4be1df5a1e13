//! Git processes whose system calls fail, or that are killed at one of them.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test program uses a part

pub mod faults;
pub mod folder;
pub mod making;
pub mod preload;
pub mod verdict;
