//! libreftable's C API: the functions, structs and constants of git 2.55.0's
//! thirteen headers `reftable/reftable-*.h`, one file for each.
//!
//! ```text
//! stack, fsck          stacks, additions, checks
//! merged, iterator     views of several tables, the one iterator type
//! table, block         one file, its blocks
//! writer               writing a table
//! record               records, their strings, equality
//! blocksource          files and callers' sources of bytes
//! error, basics, constants
//! ```
//!
//! (`reftable-system.h` declares nothing of the library's: it is where git includes
//! its own platform headers.) cbindgen makes `include/reftable.h` of these files, the
//! comments of public items included: they are written for C programmers.
//!
//! # Pointers
//!
//! Every function takes what C passes: a pointer is NULL, or points to an object of
//! its type that is alive and that no other thread uses at the same time; a string
//! ends in NUL. That is the promise which `SAFETY` comments here call the caller's.
//! NULL where it makes no sense is an error code or nothing to do, never a crash.
//!
//! # Re-entrance
//!
//! A callback may call the library again with the same objects. So no `&mut` to
//! anything that C can reach is alive while a callback runs: objects are only ever
//! borrowed shared, what changes stands in cells, and an operation that needs an
//! object for itself takes its content out and marks it busy.
#![expect(unsafe_code, reason = "the functions that C programs call")]
#![expect(non_camel_case_types, reason = "the names of the C API")]

mod basics;
mod block;
mod blocksource;
mod constants;
mod error;
mod fsck;
#[cfg(feature = "capi-internals")]
mod internals;
mod iterator;
mod layout;
mod merged;
mod record;
mod stack;
mod table;
#[cfg(test)]
mod testing;
mod writer;
