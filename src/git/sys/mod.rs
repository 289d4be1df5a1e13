//! Git's functions as safe Rust: all calls out of the backend pass here.
//!
//! `ffi` declares them; the other files wrap them in a small vocabulary. A
//! wrapper that takes a raw pointer of git's is built by an `unsafe`
//! constructor in `vtable`, where git's contract gives the pointer its life.

#![expect(unsafe_code, reason = "the boundary to git's C functions")]

pub mod config;
pub mod ending;
pub mod ffi;
pub mod files;
pub mod ident;
pub mod messages;
pub mod oid;
pub mod refs;
pub mod repo;
pub mod strings;
pub mod transaction;
