//! One table: reading returns what was written, the bytes are those of git's C library, and damage
//! ends in errors.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

mod damage;
mod layout;
mod logs;
mod malformed;
mod malformed_upstream;
mod objects;
mod roundtrip;
mod seeking;
mod support;
mod upstream;
mod variants;
