//! Git's functions as safe Rust. All calls from the backend into git go through these files.
//!
//! They wrap the declarations of `abi` in a few types. A wrapper of one of git's pointers has an
//! `unsafe` constructor, which `vtable` calls: there git's contract says how long the pointer is
//! valid.

#![expect(unsafe_code, reason = "the boundary to git's C functions")]

pub mod config;
pub mod ending;
pub mod files;
pub mod ident;
pub mod messages;
pub mod oid;
pub mod refs;
pub mod repo;
pub mod strings;
pub mod transaction;
