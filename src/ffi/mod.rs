//! What a boundary to C needs whatever the API: memory, strings, objects, error numbers.
//!
//! ```text
//! alloc     the allocator that C chooses
//! ```
#![expect(unsafe_code, reason = "the boundary to C")]

pub(crate) mod alloc;
