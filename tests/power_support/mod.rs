//! Power failures on paper: what was written, flushed and renamed is recorded, cut at every
//! point, and what the disk may hold then is looked at.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test program uses a part

pub mod disk;
pub mod judge;
pub mod recorder;
pub mod trace;
