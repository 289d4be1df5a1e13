//! What a boundary to C needs whatever the API: memory, strings, objects, error numbers.
//!
//! ```text
//! alloc     the allocator that C chooses
//! string    NUL-terminated strings, read and written
//! object    objects in C's memory, and their use by one operation at a time
//! code      results as C sees them
//! ```
#![expect(unsafe_code, reason = "the boundary to C")]

pub(crate) mod alloc;
pub(crate) mod code;
pub(crate) mod object;
pub(crate) mod string;
