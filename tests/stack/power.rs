//! Power failures on paper: what was written, flushed and renamed is recorded, cut at every
//! point, and what the disk may hold then is looked at.

pub mod disk;
pub mod judge;
pub mod recorder;
pub mod trace;
