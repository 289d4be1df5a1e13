//! The boundary to one release of git: the structs, constants and functions that cross it,
//! and everything else that differs between releases.
//!
//! [`common`] and [`ffi`] hold what all supported releases share. A release is a module whose
//! items have the same names in each release:
//!
//! | Item       | Holds                                                                  |
//! | ---------- | ---------------------------------------------------------------------- |
//! | `layout`   | structs and constants; written into the header of the release          |
//! | `options`  | what git passes when it opens a store                                  |
//! | `behavior` | constants that say who checks what, and how                            |
//! | `calls`    | git's functions whose parameters differ, under one signature each      |
//! | `settings` | `core.logAllRefUpdates` and bareness, likewise                         |
//! | `updates`  | members of `ref_update` and `ref_transaction`, and functions on them   |
//! | `table`    | `refs_be_reftable`, and the entry points that only this release has    |
//!
//! A release uses a file of another release where the two do not differ. Only `table` belongs
//! to the layer of `vtable`; all else is below `sys`. Nothing outside this directory names a
//! release. `docs/new-release.md` says how one is added.

mod arguments;
mod common;
pub mod ffi;

#[cfg(not(any(
    feature = "git-2-39",
    feature = "git-2-47",
    feature = "git-2-55",
    feature = "git-next-20260731"
)))]
compile_error!("the backend needs the feature of a release of git, such as git-2-55");
#[cfg(any(
    all(feature = "git-2-39", feature = "git-2-47"),
    all(feature = "git-2-39", feature = "git-2-55"),
    all(feature = "git-2-39", feature = "git-next-20260731"),
    all(feature = "git-2-47", feature = "git-2-55"),
    all(feature = "git-2-47", feature = "git-next-20260731"),
    all(feature = "git-2-55", feature = "git-next-20260731")
))]
compile_error!("the features of two releases of git are on; choose one");

#[cfg(feature = "git-next-20260731")]
mod next_20260731;
#[cfg(feature = "git-2-39")]
mod v2_39;
#[cfg(feature = "git-2-47")]
mod v2_47;
#[cfg(feature = "git-2-55")]
mod v2_55;

#[cfg(feature = "git-next-20260731")]
use next_20260731 as release;
#[cfg(feature = "git-2-39")]
use v2_39 as release;
#[cfg(feature = "git-2-47")]
use v2_47 as release;
#[cfg(feature = "git-2-55")]
use v2_55 as release;

pub use arguments::*;
pub use common::*;
pub use release::behavior::*;
pub use release::layout::*;
pub use release::{calls, settings, updates};
