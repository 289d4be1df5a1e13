//! Simulated power failures: records writes, flushes and renames, cuts the record at every point,
//! and checks what the disk may contain then.

pub mod disk;
pub mod judge;
pub mod recorder;
pub mod trace;
