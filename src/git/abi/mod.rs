//! Struct layouts, constants and the function table of one git release.
//!
//! Exactly one release feature is on at a time; all that differs between
//! releases stands in its file here.
#![forbid(unsafe_code)]

#[cfg(feature = "git-2-55")]
mod v2_55;
#[cfg(feature = "git-2-55")]
pub use v2_55::*;
