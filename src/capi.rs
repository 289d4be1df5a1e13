//! The C library: the functions, structs and constants of git's thirteen headers
//! `reftable/reftable-*.h`, one file per header.
//!
//! ```text
//! stack, fsck          stacks, additions, checks
//! merged, iterator     merged views, and the only iterator type
//! table, block         one table, and its blocks
//! writer               writing a table
//! record               records, their strings, equality
//! blocksource          files and callers' sources of bytes
//! error, basics, constants
//! ```
//!
//! `reftable-system.h` declares nothing of the library; git includes its platform headers
//! there. cbindgen generates `include/reftable.h` from these files with the comments of public
//! items, which are therefore written for C programmers.
//!
//! # Pointers
//!
//! A pointer argument is NULL, or points to a valid object of its type that no other thread
//! uses at the same time; strings are NUL-terminated. `SAFETY` comments call this the caller's
//! promise. An unexpected NULL results in an error code or is ignored; it never crashes.
//!
//! # Re-entrance
//!
//! A callback may call the library again with the same objects. So no `&mut` to anything that
//! C can reach exists while a callback runs: objects are borrowed only by shared references,
//! mutable state is in cells, and an operation that needs exclusive access marks its object as
//! busy (`ffi::object`).
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
mod shape;
mod stack;
mod table;
#[cfg(test)]
mod testing;
mod writer;
