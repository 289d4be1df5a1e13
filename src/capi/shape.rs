//! The two shapes of the C API: what git changed in its public headers.
//!
//! Git 2.56 moved the hash function and `on_reload` from `reftable_write_options` to the new
//! `reftable_stack_options`, and passes the former to every function that writes. That changed
//! the size of a struct and the parameters of seven functions, but not their names. Everything
//! about the older and the newer shape that differs is in the two modules below: these structs
//! and functions, and how the rest of the C API gets at the options.
//!
//! The functions of the newer shape are exported under names that end in `_2_56`, and its
//! header defines macros for them. So a program that was compiled for one shape does not link
//! with the library of the other.

use std::ffi::c_void;

use super::writer::reftable_write_options;
use crate::ffi::code::CResult;
use crate::format::HashId;
use crate::merged::Tombstones;

#[cfg(test)]
pub(super) mod testing;
#[cfg(feature = "capi-2-55")]
pub(super) mod v2_55;
#[cfg(not(feature = "capi-2-55"))]
pub(super) mod v2_56;

#[cfg(feature = "capi-2-55")]
pub(super) use v2_55 as current;
#[cfg(not(feature = "capi-2-55"))]
pub(super) use v2_56 as current;

/// What a stack is asked for when it is opened.
pub(super) trait Opening: Copy {
    /// The hash function of the object ids.
    ///
    /// # Errors
    /// Misuse if it is unknown.
    fn hash(&self) -> CResult<HashId>;

    /// Whether iterators over the stack return deletions.
    fn tombstones(&self) -> Tombstones;

    /// The function to call after a reload, and its argument.
    fn on_reload(&self) -> (Option<OnReload>, *mut c_void);

    /// How `reftable_stack_clean()`, which has no options of its own, locks the stack.
    fn for_cleaning(&self) -> reftable_write_options;
}

/// A caller's function that is called after a reload.
pub(super) type OnReload = unsafe extern "C" fn(payload: *mut c_void);
