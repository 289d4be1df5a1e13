//! The parts of a C boundary that do not depend on the API: memory, strings, objects, error
//! numbers.
//!
//! ```text
//! alloc     the allocator chosen by the C program
//! string    NUL-terminated strings, read and written
//! object    objects in memory of that allocator, and exclusive access to them
//! code      results of C functions
//! ```
#![expect(unsafe_code, reason = "the boundary to C")]

pub(crate) mod alloc;
pub(crate) mod code;
pub(crate) mod object;
pub(crate) mod string;
