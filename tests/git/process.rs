//! Git processes whose system calls fail, or that are killed at one of them.

pub mod faults;
pub mod making;
pub mod preload;
pub mod verdict;
